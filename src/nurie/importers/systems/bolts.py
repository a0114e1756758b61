"""Pix2Pix of lightning-bolts."""

from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.network import Network, networks, of_several
from nurie.importers.palette import drawing
from nurie.importers.systems.norms import norms_of

NAME = "lightning-bolts Pix2Pix"
ANCHOR = "encoders.0.conv.weight"
DROPOUT = 3  # of the decoders
WHY = "Lightning predicts by running statistics (eval mode)."


def is_generator(network: Network) -> bool:
    decoders = all(network.is_conv(f"decoders.{i}.deconv.weight") for i in range(levels_of(network) - 1))
    return decoders and levels_of(network) > 1 and network.is_conv("final_conv.weight")


def levels_of(network: Network) -> int:
    return network.convs("encoders.{}.conv.weight", 0)


def recognise(contents: Contents) -> str:
    found = networks(contents, ANCHOR, is_generator)
    return f"a U-Net of {levels_of(found[0])} levels" if found else ""


def build(contents: Contents) -> Imported:
    found = networks(contents, ANCHOR, is_generator)
    network = found[0]
    levels, norm = levels_of(network), norms_of(network, "decoders.0.bn", "none")
    reads, said = drawing(network.width(ANCHOR, 1))
    b = Builder(network.width(ANCHOR, 1))
    x, skips = DRAWING, []
    for i in range(levels):
        weight = network.array(f"encoders.{i}.conv.weight")
        x = b.conv(x, weight, network.find(f"encoders.{i}.conv.bias"), stride=2, pad=1)
        x = norm.add(b, x, f"encoders.{i}.bn", weight.shape[0]) if 0 < i < levels - 1 else x
        x = b.leaky_relu(x, 0.2)
        skips.append(x)
    for i in range(levels - 1):
        weight = network.array(f"decoders.{i}.deconv.weight")
        x = b.conv_transpose(x, weight, network.find(f"decoders.{i}.deconv.bias"), crop=1)
        x = norm.add(b, x, f"decoders.{i}.bn", weight.shape[1])  # it has an activation here, and does not use it
        x = b.dropout(x) if i < DROPOUT else x
        x = b.concat(x, skips[levels - 2 - i]) if i < levels - 2 else x
    b.tanh(b.conv_transpose(x, network.array("final_conv.weight"), network.find("final_conv.bias"), crop=1))
    return b.finish(
        readings=norm.readings("fixed"), why=norm.why(WHY), notes=(*said, *of_several(found)), system=NAME, **reads
    )


BOLTS = System(
    name=NAME,
    files="epoch=N-step=M.ckpt",
    reads="the U-Net, of any depth and widths",
    checked="a network of the same layers in PyTorch, both readings",
    recognise=recognise,
    build=build,
)
