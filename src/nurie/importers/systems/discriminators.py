"""Discriminators, which people give by mistake: they lie beside the generators, and are called nearly the same."""

from nurie.importers.containers.objects import Objects
from nurie.importers.frame import Contents
from nurie.importers.network import Network, networks


def discriminator(contents: Contents) -> str:
    """A sentence's end that says which file is wanted, for a discriminator; nothing for what is none."""
    if {"c0_0/c/W", "c0_1/c/W"} <= contents.arrays.keys():
        return "expected the generator beside it, enc_iter_N.npz with dec_iter_N.npz"
    if networks(contents, "model.0.weight", is_patchgan) or networks(contents, "net.0.weight", is_pixels):
        return "expected the generator beside it, such as latest_net_G.pth or generator_N.pth"
    if networks(contents, "layer0.0.weight", is_layered) or any("_layer0.0.weight" in name for name in contents.arrays):
        return "expected the generator beside it, latest_net_G.pth"
    if networks(contents, "initial.0.weight", lambda network: network.is_conv("model.0.conv.0.weight")):
        return "expected the generator beside it, gen.pth.tar"
    names, objects = contents.arrays, contents.attributes.get("objects")
    if any(name.startswith("discriminator/layer_1/") for name in names):
        return "expected a checkpoint that has generator/encoder_1/... too"
    if isinstance(objects, Objects) and objects.at("discriminator") is not None:
        return "expected a checkpoint of the generator, too"
    return ""


def optimizer(contents: Contents) -> str:
    """The same for the numbers of an optimizer alone."""
    ends = ("/Adam", "/Adam_1", "beta1_power", "beta2_power", "global_step")
    names = [name for name in contents.arrays if not name.endswith(ends)]
    return "expected the weights beside them, in one checkpoint" if contents.arrays and not names else ""


def is_patchgan(network: Network) -> bool:
    """Convolutions with a norm and an activation after each but the first, one channel at the end."""
    convs = [name for name in network.arrays if name.endswith(".weight") and network.is_conv(name)]
    return len(convs) > 2 and network.is_conv("model.2.weight") and network.arrays[convs[-1]].shape[0] == 1


def is_pixels(network: Network) -> bool:
    return all(
        network.is_conv(f"net.{i}.weight") and network.arrays[f"net.{i}.weight"].shape[2] == 1 for i in (0, 2, 5)
    )


def is_layered(network: Network) -> bool:
    return network.is_conv("layer0.0.weight") and network.is_conv("layer1.0.weight")
