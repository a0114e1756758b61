"""What tests do on the page, and models for it."""

import base64
import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, Route

from nurie.convert.coder import encode
from nurie.engine.plan import Plan

SIZE = 256
PIXELS = """id => {
    const canvas = document.getElementById(id);
    const data = canvas
        ? canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
        : nurie.pixels();
    let text = "";
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return btoa(text);
}"""


def ready(page: Page, address: str) -> None:
    """Open the page and wait until its worker has coloured the first preset."""
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.state === 'ready'")
    page.wait_for_function("Number(document.getElementById('result').dataset.shown) >= 1")


def count(page: Page) -> int:
    return int(page.evaluate("Number(document.getElementById('result').dataset.pictures)"))


def pixels(page: Page, what: str) -> np.ndarray:
    """A canvas of the model's size, or as "input" the drawing as the engine gets it: uint8 (256, 256, 4)."""
    return np.frombuffer(base64.b64decode(page.evaluate(PIXELS, what)), np.uint8).reshape(SIZE, SIZE, 4)


def stop_live(page: Page) -> None:
    page.click("#live")
    assert page.get_attribute("#live", "aria-checked") == "false"


def press(page: Page, button: str) -> None:
    """Press a button that asks for a picture, and wait for it."""
    before = count(page)
    page.click(button)
    page.wait_for_function(f"Number(document.getElementById('result').dataset.pictures) > {before}")


def convert(page: Page) -> np.ndarray:
    """Press the button and wait for its picture: uint8 (256, 256, 3)."""
    press(page, "#convert")
    return pixels(page, "result")[:, :, :3]


def stroke(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw with the mouse, in pixels of the model."""
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    at = [(box["x"] + x / SIZE * box["width"], box["y"] + y / SIZE * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def settled(page: Page) -> np.ndarray:
    """The result once it is the picture of the drawing as it is now."""
    page.wait_for_function(
        """() => {
            const { asked, shown } = document.getElementById('result').dataset;
            return Number(shown) >= Number(asked);
        }"""
    )
    return pixels(page, "result")[:, :, :3]


def hold(page: Page, files: str) -> list[Route]:
    """Requests for these files wait in this list."""
    held: list[Route] = []
    page.route(files, lambda route: held.append(route))
    return held


def release(page: Page, held: list[Route], count: int = 1) -> None:
    """Answer so many requests, the last first, once all of them have come."""
    for _ in range(3000):
        if len(held) >= count:
            break
        page.wait_for_timeout(20)
    for route in reversed(held):
        route.continue_()


def result(page: Page) -> bytes:
    return base64.b64decode(page.evaluate(PIXELS, "result"))


def write_model(folder: Path, size: int, plan: Plan, weights: bytes, version: int = 1, **fields: object) -> Path:
    """A model folder with an untrained net: of version 1, or one of version 2 with coded weights."""
    folder.mkdir(exist_ok=True)
    packed = gzip.compress(weights) if version == 1 else encode(plan, weights)
    name, encoding = ("weights.bin.gz", "gzip") if version == 1 else ("weights.bin", "rans")
    (folder / name).write_bytes(packed)
    manifest = {
        "format": "nurie-model", "version": version, "input": {"width": size, "height": size},
        "weights": {
            "file": name, "encoding": encoding, "bytes": len(packed), "raw_bytes": len(weights),
            "sha256": hashlib.sha256(packed).hexdigest(),
        },
        **fields, **plan.to_json(),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
