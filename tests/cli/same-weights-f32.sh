#!/bin/sh
# The same weights in f32 on one thread and on two: MLP, CNN, ResNet-18.
set -eu
precision=f32
. tests/cli/lib/same-weights.sh
