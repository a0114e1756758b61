"""SIGKILL, ENOSPC and EACCES at the system calls with which a command writes, injected by strace: what is left then?

    python bench/faults.py [publish export predict] [--moments 30]

A first run counts the calls that write to the command's folder. Each moment is a run of its own on a fresh copy of a
folder that has an older artifact and other files: with the fault at one call, then once more without. Prints a table.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from nurie.config import Train
from nurie.drawings.sheets import save_png
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.training.options import metadata

SIZE = 64
MINE = {"CNAME": b"mine", ".git/HEAD": b"mine", "notes.txt": b"mine"}
CALLS = "openat,mkdir,write,rename,unlink,rmdir,fsync"
FAULTS = {  # and the calls that can have them
    "SIGKILL": ("signal=KILL", CALLS),
    "ENOSPC": ("error=ENOSPC", "openat,mkdir,write,rename,fsync"),
    "EACCES": ("error=EACCES", "openat,mkdir,rename,unlink"),
}
Tree = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """A command that writes to `folder`, a folder with an older artifact, and what tells whether that is whole."""

    arguments: tuple[str, ...]
    folder: Path
    whole: Callable[[Tree, Tree, Tree], bool]  # what is there, the old and the new


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", default=["publish", "export", "predict"])
    parser.add_argument("--moments", type=int, default=30, help="of each fault and command")
    args = parser.parse_args()
    print("| command | fault | injected | killed | one sentence | went on | damaged | second call failed |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        cases = made_up(Path(temporary))
        for name in args.commands:
            for fault in FAULTS:
                counts = injected(cases[name], fault, args.moments)
                cells = ("injected", "killed", "sentence", "went on", "damaged", "failed again")
                print(f"| {name} | {fault} | {' | '.join(str(counts[cell]) for cell in cells)} |", flush=True)


def made_up(home: Path) -> dict[str, Case]:
    """Untrained nets, and a site, a model and coloured drawings of an older one."""
    for i in range(4):
        pair = np.full((SIZE, 2 * SIZE, 3), 255, np.uint8)
        cv2.circle(pair, (32, 32), 10 + 4 * i, (0, 0, 0), 2)
        cv2.circle(pair, (96, 32), 10 + 4 * i, (0, 90, 200), -1)
        for folder in ("pairs/val", "pairs/train"):
            (home / folder).mkdir(parents=True, exist_ok=True)
            save_png(home / folder / f"{i}.png", pair)
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = build_generator("fast", 8, styles=True, enclosed=True)
        (home / f"run{seed}").mkdir()
        meta = metadata(Train(home / "pairs", home / f"run{seed}", size=SIZE, width=8), 1)
        checkpoint.save(home / f"run{seed}" / checkpoint.FILE, {"ema": net.state_dict()}, meta)
        made("export", f"{home}/run{seed}", f"{home}/model{seed}", "--samples", "1")
    export = ("export", f"{home}/run2", "FOLDER", "--samples", "1")
    made("publish", f"{home}/model1", f"{home}/site")
    for i in range(4):
        (home / "drawings").mkdir(exist_ok=True)
        save_png(home / "drawings" / f"{i}.png", pair[:, : SIZE - 8 * i])
    predict = ("predict", f"{home}/model2", "FOLDER", "--output", "FOLDER")
    made("predict", f"{home}/model1", f"{home}/drawings/0.png", "--output", f"{home}/drawings")
    shutil.copytree(home / "model1", home / "old")
    cases = {
        "publish": Case(("publish", f"{home}/model2", "FOLDER"), home / "site", is_site),
        "export": Case(export, home / "old", is_model),
        "predict": Case(predict, home / "drawings", is_coloured),
    }
    for case in cases.values():
        for name, data in MINE.items():
            (case.folder / name).parent.mkdir(exist_ok=True)
            (case.folder / name).write_bytes(data)
    return cases


def made(*arguments: str) -> None:
    done = nurie(*arguments)
    assert done.returncode == 0, done.stderr


def nurie(*arguments: str, under: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    settings = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    command = [*under, sys.executable, "-m", "nurie", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | settings)


def injected(case: Case, fault: str, moments: int) -> Counter[str]:
    """How often what came of it."""
    kind, calls = FAULTS[fault]
    old = tree(case.folder)
    counts: Counter[str] = Counter()
    with fresh(case) as folder:
        counted = traced(case, folder, f"trace={CALLS}")[1]
        new = tree(folder)
    places = [(call, n) for call, n in writes(counted, folder) if call in calls.split(",")]
    for i in np.linspace(0, len(places) - 1, min(moments, len(places))).astype(int):
        call, n = places[i]
        with fresh(case) as folder:
            done, log = traced(case, folder, f"trace={CALLS}", f"inject={call}:{kind}:when={n}")
            hit = done.returncode == -9 if fault == "SIGKILL" else "(INJECTED)" in log
            if not hit:
                continue
            counts["injected"] += 1
            counts[outcome(done)] += 1
            found = tree(folder)
            mine = {name: data for name, data in found.items() if name in MINE}
            if mine != MINE or not case.whole(found, old, new):
                counts["damaged"] += 1
                print("damaged:", fault, call, n, file=sys.stderr)
            again = nurie(*(argument.replace("FOLDER", str(folder)) for argument in case.arguments))
            if again.returncode or tree(folder) != new:
                counts["failed again"] += 1
                print("failed again:", fault, call, n, again.stderr[-500:], file=sys.stderr)
    return counts


@contextmanager
def fresh(case: Case) -> Iterator[Path]:
    """A copy of a case's folder, always of the same name, so that two runs make the same calls."""
    folder = Path(shutil.copytree(case.folder, case.folder.with_name("fresh")))
    yield folder
    shutil.rmtree(folder)


def traced(case: Case, folder: Path, *expressions: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """A run under strace, and strace's log of its main thread."""
    logs = folder.with_name("logs")
    logs.mkdir()
    under = ("strace", "-ff", "-y", "-qq", "-o", f"{logs}/log", *(word for e in expressions for word in ("-e", e)))
    done = nurie(*(argument.replace("FOLDER", str(folder)) for argument in case.arguments), under=under)
    first = min(logs.iterdir(), key=lambda path: int(path.suffix[1:]))
    log = first.read_text(errors="replace")
    shutil.rmtree(logs)
    return done, log


def writes(log: str, folder: Path) -> list[tuple[str, int]]:
    """The calls that write to a folder: each with its number among those of the same name."""
    seen: Counter[str] = Counter()
    found = []
    for line in log.splitlines():
        if call := re.match(r"(\w+)\(", line):
            seen[call[1]] += 1
            reads = call[1] == "openat" and not re.search("O_WRONLY|O_RDWR|O_CREAT", line)
            if str(folder) in line and not reads:
                found.append((call[1], seen[call[1]]))
    return found


def outcome(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode == -9:
        return "killed"
    if done.returncode == 0:
        return "went on"
    lines = [line for line in done.stderr.splitlines() if line.startswith("nurie: ")]
    return "sentence" if len(lines) == 1 and "Traceback" not in done.stderr else "traceback"


def tree(folder: Path) -> Tree:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_model(found: Tree, old: Tree, new: Tree) -> bool:
    """One of both manifests, and all files of that model."""
    return any(found["manifest.json"] == one["manifest.json"] and one.items() <= found.items() for one in (old, new))


def is_site(found: Tree, old: Tree, new: Tree) -> bool:
    """One of both index.html and of both site.json, and all files that each is of; only these two are replaced."""
    heads = ("index.html", "site.json")
    bodies = [{name: data for name, data in one.items() if name not in heads} for one in (old, new)]
    return all(
        any(
            found[head] == one[head] and body.items() <= found.items()
            for one, body in zip((old, new), bodies, strict=True)
        )
        for head in heads
    )


def is_coloured(found: Tree, old: Tree, new: Tree) -> bool:
    """All drawings as they were; each result is the old or the new one, and on the list."""
    listed = json.loads(found[".nurie.json"])["files"]
    ours = json.loads(new[".nurie.json"])["files"]
    kept = all(found[name] == data for name, data in old.items() if name not in ours and name != ".nurie.json")
    return kept and all(found[name] in (old.get(name), new[name]) and name in listed for name in ours if name in found)


if __name__ == "__main__":
    main()
