"""Aladdin Persson's pix2pix, of his course and its many copies."""

from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.network import Network, networks, of_several
from nurie.importers.palette import drawing
from nurie.importers.systems.norms import Norms, norms_of

NAME = "Aladdin Persson's pix2pix"
ANCHOR = "initial_down.0.weight"
DROPOUT = 3  # of the layers up
WHY = "Its program saves its pictures by running statistics (eval mode)."


def is_generator(network: Network) -> bool:
    ups = all(network.is_conv(f"up{i}.conv.0.weight") for i in range(1, downs_of(network) + 2))
    return ups and network.is_conv("bottleneck.0.weight") and network.is_conv("final_up.0.weight")


def downs_of(network: Network) -> int:
    """Besides the first and the bottleneck."""
    return network.convs("down{}.conv.0.weight")


def norms(network: Network) -> Norms:
    return norms_of(network, "up1.conv.1", "instance")


def recognise(contents: Contents) -> str:
    found = networks(contents, ANCHOR, is_generator)
    return f"a U-Net of {downs_of(found[0]) + 2} levels with {norms(found[0]).words}" if found else ""


def build(contents: Contents) -> Imported:
    found = networks(contents, ANCHOR, is_generator)
    network = found[0]
    downs, norm = downs_of(network), norms(network)
    reads, said = drawing(network.width(ANCHOR, 1))
    b = Builder(network.width(ANCHOR, 1))
    array, find = network.array, network.find
    x = b.conv(DRAWING, array(ANCHOR), find("initial_down.0.bias"), stride=2, pad=1, reflect=True)
    skips = [b.leaky_relu(x, 0.2)]
    for i in range(1, downs + 1):
        name = f"down{i}.conv"
        weight = array(f"{name}.0.weight")
        x = b.conv(skips[-1], weight, find(f"{name}.0.bias"), stride=2, pad=1, reflect=True)
        skips.append(b.leaky_relu(norm.add(b, x, f"{name}.1", weight.shape[0]), 0.2))
    x = b.relu(b.conv(skips[-1], array("bottleneck.0.weight"), find("bottleneck.0.bias"), stride=2, pad=1))
    for i in range(1, downs + 2):
        name = f"up{i}.conv"
        x = b.conv_transpose(x, array(f"{name}.0.weight"), find(f"{name}.0.bias"), crop=1)
        x = b.relu(norm.add(b, x, f"{name}.1", network.width(f"{name}.0.weight", 1)))
        x = b.dropout(x) if i <= DROPOUT else x
        x = b.concat(x, skips.pop())
    b.tanh(b.conv_transpose(x, array("final_up.0.weight"), find("final_up.0.bias"), crop=1))
    return b.finish(
        readings=norm.readings("fixed"), why=norm.why(WHY), notes=(*said, *of_several(found)), system=NAME, **reads
    )


PERSSON = System(
    name=NAME,
    files="gen.pth.tar",
    reads="the U-Net, of any depth and widths",
    checked="a network of the same layers in PyTorch, both readings",
    recognise=recognise,
    build=build,
)
