"""Generators of PyTorch programs: what is made of their files is what those programs compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from importing import computed, difference, imported, old, refusal, signed
from nurie.importers.registry import find, import_files

Weights = dict[str, Tensor]
UNET, RESNET = "torch_legacy_unet128_batch", "torch_compiled_resnet6_batch"


def drawn(*shape: int, scale: float = 0.3, around: float = 0) -> Tensor:
    return around + scale * torch.randn(*shape, generator=GENERATOR)


GENERATOR = torch.Generator().manual_seed(0)


def saved(path: Path, value: Any) -> Path:
    torch.save(value, path)
    return path


def weights_of(name: str) -> Weights:
    return torch.load(old(name) / "latest_net_G.pth", weights_only=True)


@pytest.mark.parametrize(
    ("name", "file", "evidence", "readings"),
    [
        (UNET, "latest_net_G.pth", "a U-Net of 7 levels with batch norm", ("picture", "fixed")),
        ("torch_unet256_batch", "latest_net_G.pth", "a U-Net of 8 levels with batch norm", ("picture", "fixed")),
        ("torch_unet128_instance", "latest_net_G.pth", "a U-Net of 7 levels with instance norm", ("picture",)),
        (RESNET, "latest_net_G.pth", "a ResNet of 6 blocks with batch norm", ("picture", "fixed")),
        ("torch_resnet9_instance", "latest_net_G.pth", "a ResNet of 9 blocks with instance norm", ("picture",)),
        ("torch_pix2pixhd_global", "latest_net_G.pth", "a global generator, a ResNet of 9 blocks", ("picture",)),
        ("torch_pytorchgan_unet", "generator_0.pth", "a U-Net of 8 levels with instance norm", ("picture",)),
        ("torch_pytorchgan_unet", "model.safetensors", "a U-Net of 8 levels with instance norm", ("picture",)),
    ],
)
def test_the_picture_is_that_of_the_program_itself(
    name: str, file: str, evidence: str, readings: tuple[str, ...]
) -> None:
    folder = old(name, file)
    found, generator = import_files([folder / file])
    assert found.evidence.startswith(evidence)
    assert generator.readings == readings and generator.why
    for reading in readings:
        assert difference(generator, folder, signed(np.load(folder / "input.npy")), reading) < 1e-5


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "gen.", "netG."])
def test_what_stands_before_all_names_is_left_out(tmp_path: Path, prefix: str) -> None:
    bare = weights_of(UNET)
    file = saved(tmp_path / "a.pth", {prefix + name: array for name, array in bare.items()})
    assert same(file, old(UNET) / "latest_net_G.pth")


@pytest.mark.parametrize(
    "whole",
    [
        lambda bare: {"state_dict": bare, "optimizer": {"state": {0: {"exp_avg": drawn(3, 3, 4, 4)}}, "lr": 2e-4}},
        lambda bare: {"epoch": 3, "discriminator": {"model.0.weight": drawn(4, 6, 4, 4)}, "generator": bare},
        lambda bare: {"generator_state_dict": bare},
        lambda bare: {"model_state_dict": {f"module.{name}": array for name, array in bare.items()}},
        lambda bare: {"model": bare, "args": {"lr": [0.1, 0.2], "name": "facades"}},
        lambda bare: {"state_dict": {f"generator.{n}": a for n, a in bare.items()}, "hyper_parameters": {"ngf": 3}},
    ],
)
def test_the_generator_is_found_in_a_whole_dictionary(tmp_path: Path, whole: Callable[[Weights], Any]) -> None:
    file = saved(tmp_path / "a.pth.tar", whole(weights_of(UNET)))
    assert same(file, old(UNET) / "latest_net_G.pth")


def same(a: Path, b: Path) -> bool:
    """Whether two files give one generator."""
    mine, theirs = imported(a), imported(b)
    return mine.architecture == theirs.architecture and all(
        np.array_equal(mine.tensors[name], theirs.tensors[name]) for name in mine.tensors.keys() | theirs.tensors.keys()
    )


def test_of_two_generators_the_first_is_taken_and_named(tmp_path: Path) -> None:
    bare = weights_of(UNET)
    both = {f"{which}.{name}": array for which in ("netG_A", "netG_B") for name, array in bare.items()}
    assert "2 such generators (netG_A, netG_B)" in imported(saved(tmp_path / "a.pth", both)).notes[0]


def test_dropout_shifts_the_names_of_a_resnet(tmp_path: Path) -> None:
    """6 becomes 7 first."""
    shifted = {
        name.replace("block.6.", "block.7.").replace("block.5.", "block.6."): array
        for name, array in weights_of(RESNET).items()
    }
    generator = imported(saved(tmp_path / "a.pth", shifted))
    folder = old(RESNET)
    assert difference(generator, folder, signed(np.load(folder / "input.npy")), "fixed") < 1e-5
    assert sum(type(layer).__name__ == "Dropout" for layer in generator.architecture.layers) == 6


def tiny_unet(inputs: int = 3, outputs: int = 3, bias: bool = False) -> Weights:
    """Names and shapes of pytorch-CycleGAN-and-pix2pix, 2 levels, without the norm."""
    weights = {
        "model.model.0.weight": drawn(4, inputs, 4, 4),
        "model.model.1.model.1.weight": drawn(4, 4, 4, 4),
        "model.model.1.model.3.weight": drawn(4, 4, 4, 4),
        "model.model.3.weight": drawn(8, outputs, 4, 4),
        "model.model.3.bias": drawn(outputs),
    }
    biases = {"model.model.0.bias", "model.model.1.model.1.bias", "model.model.1.model.3.bias"}
    return weights | ({name: drawn(4) for name in sorted(biases)} if bias else {})


def tiny(path: Path, weights: Weights, *statistics: str) -> Path:
    """Saved, with these parts of its norm."""
    return saved(path, weights | {f"model.model.1.model.4.{part}": drawn(4, around=1) for part in statistics})


def test_the_norm_is_told_from_the_names(tmp_path: Path) -> None:
    parts = "weight", "bias", "running_mean", "running_var"
    file = tmp_path / "a.pth"
    assert imported(tiny(file, tiny_unet(), *parts)).readings == ("picture", "fixed")
    assert imported(tiny(file, tiny_unet(), *parts[:2])).readings == ("picture",)
    assert imported(tiny(file, tiny_unet(bias=True))).readings == ("picture",)
    assert imported(tiny(file, tiny_unet())).readings == ("fixed",)


def test_running_statistics_of_instance_norm_are_left_out(tmp_path: Path) -> None:
    weights = tiny_unet(bias=True)
    without = imported(tiny(tmp_path / "a.pth", weights))
    tracked = imported(tiny(tmp_path / "b.pth", weights, "running_mean", "running_var"))
    x = np.random.default_rng(0).random((1, 3, 16, 16))
    assert tracked.readings == ("picture",) and "2018" in tracked.notes[0]
    assert np.array_equal(computed(without, x), computed(tracked, x))


def test_channels_say_what_a_drawing_is(tmp_path: Path) -> None:
    def reads(inputs: int, outputs: int) -> tuple[str, str]:
        architecture = imported(tiny(tmp_path / "a.pth", tiny_unet(inputs, outputs))).architecture
        return architecture.reads, architecture.gives

    assert reads(1, 3) == ("grey", "rgb")
    assert reads(1, 2) == ("lightness", "ab")
    assert reads(3, 1) == ("rgb", "grey")
    assert reads(64, 3) == ("labels", "rgb")
    labels = imported(tiny(tmp_path / "a.pth", tiny_unet(36)))
    assert len(set(labels.architecture.palette)) == 36 and "palette that Nurie chose" in labels.notes[0]
    assert "65 channels, but drawings have at most 64" in refusal(tiny(tmp_path / "a.pth", tiny_unet(65)))


def test_half_precision_is_read(tmp_path: Path) -> None:
    weights = tiny_unet()
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        file = tiny(tmp_path / "a.pth", {name: array.to(kind) for name, array in weights.items()})
        assert np.allclose(imported(file).tensors["layers.0.weight"], weights["model.model.0.weight"], atol=1e-2)


def normed(x: Tensor, w: Weights, name: str, fixed: bool) -> Tensor:
    mean, variance = w[f"{name}.running_mean"].double(), w[f"{name}.running_var"].double()
    return F.batch_norm(x, mean, variance, w[f"{name}.weight"].double(), w[f"{name}.bias"].double(), training=not fixed)


def batch_norm(name: str, channels: int) -> Weights:
    parts = {"weight": drawn(channels, around=1), "bias": drawn(channels), "running_mean": drawn(channels)}
    return {f"{name}.{part}": array for part, array in parts.items()} | {f"{name}.running_var": drawn(channels).exp()}


def persson(downs: int) -> Weights:
    w = {"initial_down.0.weight": drawn(2, 3, 4, 4), "initial_down.0.bias": drawn(2)}
    for i in range(1, downs + 1):
        w |= {f"down{i}.conv.0.weight": drawn(2, 2, 4, 4), **batch_norm(f"down{i}.conv.1", 2)}
    w |= {"bottleneck.0.weight": drawn(2, 2, 4, 4), "bottleneck.0.bias": drawn(2)}
    for i in range(1, downs + 2):
        w |= {f"up{i}.conv.0.weight": drawn(2 if i == 1 else 4, 2, 4, 4), **batch_norm(f"up{i}.conv.1", 2)}
    return w | {"final_up.0.weight": drawn(4, 3, 4, 4), "final_up.0.bias": drawn(3)}


def persson_forward(w: Weights, x: Tensor, downs: int, fixed: bool) -> Tensor:
    def conv(x: Tensor, name: str, mode: str = "reflect") -> Tensor:
        bias = w[f"{name}.bias"].double() if f"{name}.bias" in w else None
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode), w[f"{name}.weight"].double(), bias, stride=2)

    skips = [F.leaky_relu(conv(x, "initial_down.0"), 0.2)]
    for i in range(1, downs + 1):
        y = normed(conv(skips[-1], f"down{i}.conv.0"), w, f"down{i}.conv.1", fixed)
        skips.append(F.leaky_relu(y, 0.2))
    y = F.relu(conv(skips[-1], "bottleneck.0", "constant"))
    for i in range(1, downs + 2):
        y = F.conv_transpose2d(y, w[f"up{i}.conv.0.weight"].double(), stride=2, padding=1)
        y = torch.cat([F.relu(normed(y, w, f"up{i}.conv.1", fixed)), skips[-i]], 1)
    final = w["final_up.0.weight"].double(), w["final_up.0.bias"].double()
    return torch.tanh(F.conv_transpose2d(y, *final, stride=2, padding=1))


def bolts(levels: int) -> Weights:
    w: Weights = {}
    for i in range(levels):
        w |= {f"encoders.{i}.conv.weight": drawn(2, 2 if i else 3, 4, 4), f"encoders.{i}.conv.bias": drawn(2)}
        w |= batch_norm(f"encoders.{i}.bn", 2) if 0 < i < levels - 1 else {}
    for i in range(levels - 1):
        w |= {f"decoders.{i}.deconv.weight": drawn(4 if i else 2, 2, 4, 4), f"decoders.{i}.deconv.bias": drawn(2)}
        w |= batch_norm(f"decoders.{i}.bn", 2)
    return w | {"final_conv.weight": drawn(2, 3, 4, 4), "final_conv.bias": drawn(3)}


def bolts_forward(w: Weights, x: Tensor, levels: int, fixed: bool) -> Tensor:
    """No activation between its decoders, and no skip to the last one."""

    def parts(name: str) -> tuple[Tensor, Tensor]:
        return w[f"{name}.weight"].double(), w[f"{name}.bias"].double()

    skips = []
    for i in range(levels):
        x = F.conv2d(x, *parts(f"encoders.{i}.conv"), stride=2, padding=1)
        x = F.leaky_relu(normed(x, w, f"encoders.{i}.bn", fixed) if 0 < i < levels - 1 else x, 0.2)
        skips.append(x)
    for i in range(levels - 1):
        x = normed(
            F.conv_transpose2d(x, *parts(f"decoders.{i}.deconv"), stride=2, padding=1), w, f"decoders.{i}.bn", fixed
        )
        x = torch.cat([x, skips[levels - 2 - i]], 1) if i < levels - 2 else x
    return torch.tanh(F.conv_transpose2d(x, *parts("final_conv"), stride=2, padding=1))


@pytest.mark.parametrize(
    ("weights", "forward", "prefix", "depth"), [(persson, persson_forward, "", 3), (bolts, bolts_forward, "gen.", 5)]
)
def test_other_programs_of_the_paper(
    tmp_path: Path, weights: Callable[[int], Weights], forward: Callable[..., Tensor], prefix: str, depth: int
) -> None:
    w = weights(depth)
    about = {"state_dict": {prefix + name: array for name, array in w.items()}, "optimizer": {"state": {}}}
    generator = imported(saved(tmp_path / "gen.pth.tar", about))
    assert generator.readings == ("fixed", "picture") and "running statistics" in generator.why
    x = 2 * torch.rand(1, 3, 64, 64, generator=GENERATOR).double() - 1
    for reading in generator.readings:
        theirs = forward(w, x, depth, reading == "fixed").numpy()
        assert abs(computed(generator, x.numpy(), reading) - theirs).max() < 1e-9


DISCRIMINATORS: dict[str, Weights] = {
    "latest_net_G.pth or generator_N.pth": {
        "model.0.weight": drawn(4, 6, 4, 4), "model.2.weight": drawn(8, 4, 4, 4), "model.3.weight": drawn(8),
        "model.5.weight": drawn(1, 8, 4, 4),
    },
    "such as latest_net_G.pth": {
        "net.0.weight": drawn(4, 6, 1, 1), "net.2.weight": drawn(8, 4, 1, 1), "net.5.weight": drawn(1, 8, 1, 1),
    },
    "latest_net_G.pth": {"scale0_layer0.0.weight": drawn(4, 6, 4, 4), "scale0_layer1.0.weight": drawn(8, 4, 4, 4)},
    "gen.pth.tar": {"initial.0.weight": drawn(4, 6, 4, 4), "model.0.conv.0.weight": drawn(8, 4, 4, 4)},
}  # fmt: skip


@pytest.mark.parametrize("wanted", DISCRIMINATORS)
def test_a_discriminator_is_named(tmp_path: Path, wanted: str) -> None:
    file = saved(tmp_path / "latest_net_D.pth", {f"module.{n}": a for n, a in DISCRIMINATORS[wanted].items()})
    said = refusal(file)
    assert "is a discriminator, which only training needs: expected the generator beside it" in said and wanted in said


def test_a_local_enhancer_is_named(tmp_path: Path) -> None:
    weights = {"model.1.weight": drawn(2, 3, 7, 7), "model1_1.1.weight": drawn(2, 3, 7, 7)}
    assert "a local enhancer of pix2pixHD, but: Nurie reads only its global" in refusal(
        saved(tmp_path / "a.pth", weights)
    )


def test_labels_of_pix2pixhd_are_colours(tmp_path: Path) -> None:
    weights = {
        "model.1.weight": drawn(2, 36, 7, 7), "model.1.bias": drawn(2), "model.4.weight": drawn(4, 2, 3, 3),
        "model.4.bias": drawn(4), "model.7.conv_block.1.weight": drawn(4, 4, 3, 3),
        "model.7.conv_block.1.bias": drawn(4), "model.7.conv_block.5.weight": drawn(4, 4, 3, 3),
        "model.7.conv_block.5.bias": drawn(4),
        "model.8.weight": drawn(4, 2, 3, 3), "model.8.bias": drawn(2), "model.12.weight": drawn(3, 2, 7, 7),
        "model.12.bias": drawn(3),
    }  # fmt: skip
    generator = imported(saved(tmp_path / "a.pth", weights))
    assert len(generator.architecture.palette) == 36 and any("instance maps" in note for note in generator.notes)


def test_what_is_missing_or_does_not_fit_is_named(tmp_path: Path) -> None:
    weights = weights_of(UNET)
    del weights["model.model.1.model.2.running_var"]
    assert "array model.model.1.model.2.running_var, but there is none" in refusal(saved(tmp_path / "a.pth", weights))
    assert "Layer 2 (conv) takes 7 channels" in refusal(
        tiny(tmp_path / "a.pth", tiny_unet() | {"model.model.1.model.1.weight": drawn(4, 7, 4, 4)})
    )
    endless = tiny_unet() | {"model.model.3.bias": torch.full((3,), float("nan"))}
    assert "no numbers" in refusal(tiny(tmp_path / "a.pth", endless))
    whole = tiny_unet() | {"model.model.3.bias": torch.ones(3, dtype=torch.int64)}
    assert "floating-point numbers in model.model.3.bias" in refusal(tiny(tmp_path / "a.pth", whole))


def test_another_network_is_said_to_be_none_that_is_known(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.pth", {"fc.weight": drawn(3, 3), "fc.bias": drawn(3)})
    assert "of no generator that Nurie knows: it has 2 arrays (fc.weight, fc.bias, ...)" in refusal(file)
    with pytest.raises(Exception, match="import one checkpoint at a time"):
        find([old(UNET) / "latest_net_G.pth", file])
