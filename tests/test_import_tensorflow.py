"""Generators of pix2pix-tensorflow and of TensorFlow's tutorial give the pictures that they gave in TensorFlow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bundles import write_checkpoint
from importing import computed, imported, old, refusal
from nurie.errors import NurieError
from nurie.importers.registry import import_files
from nurie.importers.systems.tensorflow_tutorial import Block, tutorial_generator

RANDOM = np.random.default_rng(0)
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def differences(folder: Path, checkpoint: Path, drawing: np.ndarray, picture: Callable[[np.ndarray], np.ndarray],
                reading: str = "picture") -> np.ndarray:  # fmt: skip
    """From the system's own output, of every n-th row and column. drawing: (h, w, 3) as the generator takes it."""
    called = {"picture": "output_per_image", "fixed": "output_fixed"}[reading]
    file = next(folder.glob(f"{called}*.npy"))
    step = int(file.stem.partition("_step")[2] or 1)
    y = computed(imported(checkpoint), drawing.transpose(2, 0, 1)[None], reading)[0].transpose(1, 2, 0)
    return np.abs(picture(y)[::step, ::step] - np.load(file))


def unit(y: np.ndarray) -> np.ndarray:
    return (y + 1) / 2


def as_it_is(y: np.ndarray) -> np.ndarray:
    return y


# The largest differences: those of TensorFlow's own rounding.
@pytest.mark.parametrize(("name", "most"), [("tf_affinelayer_dec2017", 1.7e-4), ("tf_affinelayer_apr2017", 1e-5)])
def test_a_checkpoint_of_pix2pix_tensorflow_gives_its_pictures(name: str, most: float) -> None:
    folder = old(name)
    drawing = np.load(folder / "input.npy") / 127.5 - 1
    assert differences(folder, folder, drawing, unit).max() < most


def test_the_web_format_gives_pictures_as_near_as_its_eight_bits_allow() -> None:
    folder = old("tf_affinelayer_dec2017", "model.pict")
    found = differences(folder, folder / "model.pict", np.load(folder / "input.npy") / 127.5 - 1, unit)
    assert found.mean() < 0.0045 and found.max() < 0.055


def test_the_web_format_without_running_statistics_is_read_to_the_bit() -> None:
    folder = old("affinelayer")
    drawing = np.load(folder / "input.npy").astype(np.float64) * 2 - 1
    assert differences(folder, folder / "random_ngf8.pict", drawing, unit).max() < 1e-6


@pytest.mark.parametrize(("reading", "most"), [("fixed", 1e-5), ("picture", 1e-5)])
@pytest.mark.parametrize(
    ("name", "inside"),
    [("tf2_tutorial", ""), ("tf2_tutorial_keras3", "with_optimizers"), ("tf2_tutorial_keras3", "without_optimizers")],
)
def test_a_checkpoint_of_the_tutorial_gives_its_pictures(name: str, inside: str, reading: str, most: float) -> None:
    folder, drawing = (
        old(name, inside or "checkpoint"),
        np.load(old("tf2_tutorial", "checkpoint") / "input.npy") / 127.5 - 1,
    )
    assert differences(folder, folder / inside, drawing, as_it_is, reading).max() < most


def test_what_a_user_should_know_comes_with_the_generator() -> None:
    found, generator = import_files([old("tf_affinelayer_dec2017") / "model.pict"])
    assert found.evidence == "a U-Net of 8 levels" and generator.readings == ("picture",)
    assert "never updated" in generator.why and "dropout" in generator.notes[0] and generator.size == 256
    assert imported(old("tf2_tutorial", "checkpoint")).readings == ("picture", "fixed")


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


def affinelayer_arrays(kind: str, levels: int, width: int, inputs: int, outputs: int) -> dict[str, np.ndarray]:
    """Of the generator, and what else a checkpoint has. kind: "", "2017-04" or "separable"."""
    widths = [inputs, *(min(2**level, 8) * width for level in range(levels))]
    arrays = {"global_step": np.array(20), "generator/encoder_1/conv2d/kernel/Adam": drawn(4, 4, inputs, width)}
    arrays["discriminator/layer_1/conv2d/kernel"] = drawn(4, 4, inputs + outputs, width)

    def add(scope: str, i: int, o: int, normed: bool) -> None:
        up = "decoder" in scope
        if kind == "separable":
            arrays[f"{scope}/separable_conv2d/depthwise_kernel"] = drawn(4, 4, i, 1)
            arrays[f"{scope}/separable_conv2d/pointwise_kernel"] = drawn(1, 1, i, o, scale=1)
            arrays[f"{scope}/separable_conv2d/bias"] = drawn(o)
        elif kind == "2017-04":
            arrays[f"{scope}/{'deconv' if up else 'conv'}/filter"] = drawn(4, 4, *((o, i) if up else (i, o)))
        else:
            layer = f"{scope}/conv2d{'_transpose' * up}"
            arrays[f"{layer}/kernel"] = drawn(4, 4, *((o, i) if up else (i, o)))
            arrays[f"{layer}/bias"] = drawn(o)
        if normed:
            names = ("batchnorm/scale", "batchnorm/offset")
            names = names if kind == "2017-04" else ("batch_normalization/gamma", "batch_normalization/beta")
            arrays[f"{scope}/{names[0]}"] = drawn(o, around=1)
            arrays[f"{scope}/{names[1]}"] = drawn(o)

    for level in range(1, levels + 1):
        add(f"generator/encoder_{level}", widths[level - 1], widths[level], level > 1)
        below = widths[level] * (1 if level == levels else 2)
        add(f"generator/decoder_{level}", below, outputs if level == 1 else widths[level - 1], level > 1)
    return arrays


def affinelayer_forward(arrays: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """What pix2pix-tensorflow computes, in PyTorch: (1, c, h, w) -> (1, c', h, w)."""
    tensors = {name: torch.from_numpy(array).double() for name, array in arrays.items()}
    levels = len({name.split("/")[1] for name in tensors if name.startswith("generator/encoder")})

    def of(scope: str, *ends: str) -> Tensor | None:
        return next((tensors[name] for name in tensors if name.startswith(scope) and name.endswith(ends)), None)

    def level(y: Tensor, scope: str) -> Tensor:
        up, kernel, bias = "decoder" in scope, of(scope, "/kernel", "/filter", "/pointwise_kernel"), of(scope, "/bias")
        assert kernel is not None
        if (each := of(scope, "/depthwise_kernel")) is not None:
            y = y.repeat_interleave(2, 2).repeat_interleave(2, 3) if up else y
            each = each[:, :, :, 0].permute(2, 0, 1)[:, None]
            y = F.conv2d(F.pad(y, (1, 1 + up, 1, 1 + up)), each, stride=1 if up else 2, groups=len(each))
            y = F.conv2d(y, kernel.permute(3, 2, 0, 1), bias)
        elif up:
            y = F.conv_transpose2d(y, kernel.permute(3, 2, 0, 1), bias, stride=2, padding=1)
        else:
            y = F.conv2d(y, kernel.permute(3, 2, 0, 1), bias, stride=2, padding=1)
        scale, shift = of(scope, "/gamma", "/scale"), of(scope, "/beta", "/offset")
        return y if scale is None else F.instance_norm(y, weight=scale, bias=shift, eps=1e-5)

    y, skips = torch.from_numpy(x).double(), []
    for number in range(1, levels + 1):
        y = level(F.leaky_relu(y, 0.2) if number > 1 else y, f"generator/encoder_{number}")
        skips.append(y)
    for number in range(levels, 0, -1):
        y = y if number == levels else torch.cat([y, skips[number - 1]], 1)
        y = level(F.relu(y), f"generator/decoder_{number}")
    return torch.tanh(y).numpy()


@pytest.mark.parametrize("channels", [(3, 3), (1, 2), (1, 1)])
@pytest.mark.parametrize("kind", ["", "2017-04", "separable"])
def test_every_layout_of_pix2pix_tensorflow_is_read(tmp_path: Path, kind: str, channels: tuple[int, int]) -> None:
    arrays = affinelayer_arrays(kind, 5, 3, *channels)
    built = imported(write_checkpoint(tmp_path / "model-20", arrays))
    x = drawn(1, channels[0], 64, 128)
    assert np.abs(computed(built, x) - affinelayer_forward(arrays, x)).max() < 1e-6
    about = built.architecture
    wanted = {3: ("rgb", "rgb"), 2: ("lightness", "ab"), 1: ("grey", "grey")}[channels[1]]
    assert (about.reads, about.gives) == wanted and about.multiple == 32 and built.size == 256


def path_of(keras: int, layer: int, part: str, last: bool) -> str:
    """Of a variable's object. The last layer is in no sequence."""
    inside = int(part not in ("kernel", "bias"))
    if keras == 2:
        return f"generator/layer_with_weights-{layer}/{f'layer_with_weights-{inside}/' * (not last)}{part}"
    part = "_kernel" if part == "kernel" and layer < 6 else part
    return f"generator/_operations/{layer + 1}/{f'_functional/_operations/{inside + 1}/' * (not last)}{part}"


@pytest.mark.parametrize("keras", [2, 3])
def test_the_tutorials_layers_are_known_by_their_owners(tmp_path: Path, keras: int) -> None:
    """Keras 3 files weights under the optimizer, and numbers layers beyond 9: `10` comes before `2` as text."""
    blocks, bias = tutorial_blocks(6), drawn(3)
    arrays, owners = {}, {"discriminator/layer_with_weights-0/kernel": "somewhere"}
    for index, block in enumerate(blocks):
        last = block is blocks[-1]
        parts = {"kernel": block.kernel, "gamma": block.gamma, "beta": block.beta, "moving_mean": block.mean,
                 "moving_variance": block.variance, "bias": bias if last else None}  # fmt: skip
        for part, array in parts.items():
            if array is None:
                continue
            path = path_of(keras, index, part, last)
            name = path if keras == 2 or "moving" in part else f"generator_optimizer/_trainable_variables/{len(arrays)}"
            arrays[name + VALUE] = array
            owners[path] = name + VALUE
    built, x = imported(write_checkpoint(tmp_path / "ckpt-1", arrays, owners)), drawn(1, 3, 128, 128)
    for reading in ("fixed", "picture"):
        expected = tutorial_forward(blocks, bias, x, reading == "fixed")
        assert np.abs(computed(built, x, reading) - expected).max() < 1e-6


def test_a_generator_that_lacks_an_array_is_named(tmp_path: Path) -> None:
    arrays = affinelayer_arrays("", 5, 3, 3, 3)
    del arrays["generator/encoder_3/batch_normalization/beta"]
    said = refusal(write_checkpoint(tmp_path / "model-20", arrays))
    assert "looks like a U-Net of 5 levels of pix2pix-tensorflow, but:" in said
    assert "no generator/encoder_3/batch_normalization/beta" in said
    del arrays["generator/decoder_2/conv2d_transpose/kernel"]
    assert "looks like part of a U-Net" in refusal(write_checkpoint(tmp_path / "model-20", arrays))


@pytest.mark.parametrize(
    ("only", "what"),
    [("discriminator/", "a discriminator, "), ("generator/encoder_1/conv2d/kernel/Adam", "an optimizer")],
)
def test_a_checkpoint_without_a_generator_says_what_it_has(tmp_path: Path, only: str, what: str) -> None:
    arrays = {name: array for name, array in affinelayer_arrays("", 5, 3, 3, 3).items() if name.startswith(only)}
    said = refusal(write_checkpoint(tmp_path / "model-20", arrays))
    assert f"{what}" in said and "expected" in said


def test_a_discriminator_of_the_tutorial_says_so(tmp_path: Path) -> None:
    owners = {"discriminator/layer_with_weights-0/kernel": "a" + VALUE}
    said = refusal(write_checkpoint(tmp_path / "ckpt-1", {"a" + VALUE: drawn(4, 4, 6, 2)}, owners))
    assert "is a discriminator, which only training needs: expected a checkpoint of the generator" in said
