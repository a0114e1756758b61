"""Descriptions of generators: what they make, and that what can not be is refused in a sentence."""

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.nets.architecture import Architecture
from nurie.nets.described import DescribedGenerator

RANDOM = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return RANDOM.normal(0, 0.3, shape).astype(np.float32)


def built(imported: Imported) -> DescribedGenerator:
    """By way of JSON, as a checkpoint has it."""
    text = msgspec.json.encode(imported.architecture)
    generator = DescribedGenerator(msgspec.json.decode(text, type=Architecture)).eval()
    tensors = {name: torch.from_numpy(array) for name, array in imported.tensors.items()}
    missing, unexpected = generator.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    return generator


def test_padding_on_one_side_and_a_cropped_transposed_convolution_are_those_of_torch() -> None:
    down, up = weights(4, 3, 3, 3), weights(4, 3, 3, 3)
    b = Builder(3)
    x = b.leaky_relu(b.conv(DRAWING, down, stride=2, pad=(0, 1)), 0.3)
    b.conv_transpose(x, up, crop=(1, 0))
    drawing = torch.rand(1, 3, 8, 8)
    small = nn.functional.leaky_relu(
        nn.functional.conv2d(nn.functional.pad(drawing, (0, 1, 0, 1)), torch.from_numpy(down), stride=2), 0.3
    )
    expected = nn.functional.conv_transpose2d(small, torch.from_numpy(up), stride=2, padding=1, output_padding=1)
    assert torch.allclose(built(b.finish()).compute(drawing), expected, atol=1e-6)


@pytest.mark.parametrize("reading", ["fixed", "picture"])
def test_a_norm_is_read_by_running_statistics_or_by_those_of_the_picture(reading: str) -> None:
    scale, shift, centre, spread = (np.abs(weights(3)) for _ in range(4))
    b = Builder(3)
    b.norm(DRAWING, 3, 1e-3, scale=scale, shift=shift, mean=centre, variance=spread)
    x = torch.rand(2, 3, 8, 8)
    mean, variance = torch.from_numpy(centre), torch.from_numpy(spread)
    per_picture = nn.functional.instance_norm(x, eps=1e-3)
    fixed = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-3).sqrt()
    wanted = {"fixed": fixed, "picture": per_picture}[reading]
    wanted = wanted * torch.from_numpy(scale)[:, None, None] + torch.from_numpy(shift)[:, None, None]
    assert torch.allclose(built(b.finish(readings=(reading,))).compute(x), wanted, atol=1e-5)


def test_rows_are_normalised_each_by_itself() -> None:
    b = Builder(1)
    b.norm(DRAWING, 8, 1e-3, scale=np.ones(8), shift=np.arange(8.0), rows=True)
    y = built(b.finish(readings=("picture",), size=8)).compute(torch.rand(1, 1, 8, 8) * torch.arange(1, 9)[:, None])
    assert torch.allclose(y.mean((1, 3))[0], torch.arange(8.0), atol=1e-5)


def test_a_drawing_of_labels_becomes_a_channel_for_each_colour() -> None:
    b = Builder(4)
    b.conv(DRAWING, np.eye(3, 4, dtype=np.float32)[:, :, None, None])
    palette = ("#000000", "#ff0000", "#00ff00", "#0000ff")
    generator = built(b.finish(reads="labels", palette=palette, shows=(0, 1)))
    drawing = torch.tensor([[1, -1, -1], [-0.9, 0.9, -0.8], [-1, -1, -1]]).T[None, :, :, None]
    assert generator(drawing)[0, :, :, 0].T.tolist() == [[-1, 1, -1], [-1, -1, 1], [1, -1, -1]]


def test_lab_takes_the_lightness_of_the_drawing() -> None:
    b = Builder(1)
    b.conv(DRAWING, np.zeros((2, 1, 1, 1), np.float32))  # no colour
    generator = built(b.finish(reads="lightness"))
    grey = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8).expand(1, 3, 8, 8)
    assert generator.architecture.gives == "ab"
    assert torch.allclose(generator(grey), grey, atol=2e-3)
    assert float(generator.read(torch.ones(1, 3, 2, 2)).mean()) == pytest.approx(1)


def test_what_does_not_fit_together_is_named() -> None:
    b = Builder(3)
    b.conv(DRAWING, weights(8, 4, 3, 3), pad=1)
    with pytest.raises(NurieError, match=r"Layer 0 \(conv\) takes 4 channels, but reads 3"):
        b.finish()
    with pytest.raises(NurieError, match="square kernel"):
        b.conv(DRAWING, weights(8, 3, 3, 1))
    b = Builder(3)
    b.concat(b.conv(DRAWING, weights(4, 3, 3, 3), stride=2, pad=1), DRAWING)
    with pytest.raises(NurieError, match="joins tensors of different sizes"):
        b.finish()


def test_a_net_of_one_size_says_so_by_its_multiple() -> None:
    b = Builder(3)
    x = b.conv(DRAWING, weights(4, 3, 4, 4), stride=2, pad=1)
    x = b.norm(x, 16, 1e-3, scale=np.ones(16), shift=np.ones(16), rows=True)
    b.conv_transpose(x, weights(4, 3, 4, 4), crop=1)
    assert b.finish(readings=("picture",)).architecture.multiple == 32
