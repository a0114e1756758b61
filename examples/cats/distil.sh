#!/usr/bin/env bash
# Distillation: a wide teacher, then a student of the page's width that learns from it.
#
#   examples/cats/distil.sh CATS OUT
#
# CATS and OUT as in recipe.sh; OUT gets pairs/, teacher128/, teacher/, student128/, student/ and model/. Run it
# again to resume. The teacher (width 48: 6.3 M parameters, 3.2 GMAC at 256 pixels) is about four times the student
# (width 24) in weights and time. Each resolution has its own teacher, since both must see drawings of one size.
set -euo pipefail
cats=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)

nurie prepare "$cats/photos" "$out/pairs" --masks "$cats/masks"

small=(--size 128 --batch 16 --steps 1400 --decay 0 --lr 4e-4 --ema 0.998)
large=(--size 256 --batch 8 --steps 1000 --decay 0.4 --ema 0.995 --discriminator-scale 2 --save-every 100)
nurie train "$out/pairs" "$out/teacher128" "${small[@]}" --width 48
nurie train "$out/pairs" "$out/teacher" "${large[@]}" --width 48 --init "$out/teacher128"

nurie train "$out/pairs" "$out/student128" "${small[@]}" --teacher "$out/teacher128"
nurie train "$out/pairs" "$out/student" "${large[@]}" --teacher "$out/teacher" --init "$out/student128"

nurie export "$out/student" "$out/model" --title Cats --presets "$here/presets" --credits \
    "Trained on the Oxford-IIIT Pet data set: Parkhi, Vedaldi, Zisserman, Jawahar, 2012; CC BY-SA 4.0; copyright of the images remains with the original owners"
