# checks.sh: what the tests of the program share. Sourced from the project's root with $NODULE set;
# gives $n, the program, and a folder of its own to work in, which is removed at the end, after what
# the test has left in it, and what the program has said, were searched for patients (docs/privacy.md).

n=$NODULE
test_name=$(basename "$0" .sh)
dir=$(mktemp -d)
said=${NODULE_SAID:-$dir}/$test_name.said
mkdir -p "$(dirname "$said")"
: >"$said"
trap 'at_exit $?' EXIT
. tests/cli/lib/patients.sh
cd "$dir"

fail() { echo "$test_name: $*"; exit 1; }

# Whether a file is one that may hold them: DICOM, tables of labels, cohorts and their JSON.
may_name() {
    case $1 in
    *.zip | */.nodule-cache/*) return 0 ;;
    *.json) head -c 200 "$1" | grep -aq '"nodule-cohort"' && return 0 ;;
    esac
    [ "$(dd if="$1" bs=1 skip=128 count=4 2>/dev/null | tr -d '\0')" = DICM ] && return 0
    head -n 1 "$1" | tr -d '\0' | grep -aqE '^(patient|study|series|path|source|SubjectID|id,file|participant_id)[,	]'
}

# Ends the test; one that was passed fails where it left a patient in a file.
at_exit() {
    status=$1
    trap - EXIT
    cd "$dir"
    [ "$status" != 0 ] || find "$dir" "$said" -type f >"$said.files"
    if [ "$status" = 0 ]; then
        xargs -r -d '\n' grep -alE "$patients" <"$said.files" >"$said.found" || true
        while read -r file; do
            may_name "$file" && continue
            echo "$test_name: $file names a patient: $(grep -aoE -m 3 "$patients" "$file" | tr '\n' ' ')"
            status=1
        done <"$said.found"
    fi
    rm -rf "$dir" "$said.files" "$said.found"
    exit "$status"
}

# keep COMMAND...: what was said is kept, unless ids were asked for.
keep() {
    case " $* " in
    *" --show-ids "* | *" where "*) ;;
    *) cat out.txt >>"$said" ;;
    esac
}

# quiet COMMAND...: must work; what it says is shown only where it does not.
quiet() {
    "$@" >out.txt 2>&1 || { status=$?; cat out.txt; fail "exit $status: $*"; }
    keep "$@"
}

# refused CODE WORDS COMMAND...: fails with this exit code and says these words.
refused() {
    code=$1 words=$2
    shift 2
    status=0
    "$@" >out.txt 2>&1 || status=$?
    [ "$status" = "$code" ] || { cat out.txt; fail "exit $status, not $code: $*"; }
    keep "$@"
    says "$words"
}

# says WORDS: the last command of `quiet` or `refused` said these words.
says() { grep -q -- "$1" out.txt || { cat out.txt; fail "it does not say '$1'"; }; }

# weights RUN: hashes of the weights of all seeds.
weights() { "$n" summary "$1" | sed -n 's/^weights \([0-9a-f]\{64\}\) .*/\1/p'; }
