"""PyTorch-GAN's pix2pix, and Hugging Face's HugGAN models, which have its generator."""

from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.frame import Contents, System
from nurie.importers.network import Network, networks, of_several
from nurie.importers.palette import drawing
from nurie.importers.systems.norms import Norms, norms_of

NAME = "PyTorch-GAN, HugGAN"
ANCHOR = "down1.model.0.weight"
DROPOUT = 4  # down from this level, and up to the same one
WHY = "Its program never switched to running statistics: it normalises by those of the picture."


def is_generator(network: Network) -> bool:
    levels = levels_of(network)
    ups = all(network.is_conv(f"up{i}.model.0.weight") for i in range(1, levels))
    return levels > 1 and ups and network.is_conv("final.2.weight")


def levels_of(network: Network) -> int:
    return network.convs("down{}.model.0.weight")


def norms(network: Network) -> Norms:
    return norms_of(network, "up1.model.1", "instance")


def recognise(contents: Contents) -> str:
    found = networks(contents, ANCHOR, is_generator)
    return f"a U-Net of {levels_of(found[0])} levels with {norms(found[0]).words}" if found else ""


def build(contents: Contents) -> Imported:
    found = networks(contents, ANCHOR, is_generator)
    network = found[0]
    levels, norm = levels_of(network), norms(network)
    reads, said = drawing(network.width(ANCHOR, 1))
    b = Builder(network.width(ANCHOR, 1))
    x, skips = DRAWING, []
    for i in range(1, levels + 1):
        name = f"down{i}.model"
        x = b.conv(x, network.array(f"{name}.0.weight"), network.find(f"{name}.0.bias"), stride=2, pad=1)
        x = norm.add(b, x, f"{name}.1", network.width(f"{name}.0.weight", 0)) if 1 < i < levels else x
        x = b.leaky_relu(x, 0.2)
        x = b.dropout(x) if i >= DROPOUT else x
        skips.append(x)
    for i in range(1, levels):
        name = f"up{i}.model"
        x = b.conv_transpose(x, network.array(f"{name}.0.weight"), network.find(f"{name}.0.bias"), crop=1)
        x = b.relu(norm.add(b, x, f"{name}.1", network.width(f"{name}.0.weight", 1)))
        x = b.dropout(x) if i <= levels - DROPOUT else x
        x = b.concat(x, skips[levels - 1 - i])
    # It pads one pixel more above and left by zeros.
    x = b.conv(b.upsample(x), network.array("final.2.weight"), network.find("final.2.bias"), pad=(2, 1))
    b.tanh(x)
    return b.finish(
        readings=norm.readings("picture"), why=norm.why(WHY), notes=(*said, *of_several(found)), system=NAME, **reads
    )


PYTORCHGAN = System(
    name=NAME,
    files="generator_N.pth, pytorch_model.bin, model.safetensors",
    reads="the U-Net, of any depth and widths",
    checked="the program itself, from both kinds of file",
    recognise=recognise,
    build=build,
)
