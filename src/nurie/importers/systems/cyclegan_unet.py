"""U-Nets of pytorch-CycleGAN-and-pix2pix: unet_128, unet_256 and of other depths (Isola et al. 2017)."""

from typing import Any, NamedTuple

from nurie.importers.builder import DRAWING, Builder, Imported
from nurie.importers.network import Network
from nurie.importers.palette import drawing
from nurie.importers.systems.norms import Norms, norms_of

ANCHOR = "model.model.0.weight"
WITHOUT_DROPOUT = 4  # outermost levels, and the innermost
PAPER = 7  # levels from which the innermost has one pixel of the pictures that it was made for


class Level(NamedTuple):
    """Names of a convolution, its norm, a transposed convolution, and its norm; empty where there is no norm."""

    down: str
    down_norm: str
    up: str
    up_norm: str


def is_unet(network: Network) -> bool:
    return network.is_conv(ANCHOR) and network.is_conv("model.model.3.weight") and len(levels_of(network)) > 1


def levels_of(network: Network) -> list[Level]:
    """Outermost first; they lie in each other."""
    levels = [Level("model.model.0", "", "model.model.3", "")]
    inside = "model.model.1.model."
    while network.is_conv(f"{inside}1.weight"):
        if network.is_conv(f"{inside}3.weight"):
            return [*levels, Level(f"{inside}1", "", f"{inside}3", f"{inside}4")]
        levels.append(Level(f"{inside}1", f"{inside}2", f"{inside}5", f"{inside}6"))
        inside += "3.model."
    return []


def norms(network: Network) -> Norms:
    """Only with instance norm have the convolutions inside a bias."""
    innermost = levels_of(network)[-1]
    return norms_of(network, innermost.up_norm, "instance" if network.has(f"{innermost.up}.bias") else "none")


def words(network: Network) -> str:
    return f"a U-Net of {len(levels_of(network))} levels with {norms(network).words}"


def build(network: Network, why: str, notes: tuple[str, ...], **about: Any) -> Imported:
    levels, norm = levels_of(network), norms(network)
    channels, made = network.width(ANCHOR, 1), network.width("model.model.3.weight", 1)
    reads, said = drawing(channels)
    if (channels, made) == (1, 2):  # its colorization_model
        reads = {"reads": "lightness"}
    b = Builder(channels)
    x, skips = DRAWING, []
    for i, level in enumerate(levels):
        x = b.leaky_relu(x, 0.2) if i else x
        skips.append(x)  # the activation was in place
        weight = network.array(f"{level.down}.weight")
        x = b.conv(x, weight, network.find(f"{level.down}.bias"), stride=2, pad=1)
        x = norm.add(b, x, level.down_norm, weight.shape[0]) if level.down_norm else x
    for i, level in reversed(list(enumerate(levels))):
        x, width = b.relu(x), network.width(f"{level.up}.weight", 1)
        x = b.conv_transpose(x, network.array(f"{level.up}.weight"), network.find(f"{level.up}.bias"), crop=1)
        x = norm.add(b, x, level.up_norm, width) if level.up_norm else x
        x = b.dropout(x) if WITHOUT_DROPOUT <= i < len(levels) - 1 else x
        x = b.concat(skips[i], x) if i else b.tanh(x)
    size = 2 ** len(levels) if len(levels) >= PAPER else None
    return b.finish(
        size=size, readings=norm.readings("picture"), why=norm.why(why), notes=(*said, *norm.notes(), *notes),
        **reads, **about,
    )  # fmt: skip
