"""Reads what docs/formats.md states of the plan and the engine, and what sources state of the same, from their text."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = "src/nurie/page/engine"


def text_of(*paths: str) -> str:
    return "\n".join((ROOT / path).read_text(encoding="utf-8") for path in paths)


def formats(heading: str) -> str:
    """A section of docs/formats.md, without those below it."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text_of("docs/formats.md"), re.M | re.S)
    assert found, f"docs/formats.md has no section {heading!r}"
    return found[1]


def table(section: str, first: str) -> dict[str, list[str]]:
    """The rows of the table whose first column is called so, by their first cell."""
    found = re.search(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", formats(section), re.M)
    assert found, f"docs/formats.md has no table {first!r} in {section!r}"
    rows = [[cell.strip() for cell in row[1:-1].split("|")] for row in found[1].splitlines()]
    return {name.strip("`"): cells for name, *cells in rows}


def found_in(path: str, *patterns: str) -> list[float]:
    """The numbers that patterns capture in a file, each pattern once."""
    text, numbers = text_of(path), []
    for pattern in patterns:
        found = re.findall(pattern, text)
        assert len(found) == 1, f"{path} has {len(found)} places like {pattern!r}"
        numbers += [found[0]] if isinstance(found[0], str) else found[0]
    return [number(value) for value in numbers]


def numbered(cell: str) -> dict[str, int]:
    """Of "`input` 0, `conv` 1"."""
    return {name: int(number) for name, number in re.findall(r"`(\w+)` (\d+)", cell)}


def number(text: str) -> float:
    plain = text.replace(",", "")
    return float(plain) if "." in plain else int(plain, 0)


def c_enums(*paths: str) -> list[dict[str, int]]:
    """The enumerations of C files."""
    code = re.sub(r"//.*", "", text_of(*paths))
    found = []
    for body in re.findall(r"\benum \{(.*?)\}", code, re.S):
        values, following = {}, 0
        for name, value in re.findall(r"(\w+)(?: = ([-\w]+))?(?:,|\s*$)", body):
            following = values[name] = int(value, 0) if value else following
            following += 1
        found.append(values)
    return found


def c_constants(*paths: str) -> dict[str, int]:
    return {name: value for values in c_enums(*paths) for name, value in values.items()}


def c_enum_with(path: str, name: str) -> dict[str, int]:
    return next((values for values in c_enums(path) if name in values), {})


def c_struct(path: str, name: str) -> list[str]:
    """The members of a struct, in order."""
    bodies = re.findall(r"typedef struct \{([^}]*)\} (\w+);", re.sub(r"//.*", "", text_of(path)))
    [body] = [body for body, called in bodies if called == name]
    return re.findall(r"(\w+)(?=[,;])", body)


def js_literal(path: str, name: str) -> str:
    """The text between the brackets of an array or object of a JavaScript file."""
    found = re.search(rf"\bconst {name} = [\[{{](.*?)[\]}}];", text_of(f"{PAGE}/{path}"), re.S)
    assert found, f"{path} has no {name}"
    return found[1]


def js_strings(path: str, name: str) -> list[str]:
    return re.findall(r'"([^"]*)"', js_literal(path, name))


def js_numbers(path: str, name: str) -> dict[str, float]:
    return {key: number(value) for key, value in re.findall(r"(\w+): (-?[\d.]+)", js_literal(path, name))}


def js_keys(path: str, name: str) -> list[str]:
    """Of an object whose values hold no braces."""
    return re.findall(r"(?:^|,)\s*\[?(-?\w+)\]?(?=:|,|\s*$)", re.sub(r'"[^"]*"', "", js_literal(path, name)))


def js_constant(path: str, name: str) -> int:
    found = re.search(rf"\bconst {name} = \[?(\w+)", text_of(f"{PAGE}/{path}"))
    assert found, f"{path} has no {name}"
    return int(found[1], 0)


def js_fields_read(*paths: str) -> set[str]:
    """What is read of an object called `op`, also by taking it apart."""
    code = text_of(*(f"{PAGE}/{path}" for path in paths))
    taken = re.findall(r"\{([^{}]*)\}(?= = op\b)", code)
    return {*re.findall(r"\bop\.(\w+)", code), *re.findall(r"\w+", " ".join(taken))}


def python_fields_read(path: str) -> set[str]:
    """What is read of an object called `op`."""
    nodes = [node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "op"}
