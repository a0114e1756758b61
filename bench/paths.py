"""Winograd against direct convolution by layer, in one Chromium: what `suits_winograd` (engine/paths.c) rests on.

    python bench/paths.py                       3x3 layers of 4 to 256 channels at 1x1 to 128x128 pixels, one thread
    python bench/paths.py --layer transposed    4x4 layers of stride 2 that go up (4x4: down)

More engines, compiled from the same sources with another answer of `suits_winograd`, run the same plans in turns.
A cell is the time of direct convolution divided by Winograd's for that layer: above 1, Winograd is faster.
"""

import argparse
import importlib.util
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from engine import measure  # noqa: E402

from nurie.engine.plan import Plan  # noqa: E402
from plans import Builder  # noqa: E402

RULE = "static int suits_winograd(const Op *op, int height, int width) {"
SPARE = "SPARE_BYTES = 1 << 22"
SIDES = [128, 64, 32, 16, 8, 4, 2, 1]
PATHS = {"3x3": ["F4X4_3X3"], "4x4": ["F4X4_2X2", "F2X2_2X2"], "transposed": ["F4X4_2X2", "F2X2_2X2"]}


@contextmanager
def engine_with(answer: str) -> Iterator[Path]:
    """The relaxed build with another rule, whatever memory it takes: `answer` is a C expression of `op`."""
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
        assert SPARE in text
        text = text.replace(RULE, f"{RULE}\n  if (height + width) return {answer};")
        source.write_text(text.replace(SPARE, "SPARE_BYTES = 1 << 30"))
        output = Path(folder) / "other.wasm"
        build._compile(sorted(engine.glob("*.c")), build.TARGETS["nurie-relaxed.wasm"], output)
        yield output


def layers(layer: str, inputs: int, outputs: int) -> tuple[Plan, bytes, list[int]]:
    """A layer for each of SIDES as computed pixels, for a drawing of 128 pixels, and which operations they are."""
    b, found = Builder(), []
    x = b.conv(b.image(), 3, inputs, kernel=1)
    for side in SIDES:
        if layer == "3x3":
            last = b.conv(x, inputs, outputs)
        elif layer == "4x4":
            last = b.conv(x, inputs, outputs, 4, stride=2, pad=1)
        else:
            last = b.conv_transpose(x, inputs, outputs)
        found.append(len(b.ops) - 1)
        if side == (2 if layer == "4x4" else 1):
            break
        x = b.conv(x, inputs, inputs, kernel=1, stride=2)
    plan, weights = b.finish(last)
    return plan, weights, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", choices=PATHS, default="3x3")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--channels", nargs="*", type=int, default=[4, 8, 16, 32, 64, 128, 256])
    args = parser.parse_args()
    sides = SIDES[1:] if args.layer == "4x4" else SIDES
    print(f"| path | channels | {' | '.join(f'{side}x{side}' for side in sides)} |\n{'|---' * (len(sides) + 2)}|")
    kernel, stride = ("3", "1") if args.layer == "3x3" else ("4", "2")
    suited = f"op->op != DEPTHWISE && op->kernel == {kernel} && op->stride == {stride}"
    answers = {path: f"{suited} ? {path} : DIRECT" for path in PATHS[args.layer]} | {"direct": "DIRECT"}
    with ExitStack() as stack:
        builds = {name: stack.enter_context(engine_with(answer)) for name, answer in answers.items()}
        for channels in args.channels:
            plan, weights, found = layers(args.layer, channels, channels)
            times = {k: r["op_ms"] for k, r in measure(plan, weights, 128, 128, args.rounds, builds, {}).items()}
            for path in PATHS[args.layer]:
                pairs = list(zip(times["direct"], times[path], strict=True))
                cells = [statistics.median(d[i] / max(w[i], 1e-6) for d, w in pairs) for i in found]
                print(f"| {path} | {channels} | {' | '.join(f'{cell:.2f}' for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
