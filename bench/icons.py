"""The page's icons as PNG files, from icons/icon.svg: python bench/icons.py, after a change there; needs Chromium.

Phones cut their own corners off the one of 180 pixels, so it has none.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from browsers import launched  # noqa: E402

ICONS = ROOT / "src" / "nurie" / "page" / "icons"
SIZES = {180: ' rx="7"', 192: "", 512: ""}  # pixels, and what is left out of the drawing

with launched() as browser:
    for size, left_out in SIZES.items():
        page = browser.new_page(viewport={"width": size, "height": size})
        drawing = (ICONS / "icon.svg").read_text().replace(left_out, "", 1)
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{drawing}")
        page.screenshot(path=ICONS / f"icon-{size}.png", omit_background=True)
        page.close()
