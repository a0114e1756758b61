"""The documentation and the program say the same."""

import dataclasses
import re
from pathlib import Path

import pytest

from nurie import config

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [c for c in vars(config).values() if dataclasses.is_dataclass(c)]


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```", text, re.M | re.S)


def headings(text: str) -> list[int]:
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [len(match) for match in re.findall(r"^(#+) ", outside, re.M)]


def test_both_readmes_have_the_same_headings_and_code() -> None:
    english, japanese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md"))
    assert headings(english) == headings(japanese) != []
    assert code_blocks(english) == code_blocks(japanese) != []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_is_in_the_readme(command: type) -> None:
    assert f"nurie {command.__name__.lower()}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_in_the_readmes_map_exists() -> None:
    block = code_blocks((ROOT / "README.md").read_text(encoding="utf-8"))[-1]
    names = re.findall(r"^(\S+?)/?  ", block, re.M)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_links_and_pictures_of_the_readmes_exist() -> None:
    for name in ("README.md", "README.ja.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{name} points to {target}"


def test_the_log_stays_short() -> None:
    """Nobody reads a longer one: a finding that became part of a newer one makes room. The git history keeps all."""
    lines = (ROOT / "docs" / "LOG.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 400
    assert max(map(len, lines)) <= 220
