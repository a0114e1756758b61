"""chainer-pix2pix: pfnet's original, which paints facades from labels, and knok's, which colours line art."""

from typing import Any

from nurie.importers.builder import DRAWING, Builder, Imported, Value
from nurie.importers.frame import Contents, System
from nurie.importers.network import Network, networks
from nurie.importers.palette import drawing

ANCHOR = "enc/c0/W"
EPSILON = 2e-5
DROPOUT = 3  # of the decoder's layers
# Classes of the CMP facade database in their order, in the colours of pix2pix's facades; in English and in Japanese.
FACADES = (
    ("#0000de", "background", "背景"), ("#0030ff", "facade", "外壁"), ("#0080ff", "window", "窓"),
    ("#00cfff", "door", "ドア"), ("#20ffe0", "cornice", "軒蛇腹"), ("#70fe8e", "sill", "窓台"),
    ("#c0ff3f", "balcony", "バルコニー"), ("#fff000", "blind", "日よけ"), ("#ff9f00", "deco", "装飾"),
    ("#ff5000", "molding", "繰形"), ("#fe0000", "pillar", "柱"), ("#ae0000", "shop", "店"),
)  # fmt: skip
FIXED = "{} by running statistics."


def is_generator(network: Network) -> bool:
    last = levels_of(network) - 1
    decoder = all(network.is_conv(f"dec/c{i}/c/W") for i in range(last))
    return last > 0 and network.is_conv(ANCHOR) and decoder and network.is_conv(f"dec/c{last}/W")


def levels_of(network: Network) -> int:
    """Layers of the encoder, the first of which keeps the size."""
    return 1 + network.convs("enc/c{}/c/W")


def found(contents: Contents, labels: bool) -> Network | None:
    """The generator, if it takes more channels than a picture has, or if not."""
    all_found = networks(contents, ANCHOR, is_generator)
    return all_found[0] if all_found and (all_found[0].width(ANCHOR, 1) > 3) == labels else None


def recognise_pfnet(contents: Contents) -> str:
    network = found(contents, True)
    return f"a generator from {network.width(ANCHOR, 1)} labels" if network else ""


def recognise_knok(contents: Contents) -> str:
    return "a generator from drawings" if found(contents, False) else ""


def build_pfnet(contents: Contents) -> Imported:
    network = found(contents, True)
    assert network is not None
    b, _ = layers(network)
    channels = b.channels
    about, notes = drawing(channels)
    if channels == len(FACADES):
        named = ", ".join(f"{colour} {name}" for colour, name, _ in FACADES)
        about = {
            "reads": "labels", "palette": tuple(colour for colour, _, _ in FACADES),
            "labels": [{"en": name, "ja": japanese} for _, name, japanese in FACADES],
        }  # fmt: skip
        notes = (f"Its labels are facades: {named}.",)
    # It shows y * 128 + 128.
    return finish(b, "pfnet's chainer-pix2pix", "Its program draws its samples", notes, shows=(-1, 127 / 128), **about)


def build_knok(contents: Contents) -> Imported:
    network = found(contents, False)
    assert network is not None
    b, x = layers(network)
    b.tanh(x)
    about, notes = drawing(b.channels)
    assumed = (
        f"It takes {b.channels} channels: it is read as of knok's program, [0, 1] in and out with tanh at the end. "
        "One of pfnet's program with as many can not be told from it, and would look wrong."
    )
    return finish(
        b,
        "knok's chainer-pix2pix",
        "Its web page paints",
        (assumed, *notes),
        **{**about, "takes": (0, 1)},
        shows=(0, 1),
    )


def finish(b: Builder, system: str, who: str, notes: tuple[str, ...], **about: Any) -> Imported:
    return b.finish(readings=("fixed", "picture"), why=FIXED.format(who), notes=notes, system=system, **about)


def layers(network: Network) -> tuple[Builder, Value]:
    """All of both programs, without tanh at the end."""
    levels, array = levels_of(network), network.array
    b = Builder(network.width(ANCHOR, 1))
    x = b.leaky_relu(b.conv(DRAWING, array(ANCHOR), array("enc/c0/b"), pad=1), 0.2)
    skips = [x]
    for i in range(1, levels):
        name = f"enc/c{i}"
        x = b.conv(x, array(f"{name}/c/W"), array(f"{name}/c/b"), stride=2, pad=1)
        x = b.leaky_relu(norm(b, x, network, name, network.width(f"{name}/c/W", 0)), 0.2)
        skips.append(x)
    skips.pop()
    for i in range(levels - 1):
        name = f"dec/c{i}"
        x = b.conv_transpose(x, array(f"{name}/c/W"), array(f"{name}/c/b"), crop=1)
        x = norm(b, x, network, name, network.width(f"{name}/c/W", 1))
        x = b.relu(b.dropout(x) if i < DROPOUT else x)
        x = b.concat(x, skips.pop())
    return b, b.conv(x, array(f"dec/c{levels - 1}/W"), array(f"dec/c{levels - 1}/b"), pad=1)


def norm(b: Builder, x: Value, network: Network, name: str, channels: int) -> Value:
    scale, shift, mean, variance = (
        network.array(f"{name}/batchnorm/{part}") for part in ("gamma", "beta", "avg_mean", "avg_var")
    )
    return b.norm(x, channels, EPSILON, scale=scale, shift=shift, mean=mean, variance=variance)


PFNET = System(
    name="chainer-pix2pix (pfnet)",
    files="enc_iter_N.npz and dec_iter_N.npz, or a trainer's snapshot",
    reads="its generator from 4 to 64 labels, of any widths",
    checked="Chainer 2.0.2, both readings",
    recognise=recognise_pfnet,
    build=build_pfnet,
)
KNOK = System(
    name="chainer-pix2pix (knok)",
    files="enc_iter_N.npz and dec_iter_N.npz, or a trainer's snapshot",
    reads="its generator from 1 to 3 channels, of any widths",
    checked="Chainer 2.0.2, both readings",
    recognise=recognise_knok,
    build=build_knok,
)
