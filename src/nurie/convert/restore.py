"""model/ -> a generator that training can go on from: the way back from the plan that lower.py makes.

A model has its BatchNorms folded into the convolutions. Each is given back with the statistics that it finds on some
drawings, and with the scale and the shift that undo them: the generator computes what the model does, but for the
rounding of its 8-bit weights, and its BatchNorms normalise again when it is trained.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from nurie.convert.graph import module_of, traced
from nurie.convert.lower import lower
from nurie.convert.quantise import dequantised
from nurie.engine.modelfile import MANIFEST, Manifest, read_model
from nurie.engine.plan import Op, Plan
from nurie.errors import NurieError, spelt
from nurie.nets.generators import DEFAULT_WIDTH, build_generator
from nurie.size import Size


def restore(model: Path, wanted: dict[str, Any], drawings: Callable[[], Tensor]) -> tuple[nn.Module, Manifest]:
    """The generator of a model folder, in eval mode, and its manifest.

    wanted: the arguments of `build_generator`. drawings: makes some for the statistics, (n, 3, h, w) in [-1, 1]. Raises
    NurieError where the folder is no model, or one of another generator, or of one that this version builds otherwise.
    """
    manifest, plan, data = read_model(model)
    options = options_of(manifest, model)
    wanted = {"colours": 0} | wanted
    if other := {name: value for name, value in wanted.items() if options[name] != value}:
        given = {name: options[name] for name in other}
        raise NurieError(
            f"{model} has a generator with {spelt(given)}, but this run's has {spelt(other)}. Train with the same."
        )
    generator = rebuilt(manifest, plan, data, model)
    give_back_statistics(generator, drawings())
    return generator, manifest


def restore_finished(model: Path) -> tuple[nn.Module, Manifest]:
    """The same of whatever generator it has, but not for training: its BatchNorms have no statistics."""
    manifest, plan, data = read_model(model)
    return rebuilt(manifest, plan, data, model), manifest


def options_of(manifest: Manifest, model: Path) -> dict[str, Any]:
    """The arguments of `build_generator`. Raises NurieError where the model does not say them."""
    made_by = manifest.generator
    if not (made_by.kind in DEFAULT_WIDTH and made_by.width):
        raise NurieError(f"{model / MANIFEST} does not say which generator made it; train a new one.")
    return {name: getattr(made_by, name) for name in ("kind", "width", "styles", "enclosed", "colours")}


def rebuilt(manifest: Manifest, plan: Plan, data: bytes, model: Path) -> nn.Module:
    """A generator with a model's weights; its BatchNorms only shift. NurieError where its layers are others."""
    options = options_of(manifest, model)
    generator = build_generator(**options).eval()
    size = Size(manifest.input.width, manifest.input.height)
    palette = np.zeros((len(manifest.palette), 3), np.uint8)  # only how many colours there are matters
    own = [op for op in lower(generator, size, palette=palette)[0].ops if op.is_conv]
    theirs = [op for op in plan.ops if op.is_conv]
    if [shape(op) for op in own] != [shape(op) for op in theirs]:
        raise NurieError(f"{model} is by a generator that this version of Nurie builds otherwise; train a new one.")
    set_weights(generator, theirs, data)
    if options["styles"] and manifest.styles:
        generator.style.set_style(0, manifest.styles[0])  # type: ignore[union-attr, operator]
    return generator


def shape(op: Op) -> tuple[Any, ...]:
    return op.op, op.in_channels, op.out_channels, op.kernel, op.stride, op.shuffle, op.activation, op.bias == -1


@torch.no_grad()
def set_weights(generator: nn.Module, ops: list[Op], data: bytes) -> None:
    """The operations' weights for the convolutions, in the same order, and their biases for the BatchNorms behind."""
    graph = traced(generator)
    kinds = nn.Conv2d | nn.ConvTranspose2d
    convolutions = [node for node in graph.graph.nodes if isinstance(module_of(graph, node), kinds)]
    for node, op in zip(convolutions, ops, strict=True):
        conv, norm, copies = parts(graph, node)
        weight, bias = weights_of(op, data)
        conv.weight.copy_(weight[::copies])
        if norm is not None:
            norm.reset_running_stats()
            norm.weight.fill_((1 + norm.eps) ** 0.5)
            norm.bias.copy_(bias[::copies])
        elif conv.bias is not None:
            conv.bias.copy_(bias[::copies])


def parts(graph: fx.GraphModule, node: fx.Node) -> tuple[Any, nn.BatchNorm2d | None, int]:
    """A convolution, the BatchNorm behind it, and how many equal channels lower.py has made of each for upsampling."""
    norm, copies = None, 1
    follower = next(iter(node.users))
    if isinstance(module := module_of(graph, follower), nn.BatchNorm2d):
        norm, follower = module, next(iter(follower.users))
    if isinstance(module := module_of(graph, follower), nn.Upsample):
        copies = int(module.scale_factor) ** 2  # type: ignore[arg-type]
    return module_of(graph, node), norm, copies


def weights_of(op: Op, data: bytes) -> tuple[Tensor, Tensor]:
    """As the convolution keeps them, float32, and a bias for each output channel, zeros where there is none."""
    size = (op.out_channels, op.kernel, op.kernel, op.weight_depth)
    count = int(np.prod(size))
    if op.scale == -1:
        values = np.frombuffer(data, "<f4", count, op.weight).reshape(size)
    else:
        scales = np.frombuffer(data, "<f4", op.out_channels, op.scale)
        values = dequantised(np.frombuffer(data, np.int8, count, op.weight).reshape(size), scales, op.compand)
    order = (3, 0, 1, 2) if op.op == "conv_transpose" else (0, 3, 1, 2)
    bias = np.zeros(op.out_channels, "<f4") if op.bias == -1 else np.frombuffer(data, "<f4", op.out_channels, op.bias)
    return torch.from_numpy(values.transpose(order).copy()), torch.from_numpy(bias.copy())


@torch.no_grad()
def give_back_statistics(generator: nn.Module, drawings: Tensor) -> None:
    """Each BatchNorm's running statistics become those of what it sees on the drawings; its outputs stay the same."""
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in norms}

    def note(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        x = inputs[0]
        seen[norm].append(torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))]))

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]  # type: ignore[arg-type]
    for drawing in drawings.split(8):
        generator(drawing)
    for hook in hooks:
        hook.remove()
    for norm, moments in seen.items():
        mean, square = torch.stack(moments).mean(0)
        variance = (square - mean.square()).clamp(min=1e-8)
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
