#!/usr/bin/env bash
# The built-in cats, from photos and people's drawings to the exported model.
#
#   examples/cats/recipe.sh CATS DRAWINGS INIT OUT
#
# CATS holds photos/, masks/ (white = cat) and list.csv (name,breed) of the Oxford-IIIT Pet data set, as `nurie get cats`
# writes them; DRAWINGS is an .ndjson file of cats of Quick, Draw!. INIT is what training begins with: a run or a model
# of cats, such as that of short.sh. OUT gets pairs/, run/ and model/. Run it again to resume.
#
# It was run in one piece on 2026-11-30, with 640 photos and 333 drawings: 49 minutes of one core of a CPU with bf16,
# other work beside, and from its last save the mean with INIT, which was a script of its own then. INIT was the
# built-in model of before, which had learnt from the same photos for 351 minutes of two cores and 263 of one.
# BatchNorm was measured on the pairs alone then, by now on the drawings, too. What the last share of its steps and of
# its weights gives is in docs/training.md, "Drawings without pictures".
set -euo pipefail
cats=$1 drawings=$2 init=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)

nurie prepare "$cats/photos" "$out/pairs" --masks "$cats/masks"
nurie train "$out/pairs" "$out/run" --init "$init" --init-share 0.25 --classes "$cats/list.csv" --drawings "$drawings" \
    --steps 2200 --save-every 100 --lr 1.6e-4 --decay 0.6 --ema 0.995 --average 0.3 --batchnorm 200 --threads 1 \
    --discriminator-scale 2 --discriminator-steps 200 --gan 0.75 --feature-matching 7 --consistency 30 \
    --hints 0.3 --hint-l1 20 --tails 0.6 --body-parts 0.5 --body-part-l1 20
nurie export "$out/run/checkpoint.safetensors" "$out/model" --title Cats --title-ja 猫 --presets "$here/presets" --lines 0.5 \
    --styles '#d08a45' '#8a8a90' '#e0c090' '#8a7050' '#e8e0d8' '#707888' '#6e4a34' '#2c2826' --credits \
    "Trained on the Oxford-IIIT Pet data set: Parkhi, Vedaldi, Zisserman, Jawahar, 2012; CC BY-SA 4.0; copyright of the images remains with the original owners"
