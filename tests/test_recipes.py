"""The recipes of examples/: run from end to end in a few steps, with made-up pictures in place of the download."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import TINY, circle_pair
from nurie.config import Train
from nurie.datasets.sources import DATA_SETS
from nurie.engine.modelfile import read_manifest
from nurie.files.ours import CHECKPOINT
from nurie.nets import checkpoint
from nurie.train import train

EXAMPLES = Path(__file__).parents[1] / "examples"
FEW = ["--stages", "32:2", "64:2", "--width", "8", "--batch", "2", "--batchnorm", "2", "--precision", "fp32"]
# `nurie` as in the recipe, but for the download, which puts a made-up data set there, and for sizes and steps
NURIE = f"""#!{sys.executable}
import shutil, sys
from nurie import cli
command, *rest = sys.argv[1:]
with open("commands.txt", "a") as file:
    print(command, file=file)
if command == "get":
    shutil.copytree("made-up", rest[1], dirs_exist_ok=True)
    sys.exit()
if command == "train":
    if "--stages" in rest:
        at = rest.index("--stages")
        del rest[at : at + 3]
    for name in ("--batchnorm", "--discriminator-scale", "--discriminator-steps", "--steps"):
        if name in rest:
            del rest[rest.index(name) : rest.index(name) + 2]
    rest += {FEW!r}
if command == "prepare":
    rest += ["--size", "64", "--workers", "1"]
if command == "export":
    rest += ["--samples", "1", "--tolerance", "1"]
sys.exit(cli.main([command, *rest]))
"""


def run(recipe: str, folder: Path, *arguments: str) -> list[str]:
    """Run a recipe in a folder with made-up/, into out/. Returns the commands that it called."""
    (folder / "bin").mkdir()
    (folder / "bin" / "nurie").write_text(NURIE)
    (folder / "bin" / "nurie").chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = ["bash", str(EXAMPLES / recipe / "recipe.sh"), *arguments, "out"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "commands.txt").read_text().split()


def trained(folder: Path) -> dict:
    assert (folder / "out" / "model" / "manifest.json").is_file()
    meta = checkpoint.load(folder / "out" / "run" / CHECKPOINT, ("ema",))[1]
    assert (meta["step"], meta["batchnorm"]) == (4, 2)
    return meta["train"]


def test_the_emoji_recipe_is_one_training_and_keeps_variants_on_one_side(tmp_path: Path) -> None:
    codes = ["1F9D1-1F3FD-200D-1F680", "1F468-1F3FB-200D-1F680", "1F469-200D-1F680"]
    codes += [f"1F6{i:02X}" for i in range(30)]
    for kind, half in (("black", 0), ("color", 1)):
        (tmp_path / "made-up" / kind).mkdir(parents=True)
        for i, code in enumerate(codes):
            cv2.imwrite(str(tmp_path / "made-up" / kind / f"{code}.png"), np.hsplit(circle_pair(i), 2)[half])
    DATA_SETS["openmoji"].finish(tmp_path / "made-up")
    assert run("openmoji", tmp_path) == ["get", "prepare", "train", "export"]
    assert trained(tmp_path)["gan"] == 0
    sides = {path.stem: path.parent.name for path in (tmp_path / "out" / "pairs").glob("*/*.png")}
    assert sides.keys() == set(codes) and len({sides[code] for code in codes[:3]}) == 1
    assert set(sides.values()) == {"train", "val"}


def test_the_facades_recipe_is_one_training(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for side, count in (("train", 6), ("val", 4)):
        (tmp_path / "made-up" / side).mkdir(parents=True)
        for i in range(count):
            labels = np.full((64, 64, 3), (170, 0, 0), np.uint8)
            labels[10:50, 10:50] = 255, 85, 0
            x, y = (int(value) for value in rng.integers(12, 40, 2))
            labels[y : y + 8, x : x + 8] = 255, 170, 0
            picture = cv2.GaussianBlur(labels[:, :, ::-1], (5, 5), 0)
            cv2.imwrite(str(tmp_path / "made-up" / side / f"{i}.png"), np.hstack([picture, labels]))
    assert run("facades", tmp_path) == ["get", "train", "export"]
    assert trained(tmp_path)["direction"] == "BtoA"


def test_the_cats_recipe_goes_on_with_drawings_and_keeps_a_share(pairs: Path, tmp_path: Path) -> None:
    for kind in ("photos", "masks"):
        (tmp_path / "made-up" / kind).mkdir(parents=True)
    names = [f"cat_{i}" for i in range(30)]
    for i, name in enumerate(names):
        picture = np.hsplit(circle_pair(i), 2)[1]
        cv2.imwrite(str(tmp_path / "made-up" / "photos" / f"{name}.png"), picture)
        mask = (picture.min(2) < 250).astype(np.uint8) * 255
        cv2.imwrite(str(tmp_path / "made-up" / "masks" / f"{name}.png"), mask)
    (tmp_path / "made-up" / "list.csv").write_text(
        "id,breed\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(names))
    )
    outline = [[round(128 + 90 * float(f(a))) for a in np.linspace(0, 6.2, 30)] for f in (np.cos, np.sin)]
    (tmp_path / "cats.ndjson").write_text(f'{{"key_id": "1", "drawing": {[outline]}}}\n')
    tiny = {**TINY, "discriminator": "projected", "discriminator_width": 64}
    init = train(Train(pairs, tmp_path / "init", steps=1, **tiny))
    assert run("cats", tmp_path, "made-up", "cats.ndjson", str(init)) == ["prepare", "train", "export"]
    assert trained(tmp_path)["init_share"] == 0.25
    manifest = read_manifest(tmp_path / "out" / "model")
    assert (len(manifest.presets), manifest.lines) == (8, 0.5) and manifest.styles[0] == [0.631, 0.082, -0.459]
    assert len(manifest.credits) == 2


@pytest.mark.parametrize("recipe", sorted(EXAMPLES.glob("*/recipe.sh")), ids=lambda recipe: recipe.parent.name)
def test_each_recipe_says_what_of_it_was_run(recipe: Path) -> None:
    assert re.search(r"^# It (was run|took)", recipe.read_text(encoding="utf-8"), re.M)
