"""The documentation of old checkpoints."""

from pathlib import Path

from nurie.importers.registry import table

PAGE = Path(__file__).parents[1] / "docs" / "importing.md"


def test_the_page_has_the_table_of_the_program() -> None:
    """A new one: python -c "from nurie.importers.registry import table; print(table())" """
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert "\n".join(line for line in lines if line.startswith("|")) == table()
