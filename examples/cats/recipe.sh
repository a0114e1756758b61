#!/usr/bin/env bash
# The built-in cat model, from photos to the exported bundle.
#
#   examples/cats/recipe.sh CATS OUT
#
# CATS holds photos/, masks/ (white = cat) and list.csv (name,breed) of the Oxford-IIIT Pet data set; OUT gets pairs/,
# run128/, run256/, run256-2/ to run256-20/, cats-16.safetensors, cats.safetensors and model/. Run it again to resume.
# Training goes from small to large pictures: at 128 pixels a CPU sees more than twice as many pictures per second, and
# what it learns there carries over.
# It took 110 minutes of both cores of a slow CPU with bf16, other work beside, up to run256-4, 80 of one core up to
# run256-6, 30 of both for run256-7, 55 of one up to run256-9, 50 of one for run256-10, 31 of both for run256-11, 22 of
# one for run256-12, 25 of both for run256-13, 56 of one up to run256-15, 55 of both for run256-16, and 100 of one for
# each of the two branches after it. docs/LOG.md says what it gave, and what earlier stages had not yet: wide brushes
# (`enclosed`) up to run256-4, blots, hatching and plain eyes up to run256-7, strokes that recolour up to run256-9,
# pairs whose masks `nurie prepare` mends up to run256-12 (which had all holes filled, true ones too), paws up to
# run256-13, tails around the subject up to run256-14, legs up to run256-16, and losses near parts and strokes that
# count each pair alike up to run256-18. BatchNorm was not measured anew for cats-16.
# run256-10 was stopped there, with its lr at 2.2e-4 on its way from 3e-4 to 0 after 6000 steps, run256-12 on its way
# from 1.4e-4 after 2600, run256-14 and -15 on theirs from 2e-4 after 6000. run256-12 began with a new discriminator.
set -euo pipefail
cats=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)

nurie prepare "$cats/photos" "$out/pairs" --masks "$cats/masks"

options=(--classes "$cats/list.csv")
nurie train "$out/pairs" "$out/run128" "${options[@]}" --size 128 --batch 16 --steps 1400 --decay 0 --lr 4e-4 --ema 0.998
options+=(--tails 0.6 --size 256 --batch 8 --discriminator-scale 2 --save-every 100)
nurie train "$out/pairs" "$out/run256" "${options[@]}" --steps 2600 --decay 0.5 --ema 0.995 --init "$out/run128"
options+=(--decay 0.7 --lr 1e-4 --ema 0.99 --gan 0.5 --feature-matching 10)
nurie train "$out/pairs" "$out/run256-2" "${options[@]}" --steps 1600 --consistency 20 --init "$out/run256"
nurie train "$out/pairs" "$out/run256-3" "${options[@]}" --steps 800 --consistency 20 --init "$out/run256-2"
options+=(--consistency 40 --hint-l1 20)  # steadier, and coloured strokes are followed more
nurie train "$out/pairs" "$out/run256-4" "${options[@]}" --steps 1100 --init "$out/run256-3"
nurie train "$out/pairs" "$out/run256-5" "${options[@]}" --steps 1600 --lr 2e-4 --init "$out/run256-4"
options+=(--body-parts 0.6)  # drawn eyes become eyes, and whiskers stay lines
nurie train "$out/pairs" "$out/run256-6" "${options[@]}" --steps 1600 --lr 2e-4 --body-part-l1 0 --init "$out/run256-5"
options+=(--body-part-l1 20)
nurie train "$out/pairs" "$out/run256-7" "${options[@]}" --steps 1600 --lr 2e-4 --init "$out/run256-6"
nurie train "$out/pairs" "$out/run256-8" "${options[@]}" --steps 1400 --lr 2e-4 --init "$out/run256-7"
nurie train "$out/pairs" "$out/run256-9" "${options[@]}" --steps 1000 --lr 2e-4 --init "$out/run256-8"
nurie train "$out/pairs" "$out/run256-10" "${options[@]}" --steps 2900 --lr 3e-4 --decay 0 --init "$out/run256-9"
options+=(--consistency 30 --decay 1)
nurie train "$out/pairs" "$out/run256-11" "${options[@]}" --steps 2400 --lr 2.4e-4 --init "$out/run256-10"
fewer=(--body-parts 0.3 --hints 0.2)
nurie train "$out/pairs" "$out/run256-12" "${options[@]}" "${fewer[@]}" \
    --steps 1541 --decay 0 --lr 1e-4 --init "$out/run256-11"
nurie train "$out/pairs" "$out/run256-13" "${options[@]}" "${fewer[@]}" \
    --steps 2600 --lr 1e-4 --init "$out/run256-12"

# what shows between legs is white in these photos, closed in by lines: drawings close in paws
for photo in Abyssinian_105 Bengal_{7,21,31,49,67,90,109,111} Birman_134 Persian_{71,184} Ragdoll_12 Sphynx_203; do
    rm -f "$out/pairs/train/$photo--"*
done
options+=(--hints 0.3 --gan 1 --feature-matching 5)  # and fur of more contrast
nurie train "$out/pairs" "$out/run256-14" "${options[@]}" --decay 0 --steps 923 --lr 2e-4 --init "$out/run256-13"
nurie train "$out/pairs" "$out/run256-15" "${options[@]}" --decay 0 --steps 2758 --lr 1.6e-4 --init "$out/run256-14"
options+=(--gan 0.75 --feature-matching 7)
nurie train "$out/pairs" "$out/run256-16" "${options[@]}" --steps 4800 --lr 1.3e-4 --init "$out/run256-15"

# the last saves, whose fur is nearer to that of photos than that of the saves with the best score; each of the three
# has flaws that their mean has not
python "$here/average.py" "$out/cats-16.safetensors" "$out/pairs" \
    "$out/run256-11=0.3" "$out/run256-14=0.2" "$out/run256-16=0.5"

# two branches, which can run side by side, and the mean again
options+=(--body-parts 0.5)
for seed in 1 2; do
    branch=("${options[@]}")
    if [ $seed = 2 ]; then branch+=(--gan 1 --feature-matching 5); fi
    first=$out/run256-$((16 + seed)) second=$out/run256-$((18 + seed))
    nurie train "$out/pairs" "$first" "${branch[@]}" \
        --steps 1100 --decay 0 --lr 1.5e-4 --seed 1$seed --init "$out/cats-16.safetensors"
    nurie train "$out/pairs" "$second" "${branch[@]}" \
        --steps 4800 --decay 0.6 --lr 1.6e-4 --seed 2$seed --init "$first"
done
python "$here/average.py" "$out/cats.safetensors" "$out/pairs" \
    "$out/cats-16.safetensors=0.6" "$out/run256-19=0.2" "$out/run256-20=0.2"
nurie export "$out/cats.safetensors" "$out/model" --title Cats --title-ja 猫 --presets "$here/presets" --credits \
    "Trained on the Oxford-IIIT Pet data set: Parkhi, Vedaldi, Zisserman, Jawahar, 2012; CC BY-SA 4.0; copyright of the images remains with the original owners"
