#!/bin/sh
# Every shipped recipe is read, its network fits its input, and it opens with a comment that says
# what it is for. Figure 4 has the number of weights that the text counts.
set -eu

for recipe in recipes/*.yaml; do
    "$NODULE" summary "$recipe" >/dev/null || { echo "$recipe: no summary"; exit 1; }
    case $(head -n 1 "$recipe") in
    "# "*) ;;
    *) echo "$recipe: does not open with a comment"; exit 1 ;;
    esac
done
"$NODULE" summary recipes/figure4.yaml | grep -q '^weights  *12 168$' || { echo "figure4: not 12 168 weights"; exit 1; }
