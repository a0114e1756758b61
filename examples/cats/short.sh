#!/usr/bin/env bash
# A shorter recipe than that of the built-in cats, and a unet256 by the same one, for as long.
#
#   examples/cats/short.sh CATS OUT
#
# CATS as in recipe.sh; OUT gets pairs/, run128/, run256/ and run/, and unet/ and unet-2/. Run it again to resume. The
# first three took 124 minutes of one core of a CPU with bf16, the other two 121; docs/LOG.md says what they gave.
# unet256 is built for 256 pixels, so it has no stage of 128.
set -euo pipefail
cats=$1 out=$2

nurie prepare "$cats/photos" "$out/pairs" --masks "$cats/masks"

options=(--classes "$cats/list.csv" --tails 0.6 --body-parts 0.6 --hint-l1 20 --lr 4e-4 --decay 0 --threads 1)
nurie train "$out/pairs" "$out/run128" "${options[@]}" --size 128 --batch 16 --steps 1400 --ema 0.998
options+=(--size 256 --batch 8 --discriminator-scale 2 --save-every 100 --ema 0.995)
nurie train "$out/pairs" "$out/run256" "${options[@]}" --steps 2200 --init "$out/run128"
nurie train "$out/pairs" "$out/unet" "${options[@]}" --steps 600 --generator unet256
options+=(--lr 3e-4 --decay 0.5 --ema 0.99 --gan 0.5 --feature-matching 10 --consistency 40 --body-part-l1 20)
nurie train "$out/pairs" "$out/run" "${options[@]}" --steps 2250 --init "$out/run256"
nurie train "$out/pairs" "$out/unet-2" "${options[@]}" --steps 530 --generator unet256 --init "$out/unet"

# and the KID of docs/LOG.md: bench/kid.py
nurie evaluate "$out/run/checkpoint.safetensors" "$out/pairs" --compare "$out/unet-2/checkpoint.safetensors"
