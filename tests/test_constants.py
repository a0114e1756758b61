"""Constants that several sources state are those of docs/formats.md. Limits of plans: test_consistency.py."""

import re
from collections.abc import Callable

import pytest

from nurie.drawings import enclosed
from nurie.engine import coded, modelfile, reference, reference_fill, wasm
from sources import PAGE, c_constants, formats, found_in, text_of

DOCUMENT = "docs/formats.md"
DOWNLOAD = "src/nurie/page/model/download.js"
FILL_SOURCES = ("engine/areas.h", "engine/areas.c", "engine/fill.c")
# A number of "Filled areas", where the document says it, and how many more or times more the sources' one is.
FILL: dict[str, tuple[str, Callable[[float], float]]] = {
    "DARK": (r"three channels are below (\d+) and", lambda n: n),
    "COLOURED": (r"and differ by less than (\d+)\.", lambda n: n),
    "GAP": (r"floor\((\d+) width / 256\)", lambda n: 2 * n),
    "GREY": (r"or are all below (\d+), and", lambda n: n),
    "SOLID": (r"is at least (\d+) times that", lambda n: n),
    "PALE": (r"output's strength is below (\d+)\.", lambda n: n),
    "BINS": (r"go into (\d+) bins", lambda n: n),
    "APART": (r"at most (\d+) \(for solid pixels \d+\)", lambda n: n),
    "STROKES_APART": (r"at most \d+ \(for solid pixels (\d+)\)", lambda n: n),
    "FEW": (r"floor\((\d+) width\^2 / 256\^2\)", lambda n: n),
    "MOST_AREAS": (r"there are ([\d,]+) at most", lambda n: n + 1),
}
# The same of "Classes".
CLASSES: dict[str, tuple[str, Callable[[float], float]]] = {
    "NAT": (r"costs a pixel (\d+) times", lambda n: n),
    "MOST_COST": (r"and (\d+) at most:", lambda n: n),
    "FREE": (r"r = (\d+) \+ 2 g", lambda n: n),
    "ALIKE": (r"m - n \+ (\d+) k", lambda n: n),
}
# Numbers of the noise, in the order in which all write them.
NOISE = [0x9E3779B9, 747796405, 2891336453, 28, 277803737, 22]
NOISE_SOURCES = {
    DOCUMENT: r"Channel 0 is noise.*?\^31",
    "engine/noise.h": r"uint32_t state.*?word >> 22",
    "src/nurie/engine/reference_noise.py": r"state = .*?word >> 22",
    "src/nurie/nets/generators.py": r"number = .*?2\*\*31",
    f"{PAGE}/wgsl.js": r"let state = .*?0x1p-31f",
}
INK_SOURCES = {
    DOCUMENT: r"a channel of one of its pixels is below (\d+)\.",
    "engine/enclosed.c": r"INK = (\d+),",
    f"{PAGE}/enclosed.js": r"INK = (\d+);",
}
FIRST_PAGES = {DOCUMENT: r"`env\.memory`, (\d+) pages", f"{PAGE}/wasm.js": r"FIRST_PAGES = (\d+);"}
VERSIONS = {DOCUMENT: r'"nurie-model", "version": (\d+)', DOWNLOAD: r"const VERSIONS = \[1, (\d+)\];"}


@pytest.mark.parametrize("name", FILL)
def test_filled_areas(name: str) -> None:
    pattern, more = FILL[name]
    [documented] = found_in(DOCUMENT, pattern)
    assert c_constants(*FILL_SOURCES)[name] == vars(reference_fill)[name] == more(documented)


@pytest.mark.parametrize("name", CLASSES)
def test_filled_classes(name: str) -> None:
    pattern, more = CLASSES[name]
    [documented] = found_in(DOCUMENT, pattern)
    assert c_constants("engine/classes.c")[name] == vars(reference_fill)[name] == more(documented)


def test_each_rule_of_filled_areas_has_a_function() -> None:
    documented = re.findall(r"^(\d)\. ", formats("Filled areas"), re.M)
    explained = re.findall(r'"""Rule (\d): ', text_of("src/nurie/engine/reference_fill.py"))
    assert sorted(explained) == documented == [str(i) for i in range(1, 10)]


@pytest.mark.parametrize("path", NOISE_SOURCES)
def test_noise(path: str) -> None:
    [formula] = re.findall(NOISE_SOURCES[path], text_of(path), re.S)
    numbers = [int(n, 0) for n in re.findall(r"\b(?:0x[\dA-F]{8}|\d{2,})(?=u?\b)", formula)]
    assert [n for n in numbers if n in NOISE] == NOISE


@pytest.mark.parametrize("sources", [INK_SOURCES, FIRST_PAGES, VERSIONS], ids=["ink", "pages", "version"])
def test_other_numbers(sources: dict[str, str]) -> None:
    stated = {path: found_in(path, pattern) for path, pattern in sources.items()}
    assert all(values == stated[DOCUMENT] for values in stated.values()), stated


def test_python_has_the_same() -> None:
    [ink] = found_in(DOCUMENT, INK_SOURCES[DOCUMENT])
    [version] = found_in(DOCUMENT, VERSIONS[DOCUMENT])
    [pages] = found_in(DOCUMENT, FIRST_PAGES[DOCUMENT])
    assert enclosed.INK == reference.INK == ink
    assert (1, version) == modelfile.VERSIONS
    assert found_in("hatch_build.py", r"--initial-memory=(\d+)") == [65536 * pages]


def test_brushes() -> None:
    widths = [int(a) for a, b in re.findall(r"(\d+)x(\d+)", formats("Enclosed places")) if a == b]
    sides = tuple((width - 1) // 2 for width in widths)
    number = r"(\d+), (\d+), (\d+)"
    assert enclosed.BRUSHES == reference.BRUSHES == sides
    assert tuple(found_in("engine/enclosed.c", rf"SIDE\[BRUSHES\] = \{{{number}\}}")) == sides
    assert tuple(found_in(f"{PAGE}/enclosed.js", rf"BRUSHES = \[{number}\]")) == sides
    assert c_constants("engine/enclosed.c")["BRUSHES"] == len(sides)


def test_how_far_the_page_lets_webgpu_be_off() -> None:
    stated = found_in(
        f"{PAGE}/backend.js", r"f32: \{ mean: ([\d.]+), most: (\d+) \}", r"f16: \{ mean: (\d+), most: (\d+) \}"
    )
    of_document = r"f32: within (\d+) levels of 255, ([\d.]+) on\s+average; f16: (\d+) and (\d+)"
    most, mean, most_half, mean_half = found_in(DOCUMENT, of_document)
    assert stated == [mean, most, mean_half, most_half]


def test_coded_weights() -> None:
    """Python's and the engine's are the same; the document has those that a reader needs."""
    numbers = c_constants("engine/coded.c", "engine/coded.h")
    ours = {name: value for name, value in vars(coded).items() if isinstance(value, int)}
    shared = ours.keys() & numbers.keys()
    assert len(shared) >= 8 and {name: numbers[name] for name in shared} == {name: ours[name] for name in shared}
    text = formats("Coded weights")
    assert all(f"{ours[name]:,}" in text for name in ("SLOTS", "LEAST", "MOST_CODES"))
    assert f"1 to {coded.MOST_TABLES} tables" in text and f"i mod {coded.LANES}" in text
    part = found_in(DOCUMENT, r"next bytes of the file, at most ([\d,]+) at a time")
    assert part == [numbers["MOST_PART"]] == [wasm.MOST_PART] == found_in(f"{PAGE}/weights.js", r"MOST_PART = (\d+);")
