"""From a pointer's move to its picture on the built-in model's page, in a headless Chromium with one thread.

    python bench/latency.py

Moves of a line that is being drawn come one at a time, at random moments, while nothing else is computed. Milliseconds,
medians: until the picture is on the canvas, what the engine says it took, and the difference in frames of the screen.
"""

import argparse
import tempfile
import threading
from pathlib import Path

from page import chromium

from nurie.config import Publish
from nurie.publish import write_site
from nurie.serve import BUILT_IN, make_server

READY = "document.documentElement.dataset.state === 'ready' && document.documentElement.dataset.backend"
SCRIPT = """async (moves) => {
    const canvas = document.getElementById("drawing"), result = document.getElementById("result");
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const frame = () => new Promise(requestAnimationFrame);
    const box = canvas.getBoundingClientRect();
    const send = (kind, part) => canvas.dispatchEvent(new PointerEvent(`pointer${kind}`, {
        bubbles: true, pointerId: 1, pointerType: "mouse", button: 0, buttons: kind === "up" ? 0 : 1,
        clientX: box.left + box.width * (0.1 + 0.8 * part),
        clientY: box.top + box.height * (0.3 + 0.1 * Math.sin(40 * part)),
    }));
    const frames = [];
    for (let i = 0, last = await frame(); i < 60; i++) {
        const now = await frame();
        frames.push(now - last);
        last = now;
    }
    send("down", 0);
    await wait(500);
    const times = [];
    for (let i = 1; i <= moves; i++) {
        await wait(120 + 40 * Math.random());
        const { promise, resolve } = Promise.withResolvers();
        const observer = new MutationObserver(() => resolve(performance.now()));
        observer.observe(result, { attributeFilter: ["data-pictures"] });
        const before = performance.now();
        send("move", i / moves);
        const all = (await promise) - before;
        observer.disconnect();
        await frame();
        times.push([all, Number.parseFloat(document.getElementById("time").textContent)]);
    }
    send("up", 1);
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return {
        all: median(times.map(([all]) => all)), engine: median(times.map(([, engine]) => engine)),
        wait: median(times.map(([all, engine]) => all - engine)), frame: median(frames),
    };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = make_server(write_site(Publish(BUILT_IN, Path(folder) / "site")), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # the page's own policy forbids Playwright's waiting
        page = browser.new_context(bypass_csp=True).new_page()
        page.add_init_script("Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 })")
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/?backend=wasm")
        page.wait_for_function(READY)
        took = page.evaluate(SCRIPT, args.moves)
        server.shutdown()
    print(f"move to picture {took['all']:.1f} ms, engine {took['engine']:.1f} ms, a frame {took['frame']:.1f} ms")
    print(f"picture less engine: {took['wait'] / took['frame']:.2f} frames")


if __name__ == "__main__":
    main()
