"""The engine against PyTorch: the same drawings, the same pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from nurie.engine.modelfile import Parity
from nurie.engine.plan import CLASSES, Plan
from nurie.engine.reference_fill import filled_classes
from nurie.engine.wasm import Engine
from nurie.errors import NurieError
from nurie.nets.tensors import to_images, to_tensor


@torch.no_grad()
def pictures_of(
    generator: nn.Module, drawings: Sequence[np.ndarray], palette: np.ndarray | None = None, seed: int = 0
) -> list[np.ndarray]:
    """What PyTorch makes of drawings, uint8 (h, w, 3) each, as both.

    palette: uint8 (colours, 3), where the generator gives logits of its colours: then areas are filled, by the seed.
    """
    outputs = (generator(to_tensor([drawing])) for drawing in drawings)
    if palette is None or not len(palette):
        return [to_images(output)[0] for output in outputs]
    logits = (output[0].permute(1, 2, 0).float().contiguous().numpy() for output in outputs)
    return [filled_classes(of, each, palette, seed) for of, each in zip(drawings, logits, strict=True)]


@torch.no_grad()
def probabilities_of(generator: nn.Module, drawings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What PyTorch makes of drawings, uint8 (h, w, 3) each, where it gives logits: float32 (h / f, w / f, colours)
    each."""
    return [generator(to_tensor([drawing]))[0].softmax(0).permute(1, 2, 0).numpy() for drawing in drawings]


def compare(
    plan: Plan,
    weights: bytes,
    styles: Sequence[Sequence[float]],
    drawings: Sequence[np.ndarray],
    expected: Sequence[np.ndarray],
    tolerance: float,
) -> Parity:
    """How far the engine's pictures of drawings, uint8 (h, w, 3), are from PyTorch's, of the 0-1 range.

    Colours of a palette are compared as probabilities: where two are as good as equal, either may be shown.
    Raises NurieError when it is more than the tolerance on average.
    """
    engine = Engine(plan, weights=weights)
    output = next(op for op in plan.ops if op.op == "output")
    if styles:
        engine.set_style(0, styles[0])
    differences = []
    for drawing, theirs in zip(drawings, expected, strict=True):
        picture = engine.run(drawing).astype(np.float32)
        if output.mode == CLASSES:
            differences.append(np.abs(softmax(engine.tensor(output.input)) - theirs).sum(2) / 2)
        else:
            differences.append(np.abs(picture - theirs) / 255.0)
    mean, largest = float(np.mean(differences)), float(np.max(differences))
    if mean > tolerance:
        raise NurieError(
            f"The engine's pictures differ from PyTorch's by {mean:.4f} of 1 on average, more than the {tolerance} "
            "that --tolerance allows. Export with --weights float32, or train longer; nothing was written."
        )
    return Parity(len(drawings), round(mean, 6), round(largest, 6), tolerance)


def softmax(logits: np.ndarray) -> np.ndarray:
    """(h, w, colours) both."""
    powers = np.exp(logits - logits.max(2, keepdims=True))
    return powers / powers.sum(2, keepdims=True)
