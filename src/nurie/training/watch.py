"""Early warnings: what goes wrong in training, seen in the recorded losses and the checkpoint. Pure functions.

Each returns the warnings it has, kind -> sentence. The limits are meant to let ordinary runs pass in silence; what
they were tried on stands in the tests.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nurie.batches.streams import DRAWS

Record = dict[str, float]  # of one step: `step`, losses, and at a save the val scores
Warnings = dict[str, str]

COLLAPSED, VARIED = 0.1, 0.3  # variety of a collapsed generator, and of one that was fine before
TRUSTED = 1000  # from this step on a generator should paint something, whatever was before
LOST = 0.01  # mean loss of a discriminator that tells everything apart
LONG = 500  # steps
WINDOW = 5  # saves to take the median of, so that a bad one or two raise no alarm
RISE, FALL = 1.1, 0.9  # of the val and the training error, against when the val error was lowest
GAP, STILL = 3.0, 0.95  # val error against the training error; and against its own of WINDOW saves before


def variety(fake: Float[Tensor, "n 3 h w"], real: Float[Tensor, "n 3 h w"]) -> float:
    """How much pictures vary, from one to the next and each in itself, against their targets.

    1: as much; 0: all are the same, or each is of one colour. Targets that do not vary either count as 1.
    """
    ratios = [1.0]
    for axes in (0, (2, 3)):
        ours, theirs = (torch.std(images, axes, correction=0).mean().item() for images in (fake, real))
        if theirs > 0.01:
            ratios.append(ours / theirs)
    return min(ratios)


def draw_warnings(draws: int, step: int) -> Warnings:
    """draws: version of the random draws of the run's last step, the `step`th."""
    if draws == DRAWS:
        return {}
    return {
        "draws": f"The pairs of the first {step} steps were varied at random by another version of Nurie; from now on "
        "they are varied by other draws. The run goes on, but not as that version would have gone on."
    }


def run_warnings(records: list[Record], gan: float) -> Warnings:
    """What is wrong with a run so far. `gan`: weight of the GAN loss; without one the discriminator may win."""
    return collapse(records) | (discriminator_wins(records) if gan else {}) | overfitting(records)


def collapse(records: list[Record]) -> Warnings:
    """The last save's pictures hardly vary, and did before or should by now."""
    saves = [r for r in records if "val_variety" in r]
    if not saves or saves[-1]["val_variety"] >= COLLAPSED:
        return {}
    step = int(saves[-1]["step"])
    if max(r["val_variety"] for r in saves) < VARIED and step < TRUSTED:
        return {}
    return {
        "collapse": f"At step {step} the pictures of all val drawings are nearly the same, or of one colour each: the "
        f"generator has collapsed. Look at samples-{step:06d}.png; train again with a smaller --lr or --gan."
    }


def discriminator_wins(records: list[Record]) -> Warnings:
    loss = float(np.mean([r["discriminator"] for r in records[-LONG:]]))
    if len(records) < LONG or loss >= LOST:
        return {}
    return {
        "discriminator": f"For {LONG} steps the discriminator has told nearly all pictures from real ones (loss "
        f"{loss:.4f}), so that the generator learns little from it. A smaller --discriminator-width or more pairs help."
    }


def overfitting(records: list[Record]) -> Warnings:
    """The val error rises while the training error falls, or has come to rest far above it.

    Medians over some saves. A gap alone says nothing early in a run, when the averaged weights lag behind.
    """
    saves = [i for i, r in enumerate(records) if "val_l1" in r]
    if len(saves) <= 2 * WINDOW:
        return {}
    ends = range(WINDOW, len(saves))  # a window: WINDOW saves, and all steps since the save before them
    val = [float(np.median([records[i]["val_l1"] for i in saves[end - WINDOW + 1 : end + 1]])) for end in ends]
    # half: of the 0-1 range, as val_l1
    train = [float(np.median([r["l1"] for r in records[saves[end - WINDOW] + 1 : saves[end] + 1]])) / 2 for end in ends]
    best = int(np.argmin(val))
    if val[-1] >= RISE * val[best] and train[-1] <= FALL * train[best]:
        seen = f"rises ({val[best]:.3f}, now {val[-1]:.3f}) while the training error falls ({train[best]:.3f}, now "
    elif val[-1] >= GAP * train[-1] and val[-1] >= STILL * val[-1 - WINDOW]:
        seen = f"rests at {val[-1]:.3f}, far above the training error (now "
    else:
        return {}
    return {
        "overfitting": f"The val error {seen}{train[-1]:.3f}): the generator learns the pictures by heart. More "
        "pictures help; the best generator so far is kept."
    }
