#!/usr/bin/env bash
# Facades from label maps, the best known example of pix2pix (Isola et al. 2017), by the page's small generator.
#
#   examples/facades/recipe.sh OUT
#
# OUT gets facades/ (the data set), run/ and model/. Run it again to resume. No licence of the pictures is stated: for
# experiments only, publish nothing that was trained on them. On the page a box of a label's colour becomes a window, a
# door, a balcony.
#
# It was run from end to end with a few small steps only. 250 steps at 128 pixels, 6 minutes of two cores, gave a val L1
# of 0.149 and boxes that become walls, windows and a door (docs/LOG.md).
set -euo pipefail
out=$1

nurie get facades "$out/facades"
nurie train "$out/facades" "$out/run" --direction BtoA --stages 128:4000 256:4000 --lr 4e-4 --ema 0.998 \
    --discriminator-scale 2 --batchnorm 200
nurie export "$out/run" "$out/model" --title Facades --title-ja 建物 --credits \
    "Trained on the CMP Facade Database: Tyleček and Šára, 2013; pairs by Isola et al. 2017; for experiments only"
