"""pix2pixHD (Wang et al. 2018): its global generator."""

from nurie.errors import NurieError
from nurie.importers.builder import Imported
from nurie.importers.frame import Contents, System
from nurie.importers.network import networks, of_several
from nurie.importers.systems import resnet

NAME = "pix2pixHD"
LOCAL = "model1_1.1.weight"
WHY = "Its test.py normalises by the statistics of each picture."
EDGES = (
    "If it was trained with instance maps, its last channel is the edges between instances, which the last colour of "
    "the palette draws."
)


def recognise(contents: Contents) -> str:
    if networks(contents, LOCAL, lambda network: network.is_conv(LOCAL)):
        return "a local enhancer"
    found = networks(contents, resnet.ANCHOR, resnet.is_resnet)
    if not found:
        return ""
    return f"a global generator, {resnet.words(found[0])} that halves its picture {resnet.downs_of(found[0])} times,"


def build(contents: Contents) -> Imported:
    if networks(contents, LOCAL, lambda network: network.is_conv(LOCAL)):
        raise NurieError("Nurie reads only its global generator, as trained with --netG global.")
    found = networks(contents, resnet.ANCHOR, resnet.is_resnet)
    notes = (EDGES,) if resnet.channels_of(found[0]) > 3 else ()
    return resnet.build(found[0], WHY, (*notes, *of_several(found)), system=NAME)


PIX2PIXHD = System(
    name=NAME,
    files="latest_net_G.pth",
    reads="the global generator of any depth and widths; drawings of up to 64 labels; no local enhancer",
    checked="the program itself",
    recognise=recognise,
    build=build,
)
