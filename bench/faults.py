"""SIGKILL, ENOSPC and EACCES at the system calls with which a command writes, injected by strace: what is left then?

    python bench/faults.py [prepare workers train export publish predict] [--faults SIGKILL] [--moments 30]
    python bench/faults.py [prepare train export publish predict make] --pairs 20

A first run counts the calls that write to the command's folder. Each moment is a run of its own on a fresh copy of a
folder that has an older artifact and other files: with the fault at one call, then once more without. Prints a table.

"workers" is prepare with two more processes, each of which may have the fault.

With --pairs two processes of a command write to one folder; the second begins at a random moment of the first.
"""

import argparse
import ctypes
import importlib
import itertools
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import torch

from nurie import cli
from nurie.config import Train
from nurie.drawings.sheets import save_png
from nurie.files import write
from nurie.files.ours import BEST, CHECKPOINT, LOSSES, PREPARED, REPORT
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.size import Size
from nurie.training.options import metadata

SIZE = 64
PR_SET_PTRACER = 0x59616D61  # of linux/prctl.h
COMMANDS = ("prepare", "train", "export", "publish", "predict")
TINY = ("--size", "64", "--width", "8", "--batch", "2", "--discriminator", "patch", "--discriminator-width", "8",
        "--precision", "fp32", "--threads", "1")  # fmt: skip
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
    parser.add_argument("commands", nargs="*")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--moments", type=int, default=30, help="of each fault and command")
    parser.add_argument("--pairs", type=int, default=0, help="of processes, over all these commands")
    args = parser.parse_args()
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    torch.set_num_threads(1)
    for name in (*(f"nurie.{command}" for command in COMMANDS), "torch._dynamo"):  # which optimisers load
        importlib.import_module(name)  # once, for all forks
    with tempfile.TemporaryDirectory() as temporary:
        cases = made_up(Path(temporary))
        if args.pairs:
            show_pairs({name: cases[name] for name in args.commands or cases}, args.pairs)
        else:
            show_faults({name: cases[name] for name in args.commands or COMMANDS}, args.faults, args.moments)


def show_faults(cases: dict[str, Case], faults: list[str], moments: int) -> None:
    print("| command | fault | injected | killed | one sentence | went on | damaged | second call failed |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for (name, case), fault in itertools.product(cases.items(), faults):
        counts = injected(case, fault, moments)
        cells = ("injected", "killed", "sentence", "went on", "damaged", "failed again")
        print(f"| {name} | {fault} | {' | '.join(str(counts[cell]) for cell in cells)} |", flush=True)


def show_pairs(cases: dict[str, Case], pairs: int) -> None:
    print("| command | pairs | second refused | one after the other | damaged |")
    print("|---|---|---|---|---|", flush=True)
    chance = random.Random(0)
    for i, (name, case) in enumerate(cases.items()):
        count = len(range(i, pairs, len(cases)))
        counts = two_at_once(case, count, chance)
        cells = ("refused", "in turn", "damaged")
        print(f"| {name} | {count} | {' | '.join(str(counts[cell]) for cell in cells)} |", flush=True)


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
        meta = metadata(Train(home / "pairs", home / f"run{seed}", size=Size(SIZE, SIZE), width=8), 1)
        checkpoint.save(home / f"run{seed}" / checkpoint.FILE, {"ema": net.state_dict()}, meta)
        made("export", f"{home}/run{seed}", f"{home}/model{seed}", "--samples", "1")
    export = ("export", f"{home}/run2", "FOLDER", "--samples", "1")
    for site in ("site", "made"):
        made("publish", f"{home}/model1", f"{home}/{site}")
    for i in range(4):
        (home / "drawings").mkdir(exist_ok=True)
        save_png(home / "drawings" / f"{i}.png", pair[:, : SIZE - 8 * i])
    predict = ("predict", f"{home}/model2", "FOLDER", "--output", "FOLDER")
    made("predict", f"{home}/model1", f"{home}/drawings/0.png", "--output", f"{home}/drawings")
    shutil.copytree(home / "model1", home / "old")
    prepare = ("prepare", f"{home}/photos", "FOLDER", "--size", "32", "--val-percent", "30")
    write_photos(home / "photos", range(12))
    made(*(argument.replace("FOLDER", f"{home}/prepared") for argument in prepare))
    write_photos(home / "photos", range(4, 16), radius=12)  # some are edited, some new, and some gone
    for i in range(4):
        (home / "photos" / f"{i}.png").unlink()
    train = ("train", f"{home}/pairs", "FOLDER", *TINY, "--save-every", "2", "--steps")
    made(*(argument.replace("FOLDER", f"{home}/trained") for argument in train), "2")
    make = ("make", f"{home}/photos", "FOLDER", "--work", "FOLDER-work", "--size", "64", "--steps", "1", "--batch", "2")
    cases = {
        "prepare": Case((*prepare, "--workers", "1"), home / "prepared", are_pairs),
        "workers": Case((*prepare, "--workers", "2"), home / "prepared", are_pairs),
        "train": Case((*train, "4"), home / "trained", is_run),
        "publish": Case(("publish", f"{home}/model2", "FOLDER"), home / "site", is_site),
        "export": Case(export, home / "old", is_model),
        "predict": Case(predict, home / "drawings", is_coloured),
        "make": Case(make, home / "made", is_site),
    }
    for case in cases.values():
        for name, data in MINE.items():
            (case.folder / name).parent.mkdir(exist_ok=True)
            (case.folder / name).write_bytes(data)
    return cases


def write_photos(folder: Path, numbers: range, radius: int = 20) -> None:
    folder.mkdir(exist_ok=True)
    for i in numbers:
        photo = np.full((60, 80, 3), 255, np.uint8)
        cv2.circle(photo, (40, 30), radius, (15 * i, 90, 200), -1)
        save_png(folder / f"{i}.png", photo)


def made(*words: str) -> None:
    status, told = nurie(list(words))
    assert status == 0, told


def started(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nurie", *words]
    return subprocess.Popen(command, stdout=-1, stderr=-1, text=True)


def nurie(words: list[str], *under: str) -> tuple[int, str]:
    """A command's status and what it prints, under strace where its words are given. It runs in a fork of this process,
    which has loaded PyTorch and all else: that would be most of the calls, and of the time."""
    with tempfile.TemporaryFile("w+") as told:
        waits, goes = os.pipe()
        child = os.fork()
        if not child:
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)  # some systems let only parents trace
            os.read(waits, 1)
            os._exit(command(words, told.fileno()))
        tracer = subprocess.Popen([*under, "-p", str(child)]) if under else None
        while tracer and "TracerPid:\t0" in Path(f"/proc/{child}/status").read_text():
            assert tracer.poll() is None
            time.sleep(0.01)
        os.write(goes, b"!")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if tracer:
            tracer.wait()
        os.close(waits)
        os.close(goes)
        told.seek(0)
        return status, told.read()


def command(words: list[str], told: int) -> int:
    """In the fork: as in a new process."""
    os.dup2(told, 1)
    os.dup2(told, 2)
    write.OURS = secrets.token_hex(4)
    sys.modules["__main__"] = ModuleType("__main__")  # which prepare's processes would load
    try:
        cli.main(words)
    except SystemExit as error:
        return int(error.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def injected(case: Case, fault: str, moments: int) -> Counter[str]:
    """How often what came of it."""
    kind, calls = FAULTS[fault]
    old = tree(case.folder)
    counts: Counter[str] = Counter()
    with fresh(case) as folder:
        _, _, logs = traced(case, folder, f"trace={CALLS}")
        new = tree(folder)
    found = dict.fromkeys(place for log in logs for place in writes(log, folder) if place[0] in calls.split(","))
    places = list(found)
    chosen = np.linspace(0, len(places) - 1, min(moments, len(places))).astype(int)
    for call, n in [places[i] for i in chosen]:
        with fresh(case) as folder:
            status, told, logs = traced(case, folder, f"trace={CALLS}", f"inject={call}:{kind}:when={n}")
            if not hit(logs, folder):
                continue
            counts["injected"] += 1
            counts[outcome(status, told, folder)] += 1
            if outcome(status, told, folder) == "traceback":
                print("traceback:", fault, call, n, told[-2000:], file=sys.stderr)
            if not stays(case, tree(folder), old, new):
                counts["damaged"] += 1
                print("damaged:", fault, call, n, file=sys.stderr)
            status, told = nurie(arguments(case, folder))
            if status or tree(folder) != new:
                counts["failed again"] += 1
                print("failed again:", fault, call, n, differing(tree(folder), new), told[-500:], file=sys.stderr)
    return counts


def two_at_once(case: Case, pairs: int, chance: random.Random) -> Counter[str]:
    """How often the second was refused, or came after the first; damaged: the first's result is not whole."""
    counts: Counter[str] = Counter()
    with fresh(case) as folder:
        begin = time.perf_counter()
        made(*arguments(case, folder))
        seconds = time.perf_counter() - begin
        new = tree(folder)
    for _ in range(pairs):
        with fresh(case) as folder:
            first = started(*arguments(case, folder))
            time.sleep(chance.choice((0, seconds * chance.random())))
            second = started(*arguments(case, folder))
            told = {process.pid: process.communicate()[1] for process in (first, second)}
            ended = sorted((first, second), key=lambda process: process.returncode)
            refused = f"is being written to by process {ended[0].pid}." in told[ended[1].pid]
            what = {(0, 0): "in turn", (0, 1): "refused" if refused else "damaged"}
            counts[what.get((ended[0].returncode, ended[1].returncode), "damaged")] += 1
            if tree(folder) != new:
                counts["damaged"] += 1
                print(*differing(tree(folder), new), *told.values(), sep="\n", file=sys.stderr)
    return counts


def arguments(case: Case, folder: Path) -> list[str]:
    return [argument.replace("FOLDER", str(folder)) for argument in case.arguments]


def stays(case: Case, found: Tree, old: Tree, new: Tree) -> bool:
    return found.items() >= MINE.items() and case.whole(found, old, new)


def differing(found: Tree, new: Tree) -> list[str]:
    return [name for name in sorted({*found, *new}) if found.get(name) != new.get(name)]


@contextmanager
def fresh(case: Case) -> Iterator[Path]:
    """A copy of a case's folder, always of the same name, so that two runs make the same calls."""
    folder = Path(shutil.copytree(case.folder, case.folder.with_name("fresh")))
    yield folder
    shutil.rmtree(folder)
    shutil.rmtree(f"{folder}-work", ignore_errors=True)


def traced(case: Case, folder: Path, *expressions: str) -> tuple[int, str, list[str]]:
    """A run under strace: its status, what it prints, and strace's logs, one of each thread."""
    logs = folder.with_name("logs")
    logs.mkdir()
    words = (word for expression in expressions for word in ("-e", expression))
    status, told = nurie(arguments(case, folder), "strace", "-ff", "-y", "-q", "-o", f"{logs}/log", *words)
    paths = sorted(logs.iterdir(), key=lambda path: int(path.suffix[1:]))
    found = [path.read_text(errors="replace") for path in paths]
    shutil.rmtree(logs)
    return status, told, found


def hit(logs: list[str], folder: Path) -> bool:
    """Whether a fault came, and none at a call that has nothing to do with the folder: each thread counts its own."""
    lines = [line.rpartition("\n+++ killed by SIGKILL")[0] for line in logs if "+++ killed by SIGKILL" in line]
    lasts = [line.splitlines()[-1] for line in lines if line.endswith("= ?")]  # the others' last calls had ended
    faults = [line for log in logs for line in log.splitlines() if "(INJECTED)" in line] + lasts
    return bool(faults) and all(concerns(line, folder) for line in faults)


def concerns(line: str, folder: Path) -> bool:
    """Whether a call is one of this folder's. What is written may name it too."""
    return str(folder) in (line.partition(",")[0] if line.startswith("write(") else line)


def writes(log: str, folder: Path) -> list[tuple[str, int]]:
    """The calls that write to a folder: each with its number among those of the same name."""
    seen: Counter[str] = Counter()
    found = []
    for line in log.splitlines():
        if call := re.match(r"(\w+)\(", line):
            seen[call[1]] += 1
            reads = call[1] == "openat" and not re.search("O_WRONLY|O_RDWR|O_CREAT", line)
            if concerns(line, folder) and not reads:
                found.append((call[1], seen[call[1]]))
    return found


def outcome(status: int, told: str, folder: Path) -> str:
    if status == -signal.SIGKILL:
        return "killed"
    if status == 0:
        return "went on"
    lines = [line for line in told.splitlines() if line.startswith(f"nurie: {folder}")]  # which path, and what is wrong
    return "sentence" if len(lines) == 1 and "Traceback" not in told else "traceback"


def tree(folder: Path) -> Tree:
    """All files but a run's report, which says when it was written."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != REPORT)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def are_pairs(found: Tree, old: Tree, new: Tree) -> bool:
    """All pairs that need not be made anew; the others old, new or missing. The sheet shows what was there."""
    shown = [name for name in found if not Path(name).name.startswith(".") and name not in MINE]
    kept = all(found.get(name) == data for name, data in old.items() if new.get(name) == data)
    whole = all(found[name] in (old.get(name), new.get(name)) for name in shown if name != "sheet.png")
    return (
        kept
        and whole
        and PREPARED in found
        and cv2.imdecode(np.frombuffer(found["sheet.png"], np.uint8), 1) is not None
    )


def is_run(found: Tree, old: Tree, new: Tree) -> bool:
    """Both checkpoints old or new, the one before the old one; no loss is forgotten, all pictures are whole."""
    pictures = [name for name in found if name.endswith(".png")]
    kept = all(found.get(name) in (old[name], new[name]) for name in (CHECKPOINT, BEST))
    before = found.get(checkpoint.BEFORE) in (None, old.get(checkpoint.BEFORE), old[CHECKPOINT])
    whole = all(found[name] in (old.get(name), new[name]) for name in pictures)
    return kept and before and whole and found[LOSSES].startswith(old[LOSSES])


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
