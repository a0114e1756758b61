"""The generator of TensorFlow's tutorial, in checkpoints and in the HDF5 files that Keras 2 and 3 write."""

from nurie.errors import NurieError
from nurie.importers.builder import Imported
from nurie.importers.frame import Contents, System
from nurie.importers.systems.keras import NORM, KerasLayer, KerasNetwork, network_of
from nurie.importers.systems.tensorflow_tutorial import (
    NAME,
    Block,
    from_checkpoint,
    in_checkpoint,
    tutorial_generator,
)


def recognise(contents: Contents) -> str:
    return in_checkpoint(contents) or in_hdf5(contents)


def build(contents: Contents) -> Imported:
    return from_checkpoint(contents) if in_checkpoint(contents) else from_hdf5(contents)


def in_hdf5(contents: Contents) -> str:
    net = network_of(contents)
    if net is None or len(net.convs) < 2 or len(net.transposed) != len(net.convs):
        return ""
    levels, biased = len(net.convs), [layer for layer in (*net.convs, *net.transposed) if "bias" in layer.arrays]
    last = len(biased) == 1 and biased[0].transposed
    return f"a U-Net of {levels} levels" if last and len(net.norms) == 2 * levels - 2 else ""


def from_hdf5(contents: Contents) -> Imported:
    net = network_of(contents)
    assert net is not None
    # Where layers come by name, the last one, which is of no block of layers, comes first.
    up = sorted(net.transposed, key=lambda layer: "bias" in layer.arrays)
    normed = [*net.convs[1:], *up[:-1]]
    norms = dict(zip((layer.name for layer in normed), net.norms, strict=True))
    blocks = [block_of(net, layer, norms.get(layer.name)) for layer in (*net.convs, *up)]
    return tutorial_generator(blocks, up[-1].arrays["bias"])


def block_of(net: KerasNetwork, layer: KerasLayer, norm: KerasLayer | None) -> Block:
    if net.channels_first or net.theano:
        raise NurieError("Expected one that was trained with TensorFlow.")
    return Block(layer.kernel, *(norm.arrays.get(role) for role in NORM)) if norm else Block(layer.kernel)


TUTORIAL = System(
    name=NAME,
    files="`ckpt-N.index` with `ckpt-N.data-00000-of-00001`, `generator.h5`, `.weights.h5`",
    reads="U-Net of any width and depth, of Keras 2 and of Keras 3",
    checked="TensorFlow 2.15 with Keras 2, 2.21 with Keras 3; Keras 3's HDF5 against the same weights in Keras 2's",
    recognise=recognise,
    build=build,
)
