"""How finely each layer's weights are rounded: as finely as they count in the pictures.

With steps that are small against the weights, a layer of n weights takes n log2(1 / step) bits and some, and changes
the pictures by its sensitivity times the step; changes of several layers add up as squares. So the fewest bits for one
change of all are those with each layer's share of its square in proportion to n (as in reverse water-filling: Cover &
Thomas, "Elements of Information Theory", 10.3.3).
"""

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from nurie.convert.quantise import MOST
from nurie.convert.rounding import Layer, layers_of, replaced, rounded_weights

TRIED = 0.2  # step in which a layer's sensitivity is measured, of the root mean square of its weights
WIDEST = 1.0  # step, likewise: what these drawings do not show, others may
ROUNDS = 4  # in which all steps are brought to the change that is wanted
Shows = Callable[[Tensor], Tensor]


def picture_of(output: Tensor) -> Tensor:
    """In the 0-1 range."""
    return (output.clamp(-1, 1) + 1) / 2


def probabilities(logits: Tensor) -> Tensor:
    """Of colours, (n, colours, _, _)."""
    return logits.softmax(1)


@torch.no_grad()
def allocate(generator: nn.Module, drawings: Tensor, change: float, shows: Shows = picture_of) -> dict[str, float]:
    """Steps for rounding.py: with them the pictures of these drawings change by as much, or where that takes 8 bits for
    each channel in all layers, by what it takes.

    generator: in eval mode. drawings: (n, 3, h, w) in [-1, 1]. change: root mean square over all that is shown, of
    the 0-1 range. shows: what is seen of the outputs.
    """
    layers = layers_of(generator)
    expected = shows(generator(drawings))
    weights = {layer.name: layer.folded() for layer in layers}
    total = sum(each.numel() for each in weights.values())
    widest = {name: WIDEST * float(each.square().mean().sqrt()) for name, each in weights.items()}
    unit = {}  # steps that share a change of 1
    for i, layer in enumerate(layers):
        found = sensitivity(generator, layer, weights[layer.name], drawings, expected, shows, seed=i)
        unit[layer.name] = (weights[layer.name].numel() / total) ** 0.5 / max(found, 1e-12)
    wanted, steps = change, {}
    for _ in range(ROUNDS):
        steps = {name: min(wanted * step, widest[name]) for name, step in unit.items()}
        steps = {name: step for name, step in steps.items() if step * MOST >= weights[name].abs().max()}
        came = change_by(generator, layers, steps, drawings, expected, shows)
        if abs(came - change) < 0.05 * change:
            break
        wanted *= min(2.0, max(0.5, change / max(came, 1e-12)))
    return steps


def sensitivity(
    generator: nn.Module, layer: Layer, weights: Tensor, drawings: Tensor, expected: Tensor, shows: Shows, seed: int
) -> float:
    """How much the pictures change, for each unit of the step in which the layer alone is rounded."""
    step = TRIED * float(weights.square().mean().sqrt())
    noise = torch.rand(weights.shape, generator=torch.Generator().manual_seed(seed)) - 0.5
    with replaced(layer.conv, layer.unfolded(weights + step * noise)):
        return distance(shows(generator(drawings)), expected) / max(step, 1e-12)


def change_by(
    generator: nn.Module, layers: list[Layer], steps: dict[str, float], drawings: Tensor, expected: Tensor, shows: Shows
) -> float:
    rounded = rounded_weights(generator, steps)
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(replaced(layer.conv, rounded[layer.name]))
        return distance(shows(generator(drawings)), expected)


def distance(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().mean().sqrt())
