"""What follows from the options of a training run."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from nurie.config import Train
from nurie.errors import NurieError, changed_options, flag, refuse_below
from nurie.nets.generators import DEFAULT_WIDTH, multiple_of

# options of runs from before there were these
BEFORE = {
    "consistency": 0.0, "discriminator": "patch", "enclosed": False, "hint_l1": 0.0, "hint_recolour": 0.0,
    "jitter": False, "lattice": 0.0,
}  # fmt: skip
# options that a resumed run may change; with more steps, a finished one goes on
FREE_TO_CHANGE = {"pairs", "run", "steps", "threads", "save_every", "init", "teacher"}

# of the losses
WEIGHTS = (
    "l1", "gan", "feature_matching", "consistency", "lattice", "hint_l1", "body_part_l1",
    "distil_output", "distil_features",
)  # fmt: skip
SHARES = ("decay", "beta1", "ema", "tails", "body_parts", "hints", "hint_recolour")  # options from 0 to 1


def metadata(config: Train, step: int) -> dict[str, Any]:
    options = {k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(config).items()}
    return {"step": step, "train": options, "generator": generator_options(config)}


def generator_options(config: Train) -> dict[str, Any]:
    """The arguments of `build_generator`."""
    width = config.width or DEFAULT_WIDTH.get(config.generator, 0)
    fast = config.generator == "fast"
    options = {"styles": fast and config.styles, "enclosed": fast and config.enclosed}
    return {"kind": config.generator, "width": width, **options}


def refuse_other_options(config: Train, saved: dict[str, Any]) -> None:
    """A run resumes only with the options it began with, else it would be neither run; but it may become longer.

    Options that a run of an older Nurie does not know had their defaults, or what was done before there was a choice.
    """
    now = metadata(config, 0)["train"]
    changed = changed_options(config, now, BEFORE | saved, FREE_TO_CHANGE)
    if changed:
        raise NurieError(
            f"{config.run} holds a run with other options ({changed}). Use the same options to resume it, "
            "or another run folder; --init starts a new run from its weights."
        )


def choose_precision(config: Train) -> str:
    """Accelerate's name for the precision: bf16 where the hardware has it (measured about 2x on CPUs)."""
    if config.precision != "auto":
        return "no" if config.precision == "fp32" else "bf16"
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "no"


def check(config: Train) -> None:
    multiple = multiple_of(config.generator)
    if config.size % multiple or config.size <= 0:
        raise NurieError(f"--size must be a multiple of {multiple} for {config.generator}, but it is {config.size}.")
    refuse_below(config, 1, "steps", "batch", "save_every", "discriminator_width", "discriminator_scale")
    refuse_below(config, 0, "width", "lr", "threads", "seed", *WEIGHTS)
    for name in SHARES:
        if not 0 <= getattr(config, name) <= 1:
            raise NurieError(f"{flag(name)} is a share, from 0 to 1, but it is {getattr(config, name)}.")
