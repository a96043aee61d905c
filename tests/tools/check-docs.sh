#!/bin/sh
# tools/check-docs names broken links, headings, paths, pages named by sources, and examples.
set -eu

check=$PWD/tools/check-docs
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/base" "$tree/docs"
: >"$tree/src/base/text.c"
printf '# Of a page\n' >"$tree/docs/page.md"
printf '#!/bin/sh\necho nodule "$@"\n' >"$tree/program"
chmod +x "$tree/program"

# verdict 0|1 TEXT [WORDS]
verdict() {
    printf '%b\n' "$2" >"$tree/docs/it.md"
    status=0
    "$check" "$tree/program" "$tree" >"$tree/out" 2>&1 || status=$?
    [ "$status" = "$1" ] || { echo "status $status instead of $1: $2"; cat "$tree/out"; exit 1; }
    grep -q -e "${3:-}" "$tree/out" || { echo "no '$3' for $2"; cat "$tree/out"; exit 1; }
}

verdict 0 '[a](page.md) [b](../src/base/text.c) [c](page.md#of-a-page) [d](https://example.org/x)' '4 links'
verdict 0 '# One two\n[a](#one-two)'
verdict 0 '`src/base/text.c` `src/<layer>/text.c` `src/*/*.c` `make test`'
verdict 0 '```\n[a](nowhere.md) `src/nowhere.c`\n```'
verdict 0 '```sh run\nx=1\n```\ntext\n```sh run\n[ "$(nodule a $x)" = "nodule a 1" ]\ntest -f src/base/text.c\n```' 'examples of 1'
verdict 0 '```sh\nfalse\n```' 'examples of 0'

# names 0|1 LINE [WORDS]: a source of the tree holds that line, on its line 2.
names() {
    printf '/* x */\n%s\n' "$2" >"$tree/src/base/text.c"
    verdict "$1" 'text' "${3:-}"
    : >"$tree/src/base/text.c"
}
names 0 '/* docs/page.md has the keys (docs/page.md). */' '2 pages named'
names 0 'puts("docs/page.md");' '1 pages named'
names 0 '/* https://example.org/docs/nowhere.md, tests/docs/nowhere.md, docs/nowhere.txt */' '0 pages named'
names 1 '/* docs/nowhere.md */' 'src/base/text.c:2: docs/nowhere.md does not exist'
names 1 '/* docs/page.md, then docs/formats/nowhere.md */' 'src/base/text.c:2: docs/formats/nowhere.md'
names 1 'puts("docs/nowhere.md");' 'docs/nowhere.md does not exist'
mkdir -p "$tree/tests/tools"
echo '# docs/nowhere.md' >"$tree/tests/tools/check-docs.sh"
verdict 0 'text' '0 pages named'
rm -r "$tree/tests"

verdict 1 '[a](nowhere.md)' 'docs/it.md:1: link to nowhere.md'
verdict 1 'x\n[a](page.md#nothing)' 'docs/it.md:2: .*no such heading'
verdict 1 '[a](#nothing)' 'no such heading'
verdict 1 '`src/base/gone.c`' 'src/base/gone.c does not exist'
verdict 1 '`src/<layer>/gone.c`' 'does not exist'
verdict 1 '```sh run\nfalse\ntrue\n```' 'an example failed'
verdict 1 '```sh run\necho $nothing_set\n```' 'an example failed'
echo "all found"
