#!/bin/sh
# `nodule bench`: the worker's protocol, a table without and with absent peers, a peer that fails,
# the profile. Never looks at a time.
set -eu

fail() { echo "bench: $*"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/nodule-test-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The worker says that it is ready, answers what it is asked, and refuses anything else.
printf 'run 1\nrun 3\n' | "$NODULE" bench --worker mlp-step >"$work/out" || fail "worker failed"
[ "$(wc -l <"$work/out")" = 3 ] || fail "worker answered: $(cat "$work/out")"
head -n 1 "$work/out" | grep -q '"ready":true' || fail "worker is not ready"
[ "$(grep -c '"time_s":.*"cpu_s":.*"peak_rss_bytes":' "$work/out")" = 2 ] || fail "no samples"
status=0
words=$(echo 'walk 1' | "$NODULE" bench --worker mlp-step 2>&1 >/dev/null) || status=$?
[ "$status" = 2 ] || fail "status $status for a word that is not in the protocol"
case $words in *"'walk 1' is not 'run N'"*) ;; *) fail "said: $words" ;; esac

# Files are made in a folder that is gone afterwards; they have no plan to look into.
mkdir "$work/tmp"
for what in read-nifti read-ct; do
    echo 'run 1' | TMPDIR="$work/tmp" "$NODULE" bench --worker $what >"$work/out" || fail "$what failed"
    grep -q '"time_s":' "$work/out" || fail "no sample of $what"
done
[ -z "$(ls "$work/tmp")" ] || fail "files were left behind: $(ls "$work/tmp")"
"$NODULE" synth --kind mr --patients 2 --size 16 -o "$work/synth" >/dev/null
echo 'run 2' | "$NODULE" bench --worker read-ct --files "$work/synth/dicom/p0001/1/brain" >"$work/out" ||
    fail "reading files that are there failed"
echo 'run 1' | "$NODULE" bench --worker inspect-tree --files "$work/synth/dicom" >"$work/out" ||
    fail "looking at a tree that is there failed"
grep -q '"time_s":' "$work/out" || fail "no sample of inspect-tree"
[ -d "$work/synth/dicom/p0001/1/brain" ] || fail "the files that were read are gone"
status=0
"$NODULE" bench --profile read-nifti 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "status $status for a profile of files"

# A table of our own; peers that are absent are said to be.
NODULE_PEERS="$work/none" "$NODULE" bench mlp-step --peers -n 1 --threads 1 >"$work/out" ||
    fail "bench failed"
head -n 1 "$work/out" | grep -q '1 thread' || fail "the head names no threads"
grep -q '^peers: absent: no .*/none/bin/python; bench/peers/setup' "$work/out" ||
    fail "absent peers are not said to be: $(cat "$work/out")"
grep -q '^  nodule [0-9.]* ' "$work/out" || fail "no row of our own"

# A cohort in an empty cache and in a warm one; how long a training step waits for its batch.
grep -q '^  waits .* of the step, for its batch; wanted below 3 %' "$work/out" ||
    fail "it does not say how long a step waits: $(cat "$work/out")"
TMPDIR="$work" "$NODULE" bench cache-cold cache-warm -n 1 --threads 1 >"$work/out" || fail "bench of the cache failed"
[ "$(grep -c '^  nodule [0-9.]* ' "$work/out")" = 2 ] || fail "no rows of the cache: $(cat "$work/out")"

# A kernel table made by measuring, for a workload and a recipe; a file that is there is added to.
printf 'input: {size: [8, 8]}\nnetwork: {name: cnn, channels: [16]}\n' >"$work/small.yaml"
for what in mlp-step "$work/small.yaml"; do
    NODULE_KERNELS="$work/new/kernels.json" "$NODULE" bench --tune "$what" -n 1 >"$work/out" ||
        fail "tuning $what failed"
    grep -q 'f32: [0-9]* kinds of nodes' "$work/out" || fail "tuning said: $(cat "$work/out")"
done
grep -q '"format": "nodule-kernels"' "$work/new/kernels.json" || fail "no kernel table"
status=0
words=$("$NODULE" bench --tune "$work/none.yaml" 2>&1 >/dev/null) || status=$?
[ "$status" = 2 ] || fail "status $status for a recipe that is not there"
case $words in *"no workload and no recipe"*) ;; *) fail "said: $words" ;; esac

# A peer that fails is a row that says why; the others go on. This one serves when "eager".
mkdir -p "$work/peers/bin"
cat >"$work/peers/bin/python" <<'PEER'
#!/bin/sh
if [ "$3" != eager ]; then
    echo "ImportError: no such library" >&2
    exit 1
fi
echo 'words of a library'
echo '{"ready": true, "name": "PyTorch eager", "version": "0.0"}'
while read -r word n; do
    echo '{"time_s": 0.25, "cpu_s": 0.25, "peak_rss_bytes": 1048576}'
done
PEER
chmod +x "$work/peers/bin/python"
NODULE_PEERS="$work/peers" "$NODULE" bench mlp-step --peers -n 1 --threads 1 >"$work/out" ||
    fail "bench with a failing peer failed"
grep -q 'PyTorch 0.0 eager .* [0-9.]*x \*' "$work/out" || fail "no ratio: $(cat "$work/out")"
grep -q 'compile .*absent: .*ImportError: no such library' "$work/out" ||
    fail "a failing peer: $(cat "$work/out")"
NODULE_PEERS="$work/peers" "$NODULE" bench mlp-step --peers -n 1 --threads 1 --json |
    grep -q '"best_peer": "PyTorch 0.0 eager"' || fail "--json has no best peer"

"$NODULE" bench mlp-step --profile -n 1 | grep -q '^  dense ' || fail "no dense layer in the profile"

status=0
words=$("$NODULE" bench mlp-stop 2>&1) || status=$?
[ "$status" = 2 ] || fail "status $status for an unknown workload"
case $words in *"no workload 'mlp-stop'"*) ;; *) fail "said: $words" ;; esac
