"""The documentation of old checkpoints."""

from pathlib import Path

from nurie.importers.registry import CONTAINERS, table

PAGE = Path(__file__).parents[1] / "docs" / "importing.md"


def test_the_page_has_the_table_of_the_program() -> None:
    """A new one: python -c "from nurie.importers.registry import CONTAINERS, table; print(table())" """
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert "\n".join(line for line in lines if line.startswith("|")) == table()


def test_no_container_takes_what_is_none(tmp_path: Path) -> None:
    for size in (0, 1, 4, 100):
        (tmp_path / f"{size}").write_bytes(b"\xff" * size)
    (tmp_path / "folder").mkdir()
    places = [*tmp_path.iterdir(), tmp_path / "absent", tmp_path / "absent" / "absent"]
    assert [(place.name, each.name) for place in places for each in CONTAINERS if each.sniff(place)] == []
