# same-weights.sh: $precision gives the same weights on one thread and on two, whatever the network.
# A processor that does not compute in it skips the test, and says so.
. tests/cli/lib/checks.sh

# A last batch of another size; layers wide enough for two threads, planes of odd size.
quiet "$n" synth --kind images --patients 60 --images-per-patient 1 --size 15 -o images.npz
quiet "$n" index images.npz -o cohort.csv --positive 1
quiet "$n" split cohort.csv

for network in "mlp, hidden: [640, 32]" "cnn, channels: [16, 24]" "resnet18, width: 8"; do
    name=${network%%,*}
    cat >"$name.yaml" <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [15, 15]}
network: {name: $network, dropout: 0.2}
batch_size: 16
epochs: 2
precision: $precision
RECIPE
    for threads in 1 2; do
        status=0
        "$n" train "$name.yaml" -o "$name$threads" --threads $threads >out.txt 2>&1 || status=$?
        if [ $status = 12 ] && grep -q "does not compute in $precision" out.txt; then
            cat out.txt
            echo "$test_name: skipped"
            exit 77
        fi
        [ $status = 0 ] || { cat out.txt; fail "exit $status: $name on $threads threads"; }
    done
    one=$(weights "${name}1") two=$(weights "${name}2")
    [ -n "$one" ] || fail "$name: no hash of the weights"
    [ "$one" = "$two" ] || fail "$name: other weights on two threads: $one, $two"
    echo "$name $precision $one"
done

# The hash tells weights apart: another epoch gives another.
sed "s/epochs: 2/epochs: 3/" mlp.yaml >more.yaml
quiet "$n" train more.yaml -o more
[ "$(weights more)" != "$(weights mlp1)" ] || fail "the third epoch changed nothing"
