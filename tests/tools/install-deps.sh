#!/bin/sh
# tools/install-deps against a false Debian: a folder of programs that only say what they were
# asked to do.
set -eu
unset DEPS # `make test DEPS=skip` hands it on

tool=$PWD/tools/install-deps
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin"
for name in awk cat dirname env printf sh; do
    ln -s "$(command -v $name)" "$place/bin/$name" 2>/dev/null || ln -s "/usr/bin/$name" "$place/bin/$name"
done

# program NAME BODY
program() {
    printf '#!/bin/sh\n%s\n' "$2" >"$place/bin/$1"
    chmod +x "$place/bin/$1"
}

# run STATUS WORDS [PURPOSE...]: install-deps ends with STATUS and says WORDS.
run() {
    expected=$1
    words=$2
    shift 2
    status=0
    PATH=$place/bin "$tool" "$@" >"$place/out" 2>&1 </dev/null || status=$?
    [ "$status" = "$expected" ] || { echo "status $status instead of $expected: $*"; cat "$place/out"; exit 1; }
    [ -z "$words" ] || grep -q -e "$words" "$place/out" || { echo "no '$words': $*"; cat "$place/out"; exit 1; }
}

run 2 'usage:'
run 2 "no packages for purpose 'nonsense'" nonsense
run 0 'not a Debian system' build

program apt-get 'echo "APT $*"'
program id 'echo 1000'
program dpkg-query 'shift 3; for p; do echo "$p installed"; done'
run 0 '' build test check
[ ! -s "$place/out" ] || { echo "all there, but not silent:"; cat "$place/out"; exit 1; }

# One is not there, one was removed and left its configuration, one is unknown to dpkg.
program dpkg-query 'shift 3; for p; do case $p in gcc) ;; cmake) echo "$p config-files" ;;
    libzip-dev) status=1 ;; *) echo "$p installed" ;; esac; done; exit ${status:-0}'
run 1 '^  gcc cmake libzip-dev $' build
run 1 'needs root or a working sudo' build

program sudo 'echo "SUDO $*"; [ "$1" != -n ] || exit 0; "$@"'
run 0 'SUDO env DEBIAN_FRONTEND=noninteractive apt-get .* install --no-install-recommends gcc cmake libzip-dev' build
run 0 '^APT .* update$' build

program id 'echo 0'
run 0 '^APT .* install --no-install-recommends gcc cmake libzip-dev$' build
! grep -q SUDO "$place/out" || { echo "root asked sudo"; exit 1; }

program apt-get 'case "$*" in *install*) exit 100 ;; esac'
run 1 'apt-get could not install them' build
(export DEPS=skip; run 0 '' build)
echo "all as expected"
