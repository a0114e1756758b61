"""HDF5 files of Keras: weights of versions 1 to 3, and whole models."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nurie.files.hdf5 import Hdf5, is_hdf5, opened
from nurie.importers.frame import Container, Contents

WHOLE = "model_weights"  # the group that has the weights in a file with the whole model
TEXTS = ("backend", "keras_version")


def open_hdf5(path: Path) -> Contents:
    """Arrays by their path in the file, as the layers come one after the other: by the lists of names where there are
    such, else by name. attributes: `backend`, `keras_version`, `layer_names`, and `model_config` as parsed JSON, those
    that there are."""
    with opened(path) as file:
        root = WHOLE if WHOLE in file.groups else ""
        layers = file.names(root, "layer_names")
        arrays = {}
        for name in [*listed(file, root, layers), *file.datasets]:
            inner = name.removeprefix(f"{root}/") if root else name
            if inner in arrays or (root and inner == name):
                continue
            array = np.asarray(file.datasets[name][()])
            arrays[inner] = array.reshape(file.datasets[name].shape)
        texts = {name: file.text(root, name) or file.text("", name) for name in TEXTS}
        attributes: dict[str, Any] = {name: text for name, text in texts.items() if text}
        if layers:
            attributes["layer_names"] = tuple(layers)
        if config := parsed(file.text("", "model_config")):
            attributes["model_config"] = config
    return Contents((path,), arrays, attributes)


def listed(file: Hdf5, root: str, layers: list[str]) -> list[str]:
    """The paths of weights in the order of the layers, and in each layer in that of its weights."""
    groups = [f"{root}/{layer}" if root else layer for layer in layers]
    paths = [f"{group}/{name}" for group in groups if group in file.groups
             for name in file.names(group, "weight_names")]  # fmt: skip
    return [path for path in paths if path in file.datasets]


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


HDF5 = Container("an HDF5 file of Keras", is_hdf5, open_hdf5)
