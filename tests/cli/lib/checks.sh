# checks.sh: what the tests of the program share. Sourced from the project's root with $NODULE set;
# gives $n, the program, and a folder of its own to work in, which is removed at the end.

n=$NODULE
test_name=$(basename "$0" .sh)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fail() { echo "$test_name: $*"; exit 1; }

# quiet COMMAND...: must work; what it says is shown only where it does not.
quiet() {
    "$@" >out.txt 2>&1 || { status=$?; cat out.txt; fail "exit $status: $*"; }
}

# refused CODE WORDS COMMAND...: fails with this exit code and says these words.
refused() {
    code=$1 words=$2
    shift 2
    status=0
    "$@" >out.txt 2>&1 || status=$?
    [ "$status" = "$code" ] || { cat out.txt; fail "exit $status, not $code: $*"; }
    says "$words"
}

# says WORDS: the last command of `quiet` or `refused` said these words.
says() { grep -q -- "$1" out.txt || { cat out.txt; fail "it does not say '$1'"; }; }

# weights RUN: hashes of the weights of all seeds.
weights() { "$n" summary "$1" | sed -n 's/^weights \([0-9a-f]\{64\}\) .*/\1/p'; }
