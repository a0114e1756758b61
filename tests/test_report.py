"""report.html of a run: everything to look at in one file that loads nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conftest import TINY
from nurie.config import Train
from nurie.drawings.sheets import save_png
from nurie.train import train
from nurie.training.report import MOST_SAMPLES, chart, samples, write_report

if TYPE_CHECKING:
    from playwright.sync_api import Page

RECORDS = [
    {"step": i, "l1": 1 / i, **({"val_l1": 0.1, "val_score": 1 / i, "val_variety": 1.0} if i % 10 == 0 else {})}
    for i in range(1, 41)
]


class Links(HTMLParser):
    """Everything that a page would load, and whether each element that must be closed is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]


def report(config: Train, *warnings: str, seconds: float = 2.0) -> str:
    write_report(config, config.steps, "6 pictures <to> train on.", RECORDS, list(warnings), seconds)
    return (config.run / "report.html").read_text()


def test_a_run_leaves_a_report_that_loads_nothing(pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "a <b> run"
    train(Train(pairs, run, steps=4, save_every=2, **TINY))
    page = (run / "report.html").read_text()
    links = Links()
    links.feed(page)
    assert len(links.found) == 2 and all(link.startswith("data:image/webp;base64,") for link in links.found)
    assert "<title>a &lt;b&gt; run: step 4 of 4</title>" in page and ": finished." in page
    for text in ("--lr", "val_score", "discriminator", "PyTorch", "Val scores"):
        assert text in page
    assert re.search(r'class="set"><td>--steps</td><td>4</td>', page)  # not the default
    assert re.search(r"<tr><td>--lr</td><td>0.0002</td>", page)
    assert page.count("<svg") == page.count("</svg>") >= 5


def test_it_says_how_long_it_will_take_and_what_seems_wrong(tmp_path: Path) -> None:
    config = Train(tmp_path, tmp_path, steps=1840)
    page = report(config, "direction at step 0: <lines> & so on")
    assert "Step 40 of 1840, about 60 min left (until 20" in page
    assert "<p>6 pictures &lt;to&gt; train on.</p>" in page
    assert "<li>direction at step 0: &lt;lines&gt; &amp; so on</li>" in page
    assert "finished" in report(replace(config, steps=40)) and "Warnings" not in report(config)


def test_a_log_of_an_older_nurie_lacks_some_scores(tmp_path: Path) -> None:
    old = [{"step": 1, "val_l1": 0.25, "val_score": 0.5}]
    write_report(Train(tmp_path, tmp_path), 2, "", [*old, {**RECORDS[-1], "step": 2}], [], 1.0)
    page = (tmp_path / "report.html").read_text()
    assert "<td>1</td><td>0.2500</td><td>0.5000</td><td></td></tr>" in page


def test_a_curve_has_few_points_and_keeps_its_ends() -> None:
    steps = np.arange(1, 20_001)
    found = chart("l1", steps, 1.0 - steps / 20_000)
    points = [tuple(map(float, point.split(","))) for point in found.line.split()]
    assert len(points) == 200 and points[0][0] == 0 and points[-1][0] == 300
    assert all(0 <= y <= 90 for _, y in points) and points[0][1] < 1 < 89 < points[-1][1]
    assert len(found.band.split()) == 400 and 0 <= found.least < found.last < found.most
    alone = chart("val_l1", np.array([7.0]), np.array([0.25]))
    assert alone.line == "0.0,90.0" and alone.band == "" and alone.last == 0.25


def test_of_many_sheets_some_are_shown_evenly_and_none_of_later_steps(tmp_path: Path) -> None:
    for step in range(100, 6000, 100):
        save_png(tmp_path / f"samples-{step:06d}.png", np.full((8, 2000, 3), step // 25, np.uint8))
    found = samples(tmp_path, 5000)
    assert len(found) == MOST_SAMPLES and (found[0].step, found[-1].step) == (100, 5000)
    gaps = np.diff([sample.step for sample in found])
    assert gaps.min() >= 200 and gaps.max() <= 300
    assert samples(tmp_path / "none", 5) == []


@pytest.mark.browser
def test_the_slider_shows_the_samples_of_each_step(page: "Page", tmp_path: Path) -> None:
    for step in (10, 20, 40):
        save_png(tmp_path / f"samples-{step:06d}.png", np.full((40, 200, 3), step, np.uint8))
    report(Train(tmp_path, tmp_path, steps=100))
    page.goto((tmp_path / "report.html").as_uri())

    def seen() -> tuple[str, list[str | None]]:
        shown = page.locator(".samples img:visible")
        return page.inner_text("#step"), [image.get_attribute("data-step") for image in shown.all()]

    assert seen() == ("40", ["40"])
    page.focus("#when")
    page.keyboard.press("ArrowLeft")
    assert seen() == ("20", ["20"])
    page.keyboard.press("Home")
    assert seen() == ("10", ["10"])
