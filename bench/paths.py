"""Winograd against direct convolution by layer, in one Chromium: what `suits_winograd` (engine/paths.c) rests on.

    python bench/paths.py                 3x3 layers of 4 to 256 channels at 1x1 to 128x128 pixels, one thread

A second engine, compiled from the same sources with `suits_winograd` answering no, runs the same plans in turns.
A cell is its time divided by the first one's for that layer: above 1, Winograd is faster.
"""

import argparse
import importlib.util
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from engine import measure  # noqa: E402

from nurie.engine.plan import Plan  # noqa: E402
from plans import Builder  # noqa: E402

RULE = "static int suits_winograd(const Op *op, int height, int width) {"
SIDES = [128, 64, 32, 16, 8, 4, 2, 1]


@contextmanager
def engine_with(answer: str) -> Iterator[Path]:
    """The relaxed build with another rule: `answer` is a C expression of `op`."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    with tempfile.TemporaryDirectory() as folder:
        engine = Path(folder) / "engine"
        shutil.copytree(ROOT / "engine", engine)
        source = engine / "paths.c"
        text = source.read_text()
        assert RULE in text
        source.write_text(text.replace(RULE, f"{RULE}\n  if (height + width) return {answer};"))
        output = Path(folder) / "other.wasm"
        build._compile(sorted(engine.glob("*.c")), build.TARGETS["nurie-relaxed.wasm"], output)
        yield output


def layers(inputs: int, outputs: int) -> tuple[Plan, bytes, list[int]]:
    """A 3x3 layer at each of SIDES, for a drawing of 128 pixels, and which operations they are."""
    b, found = Builder(), []
    x = b.conv(b.image(), 3, inputs, kernel=1)
    for side in SIDES:
        last = b.conv(x, inputs, outputs)
        found.append(len(b.ops) - 1)
        if side > 1:
            x = b.conv(x, inputs, inputs, kernel=1, stride=2)
    plan, weights = b.finish(last)
    return plan, weights, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--channels", nargs="*", type=int, default=[4, 8, 16, 32, 64, 128, 256])
    args = parser.parse_args()
    print(f"| channels | {' | '.join(f'{side}x{side}' for side in SIDES)} |\n{'|---' * (len(SIDES) + 1)}|")
    forced = "op->op == CONV && op->kernel == 3 && op->stride == 1 && op->pad == 1"
    with engine_with(forced) as winograd, engine_with("0") as direct:
        for channels in args.channels:
            plan, weights, found = layers(channels, channels)
            builds = {"winograd": winograd, "direct": direct}
            times = {k: r["op_ms"] for k, r in measure(plan, weights, 128, 128, args.rounds, builds, {}).items()}
            pairs = list(zip(times["direct"], times["winograd"], strict=True))
            cells = [statistics.median(d[i] / max(w[i], 1e-6) for d, w in pairs) for i in found]
            print(f"| {channels} | {' | '.join(f'{cell:.2f}' for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
