#!/usr/bin/env bash
# The built-in emoji model: flat colours for clean line art, from OpenMoji's own drawings.
#
#   examples/openmoji/recipe.sh PAIRS OUT
#
# PAIRS holds train/ and val/ with A|B pictures: OpenMoji's black line art on the left, the coloured emoji on the right.
# OUT gets run128/, run256/, run/ and model/. Run it again to resume. There is no discriminator: flat colours have no
# texture to judge, and the L1 loss alone makes bolder ones. No stroke contradicts the style: what strokes say, the
# filling sees to. It took 100 minutes of one core of a CPU with bf16; docs/LOG.md says what it gave.
set -euo pipefail
pairs=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)

options=(--gan 0 --feature-matching 0 --l1 100 --consistency 0 --hints 0.4 --hint-l1 40 --hint-recolour 0)
nurie train "$pairs" "$out/run128" "${options[@]}" --size 128 --batch 16 --steps 3600 --decay 0.3 --lr 6e-4 --ema 0.998
options+=(--size 256 --batch 8 --ema 0.997 --save-every 200)
nurie train "$pairs" "$out/run256" "${options[@]}" --steps 5000 --decay 0.6 --lr 4e-4 --init "$out/run128"
nurie train "$pairs" "$out/run" "${options[@]}" --steps 2800 --decay 0.8 --lr 3e-4 --init "$out/run256"

nurie export "$out/run" "$out/model" --title Emoji --title-ja 絵文字 --fill --presets "$here/presets" --credits \
    "Trained on OpenMoji, the open-source emoji and icon project; CC BY-SA 4.0"
