#!/bin/sh
# What `make install` puts below a prefix works there: the program, and the library with its header
# and pkg-config file, with which each example is compiled; and it works after being moved.
set -eu

[ -d include/nodule ] || { echo "skipped: no public header yet"; exit 77; }
build=$(dirname "$NODULE")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/first" >"$place/out" 2>&1 || { cat "$place/out"; exit 1; }
mv "$place/first" "$place/moved"
"$place/moved/bin/nodule" version >/dev/null
ls "$place"/moved/share/nodule/recipes/*.yaml >/dev/null

pc=$(find "$place/moved" -name nodule.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion nodule)" = "$("$NODULE" version | sed -n 's/^nodule //p')" ]
for example in examples/*.c; do
    # shellcheck disable=SC2046
    cc -std=c99 -pedantic -Wall -Wextra -Werror "$example" -o "$place/example" $(pkg-config --cflags --libs nodule) || {
        echo "$example does not compile with what is installed"
        exit 1
    }
done
