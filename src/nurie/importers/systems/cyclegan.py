"""pytorch-CycleGAN-and-pix2pix: U-Nets and ResNets."""

from nurie.importers.builder import Imported
from nurie.importers.frame import Contents, System
from nurie.importers.network import networks, of_several
from nurie.importers.systems import cyclegan_unet as unet
from nurie.importers.systems import resnet

NAME = "pytorch-CycleGAN-and-pix2pix"
WHY = (
    "Its test.py normalises by the statistics of each picture, unless it was called with --eval: take the reading "
    "fixed if you used that."
)


def recognise(contents: Contents) -> str:
    if found := networks(contents, unet.ANCHOR, unet.is_unet):
        return unet.words(found[0])
    found = networks(contents, resnet.ANCHOR, resnet.is_resnet)
    return resnet.words(found[0]) if found and resnet.downs_of(found[0]) == 2 else ""


def build(contents: Contents) -> Imported:
    if found := networks(contents, unet.ANCHOR, unet.is_unet):
        return unet.build(found[0], WHY, of_several(found), system=NAME)
    found = networks(contents, resnet.ANCHOR, resnet.is_resnet)
    return resnet.build(found[0], WHY, of_several(found), system=NAME)


CYCLEGAN = System(
    name=NAME,
    files="latest_net_G.pth",
    reads="U-Nets of any depth, ResNets of any number of blocks; batch or instance norm; any widths",
    checked="the program itself at commits of 2017 and 2022, both readings",
    recognise=recognise,
    build=build,
)
