"""The WebGPU back end on a GPU without a browser: Dawn's bindings for Node.js run the page's own webgpu.js and wgsl.js.

    npm install --prefix bench         once; Node.js 24 or newer, and a Vulkan driver
    python bench/gpu.py                ms and % of the peak, in float32 and, where the device has it, float16
    python bench/gpu.py --random 300   so many random plans as well, each against the WebAssembly engine

A software driver will do to check the kernels: the lavapipe of Mesa 25 has float16 (SwiftShader, which
Chromium brings, has not). The peak is that of a float32 kernel of nothing but multiply-adds in registers, in the same
rounds: in float16, too, sums are 32-bit. ms: bytes in, bytes out. Ends with an error where a picture differs from
that of the WebAssembly engine by more than the page would accept.
"""

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile

from browser import ALL, BENCH

from nurie.engine.plan import Plan
from plans import random_plan

SIZES = [(40, 24), (8, 8), (64, 96)]  # height and width of drawings of random plans


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="*", choices=ALL, default=["built-in", "dense", "unet256"])
    parser.add_argument("--random", type=int, default=8, help="random plans to check")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--node", default="node", help="which Node.js")
    args = parser.parse_args()
    nets = {name: ALL[name]() for name in args.nets}
    sizes = [{"height": height, "width": width} for height, width in SIZES]
    random = [as_json(*random_plan(seed)) | {"sizes": sizes} for seed in range(args.random)]
    task = {"nets": {name: as_json(*net) for name, net in nets.items()}, "random": random}
    result = run(args.node, task | {"rounds": args.rounds, "size": args.size})
    if not result["device"]:
        sys.exit("There is no WebGPU device: install a Vulkan driver, or name it in VK_ICD_FILENAMES.")
    wrong = report(result, {name: plan.macs(args.size, args.size) for name, (plan, _) in nets.items()})
    if wrong:
        sys.exit(f"Not the pictures of the WebAssembly engine: {', '.join(wrong)}.")


def as_json(plan: Plan, weights: bytes) -> dict:
    return {"plan": plan.to_json(), "weights": base64.b64encode(weights).decode()}


def run(node: str, task: dict) -> dict:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        command = [node, str(BENCH / "gpu.mjs"), file.name]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def report(result: dict, macs: dict[str, int]) -> list[str]:
    """Print the table. Returns what was wrong."""
    wrong = []
    precisions = {precision for found in [*result["random"], *result["nets"].values()] for precision in found}
    print(f"{result['device']}; {' and '.join(sorted(precisions, reverse=True))}")
    for precision in sorted(precisions, reverse=True):
        found = [one[precision] for one in result["random"]]
        if found:
            most = max(one["most"] for one in found)
            print(f"{len(found)} random plans, {precision}: at most {most} levels of 255 from the WebAssembly engine")
        wrong += [f"random plan {seed} in {precision}" for seed, one in enumerate(found) if not one["right"]]
    if not result["nets"]:
        return wrong
    peak = result["peak_macs"] / statistics.median(result["peak_ms"])  # per ms
    print(f"peak: {peak / 1e6:.1f} GMAC/s")
    print("| net | precision | ms | GMAC/s | % of peak | from WebAssembly, levels of 255: mean, most |")
    print("|---|---|---|---|---|---|")
    for name, precisions in result["nets"].items():
        for precision, one in precisions.items():
            ms = statistics.median(one["ms"])
            rate = macs[name] / ms
            levels = f"{one['mean']:.3f}, {one['most']}"
            print(f"| {name} | {precision} | {ms:.1f} | {rate / 1e6:.1f} | {100 * rate / peak:.0f} | {levels} |")
            wrong += [] if one["right"] else [f"{name} in {precision}"]
    return wrong


if __name__ == "__main__":
    main()
