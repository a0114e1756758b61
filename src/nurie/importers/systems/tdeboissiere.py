"""The generators of tdeboissiere's pix2pix, https://github.com/tdeboissiere/DeepLearningImplementations: U-Nets that
enlarge by nearest neighbours or by transposed convolutions."""

from dataclasses import dataclass

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.systems.keras import KerasLayer, KerasNetwork, network_of, readings_of, theano_note


@dataclass(frozen=True)
class Parts:
    net: KerasNetwork
    down: list[KerasLayer]
    up: list[KerasLayer]  # the last one makes the picture


def parts_of(contents: Contents) -> Parts | None:
    net = network_of(contents)
    if net is None:
        return None
    down, up, last = (
        [layer for layer in net.convs if layer.name.rpartition("/")[2].startswith(name)]
        for name in ("unet_conv2D", "unet_upconv2D", "last_conv")
    )
    ups = [*up, *last] if last else list(net.transposed)
    others = len(net.convs) + len(net.transposed) - len(down) - len(ups)
    if len(down) < 2 or len(ups) != len(down) or others or len(net.norms) != 2 * len(down) - 2:
        return None
    return Parts(net, down, ups)


def recognise(contents: Contents) -> str:
    parts = parts_of(contents)
    if parts is None:
        return ""
    kind = "transposed convolutions" if parts.net.transposed else "upsampling"
    return f"a U-Net of {len(parts.down)} levels with {kind}"


def build(contents: Contents) -> Imported:
    parts = parts_of(contents)
    assert parts is not None
    net, levels = parts.net, len(parts.down)
    weights = [net.weight(layer) for layer in (*parts.down, *parts.up)]
    if any(weight.shape[2:] != (3, 3) for weight in weights):
        raise NurieError("Expected kernels of 3x3 pixels.")
    b = Builder(weights[0].shape[1])
    pad, crop = ((1, 1), (1, 0)) if net.theano else ((0, 1), (0, 1))
    x, skips = DRAWING, []
    for level, layer in enumerate(parts.down):
        x = b.leaky_relu(x, 0.2) if level else x
        x = b.conv(x, weights[level], layer.arrays.get("bias"), stride=2, pad=pad)
        x = net.norm(b, x, net.norms[level - 1]) if level else x
        skips.append(x)
    for level, layer in enumerate(parts.up):
        x, bias = b.relu(x), layer.arrays.get("bias")
        if layer.transposed:
            x = b.conv_transpose(x, weights[levels + level], bias, crop=crop)
        else:
            x = b.conv(b.upsample(x), weights[levels + level], bias, pad=1)
        if level < levels - 1:
            x = net.norm(b, x, net.norms[levels - 1 + level])
            x = b.dropout(x) if level < 3 else x
            x = b.concat(x, skips[levels - 2 - level])
    b.tanh(x)
    readings, why = readings_of(net)
    return b.finish(
        size=max(256, 2**levels) if levels > 7 else 2**levels, readings=readings, why=why, notes=theano_note(net),
        system="tdeboissiere's pix2pix",
    )  # fmt: skip


TDEBOISSIERE = System(
    "tdeboissiere's pix2pix",
    "`gen_weights_epochN.h5`",
    "both of its generators, Keras 1 or 2, Theano or TensorFlow",
    "Keras 2.0.8 on TensorFlow 1.4.1; transposed convolutions and Theano's order of weights by a second implementation",
    recognise,
    build,
)
