"""What a stroke costs on the page's sheet, by how many lie there already, in a headless Chromium.

    python bench/strokes.py

Two sheets of 600 x 600 pixels, one with few strokes and one with many; rounds on both alternate. Each row: milliseconds
of a pointer's move, of a stroke's end and of undo, medians; and of zooming, after which all is drawn anew in slices.
"""

import argparse
from pathlib import Path

from page import open_page

PAGE = Path(__file__).resolve().parent.parent / "src" / "nurie" / "page"
SCRIPT = """async ([few, many, rounds]) => {
    const { Pad } = await import("/sheet/pad.js");
    const nothing = () => {};
    const listener = { onsteps: nothing, onchange: nothing, onpen: nothing, onrefuse: nothing, onzoom: nothing };
    let seed = 1;
    const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const sheets = [few, many].map((strokes) => {
        const canvas = document.createElement("canvas");
        Object.assign(canvas, { width: 600, height: 600 });
        canvas.style.cssText = "position: fixed; top: 0; left: 0; width: 600px; height: 600px";
        document.body.append(canvas);
        const pad = new Pad(canvas, listener);
        const send = (kind, x, y) => canvas.dispatchEvent(new PointerEvent(`pointer${kind}`, {
            bubbles: true, pointerId: 1, pointerType: "mouse", clientX: x, clientY: y, button: 0,
            buttons: kind === "up" ? 0 : 1,
        }));
        const times = { move: [], end: [], undo: [], anew: [] };
        const took = (what, act) => {
            const before = performance.now();
            act();
            times[what]?.push(performance.now() - before);
        };
        const stroke = (measured) => {
            let [x, y] = [600 * random(), 600 * random()];
            send("down", x, y);
            for (let i = 0; i < 10; i++) {
                x += 40 * (random() - 0.5);
                y += 40 * (random() - 0.5);
                took(measured && "move", () => send("move", x, y));
            }
            took(measured && "end", () => send("up", x, y));
        };
        for (let i = 0; i < strokes; i++) stroke();
        const round = () => {
            stroke(true);
            took("undo", () => pad.undo());
        };
        const anew = () => took("anew", () => pad.hand.zoom(1));
        return { times, round, anew };
    });
    for (let i = 0; i < rounds; i++) for (const { round } of sheets) round();
    for (let i = 0; i < 5; i++) for (const { anew } of sheets) anew();
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return sheets.map(({ times }) =>
        Object.fromEntries(Object.entries(times).map(([what, all]) => [what, median(all)])));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--many", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args()
    scripts: dict[str, bytes | Path] = {f"/{path.relative_to(PAGE).as_posix()}": path for path in PAGE.rglob("*.js")}
    with open_page(scripts) as page:
        page.set_default_timeout(600_000)
        few, many = page.evaluate(SCRIPT, [args.few, args.many, args.rounds])
    print(f"{'':8}{args.few:>10}{args.many:>10}{'ratio':>10}")
    for what in few:
        print(f"{what:8}{few[what]:>10.3f}{many[what]:>10.3f}{many[what] / few[what]:>10.2f}")


if __name__ == "__main__":
    main()
