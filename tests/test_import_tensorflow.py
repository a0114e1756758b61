"""Checkpoints of TensorFlow, read without it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from importing import computed
from nurie.errors import NurieError
from nurie.importers.systems.tensorflow_tutorial import Block, tutorial_generator

RANDOM = np.random.default_rng(0)


def drawn(*shape: int, scale: float = 0.3, around: float = 0) -> np.ndarray:
    return (around + RANDOM.normal(0, scale, shape)).astype(np.float32)


def tutorial_blocks(levels: int, width: int = 2) -> list[Block]:
    """With random weights, of pictures in three channels."""
    widths = [min(2**level, 8) * width for level in range(levels)]

    def block(inputs: int, outputs: int, up: bool, normed: bool = True) -> Block:
        kernel = drawn(4, 4, outputs, inputs) if up else drawn(4, 4, inputs, outputs)
        if not normed:
            return Block(kernel)
        statistics = drawn(outputs, scale=0.1), np.exp(drawn(outputs))
        return Block(kernel, drawn(outputs, scale=0.1, around=1), drawn(outputs, scale=0.1), *statistics)

    down = [block(i, o, False, level > 0) for level, (i, o) in enumerate(zip([3, *widths], widths, strict=False))]
    inputs = [widths[-1], *(2 * each for each in reversed(widths[:-1]))]
    up = [block(i, o, True) for i, o in zip(inputs[:-1], reversed(widths[:-1]), strict=True)]
    return [*down, *up, block(inputs[-1], 3, True, False)]


def tutorial_forward(blocks: list[Block], bias: np.ndarray, x: np.ndarray, fixed: bool) -> np.ndarray:
    """What TensorFlow's tutorial computes, in PyTorch."""

    def normed(y: torch.Tensor, block: Block) -> torch.Tensor:
        if block.gamma is None or block.beta is None or block.mean is None or block.variance is None:
            return y
        mean, variance, gamma, beta = (
            torch.from_numpy(each).double() for each in (block.mean, block.variance, block.gamma, block.beta)
        )
        return F.batch_norm(y, mean, variance, gamma, beta, training=not fixed, momentum=0, eps=1e-3)

    y, levels, skips = torch.from_numpy(x).double(), len(blocks) // 2, []
    kernels = [torch.from_numpy(block.kernel).double().permute(3, 2, 0, 1) for block in blocks]
    for block, kernel in zip(blocks[:levels], kernels, strict=False):
        y = F.leaky_relu(normed(F.conv2d(y, kernel, stride=2, padding=1), block), 0.3)
        skips.append(y)
    for index in range(levels, 2 * levels - 1):
        y = F.relu(normed(F.conv_transpose2d(y, kernels[index], stride=2, padding=1), blocks[index]))
        y = torch.cat([y, skips[2 * levels - 2 - index]], 1)
    last = torch.from_numpy(bias).double()
    return torch.tanh(F.conv_transpose2d(y, kernels[-1], last, stride=2, padding=1)).numpy()


@pytest.mark.parametrize("levels", [3, 5])
def test_the_tutorials_generator_is_built_from_kernels_of_any_number(levels: int) -> None:
    blocks, bias, x = tutorial_blocks(levels), drawn(3), drawn(1, 3, 64, 64)
    built = tutorial_generator(blocks, bias)
    assert built.readings == ("picture", "fixed") and built.architecture.multiple == 2**levels
    for reading in built.readings:
        expected = tutorial_forward(blocks, bias, x, reading == "fixed")
        assert np.abs(computed(built, x, reading) - expected).max() < 1e-6


def test_kernels_that_are_not_the_tutorials_are_refused() -> None:
    blocks = tutorial_blocks(3)
    with pytest.raises(NurieError, match="it has 5 kernels"):
        tutorial_generator(blocks[1:], drawn(3))
    with pytest.raises(NurieError, match="4x4"):
        tutorial_generator([Block(drawn(3, 3, 3, 2)), *blocks[1:]], drawn(3))
    with pytest.raises(NurieError, match="takes 4 channels"):
        tutorial_generator([*blocks[:1], *blocks[2:], blocks[-1]], drawn(3))
