"""The documentation of old checkpoints."""

from pathlib import Path

from nurie.importers.registry import CONTAINERS, table

ROOT = Path(__file__).parents[1]
SHORT = ("system", "what is read", "compared with")


def test_the_docs_have_the_table_of_the_program() -> None:
    """A new one: python -c "from nurie.importers.registry import table; print(table())" """
    lines = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8").splitlines()
    assert "\n".join(line for line in lines if line.startswith("|")) == table()
    for name in ("README.md", "README.ja.md"):
        assert table(SHORT) in (ROOT / name).read_text(encoding="utf-8")


def test_no_container_takes_what_is_none(tmp_path: Path) -> None:
    for size in (0, 1, 4, 100):
        (tmp_path / f"{size}").write_bytes(b"\xff" * size)
    (tmp_path / "folder").mkdir()
    places = [*tmp_path.iterdir(), tmp_path / "absent", tmp_path / "absent" / "absent"]
    assert [(place.name, each.name) for place in places for each in CONTAINERS if each.sniff(place)] == []
