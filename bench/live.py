"""The README's animation, docs/live.webp: a pencil draws a sample on the built-in model's page; needs Chromium.

python bench/live.py
"""

import json
import tempfile
import threading
from io import BytesIO
from pathlib import Path

from page import chromium
from PIL import Image
from playwright.sync_api import FloatRect, Page

from nurie.config import Publish
from nurie.publish import write_site
from nurie.serve import BUILT_IN, make_server

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "examples" / "cats" / "presets" / "06-loaf.json"
FRAMES, MS, LAST_MS = 58, 160, 3160  # how many, and how long each and the last one stay
WIDTH = 720  # pixels of the animation
WINDOW = {"width": 1440, "height": 900}
READY = "document.documentElement.dataset.state === 'ready' && document.documentElement.dataset.backend"
SETTLED = """!('busy' in document.documentElement.dataset) && !('outdated' in document.documentElement.dataset)"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = make_server(write_site(Publish(BUILT_IN, Path(folder) / "site")), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with chromium() as browser:
            page = browser.new_page(viewport=WINDOW, bypass_csp=True)
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/?seed=0")  # the first coat
            page.wait_for_function(READY)
            frames = drawn(page)
        server.shutdown()
    first, *others = frames
    durations = [MS] * len(others) + [LAST_MS]
    first.save(
        ROOT / "docs" / "live.webp",
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
        quality=75,
        method=6,
    )


def drawn(page: Page) -> list[Image.Image]:
    """Pictures of both sheets while the sample is drawn, after equal numbers of its points."""
    sample = json.loads(SAMPLE.read_text())
    page.click("#clear")
    sheet, area = (page.locator(part).bounding_box() for part in ("#drawing", ".page.result .sheet"))
    assert sheet and area
    left, right = sheet["x"] - 20, area["x"] + area["width"] + 20
    clip: FloatRect = {"x": left, "y": sheet["y"] - 40, "width": right - left, "height": sheet["height"] + 60}
    points = sum(len(stroke["points"]) for stroke in sample["strokes"]) // 2
    frames, done = [], 0
    for stroke in sample["strokes"]:
        x, y = stroke["points"][::2], stroke["points"][1::2]
        for i, at in enumerate(zip(x, y, strict=True)):
            page.mouse.move(*(sheet[side] + part / 256 * sheet["width"] for side, part in zip("xy", at, strict=True)))
            if i == 0:
                page.mouse.down()
            done += 1
            if done * FRAMES // points > len(frames):
                frames.append(picture(page, clip))
        page.mouse.up()
    page.click("#convert")  # once more, with nothing else going on: its time is seen for long
    page.mouse.move(0, 0)
    frames[-1] = picture(page, clip)
    return frames


def picture(page: Page, clip: FloatRect) -> Image.Image:
    """Both sheets, once the picture is of the drawing, `WIDTH` pixels wide."""
    page.wait_for_timeout(60)
    page.wait_for_function(SETTLED)
    shot = Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")
    return shot.resize((WIDTH, round(WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
