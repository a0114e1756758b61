"""What colours a drawing: an exported model in the engine, or a training run in PyTorch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nurie.engine.modelfile import is_model, read_model
from nurie.engine.plan import Plan
from nurie.errors import NurieError
from nurie.size import Size

Paint = Callable[[np.ndarray], np.ndarray]  # drawing, uint8 (h, w, 3) -> picture, uint8 (h, w, 3)


@dataclass(frozen=True)
class Painter:
    paint: Paint
    set_seed: Callable[[int], None]  # which of the model's colourings, as the page's dice; 0 at first
    mean_seed: int  # that of the style which is nearest to all pictures that it learnt from
    height: int  # of the drawings it takes, pixels
    width: int
    multiple: int  # of pixels that other sizes must be
    labels: list[str]  # where its drawings are label maps, their colours as "#rrggbb", the ground first; runs say none
    lines: float  # how much of the drawing's lines its maker wants over the picture, 0 to 1; runs have 0
    direction: str  # which side of a pair is the drawing: AtoB or BtoA
    parameters: int | None  # None: the model does not say
    plan: Callable[[], Plan]  # what the engine computes; lowering a run takes a second, so only on demand
    model_bytes: int | None  # of the compressed weights; None for a run


def open_painter(path: Path) -> Painter:
    """A model folder, a run folder or a checkpoint, ready to colour. A model folder needs no PyTorch."""
    if is_model(path):
        return engine_painter(path)
    if not path.exists():
        raise NurieError(f"There is no {path}. Expected a model folder, a run folder or a checkpoint file.")
    return torch_painter(path)


def engine_painter(path: Path) -> Painter:
    from nurie.engine.wasm import Engine

    manifest, plan, weights = read_model(path)
    engine = Engine(plan, weights=weights)

    def set_seed(seed: int) -> None:
        engine.set_style(seed, colour_of(seed, manifest.styles))

    set_seed(0)
    return Painter(
        paint=engine.run,
        set_seed=set_seed,
        mean_seed=manifest.mean_style,
        height=manifest.input.height,
        width=manifest.input.width,
        multiple=manifest.input.multiple,
        labels=[label.colour for label in manifest.labels],
        lines=0 if manifest.labels else manifest.lines,
        direction=manifest.direction,
        parameters=manifest.generator.parameters or None,
        plan=lambda: plan,
        model_bytes=manifest.weights.bytes,
    )


def torch_painter(path: Path) -> Painter:
    from nurie.convert.lower import lower
    from nurie.convert.parity import pictures_of
    from nurie.drawings.palette import to_bytes
    from nurie.nets.checkpoint import load_generator
    from nurie.nets.generators import StyleInput, multiple_of

    generator, meta = load_generator(path)
    size, palette, chosen = Size.parse(meta["train"]["size"]), to_bytes(meta.get("palette", [])), 0

    def set_seed(seed: int) -> None:
        nonlocal chosen
        chosen = seed
        for net in generator.modules():
            if isinstance(net, StyleInput):
                net.set_style(seed, colour_of(seed, meta.get("styles")))

    return Painter(
        paint=lambda drawing: pictures_of(generator, [drawing], palette, chosen)[0],
        set_seed=set_seed,
        mean_seed=0,
        height=size.height,
        width=size.width,
        multiple=multiple_of(**meta["generator"]),
        labels=[],
        lines=0,
        direction=meta["train"]["direction"],
        parameters=sum(p.numel() for p in generator.parameters()),
        plan=lambda: lower(generator, size, palette=palette)[0],
        model_bytes=None,
    )


def colour_of(seed: int, styles: Sequence[Sequence[float]] | None) -> Sequence[float]:
    """The style that a seed means, as on the page: RGB in [-1, 1]."""
    return styles[seed % len(styles)] if styles else (0.0, 0.0, 0.0)
