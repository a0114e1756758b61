"""Milliseconds of every operation of a plan in the engine, one thread, in Chromium.

    python bench/engine.py --ops                a net of bench/nets.py with random weights
    python bench/engine.py --model model/       an exported model
    python bench/engine.py --against old.wasm   another build in the same run
    python bench/engine.py --cut 1 2 4 8        the work as it is cut for so many threads, all of it by one: what
                                                sharing it out costs, whatever this machine's cores

Compare times within one run only: the rounds of all builds are interleaved, and a ratio is the median of the
ratios of neighbours. (Node is no stand-in: version 20 schedules vector code so differently that its order of two
kernels can be the reverse of Chromium 156's.)
"""

import argparse
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from nets import NETS  # noqa: E402
from page import open_page  # noqa: E402

from nurie.engine.modelfile import read_model  # noqa: E402
from nurie.engine.plan import Op, Plan  # noqa: E402

WASM_FOLDER = ROOT / "src" / "nurie" / "page" / "engine"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, default="fast")
    parser.add_argument("--model", type=Path, help="folder with manifest.json and weights")
    parser.add_argument("--size", default="256x256", help="width x height")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--against", type=Path, nargs="*", default=[], help="more wasm files")
    parser.add_argument("--cut", type=int, nargs="*", default=[], help="for how many threads")
    parser.add_argument("--ops", action="store_true", help="one line for every operation")
    args = parser.parse_args()

    plan, weights = read_model(args.model)[1:] if args.model else NETS[args.net]()
    width, height = map(int, args.size.split("x"))
    builds = {"plain": WASM_FOLDER / "nurie.wasm", "relaxed": WASM_FOLDER / "nurie-relaxed.wasm"}
    builds |= {path.stem + "*": path for path in args.against}
    cut = {f"cut for {threads}": threads for threads in args.cut}
    builds |= dict.fromkeys(cut, WASM_FOLDER / "nurie-relaxed-threads.wasm")
    results = measure(plan, weights, height, width, args.rounds, builds, cut)
    report(plan, height, width, results)
    if args.ops:
        report_ops(plan, height, width, results)


def measure(
    plan: Plan, weights: bytes, height: int, width: int, rounds: int, builds: dict[str, Path], cut: dict[str, int]
) -> dict:
    """Times in a headless Chromium: {build: {load_ms, resize_ms, peak_bytes, total_ms: [...], op_ms: [[...]]}}."""
    urls = {name: f"/build/{i}.wasm" for i, name in enumerate(builds)}
    files: dict[str, bytes | Path] = {"/weights.bin": weights, "/measure.js": ROOT / "bench" / "measure.js"}
    files |= {
        f"/src/nurie/page/engine/{name}": WASM_FOLDER / name
        for name in ("wasm.js", "errors.js", "plan.js", "weights.js")
    }
    files |= {urls[name]: path for name, path in builds.items()}
    task = {"plan": plan.to_json(), "width": width, "height": height, "rounds": rounds, "builds": urls, "cut": cut}
    with open_page(files) as page:
        return page.evaluate("async task => (await import('/measure.js')).measure(task)", task)


def report(plan: Plan, height: int, width: int, results: dict) -> None:
    """One line for every build."""
    macs = plan.macs(height, width)
    first, base = next(iter(results.items()))
    print(f"{macs / 1e9:.3f} GMAC, {len(plan.ops)} operations, {width}x{height}, one thread")
    for name, r in results.items():
        ratio = statistics.median(a / b for a, b in zip(r["total_ms"], base["total_ms"], strict=True))
        median = statistics.median(r["total_ms"])
        print(
            f"{name:12}{median:7.2f} ms  {ratio:5.3f}x {first}  {macs / median / 1e6:5.1f} GMAC/s"
            f"  load {r['load_ms']:.0f} ms, resize {r['resize_ms']:.1f} ms, memory {r['peak_bytes'] / 1e6:.1f} MB"
        )


def report_ops(plan: Plan, height: int, width: int, results: dict) -> None:
    """One line for every operation; GMAC/s as if all were direct, so Winograd passes the machine's peak."""
    print(f"{'':38}  MMAC" + "".join(f"{name:>11} ms  GMAC/s" for name in results))
    sizes = plan.sizes(height, width)
    for i, op in enumerate(plan.ops):
        before, upto = Plan(plan.tensors, plan.ops[:i]), Plan(plan.tensors, plan.ops[: i + 1])
        macs = upto.macs(height, width) - before.macs(height, width)
        h, w = sizes[op.input if op.op == "output" else op.output]
        line = f"{i:3} {describe(op):23} {w:4}x{h:<5}{macs / 1e6:7.1f}"
        for r in results.values():
            ms = statistics.median(times[i] for times in r["op_ms"])
            line += f"{ms:14.3f}{macs / ms / 1e6:8.1f}"
        print(line)


def describe(op: Op) -> str:
    if not op.is_conv:
        return op.op
    return f"{op.op.replace('conv_transpose', 'tconv')} {op.kernel}/{op.stride} {op.in_channels}->{op.out_channels}"


if __name__ == "__main__":
    main()
