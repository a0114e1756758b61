"""Commands that are killed while they write: what they leave is the old or the new, and the next call ends it."""

import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nurie.config import Publish
from nurie.publish import publish
from pages import write_model
from plans import small_unet

MOMENTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of all renames and removals
MINE = {"CNAME": b"mine", ".git/HEAD": b"mine"}
CALLS = "rename,unlink"
FAULTS = Path(__file__).parents[1] / "bench" / "faults.py"
# What `nurie export` does with a model that is computed: without PyTorch, which takes seconds to load.
INSTALL = (
    "import pickle, sys; from pathlib import Path; from nurie.engine.modelfile import standing; "
    "from nurie.files.install import install; folder = Path(sys.argv[2]); "
    "install(pickle.loads(Path(sys.argv[1]).read_bytes()), folder, standing(folder))"
)

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def traced(folder: Path, *arguments: str, kill: tuple[str, int] | None = None) -> tuple[int, list[tuple[str, int]]]:
    """The exit status of Python under strace, and the calls that changed a folder: name, and number among its kind."""
    log = folder.with_name("log")
    expressions = ["-e", f"trace={CALLS}", *(["-e", f"inject={kill[0]}:signal=KILL:when={kill[1]}"] if kill else [])]
    done = subprocess.run(
        ["strace", "-qq", "-o", str(log), *expressions, sys.executable, *arguments],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True,
    )  # fmt: skip
    found: list[tuple[str, int]] = []
    seen: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if call := re.match(r"(\w+)\(", line):
            seen[call[1]] += 1
            if str(folder) in line and "ENOENT" not in line:
                found.append((call[1], seen[call[1]]))
    return done.returncode, found


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def add_mine(folder: Path) -> Path:
    for name, data in MINE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def check_kills(before: Path, arguments: tuple[str, ...], heads: tuple[str, ...]) -> None:
    """Kill a command that writes to a copy of a folder at five moments. `heads`: files that say what else is there."""
    here = before.with_name("here")
    old = tree(before)
    shutil.copytree(before, here)
    status, calls = traced(here, *arguments)
    assert status == 0 and len(calls) >= len(MOMENTS)
    new = tree(here)
    assert new.items() >= MINE.items() and all(new[head] != old[head] for head in heads[-1:])
    seen = set()
    for moment in MOMENTS:
        shutil.rmtree(here)
        shutil.copytree(before, here)
        assert traced(here, *arguments, kill=calls[round(moment * (len(calls) - 1))])[0] == -9
        found = tree(here)
        assert found.items() >= MINE.items()
        for head in heads:
            (whole,) = [one for one in (old, new) if one[head] == found[head]][:1]
            assert {n: d for n, d in whole.items() if n not in heads}.items() <= found.items()
        seen.add(found[heads[-1]] == new[heads[-1]])
        assert traced(here, *arguments)[0] == 0
        assert tree(here) == new
    assert seen == {False, True}


def test_a_killed_publish_leaves_a_whole_site_and_the_next_ends_it(tmp_path: Path) -> None:
    models = [write_model(tmp_path / str(seed), 64, *small_unet(seed)) for seed in (1, 2)]
    site = publish(Publish(models[0], tmp_path / "site"))
    here = str(tmp_path / "here")
    check_kills(add_mine(site), ("-m", "nurie", "publish", str(models[1]), here), ("index.html", "site.json"))


def test_prepare_train_and_export_go_on_after_a_kill() -> None:
    """Whole after each, and after the next call the same bytes as without: what bench/faults.py counts."""
    names = ("prepare", "train", "export")
    words = [sys.executable, FAULTS, *names, "--faults", "SIGKILL", "--moments", str(len(MOMENTS))]
    done = subprocess.run(words, capture_output=True, text=True)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    found = {row[0]: [int(cell) for cell in row[2:]] for row in rows}
    #                injected, killed, sentence, went on, damaged, failed again
    assert found == {name: [5, 5, 0, 0, 0, 0] for name in names}, done.stderr


def test_a_model_whose_writing_is_killed_is_whole_and_the_next_call_ends_it(tmp_path: Path) -> None:
    model = add_mine(write_model(tmp_path / "model", 64, *small_unet(1)))
    other = write_model(tmp_path / "other", 64, *small_unet(2))
    weights = (other / "weights.bin.gz").read_bytes()
    name = f"weights.{hashlib.sha256(weights).hexdigest()[:12]}.bin.gz"
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["weights"]["file"], manifest["files"] = name, [name, "manifest.json"]
    files = {name: weights, "manifest.json": json.dumps(manifest).encode()}
    (tmp_path / "files").write_bytes(pickle.dumps(files))
    check_kills(model, ("-c", INSTALL, str(tmp_path / "files"), str(tmp_path / "here")), ("manifest.json",))
