#!/bin/sh
# tools/check-headers names a header that does not compile alone, and a public one that is no C99
# or no C++.
set -eu

command -v "${CXX:-g++}" >/dev/null || { echo "skipped: no C++ compiler"; exit 77; }
check=$PWD/tools/check-headers
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/base" "$tree/include/nodule"

# verdict 0|1 FILE TEXT
verdict() {
    printf '%s\n' "$3" >"$tree/$2"
    status=0
    "$check" "$tree" >"$tree/out" 2>&1 || status=$?
    [ "$status" = "$1" ] || { echo "status $status instead of $1 for $2: $3"; cat "$tree/out"; exit 1; }
    [ "$1" = 0 ] || grep -q "$2 does not compile alone" "$tree/out" || { cat "$tree/out"; exit 1; }
    rm "$tree/$2"
}

echo 'typedef int nod_base_x;' >"$tree/src/base/x.h"
verdict 0 src/base/y.h '#include <stddef.h>
size_t nod_y(void);'
verdict 1 src/base/y.h 'size_t nod_y(void);'
verdict 1 src/base/y.h 'int nod_y();'
verdict 0 include/nodule/y.h 'int nod_y(int x);'
verdict 1 include/nodule/y.h 'int nod_y(int class);'
verdict 1 include/nodule/y.h 'int nod_y(int x[static 2]);'
verdict 1 include/nodule/y.h '_Static_assert(1, "x");'
echo "all found"
