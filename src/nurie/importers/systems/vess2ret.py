"""The U-Net of vess2ret, https://github.com/costapt/vess2ret (Costa et al. 2017): 512x512 pixels and no others."""

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.systems.keras import KerasNetwork, network_of, readings_of, theano_note

LEVELS, SIZE = 9, 512
SLOPE = 0.2
OUTPUT = (
    "Its file does not say whether pictures of one channel are binary: they are taken for grey ones, of a tanh; "
    "binary ones, of a sigmoid, have more contrast here."
)


def recognise(contents: Contents) -> str:
    net = network_of(contents)
    if net is None or (len(net.convs), len(net.transposed), len(net.norms)) != (LEVELS, LEVELS, 2 * LEVELS - 1):
        return ""
    down = [net.weight(layer).shape[2] for layer in net.convs]
    up = [net.weight(layer).shape[2] for layer in net.transposed]
    return f"a U-Net of {LEVELS} levels" if down == [3] * (LEVELS - 1) + [2] and up == [2] * LEVELS else ""


def build(contents: Contents) -> Imported:
    net = network_of(contents)
    assert net is not None
    weights = [net.weight(layer) for layer in (*net.convs, *net.transposed)]
    rows = rows_of(net)
    b = Builder(weights[0].shape[1])
    pad = (1, 1) if net.theano else (0, 1)
    x, skips = DRAWING, []
    for level, layer in enumerate(net.convs):
        last = level == LEVELS - 1
        x = b.leaky_relu(x, SLOPE) if level else x
        x = b.conv(x, weights[level], layer.arrays.get("bias"), stride=1 if last else 2, pad=0 if last else pad)
        x = net.norm(b, x, net.norms[level], rows)
        skips.append(x)
    for level, layer in enumerate(net.transposed):
        x = b.leaky_relu(x, SLOPE)
        x = b.conv_transpose(x, weights[LEVELS + level], layer.arrays.get("bias"), stride=2 if level else 1)
        if level < LEVELS - 1:
            x = net.norm(b, x, net.norms[LEVELS + level], rows)
            x = b.dropout(x) if level < 3 else x
            x = b.concat(x, skips[LEVELS - 2 - level])
    binary = activation_of(net) == "sigmoid"
    (b.sigmoid if binary else b.tanh)(x)
    readings, why = readings_of(net)
    unsaid = weights[-1].shape[1] == 1 and not activation_of(net)
    notes = [*theano_note(net), *([OUTPUT] if unsaid else [])]
    return b.finish(
        size=SIZE, readings=readings, why=why, notes=notes, takes=(0, 1) if b.channels == 1 else (-1, 1),
        shows=(0, 1) if binary else (-1, 1), system="vess2ret",
    )  # fmt: skip


def rows_of(net: KerasNetwork) -> bool:
    """Whether its normalisations, which are of axis 1, are of rows: with channels last, where they count as many.

    Raises NurieError where they are neither.
    """
    counts = [next(iter(layer.arrays.values())).size for layer in net.norms]
    channels = [net.weight(layer).shape[0] for layer in net.convs]
    channels += [net.weight(layer).shape[1] for layer in net.transposed[:-1]]
    sides = [SIZE >> level for level in range(1, LEVELS + 1)]
    if counts == channels:
        return False
    if counts == sides + sides[-2::-1]:
        return True
    raise NurieError(f"Expected a number for each of {channels} channels in its normalisations, but it has {counts}.")


def activation_of(net: KerasNetwork) -> str:
    """Of the picture; empty where the file does not say."""
    try:
        activations = [layer["config"]["activation"] for layer in net.config["config"]["layers"]
                       if layer["class_name"] == "Activation"]  # fmt: skip
        return str(activations[-1])
    except (TypeError, KeyError, IndexError):
        return ""


VESS2RET = System(
    "vess2ret",
    "`atob_weights.h5`, or a whole model (`.h5`)",
    "512x512, Keras 1 or 2, Theano or TensorFlow",
    "Keras 2.0.8 on TensorFlow 1.4.1; Theano's order of weights by a second implementation",
    recognise,
    build,
)
