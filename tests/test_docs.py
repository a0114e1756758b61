"""The documentation and the program say the same, and the two READMEs do."""

import dataclasses
import re
import tomllib
from collections import Counter
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import pytest

from nurie import config, limits
from nurie.size import Size

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    c
    for c in vars(config).values()
    if isinstance(c, type) and c.__module__ == config.__name__ and dataclasses.is_dataclass(c)
]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```", text, re.M | re.S)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def headings(text: str) -> list[int]:
    return [len(match) for match in re.findall(r"^(#+) ", without_code(text), re.M)]


def test_both_readmes_have_the_same_headings_and_code() -> None:
    english, japanese = read("README.md"), read("README.ja.md")
    assert headings(english) == headings(japanese) != []
    assert code_blocks(english) == code_blocks(japanese) != []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_is_in_the_readme(command: type) -> None:
    assert f"nurie {command.__name__.lower()}" in read("README.md")


def test_every_file_in_the_readmes_map_exists() -> None:
    block = code_blocks(read("README.md"))[-1]
    names = re.findall(r"^(\S+?)/?  ", block, re.M)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_log_stays_short() -> None:
    """Nobody reads a longer one: a finding that became part of a newer one makes room. The git history keeps all."""
    lines = read("docs/LOG.md").splitlines()
    assert len(lines) <= 400
    assert max(map(len, lines)) <= 220


# The numbers of both READMEs

NUMBER = re.compile(r"(?<![A-Za-z\d.])(\d+(?:,\d{3})*(?:\.\d+)?)( ?M\b| ?万)?")
UNITS = {"": 1, "M": 10**6, "万": 10**4}


def numbers(text: str) -> Counter[Decimal]:
    """1.57 M and 157 万 are the same. Numbers in names (unet256), code and addresses are none."""
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)", " ", text)
    return Counter(Decimal(n.replace(",", "")) * UNITS[unit.strip()] for n, unit in NUMBER.findall(prose))


def parts(text: str) -> list[tuple[str, str]]:
    """Rows of tables one by one, and of each section all that is no table: where it is, and its text."""
    found = []
    for section in re.split(r"^(?=#+ )", without_code(text), flags=re.M)[1:]:
        heading, rest = section.split("\n", 1)
        rows = [line for line in rest.splitlines() if line.startswith("|")]
        prose = [line for line in rest.splitlines() if not line.startswith("|")]
        found += [(f"{heading}, {row.split('|')[1].strip()}", row) for row in rows] + [(heading, "\n".join(prose))]
    return found


def differences(english: str, japanese: str) -> list[str]:
    """What numbers one README has and the other lacks, in the words of the English one."""
    found = []
    for (name, ours), (_, theirs) in zip_longest(parts(english), parts(japanese), fillvalue=("no such part", "")):
        for side, missing in (
            ("README.ja.md", numbers(ours) - numbers(theirs)),
            ("README.md", numbers(theirs) - numbers(ours)),
        ):
            if missing:
                listed = ", ".join(f"{n.normalize():f}" for n in sorted(missing.elements()))
                found.append(f"{name}: {side} lacks {listed}")
    return found


def test_both_readmes_have_the_same_numbers() -> None:
    assert differences(read("README.md"), read("README.ja.md")) == []
    assert sum(sum(numbers(text).values()) for _, text in parts(read("README.md"))) > 60


def test_a_number_that_changes_in_one_readme_is_named() -> None:
    english, japanese = read("README.md"), read("README.ja.md")
    counted = numbers(without_code(japanese))
    places = [m for m in NUMBER.finditer(japanese) if counted != numbers(without_code(changed(japanese, m)))]
    unseen = [m.group() for m in places if not differences(english, changed(japanese, m))]
    assert len(places) > 60
    assert unseen == []


def changed(text: str, number: re.Match[str]) -> str:
    return f"{text[: number.start(1)]}98765{text[number.end(1) :]}"


@pytest.mark.parametrize(
    ("english", "japanese", "expected"),
    [
        ("1.57 M at 256x256", "256x256 で 157 万", []),
        ("of the 0-1 range, 0.070", "0〜1 の範囲で 0.070", []),
        ("26 to 29", "26 から 28", ["## A: README.ja.md lacks 29", "## A: README.md lacks 28"]),
        ("| a | 1 |\n| b | 2 |", "| a | 2 |\n| b | 1 |", [
            "## A, a: README.ja.md lacks 1", "## A, a: README.md lacks 2",
            "## A, b: README.ja.md lacks 2", "## A, b: README.md lacks 1",
        ]),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_row_and_section(english: str, japanese: str, expected: list[str]) -> None:
    assert differences(f"## A\n{english}\n", f"## A\n{japanese}\n") == expected


# docs/training.md


def options_told(text: str) -> list[tuple[str, str]]:
    """Every option in a table, with its default: the cell behind it."""
    return re.findall(r"\| `--([a-z0-9-]+)` \| ([^|]*) \|", text)


def test_every_option_of_training_is_told_with_its_default() -> None:
    fields = dataclasses.fields(config.Train)
    defaults = {f.name.replace("_", "-"): f.default for f in fields if f.default is not dataclasses.MISSING}
    told = options_told(read("docs/training.md"))
    names = Counter(name for name, _ in told)
    assert (Counter(defaults.keys()) - names, names - Counter(defaults.keys())) == ({}, {})  # untold; unknown or twice
    wrong = {name: (text, defaults[name]) for name, text in told if value(text, defaults[name]) != defaults[name]}
    assert wrong == {}


def test_every_loss_is_in_the_table_of_losses() -> None:
    section = read("docs/training.md").split("## Losses")[1].split("## ")[0]
    weights = {name.replace("_", "-") for name in limits.notes(config.Train, config.LossWeight)}
    assert {name for name, _ in options_told(section)} == weights


def value(text: str, like: object) -> object:
    """A cell as a default of the same kind."""
    if isinstance(like, Size):
        return Size.parse(text)
    if isinstance(like, bool) or like is None:
        return {"on": True, "off": False, "none": None}.get(text, text)
    if like == ():
        return like if text == "none" else text
    return type(like)(text) if isinstance(like, int | float) else text


# Links


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.*)$", without_code(page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@EACH_PAGE
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if "://" not in target and not (file.exists() and (not anchor or anchor in anchors(file))):
            lost.append(target)
    assert lost == []


def test_every_picture_of_the_docs_is_shown() -> None:
    shown = {(page.parent / target).resolve() for page in PAGES for target in re.findall(
        r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))}  # fmt: skip
    pictures = [path for path in (ROOT / "docs").iterdir() if path.suffix in (".png", ".webp")]
    assert len(pictures) > 5
    assert [path.name for path in pictures if path.resolve() not in shown] == []


# CONTRIBUTING.md


def test_contributors_see_the_layers_that_are_checked() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    picture = next(block for block in code_blocks(read("CONTRIBUTING.md")) if "config | saved" in block)
    assert [line.split("#")[0].strip() for line in picture.splitlines()[1:-1]] == layers[1:]  # but for __main__


# Paths

FOLDERS = ("bench", "docs", "engine", "examples", "src", "tests")
NOT_OURS = {"Node.js", "LiteRT.js"}
PATH = re.compile(
    r"(?<![\w./-])((?:bench|docs|engine|examples|page|src|tests)/[\w./*-]*\w|[\w-]+\.(?:py|js|sh|css|[ch]))\b"
)


def paths(text: str) -> set[str]:
    """What a text names of this repository: paths, also below src/nurie, and names of source files."""
    return set(PATH.findall(text)) - NOT_OURS


@EACH_PAGE
def test_every_path_that_is_named_exists(page: Path) -> None:
    files = {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")} | {
        p.name for p in ROOT.iterdir()
    }
    named = paths(page.read_text(encoding="utf-8"))
    found = {path for path in named if any(any(root.glob(path)) for root in (ROOT, ROOT / "src" / "nurie"))}
    assert sorted(named - found - files) == []


def test_contributors_are_told_where_changes_go() -> None:
    assert len(paths(read("CONTRIBUTING.md"))) > 20


def test_every_package_is_on_the_map() -> None:
    folders = [path.name for path in (ROOT / "src" / "nurie").iterdir() if path.is_dir() and path.name[0] != "_"]
    lines = re.findall(r"^src/nurie/(\w+)/ ", code_blocks(read("README.md"))[-1], re.M)
    assert sorted(lines) == sorted(folders)
