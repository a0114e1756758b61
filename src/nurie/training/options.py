"""What follows from the options of a training run."""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch

from nurie.config import Before, FreeToChange, Train
from nurie.errors import NurieError
from nurie.limits import check_values, notes
from nurie.nets import checkpoint
from nurie.nets.generators import DEFAULT_WIDTH, WIDTHS, multiple_of
from nurie.saved import changed_options, saved_options
from nurie.size import Size
from nurie.training.schedule import stages_of

BEFORE = {name: note.value for name, note in notes(Train, Before).items()}
# Height and width in pixels of what a discriminator can see at least.
SMALLEST = {"patch": 24, "projected": 8}
LEAST_COLOURS = 3  # paper, ink and one more
FREE_TO_CHANGE = set(notes(Train, FreeToChange))


def metadata(config: Train, step: int) -> dict[str, Any]:
    return {"step": step, "train": saved_options(config), "generator": generator_options(config)}


def as_options(saved: dict[str, Any]) -> dict[str, Any]:
    """Options as JSON has them, which has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}


def saved_config(saved: dict[str, Any], path: Path) -> Train:
    """The options of a run at a path from its metadata's `train`. NurieError where Train does not have some."""
    if unknown := sorted(saved.keys() - {field.name for field in dataclasses.fields(Train)}):
        raise NurieError(f"{path} has options that this Nurie does not know: {', '.join(unknown)}. Update Nurie.")
    kinds = get_type_hints(Train)
    paths = {name for name, kind in kinds.items() if Path in (kind, *get_args(kind))}
    options: dict[str, Any] = BEFORE | as_options(saved)
    options.update({name: Path(options[name]) for name in paths if options.get(name) is not None})
    if "size" in options:
        options["size"] = Size.parse(options["size"])
    return Train(**options)


def generator_options(config: Train) -> dict[str, Any]:
    """The arguments of `build_generator`. Raises NurieError where they are those of --init, and there is none."""
    if config.generator == "init":
        return generator_of_init(config)
    width = config.width or DEFAULT_WIDTH.get(config.generator, 0)
    fast = config.generator == "fast"
    options: dict[str, Any] = {"styles": fast and config.styles, "enclosed": fast and config.enclosed}
    if config.colours:
        options["colours"] = config.colours
    return {"kind": config.generator, "width": width, **options}


def generator_of_init(config: Train) -> dict[str, Any]:
    """Of the run itself where it has begun, else of the one that it begins with."""
    for path in (config.run, config.init):
        if path is not None and (path.is_file() or (path / checkpoint.FILE).is_file()):
            return checkpoint.about(path)["generator"]
    raise NurieError(
        "--generator init takes the generator of --init, a run or an imported checkpoint, but "
        f"{config.init} is none. Name one, such as a folder from `nurie import`."
    )


def multiple_for(config: Train) -> int:
    """Height and width of its pictures must be multiples of this many pixels."""
    return multiple_of(**generator_options(config))


def refuse_imported(meta: dict[str, Any], run: Path) -> None:
    """Raises NurieError for what `nurie import` wrote: it has weights, but no training to go on with."""
    if "imported" in meta:
        raise NurieError(
            f"{run} holds an imported generator, and no training that could go on. Name another folder (--work of "
            f"`nurie make`); `nurie train --init {run} --generator init` trains the generator further in one."
        )


def refuse_other_options(config: Train, saved: dict[str, Any]) -> None:
    """A run resumes only with the options it began with, else it would be neither run; but it may become longer.

    Options that a run of an older Nurie does not know had their defaults, or what was done before there was a choice.
    """
    now = metadata(config, 0)["train"]
    free = FREE_TO_CHANGE
    if (saved.get("drawings") is None) != (config.drawings is None):
        free = free - {"drawings"}  # others may come in their place, but none may not
    changed = changed_options(config, now, BEFORE | as_options(saved), free)
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


def with_stages(config: Train) -> Train:
    """With the size of the last of its stages, and the steps of all. Raises NurieError."""
    check_values(config)
    stages = stages_of(config)
    return replace(config, size=stages[-1][0], steps=sum(count for _, count in stages))


def with_colours(config: Train) -> Train:
    """Where it paints in the colours of a palette, without what is for pictures of any colour."""
    others = {"l1": 0.0, "gan": 0.0, "feature_matching": 0.0, "consistency": 0.0, "lattice": 0.0, "styles": False}
    return replace(config, **others) if config.colours else config


def check(config: Train) -> None:
    """Raises NurieError for options that can not work, before anything is computed or written."""
    check_values(config)
    check_colours(config)
    if config.init_share and not (config.init and config.batchnorm):
        raise NurieError(
            "--init-share takes a share of the weights of --init, and needs --batchnorm, since the statistics of "
            "either fit no mean of weights. Give both, such as --init MODEL --batchnorm 200."
        )
    stages = stages_of(config)
    for size, _ in stages:
        check_values(replace(config, size=size))
        check_size(replace(config, size=size))
    last, multiple = stages[-1][0], multiple_for(config)
    if other := next((size for size, _ in stages if not size.fits(last, multiple)), None):
        near = Size(round(other.height * last.width / last.height), other.height).near(multiple)
        raise NurieError(
            f"--stages needs one proportion, but {other.both} has another than {last.both}, the last. Use {near}."
        )


def check_colours(config: Train) -> None:
    if not config.colours:
        if generator_options(config).get("colours"):
            raise NurieError(
                f"The generator of {config.init} paints in the colours of a palette. Train it with --generator fast "
                "and as many --colours."
            )
        return
    if config.colours < LEAST_COLOURS:
        raise NurieError(
            f"--colours must be at least {LEAST_COLOURS}, white, black and another, or 0 for any, but it is "
            f"{config.colours}."
        )
    if config.generator != "fast":
        raise NurieError(f"--colours is for --generator fast, but it is {config.generator}.")
    if config.teacher:
        raise NurieError("--colours does not go with --teacher, whose pictures have any colours. Leave one out.")
    if config.drawings:
        raise NurieError("--colours does not go with --drawings, whose losses are of pictures. Leave one out.")


def check_size(config: Train) -> None:
    multiple, width = multiple_for(config), generator_options(config).get("width", 0)
    size = config.size
    if not size.is_multiple_of(multiple):
        raise NurieError(
            f"--size must be a multiple of {multiple} for {config.generator}, but it is {size}. "
            f"Use {size.near(multiple)}."
        )
    if config.width and config.generator == "init":
        raise NurieError("--width does not go with --generator init, whose generator has its own. Leave it out.")
    if width % WIDTHS:
        raise NurieError(f"--width must be a multiple of {WIDTHS}, but it is {config.width}.")
    if config.batch == 1 and size == Size(multiple, multiple) and config.generator == "fast":
        raise NurieError(
            f"--size {size} with --batch 1 leaves BatchNorm one value for each channel. "
            f"Use --batch 2 or more, or --size {2 * multiple}."
        )
    least = SMALLEST[config.discriminator]
    if size.least // config.discriminator_scale < least:
        raise NurieError(
            f"--discriminator-scale {config.discriminator_scale} leaves the discriminator pictures of "
            f"{size.least // config.discriminator_scale} pixels, and {config.discriminator} needs {least}. "
            f"Use at most {size.least // least}."
        )
