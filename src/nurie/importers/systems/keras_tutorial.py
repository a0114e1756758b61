"""The U-Net of machinelearningmastery.com's pix2pix tutorial for Keras."""

from nurie.errors import NurieError
from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.systems.keras import network_of

NAME = "machinelearningmastery.com's pix2pix tutorial"
WHY = "The tutorial normalises with training=True: its pictures are always by the statistics of the picture."
DROPOUT = (
    "The tutorial leaves dropout on when it predicts, so that its pictures differ a little each time; here it is off."
)


def recognise(contents: Contents) -> str:
    net = network_of(contents)
    if net is None or net.keras < 2 or len(net.convs) < 3 or len(net.transposed) != len(net.convs):
        return ""
    layers = (*net.convs, *net.transposed)
    if len(net.norms) != 2 * len(net.convs) - 3 or not all("bias" in layer.arrays for layer in layers):
        return ""
    return f"a U-Net of {len(net.convs)} levels" if all(net.weight(x).shape[2:] == (4, 4) for x in layers) else ""


def build(contents: Contents) -> Imported:
    net = network_of(contents)
    assert net is not None
    if net.theano or net.channels_first:
        raise NurieError("Expected one that was trained with TensorFlow.")
    levels = len(net.convs)
    b = Builder(net.weight(net.convs[0]).shape[1])
    x, skips = DRAWING, []
    for level, layer in enumerate(net.convs):
        x = b.conv(x, net.weight(layer), layer.arrays["bias"], stride=2, pad=1)
        if level == levels - 1:
            x = b.relu(x)
            break
        x = net.norm(b, x, net.norms[level - 1]) if level else x
        x = b.leaky_relu(x, 0.2)
        skips.append(x)
    for level, layer in enumerate(net.transposed):
        x = b.conv_transpose(x, net.weight(layer), layer.arrays["bias"], crop=1)
        if level < levels - 1:
            x = net.norm(b, x, net.norms[levels - 2 + level])
            x = b.dropout(x) if level < 3 else x
            x = b.relu(b.concat(x, skips[-1 - level]))
    b.tanh(x)
    return b.finish(readings=("picture",), why=WHY, notes=(DROPOUT,), system=NAME)


KERAS_TUTORIAL = System(
    NAME,
    "`model_N.h5`",
    "Keras 2 and 3, whole models and weights",
    "Keras 2.15",
    recognise,
    build,
)
