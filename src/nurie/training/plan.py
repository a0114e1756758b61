"""How `nurie make` trains in the time that there is: by what a step takes on this machine."""

import time
from dataclasses import replace

from nurie.batches.sampler import Sampler
from nurie.config import Train
from nurie.pairs.folder import PairFolder
from nurie.size import Size
from nurie.training.dataset import Dataset
from nurie.training.launch import open_accelerator
from nurie.training.options import generator_options, multiple_for
from nurie.training.state import State
from nurie.training.step import Step

SMALL = 128  # pixels: larger pictures are half as large at first; at 128 a step takes less than half as long as at 256
MEASURED = 4  # steps, after a first one
FEW, FEWER = 600, 250  # steps: below them training begins with small pictures; and takes fewer at a time
# flat colours have no texture that a discriminator could judge, and L1 alone makes bolder ones
FLAT = {
    "gan": 0.0, "feature_matching": 0.0, "l1": 100.0, "consistency": 0.0, "hints": 0.4, "hint_l1": 40.0,
    "hint_recolour": 0.0,
}  # fmt: skip
# colours of a palette, which are learnt by cross-entropy, with an lr so many times as large
CLASSES = {"hints": 0.2, "hint_recolour": 0.0, "plain": 0.6, "beta1": 0.9}
CLASSES_LR = 2.5


def planned(options: Train, steps: float) -> Train:
    """The options of a run that makes about so many steps of this size and batch, from nothing or from `init`.

    From nothing it begins with small pictures, of which it sees more in the same time, and with a larger lr; colours as
    classes are learnt at a coarse resolution anyway.
    """
    half = half_of(options.size, multiple_for(options))
    small = (
        options.size.width * options.size.height > SMALL**2
        and not options.colours
        and half != options.size
        and (options.init is None or steps < FEW)
    )
    shares = (9, 11) if options.init is None else (1, 1)
    if not options.minutes:
        first = round(options.steps * shares[0] / sum(shares))
        shares = (first, options.steps - first)
        small = small and min(shares) > 0
    return replace(
        options,
        stages=(f"{half}:{shares[0]}", f"{options.size}:{shares[1]}") if small else (),
        batch=max(2, options.batch // 2) if steps < FEWER else options.batch,
        lr=(2e-4 if options.init else 4e-4) * (CLASSES_LR if options.colours else 1),
        ema=0.995 if steps < 3000 else 0.998 if steps < 10_000 else 0.999,
        discriminator_scale=2 if options.size.least >= 2 * SMALL else 1,
    )


def half_of(size: Size, multiple: int) -> Size:
    """Half as wide and high, or a little more, so that both sides are multiples."""
    return Size(*(-(-side // (2 * multiple)) * multiple for side in (size.width, size.height)))


def seconds_a_step(options: Train, pairs: PairFolder, dataset: Dataset) -> float:
    """As measured: the fastest of a few steps of another net, which is thrown away; what else runs slows the others."""
    state = State(replace(options, init=None), open_accelerator(options), dataset)
    if generator_options(options).get("styles"):
        state.offer([[0.0, 0.0, 0.0]])
    if options.colours:
        state.paint_in([f"#{4 * i:02x}0000" for i in range(options.colours)], [1 / options.colours] * options.colours)
    sample, step = Sampler(pairs, options, drawings=dataset.drawings), Step(state)
    state.schedule.begin()
    times = []
    for number in range(1 + MEASURED):
        batch = sample(number)
        began = time.perf_counter()
        step(batch)
        times.append(time.perf_counter() - began)
    return min(times[1:])
