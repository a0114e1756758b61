"""The WebGPU back end against the WebAssembly engine, on Chromium's software implementation."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Error, Page

from browsers import launched, served
from cases import COLOUR, PLANS, SEED, lines, weights_file
from importing import generator_of, imported, old
from nurie.config import Publish
from nurie.convert.lower import lower
from nurie.engine.plan import FILL, LAB, Plan
from nurie.engine.wasm import Engine
from nurie.publish import publish
from nurie.size import Size
from pages import press, write_model
from plans import Builder, drawing, random_plan, scribble, small_enclosed, small_styled, small_unet

pytestmark = pytest.mark.browser
SIZE = 64  # pixels of the published page's drawings
SLOWEST_MS = 600_000
PAGE = Path(__file__).parent.parent / "src" / "nurie" / "page"
# The last three let a canvas show what a software device made.
ARGUMENTS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
ARGUMENTS += ["--enable-features=Vulkan", "--use-vulkan=swiftshader", "--use-angle=swiftshader"]
RUN = """async ({ plan, weights, pictures, style }) => {
    const { GpuEngine } = await import("/engine/webgpu.js");
    const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const encode = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    window.engine ??= await GpuEngine.load({ f16: false, software: true });
    await engine.setModel(plan, decode(weights));
    const results = [];
    for (const { height, width, rgba } of pictures) {
        engine.resize(height, width);
        engine.setStyle(style);
        const pixels = await engine.run(decode(rgba));
        results.push({ ...engine.outputSize, rgba: encode(pixels) });
    }
    return results;
}"""
SHOW = """async ({ plan, weights, height, width, rgba }) => {
    const { GpuEngine } = await import("/engine/webgpu.js");
    const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const engine = await GpuEngine.load({ f16: false, software: true });
    await engine.setModel(plan, decode(weights));
    engine.resize(height, width);
    const canvas = new OffscreenCanvas(engine.outputSize.width, engine.outputSize.height);
    engine.show(decode(rgba), canvas.getContext("webgpu"));
    const flat = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    flat.drawImage(canvas, 0, 0);
    const shown = flat.getImageData(0, 0, canvas.width, canvas.height).data;
    const read = await engine.run(decode(rgba));
    return Math.max(...shown.map((value, i) => Math.abs(value - read[i])));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched(ARGUMENTS) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that can load the page's scripts."""
    with served(PAGE) as address:
        page = browser.new_page()
        page.goto(address)
        if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
            pytest.skip("This Chromium has no software WebGPU.")
        yield page


def largest_difference(
    page: Page,
    plan: Plan,
    weights: bytes,
    drawings: list[np.ndarray],
    style: tuple[int, tuple[float, ...]] = (0, (0.0, 0.0, 0.0)),
    other_seed: bool = False,
) -> int:
    """In levels of 255, between the two engines."""
    text = [base64.b64encode(data.tobytes()).decode() for data in drawings]
    pictures = [{"height": d.shape[0], "width": d.shape[1], "rgba": t} for d, t in zip(drawings, text, strict=True)]
    task = {"plan": plan.to_json(), "weights": base64.b64encode(weights).decode(), "pictures": pictures}
    task["style"] = {"seed": style[0], "colour": list(style[1])}
    engine, worst = Engine(plan, weights=weights), 0
    engine.set_style(style[0] + other_seed, style[1])
    for result, given in zip(page.evaluate(RUN, task), drawings, strict=True):
        data = np.frombuffer(base64.b64decode(result["rgba"]), np.uint8)
        made = data.reshape(result["height"], result["width"], 4)
        assert (made[:, :, 3] == 255).all()
        worst = max(worst, np.abs(made[:, :, :3].astype(int) - engine.run(given)).max())
    return worst


def test_every_operation_and_odd_sizes(page: Page) -> None:
    plan, weights = small_unet()
    sizes = [(4, 4), (24, 20), (12, 60), (36, 4), (24, 20)]
    assert largest_difference(page, plan, weights, [drawing(h, w, i) for i, (h, w) in enumerate(sizes)]) <= 1


@pytest.mark.parametrize("name", [name for name in PLANS if name != "activation fill"])
def test_each_operation_activation_and_field(page: Page, name: str) -> None:
    assert largest_difference(page, PLANS[name]()[-1], weights_file(), [lines()], (SEED, COLOUR)) <= 1


def test_random_plans(page: Page) -> None:
    for seed in range(8):  # seconds each, spent compiling
        plan, weights = random_plan(seed)
        assert largest_difference(page, plan, weights, [drawing(40, 24, seed), drawing(8, 8, seed)]) <= 1, seed


def test_one_pixel_and_large_pictures(page: Page) -> None:
    b = Builder(1)
    plan, weights = b.finish(b.depthwise(b.conv(b.image(), 3, 3, kernel=1, activation=2), 3, activation=3))
    drawings = [drawing(1, 1, 0), drawing(3, 7, 1), drawing(768, 1024, 2)]
    assert largest_difference(page, plan, weights, drawings) <= 1


def test_shuffle_by_4(page: Page) -> None:
    b = Builder(2)
    plan, weights = b.finish(b.conv(b.image(4), 48, 3, shuffle=4, activation=3))
    assert largest_difference(page, plan, weights, [drawing(32, 20, 0)]) <= 1


def test_style_is_the_same_noise_and_colour(page: Page) -> None:
    plan, weights = small_styled()
    style = (2**32 - 3, (0.5, -0.25, 0.75))
    assert largest_difference(page, plan, weights, [drawing(24, 36, 0)], style) <= 1
    with pytest.raises(AssertionError):  # the noise is seen
        assert largest_difference(page, plan, weights, [drawing(24, 36, 0)], style, other_seed=True) <= 1


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_how_enclosed_places_are_is_the_same(page: Page, factor: int) -> None:
    plan, weights = small_enclosed(factor)
    drawings = [np.dstack([scribble(60, 92, seed), drawing(60, 92)[:, :, 3]]) for seed in range(4)]
    assert largest_difference(page, plan, weights, drawings) <= 1


def test_a_canvas_shows_the_same_picture(page: Page) -> None:
    plan, weights = small_unet()
    task = {"plan": plan.to_json(), "weights": base64.b64encode(weights).decode(), "height": 24, "width": 20}
    assert page.evaluate(SHOW, task | {"rgba": base64.b64encode(drawing(24, 20, 0).tobytes()).decode()}) <= 1


def test_an_old_generator_paints_the_same(page: Page) -> None:
    """A ResNet with mirrored edges, by the statistics of each picture.

    tests/test_import_engine.py compares the other engine with the old program.
    """
    generator = imported(old("torch_compiled_resnet6_batch") / "latest_net_G.pth")
    plan, weights = lower(generator_of(generator, "picture").float(), Size(64, 48), int8=False)
    assert largest_difference(page, plan, weights, [drawing(48, 64, 0)]) <= 1


def test_sizes_that_do_not_fit_are_refused(page: Page) -> None:
    plan, weights = small_unet()
    with pytest.raises(Error, match="does not fit the plan"):
        largest_difference(page, plan, weights, [drawing(3, 4, 0)])


@pytest.mark.parametrize("fields", [{"activation": FILL}, {"mode": LAB}])
def test_filled_areas_and_lab_are_left_to_the_other_engine(page: Page, fields: dict[str, int]) -> None:
    b = Builder()
    plan, weights = b.finish(b.conv(b.image(), 3, 3), **fields)
    with pytest.raises(Error, match="the plan is invalid"):
        largest_difference(page, plan, weights, [drawing(8, 8, 0)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a small net: an imitation takes minutes for the built-in one where other work goes on."""
    folder = tmp_path_factory.mktemp("gpu")
    return publish(Publish(write_model(folder / "small", SIZE, *small_unet(), title="Small"), folder / "site"))


def shown_by(browser: Browser, site: Path, query: str) -> tuple[str, np.ndarray]:
    """Open the published page and wait until it has chosen. Who made the next picture, and it, uint8 (h, w, 3)."""
    with served(site) as address, browser.new_page() as page:
        page.set_default_timeout(SLOWEST_MS)
        page.goto(address + query)
        page.wait_for_function("document.documentElement.dataset.backend")
        press(page, "#convert")
        backend, data = page.evaluate(
            """() => {
                const canvas = document.getElementById("result");
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return [canvas.dataset.backend, Array.from(data)];
            }"""
        )
    return backend, np.array(data, np.uint8).reshape(SIZE, SIZE, 4)[:, :, :3]


def test_the_page_uses_it_when_told_to_and_shows_the_same(browser: Browser, site: Path) -> None:
    backend, picture = shown_by(browser, site, "?backend=webgpu")
    assert backend == "webgpu"
    other, expected = shown_by(browser, site, "?backend=wasm")
    assert other == "wasm"
    assert np.abs(picture.astype(int) - expected).max() <= 2


def test_an_imitation_is_left_alone(browser: Browser, site: Path) -> None:
    assert shown_by(browser, site, "")[0] == "wasm"


def test_a_wrong_kernel_is_noticed(browser: Browser, site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    [kernels] = (broken / "assets").rglob("backend.*.js")
    text = kernels.read_text()
    assert "v+=vec4f(arena" in text
    kernels.write_text(text.replace("v+=vec4f(arena", "v-=vec4f(arena"))
    assert shown_by(browser, broken, "?backend=webgpu")[0] == "wasm"


def test_one_that_is_right_at_first_and_black_later_is_left_in_use(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    [engine] = (broken / "assets").rglob("backend.*.js")
    text = engine.read_text()
    assert text.count("sized.read.unmap();") == 1
    black = "if ((globalThis.made = (globalThis.made ?? 0) + 1) > 5) pixels.fill(0);"
    engine.write_text(text.replace("sized.read.unmap();", f"sized.read.unmap();{black}"))
    with served(broken) as address, browser.new_page() as page:
        page.set_default_timeout(SLOWEST_MS)
        page.goto(address + "?backend=webgpu")
        page.wait_for_function("document.documentElement.dataset.backend === 'webgpu'")
        for _ in range(20):
            press(page, "#convert")
            page.wait_for_timeout(600)
            if page.evaluate("document.documentElement.dataset.backend") == "wasm":
                break
        page.wait_for_function("document.getElementById('result').dataset.backend === 'wasm'")
        assert not page.is_visible("#message")
