"""Our engine against ONNX Runtime Web and LiteRT.js: the same nets in the same Chromium, rounds interleaved.

    npm install --prefix bench && pip install tflite      once
    python bench/browser.py                               the table of docs/performance.md
    python bench/browser.py --nets fast --threads 1 2 4   part of it

Each net gets a fresh page. A ratio is the median of the ratios of neighbours in time. The peak is what a kernel of
nothing but multiply-adds in registers reaches in the same rounds (bench/peak.c); Winograd, which saves multiplications,
may pass 100 %. Competitors get float weights: their 8-bit weights are slower or inexact.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
PAGE = ROOT / "src" / "nurie" / "page"
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from nets import NETS  # noqa: E402
from page import chromium, open_page  # noqa: E402
from playwright.sync_api import Page  # noqa: E402

from nurie.config import Publish  # noqa: E402
from nurie.engine.modelfile import read_model  # noqa: E402
from nurie.engine.plan import Plan  # noqa: E402
from nurie.publish import write_site  # noqa: E402
from nurie.serve import BUILT_IN, make_server  # noqa: E402

RUNTIMES = {"ours": "Nurie", "ort": "ONNX Runtime Web", "litert": "LiteRT.js"}
PEAK_MACS = 200_000 * 48
ALL: dict[str, Callable[[], tuple[Plan, bytes]]] = {"built-in": lambda: read_model(BUILT_IN)[1:], **NETS}
CHOSEN = ["built-in", "dense", "inverted", "unet256", "chainer"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="*", choices=ALL, default=CHOSEN)
    parser.add_argument("--runtimes", nargs="*", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--threads", nargs="*", type=int, default=[1, min(4, os.cpu_count() or 1)])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--build", choices=["relaxed", "plain"], default="relaxed")
    parser.add_argument("--page", action="store_true", help="only the page: from navigation to the first picture")
    parser.add_argument("--json", type=Path, help="write everything measured")
    args = parser.parse_args()
    if args.page:
        print_first_pictures(args.rounds)
        return
    requested: set[str] = set()
    measured = []
    print(HEADING, flush=True)
    for net in args.nets:
        plan, weights = ALL[net]()
        for threads in args.threads:
            results = measure(plan, weights, args.runtimes, threads, args.size, args.rounds, args.build, requested)
            measured.append({"net": net, "threads": threads, "macs": plan.macs(args.size, args.size), **results})
            print(row(measured[-1]), flush=True)
    print_downloads(requested)
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1) + "\n")


def measure(
    plan: Plan, weights: bytes, runtimes: list[str], threads: int, size: int, rounds: int, build: str, requested: set
) -> dict:
    """What `compare` of browser.js returns."""
    from convert import to_onnx, to_tflite

    modules = BENCH / "node_modules"
    files: dict[str, bytes | Path] = {
        "/browser.js": BENCH / "browser.js",
        "/ours.js": BENCH / "ours.js",
        "/weights.bin": weights,
        "/net.onnx": to_onnx(plan, weights, size, size) if "ort" in runtimes else b"",
        "/net.tflite": to_tflite(plan, weights, size, size) if "litert" in runtimes else b"",
        f"/peak-{build}.wasm": compile_peak(build),
        f"/engine-{build}.wasm": PAGE / "engine" / engine_file(build, threads),
    }
    files |= {f"/src/nurie/page/{path.relative_to(PAGE).as_posix()}": path for path in PAGE.rglob("*.js")}
    files |= {f"/ort/{path.name}": path for path in (modules / "onnxruntime-web" / "dist").glob("ort*")}
    litert = modules / "@litertjs" / "core"
    files |= {"/litert/index.js": litert / "dist" / "index.js"}
    files |= {"/litert/wasm-utils.js": modules / "@litertjs" / "wasm-utils" / "dist" / "index.js"}
    files |= {f"/litert/wasm/{path.name}": path for path in (litert / "wasm").glob("*")}
    task = {"threads": threads, "size": size, "runtimes": runtimes, "rounds": rounds, "build": build}
    imports = b'<script type="importmap">{"imports": {"@litertjs/wasm-utils": "/litert/wasm-utils.js"}}</script>'
    with open_page(files, requested, imports) as page:
        page.set_default_timeout(600_000)
        return page.evaluate(
            "async task => (await import('/browser.js')).compare(task)", task | {"plan": plan.to_json()}
        )


def engine_file(build: str, threads: int) -> str:
    return f"nurie{'-relaxed' if build == 'relaxed' else ''}{'-threads' if threads > 1 else ''}.wasm"


def compile_peak(build: str) -> bytes:
    cpu = "generic+simd128" + ("+relaxed_simd" if build == "relaxed" else "")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "peak.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-freestanding", f"-mcpu={cpu}", "-O3"]
        command += ["-nostdlib", "-Wl,--no-entry", str(BENCH / "peak.c"), "-o", str(output)]
        subprocess.run(command, check=True)
        return output.read_bytes()


COLUMNS = ["net", "threads", "Nurie ms", "ONNX Runtime Web ms", "LiteRT.js ms", "Nurie / ORT", "Nurie / LiteRT"]
COLUMNS += ["% of peak", "memory MB"]
HEADING = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def row(measured: dict) -> str:
    """One line of the table. Memory: ours / ONNX Runtime Web / LiteRT.js."""

    def median(name: str) -> float | None:
        ms = measured.get(name, {}).get("ms")
        return statistics.median(ms) if ms else None

    def ratio(name: str) -> str:
        ours, theirs = (measured.get(n, {}).get("ms") for n in ("ours", name))
        if not ours or not theirs:
            return "-"
        return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"

    def text(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    def cell(name: str) -> str:
        """Milliseconds; a picture unlike ours is no result."""
        result = measured.get(name, {})
        if "error" in result:
            return f"failed: {result['error'][:60]}"
        wrong = result.get("difference", 0) > 2
        return text(median(name)) + (f" (wrong by {result['difference']:.0f} levels)" if wrong else "")

    rate = [PEAK_MACS / ms for ms in measured["peak"]["ms"]]
    percent = "-"
    if ours := measured.get("ours", {}).get("ms"):
        shares = [measured["macs"] / ms / (peak * measured["threads"]) for ms, peak in zip(ours, rate, strict=True)]
        percent = f"{100 * statistics.median(shares):.0f}"
    memory = " / ".join(text(measured.get(name, {}).get("memory", 0) / 1e6 or None) for name in RUNTIMES)
    cells = [measured["net"], measured["threads"], *map(cell, RUNTIMES), ratio("ort"), ratio("litert"), percent, memory]
    return f"| {' | '.join(map(str, cells))} |"


def print_downloads(requested: set[str]) -> None:
    """Bytes of what the browser really fetched of each runtime, for one build of it."""
    print("\n| to download | raw kB | gzip kB | brotli kB |\n|---|---|---|---|")
    ort, litert = (BENCH / "node_modules" / name for name in ("onnxruntime-web/dist", "@litertjs"))
    engine = PAGE / "engine"
    ours = [engine / name for name in ("wasm.js", "errors.js", "plan.js", "weights.js", "nurie-relaxed.wasm")]
    found = {
        "Nurie": ours,
        "Nurie with threads": [
            *ours[:-1],
            engine / "helper.js",
            engine / "nurie-relaxed-threads.wasm",
        ],
        "ONNX Runtime Web": [ort / p.removeprefix("/ort/") for p in requested if p.startswith("/ort/")],
    }
    scripts = [litert / "core" / "dist" / "index.js", litert / "wasm-utils" / "dist" / "index.js"]
    for name, mark in (("LiteRT.js", "litert_wasm_internal"), ("LiteRT.js with threads", "litert_wasm_threaded")):
        wasm = [litert / "core" / "wasm" / Path(p).name for p in requested if mark in p]
        found[name] = [*scripts, *wasm] if wasm else []
    for name, paths in found.items():
        data = [path.read_bytes() for path in paths if path.exists()]
        sizes = [sum(map(len, data)), sum(len(gzip.compress(d, 9)) for d in data), brotli_bytes(data)]
        print(f"| {name} | " + " | ".join("-" if s is None else f"{s / 1000:.1f}" for s in sizes) + " |")


def brotli_bytes(data: list[bytes]) -> int | None:
    try:
        import brotli  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return sum(len(brotli.compress(d)) for d in data)


# Runs before the page's own scripts. Nothing else is asked of the page while it starts: Playwright's waiting and
# evaluating put scripts of their own into it, some 20 ms of its main thread.
NOTE_FIRST_PICTURE = """addEventListener("DOMContentLoaded", () => {
    const note = () => requestAnimationFrame(() => (window.firstPicture = performance.now()));
    const result = document.getElementById("result");
    if (!result) return note();
    const observer = new MutationObserver(() => (observer.disconnect(), note()));
    observer.observe(result, { attributeFilter: ["data-pictures"] });
})"""


def first_picture(page: Page, address: str) -> float:
    """Milliseconds from navigation to the first picture, or to the first frame of a page that has none."""
    page.goto(address, wait_until="commit")
    while True:
        page.wait_for_timeout(1500)
        if (ms := page.evaluate("window.firstPicture")) is not None:
            return ms


def print_first_pictures(rounds: int) -> None:
    """Navigation to the first picture of the built-in model's page on loopback: never seen before, from cache, and to
    the first frame of an empty page, which no page can beat."""
    times: dict[str, list[float]] = {"first visit": [], "from cache": [], "empty page": []}
    with tempfile.TemporaryDirectory() as folder:
        site = write_site(Publish(BUILT_IN, Path(folder) / "site"))
        (site / "empty.html").write_text("<!doctype html><title>empty</title>")
        server = make_server(site, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        with chromium() as browser:
            for _ in range(rounds):
                context = browser.new_context()
                context.add_init_script(NOTE_FIRST_PICTURE)
                page = context.new_page()
                for name, path in zip(times, ("", "", "empty.html"), strict=True):
                    times[name].append(first_picture(page, address + path))
                context.close()
        server.shutdown()
    for name, ms in times.items():
        ratio = statistics.median(a / b for a, b in zip(ms, times["empty page"], strict=True))
        print(f"{name}: {statistics.median(ms):.0f} ms ({min(ms):.0f} to {max(ms):.0f}), {ratio:.1f} empty pages")


if __name__ == "__main__":
    main()
