"""Nets of the layers that old generators have give PyTorch's numbers in the engine."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conftest import square
from nurie.convert.lower import lower
from nurie.engine.reference import run_reference
from nurie.engine.wasm import Engine
from nurie.nets.architecture import Activation, Add, Architecture, Concat, Conv, ConvTranspose, Dropout, Norm, Upsample
from nurie.nets.architecture import Layers as Layer
from nurie.nets.described import DescribedGenerator
from nurie.nets.layers import Normalisation

FIXED, PICTURE = 1e-5, 1e-4  # largest differences


def described(layers: Sequence[Layer], **fields: Any) -> DescribedGenerator:
    """With random weights of a deviation that keeps values near 1, and statistics of the like."""
    torch.manual_seed(0)
    given: dict[str, Any] = {"multiple": 16} | fields
    net = DescribedGenerator(Architecture(layers=tuple(layers), **given)).eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if isinstance(module, nn.BatchNorm2d | Normalisation):
            for values, low, high in (
                (module.weight, 0.5, 1.5),
                (module.bias, -0.3, 0.3),
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.5, 2.0),
            ):
                if values is not None:
                    nn.init.uniform_(values, low, high)
    return net


@torch.no_grad()
def differences(net: DescribedGenerator, side: int = 16) -> tuple[float, float, float]:
    """The engine's and the reference's last tensors from what the net computes; and the bytes, from its picture."""
    image = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].double() / 127.5 - 1
    plan, weights = lower(net, square(side), int8=False)
    engine = Engine(plan, weights=weights)
    picture = engine.run(image)
    double = net.double()
    computed = double.compute(double.read(x))[0].permute(1, 2, 0).numpy()
    shown = ((double(x)[0].permute(1, 2, 0) + 1) * 127.5).numpy()
    last = plan.ops[-1]
    plain = last.channels_read == computed.shape[2] and double.architecture.shows in ((-1, 1), (0, 1))
    _, tensors = run_reference(plan, weights, image)
    here = [
        t[:, :, last.input_channel :][:, :, : computed.shape[2]]
        for t in (engine.tensor(last.input), tensors[last.input])
    ]
    off = [float(np.abs(t - computed).max()) if plain else 0.0 for t in here]
    net.float()
    return off[0], off[1], float(np.abs(picture - shown).max())


def conv(reads: int, inputs: int, outputs: int, kernel: int = 3, **fields: Any) -> Conv:
    pad = fields.pop("pad", (kernel // 2, kernel // 2))
    return Conv(reads=(reads,), inputs=inputs, outputs=outputs, kernel=kernel, pad=pad, **fields)


def up(reads: int, inputs: int, outputs: int, kernel: int, crop: tuple[int, int], stride: int = 2) -> ConvTranspose:
    return ConvTranspose(reads=(reads,), inputs=inputs, outputs=outputs, kernel=kernel, stride=stride, crop=crop)


def act(reads: int, kind: str, slope: float = 0.2) -> Activation:
    return Activation(reads=(reads,), kind=kind, slope=slope)


def norm(reads: int, channels: int, **fields: Any) -> Norm:
    return Norm(reads=(reads,), channels=channels, epsilon=1e-3, **fields)


PADS = [
    (conv(0, 3, 6, 3, stride=2, pad=(0, 1)), Upsample(reads=(1,))),
    (conv(0, 3, 6, 4, stride=2, pad=(1, 1), reflect=True), Upsample(reads=(1,))),
    (conv(0, 3, 6, 7, reflect=True),),
    (conv(0, 3, 6, 4, pad=(2, 1)),),
    (conv(0, 3, 3), conv(1, 3, 3, depthwise=True, reflect=True), conv(2, 3, 6, 1)),
]


@pytest.mark.parametrize("layers", PADS, ids=range(len(PADS)))
def test_paddings(layers: tuple[Layer, ...]) -> None:
    net = described([*layers, act(len(layers), "leaky_relu", 0.3), conv(len(layers) + 1, 6, 3)])
    engine, reference, levels = differences(net)
    assert max(engine, reference) < FIXED
    assert levels < 0.51


@pytest.mark.parametrize(
    ("kernel", "stride", "crop"),
    [(4, 2, (1, 1)), (3, 2, (1, 0)), (3, 2, (0, 1)), (2, 2, (0, 0)), (5, 2, (2, 1)), (5, 2, (1, 2)), (3, 1, (1, 1)),
     (4, 1, (2, 1)), (2, 1, (0, 1)), (6, 2, (2, 2))],
)  # fmt: skip
@pytest.mark.parametrize("fixed", [True, False])
def test_transposed_convolutions(kernel: int, stride: int, crop: tuple[int, int], fixed: bool) -> None:
    layers = [
        conv(0, 3, 6, 4, stride=stride, pad=(1, 1) if stride == 2 else (2, 1)),
        up(1, 6, 5, kernel, crop, stride),
        norm(2, 5),
        act(3, "relu"),
        conv(4, 5, 3),
    ]
    engine, reference, levels = differences(described(layers, norm="fixed" if fixed else "picture"))
    assert max(engine, reference) < (FIXED if fixed else PICTURE)
    assert levels < 0.51


def skips(activated: bool) -> list[Layer]:
    """Two levels with 3, 6 and 2 channels; the skips are before or after their activation."""
    first, second = (2, 5) if activated else (1, 4)
    return [
        conv(0, 3, 3, 4, stride=2, pad=(1, 1)),
        act(1, "leaky_relu", 0.3),
        conv(2, 3, 6, 4, stride=2, pad=(1, 1)),
        norm(3, 6),
        act(4, "leaky_relu", 0.3),
        up(5, 6, 6, 4, (1, 1)),
        norm(6, 6),
        Dropout(reads=(7,)),
        Concat(reads=(8, first)),
        act(9, "relu"),
        up(10, 9, 2, 2, (0, 0)),
        Concat(reads=(11, 0, 11)),
        act(12, "leaky_relu", 0.1),
        Upsample(reads=(second,)),
        Upsample(reads=(14,)),
        Concat(reads=(13, 15)),
        norm(16, 13),
        conv(17, 13, 3),
        act(18, "sigmoid"),
    ]


@pytest.mark.parametrize("activated", [False, True])
@pytest.mark.parametrize("reading", ["fixed", "picture"])
def test_skips_of_any_width_in_several_concatenations(activated: bool, reading: str) -> None:
    engine, reference, levels = differences(described(skips(activated), norm=reading, shows=(0, 1)))
    assert max(engine, reference) < (FIXED if reading == "fixed" else PICTURE)
    assert levels < 0.51


@pytest.mark.parametrize("reading", ["fixed", "picture"])
@pytest.mark.parametrize("scaled", [False, True])
def test_residuals_and_normalised_rows(reading: str, scaled: bool) -> None:
    layers = [
        conv(0, 3, 6),
        norm(1, 16, rows=True, scaled=scaled),
        conv(2, 6, 6, reflect=True),
        norm(3, 6, scaled=scaled),
        Add(reads=(2, 4)),
        act(5, "relu"),
        norm(6, 6),
        Add(reads=(7, 2)),
        Add(reads=(8, 6)),
        conv(9, 6, 3),
        act(10, "tanh"),
    ]
    engine, reference, levels = differences(described(layers, norm=reading))
    assert max(engine, reference) < (FIXED if reading == "fixed" else PICTURE)
    assert levels < 0.51


COLOURS = ("#ffffff", "#000000", "#ff0000", "#00ff00", "#0000ff")


@pytest.mark.parametrize(
    "fields",
    [
        {"reads": "grey", "channels": 1, "gives": "grey"},
        {"reads": "grey", "channels": 1, "gives": "grey", "takes": (0, 1), "shows": (0, 1)},
        {"reads": "grey", "channels": 1, "takes": (-0.5, 1.5)},
        {"takes": (0, 1), "shows": (0, 1)},
        {"takes": (0, 255), "shows": (0, 255)},
        {"takes": (-2, 2), "shows": (-1, 2)},
        {"reads": "labels", "channels": 5, "palette": COLOURS},
        {"reads": "lightness", "channels": 1, "gives": "ab"},
        {"gives": "rgba"},
        {"gives": "rgba", "shows": (0, 1)},
    ],
    ids=lambda fields: " ".join(f"{key} {value}" for key, value in fields.items() if key != "palette"),
)
@pytest.mark.parametrize("last", ["", "tanh"])
def test_what_is_read_and_shown(fields: dict[str, Any], last: str) -> None:
    inputs, outputs = fields.get("channels", 3), {"grey": 1, "ab": 2, "rgba": 4}.get(fields.get("gives", ""), 3)
    layers = [conv(0, inputs, 6), act(1, "leaky_relu"), conv(2, 6, outputs), *([act(3, last)] if last else [])]
    net = described(layers, **fields)
    low, high = fields.get("shows", (-1, 1))
    with torch.no_grad():  # so that much is within the range that is shown
        weight = net.layers[2].weight
        assert isinstance(weight, torch.Tensor)
        weight *= (high - low) / 4 / (max(map(abs, fields.get("takes", (0, 1)))) if not last else 1)
    engine, reference, levels = differences(net)
    assert max(engine, reference) < 1e-5 * max(1, high)
    assert levels < 0.51


def test_8_bit_weights_stay_close() -> None:
    net = described(skips(True), norm="picture", shows=(0, 1))
    image = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    pictures = [Engine(plan, weights=weights).run(image).astype(int) for plan, weights in
                (lower(net, square(32), int8) for int8 in (False, True))]  # fmt: skip
    assert 0 < np.abs(pictures[0] - pictures[1]).mean() < 3
