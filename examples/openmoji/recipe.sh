#!/usr/bin/env bash
# The built-in emoji model: flat colours for clean line art, from OpenMoji's own drawings.
#
#   examples/openmoji/recipe.sh PAIRS OUT
#
# PAIRS holds train/ and val/ with A|B pictures: OpenMoji's black line art on the left, the coloured emoji on the right. OUT
# gets run128/, run256/, run/ and model/. Run it again to resume. No styles: an emoji has many colours, and their mean
# says little. It took 50 minutes of one core of a CPU with bf16; docs/LOG.md says what it gave.
set -euo pipefail
pairs=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)

# told what lines enclose, it was no better on the val pairs (docs/LOG.md)
options=(--no-styles --no-enclosed --l1 40 --consistency 0)
nurie train "$pairs" "$out/run128" "${options[@]}" --size 128 --batch 16 --steps 1500 --decay 0 --lr 4e-4 --ema 0.998
nurie train "$pairs" "$out/run256" "${options[@]}" --size 256 --batch 8 --steps 1500 --decay 0.4 --ema 0.995 \
    --discriminator-scale 2 --save-every 100 --init "$out/run128"
nurie train "$pairs" "$out/run" "${options[@]}" --hint-l1 20 --size 256 --batch 8 --steps 300 --decay 0 --ema 0.99 \
    --discriminator-scale 2 --save-every 100 --init "$out/run256"

nurie export "$out/run" "$out/model" --title Emoji --title-ja 絵文字 --fill --presets "$here/presets" --credits \
    "Trained on OpenMoji, the open-source emoji and icon project; CC BY-SA 4.0"
