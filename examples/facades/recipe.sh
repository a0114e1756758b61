#!/usr/bin/env bash
# Facades from label maps, the best known example of pix2pix (Isola et al. 2017), by the page's small generator.
#
#   examples/facades/recipe.sh OUT
#
# OUT gets facades/ (the data set), run/ and model/. Run it again to resume. No licence of the pictures is stated: for
# experiments only, publish nothing that was trained on them. On the page a box of a label's colour becomes a window, a
# door, a balcony.
#
# It was run in one piece on 2026-11-30, in 16 minutes of one core of a CPU with bf16: boxes become windows with
# frames, balconies, doors and shops, all in much the same stone; L1 of the 100 val pictures 0.149.
set -euo pipefail
out=$1

nurie get facades "$out/facades"
nurie train "$out/facades" "$out/run" --direction BtoA --stages 128:2400 256:600 --lr 4e-4 --ema 0.998 \
    --discriminator-scale 2 --batchnorm 200
nurie export "$out/run" "$out/model" --title Facades --title-ja 建物 --credits \
    "Trained on the CMP Facade Database: Tyleček and Šára, 2013; pairs by Isola et al. 2017; for experiments only"
