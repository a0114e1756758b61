"""What the packages promise, beside the import rules in pyproject.toml."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import nurie

SOURCES = Path(nurie.__file__).parent
MODULES = sorted(name for _, name, _ in pkgutil.walk_packages([str(SOURCES)], "nurie."))


@pytest.mark.parametrize("name", [name for name in MODULES if name != "nurie.__main__"])
def test_every_module_is_checked_against_its_annotations(name: str) -> None:
    """Those who only name some modules stop checking them when they move."""
    assert type(importlib.import_module(name).__loader__).__module__.startswith("jaxtyping")


def test_packages_load_nothing_by_themselves() -> None:
    files = [path for path in SOURCES.rglob("__init__.py") if path.parent != SOURCES]
    assert len(files) > 5
    assert [path for path in files if path.stat().st_size] == []


def test_there_are_few_files_on_top_and_none_is_long() -> None:
    assert len([path for path in SOURCES.iterdir() if path.is_file()]) <= 20
    sources = [path for pattern in ("*.py", "*.js") for path in SOURCES.rglob(pattern)]
    assert len(sources) > 60
    assert [path for path in sources if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []
