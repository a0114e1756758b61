"""ResNets of pytorch-CycleGAN-and-pix2pix and pix2pixHD: Johnson et al. 2016, with reflection padding."""

from dataclasses import dataclass
from typing import Any

from nurie.importers.builder import DRAWING, Builder, Imported, Value
from nurie.importers.network import Network
from nurie.importers.palette import drawing
from nurie.importers.systems.norms import Norms, norms_of

ANCHOR = "model.1.weight"


@dataclass(frozen=True)
class Plan:
    """Numbers of its layers: convolutions, residual blocks, transposed convolutions, and the last convolution."""

    downs: tuple[int, ...]
    blocks: tuple[int, ...]
    ups: tuple[int, ...]
    last: int


def is_resnet(network: Network) -> bool:
    return plan_of(network) is not None


def plan_of(network: Network) -> Plan | None:
    """None where it is no ResNet."""
    at, downs = 1, []
    while network.is_conv(f"model.{at}.weight"):
        downs.append(at)
        at += 3
    first = at
    while network.is_conv(f"model.{at}.conv_block.1.weight"):
        at += 1
    blocks = range(first, at)
    ups = range(at, at + 3 * (len(downs) - 1), 3)
    last = at + 3 * len(ups) + 1
    if not downs or not blocks or not all(network.is_conv(f"model.{i}.weight") for i in (*ups, last)):
        return None
    return Plan(tuple(downs), tuple(blocks), tuple(ups), last)


def downs_of(network: Network) -> int:
    """How often it halves its picture, 0 where it is no ResNet."""
    plan = plan_of(network)
    return len(plan.ups) if plan else 0


def channels_of(network: Network) -> int:
    """Of the drawing."""
    return network.width(ANCHOR, 1)


def norms(network: Network) -> Norms:
    return norms_of(network, "model.2", "instance" if network.has("model.1.bias") else "none")


def words(network: Network) -> str:
    plan = plan_of(network)
    return f"a ResNet of {len(plan.blocks) if plan else 0} blocks with {norms(network).words}"


def build(network: Network, why: str, notes: tuple[str, ...], **about: Any) -> Imported:
    plan, norm = plan_of(network), norms(network)
    assert plan is not None
    reads, said = drawing(channels_of(network))
    b = Builder(channels_of(network))
    x = DRAWING
    for at in plan.downs:
        x = conv(b, x, network, f"model.{at}", 1, 3) if at == 1 else conv(b, x, network, f"model.{at}", 2, 1, False)
        x = b.relu(norm.add(b, x, f"model.{at + 1}", network.width(f"model.{at}.weight", 0)))
    for at in plan.blocks:
        x = b.add(x, block(b, x, norm, f"model.{at}.conv_block"))
    for at in plan.ups:
        weight = network.array(f"model.{at}.weight")
        x = b.conv_transpose(x, weight, network.find(f"model.{at}.bias"), crop=(1, 0))
        x = b.relu(norm.add(b, x, f"model.{at + 1}", weight.shape[1]))
    b.tanh(conv(b, x, network, f"model.{plan.last}", 1, 3))
    return b.finish(
        readings=norm.readings("picture"), why=norm.why(why), notes=(*said, *norm.notes(), *notes), **reads, **about
    )


def block(b: Builder, x: Value, norm: Norms, name: str) -> Value:
    """Dropout between its two convolutions shifts the number of the second."""
    network = norm.network
    width = network.width(f"{name}.1.weight", 0)
    dropout = not network.is_conv(f"{name}.5.weight")
    second = 6 if dropout else 5
    x = b.relu(norm.add(b, conv(b, x, network, f"{name}.1", 1, 1), f"{name}.2", width))
    x = b.dropout(x) if dropout else x
    x = conv(b, x, network, f"{name}.{second}", 1, 1)
    return norm.add(b, x, f"{name}.{second + 1}", network.width(f"{name}.{second}.weight", 0))


def conv(b: Builder, x: Value, network: Network, name: str, stride: int, pad: int, reflect: bool = True) -> Value:
    weight, bias = network.array(f"{name}.weight"), network.find(f"{name}.bias")
    return b.conv(x, weight, bias, stride=stride, pad=pad, reflect=reflect)
