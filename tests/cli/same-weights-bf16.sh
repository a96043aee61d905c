#!/bin/sh
# The same weights in bf16 on one thread and on two: MLP, CNN, ResNet-18.
set -eu
precision=bf16
. tests/cli/lib/same-weights.sh

# It did compute in bf16: f32 gives others (not for the MLP, whose values are too few to be stored so).
sed 's/bf16/f32/' cnn.yaml >f32.yaml
quiet "$n" train f32.yaml -o f32
[ "$(weights f32)" != "$(weights cnn1)" ] || fail "bf16 and f32 give the same weights"
