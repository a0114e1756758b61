"""Manifests, drawings and sites' lists that are not what they must be: a sentence that names the field, or success."""

import copy
import gzip
import json
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import square
from mutations import MORE, SITE, STROKES, changed_fields, places
from nurie.drawings.strokes import read_strokes
from nurie.engine.modelfile import MANIFEST, read_model, unzipped
from nurie.errors import NurieError
from nurie.files import ours
from nurie.site.sitefile import read_site
from pages import write_model
from plans import small_unet

ROOT = Path(__file__).parents[1]
EACH_FORMAT = pytest.mark.parametrize("name", ["manifest", "strokes", "site"])


@dataclass(frozen=True)
class Format:
    """A file, how its folder is read, and valid content."""

    read: Callable[[], object]
    file: Path
    valid: dict[str, Any]

    def refusal(self, content: object) -> str:
        """What is said of this content; nothing where it is read."""
        return self.refusal_of(json.dumps(content).encode())

    def refusal_of(self, data: bytes) -> str:
        self.file.write_bytes(data)
        try:
            self.read()
        except NurieError as error:
            return str(error)
        finally:
            self.file.write_text(json.dumps(self.valid))
        return ""


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Format]:
    folder = tmp_path_factory.mktemp("formats")
    model = write_model(folder / "model", 64, *small_unet(), **MORE)
    line, manifest = folder / "line.json", model / MANIFEST
    return {
        "manifest": Format(lambda: read_model(model), manifest, json.loads(manifest.read_text())),
        "strokes": Format(lambda: read_strokes(line, square(64)), line, STROKES),
        "site": Format(lambda: read_site(folder), folder / ours.SITE, SITE),
    }


def field_of(value: Any, path: str) -> tuple[Any, Any]:
    return next((container, key) for place, container, key in places(value) if place == path)


def named(path: str, sentence: str) -> bool:
    """Whether a sentence names a field, one that it lies in, or one in it; of the plan, the operation or tensor."""
    paths = [name.replace("[...]", "") for name in re.findall(r"`(\$[.\[].*?)`", sentence)]  # [...]: any language
    if any(path.startswith(name) or name.startswith(path) for name in paths):
        return True
    parts = {
        "$.format": "has a format that this version", "$.version": "has a format that this version",
        "$.weights.sha256": "its checksum differs", "$.tensors": "ensor", "$.ops": "peration", "$.input": "picture of",
    }  # fmt: skip
    return any(path.startswith(part) and words in sentence for part, words in parts.items())


@EACH_FORMAT
def test_what_the_other_tests_change_is_valid_and_may_have_fields_of_a_newer_nurie(
    formats: dict[str, Format], name: str
) -> None:
    assert formats[name].refusal(formats[name].valid | {"newer": {"fields": [None, 1.5]}}) == ""


@EACH_FORMAT
def test_a_byte_order_mark_is_no_fault(formats: dict[str, Format], name: str) -> None:
    content = json.dumps(formats[name].valid)
    assert formats[name].refusal_of(content.encode("utf-8-sig")) == ""
    assert "JSON is malformed" in formats[name].refusal_of(content.encode("utf-16"))


@EACH_FORMAT
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_field_is_read_or_refused_with_its_path(
    formats: dict[str, Format], name: str, data: st.DataObject
) -> None:
    path, content = data.draw(changed_fields(formats[name].valid))
    sentence = formats[name].refusal(content)
    assert not sentence or named(path, sentence) or "JSON is malformed" in sentence, sentence
    if "JSON is malformed" in sentence:
        assert re.search(r"NaN|Infinity|\\ud", json.dumps(content))


def limits() -> Iterator[tuple[str, str, str, str]]:
    """Field, what of it, least and most, of each row of the table in docs/formats.md."""
    table = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").split("| field | of it |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        fields, what, least, most = (cell.strip().replace(",", "") for cell in row.strip("|").split(" | "))
        for field in re.findall("`(.*?)`", fields):
            yield field, what, least, most


@pytest.mark.parametrize(("field", "what", "least", "most"), list(limits()))
def test_the_limits_are_those_of_the_documentation(
    formats: dict[str, Format], field: str, what: str, least: str, most: str
) -> None:
    name = "site" if field == "models" else "strokes" if field.startswith(("strokes", "size")) else "manifest"
    path = f"$.{field}".replace("[]", "[0]")

    def refusal(amount: float) -> str:
        content = copy.deepcopy(formats[name].valid)
        container, key = field_of(content, path)
        if what.startswith("items"):
            container[key] = [container[key][0]] * int(amount)
        else:
            container[key] = "x" * int(amount) if what == "characters" else amount
        return formats[name].refusal(content)

    assert f"`{path}`: " not in refusal(int(most)) and f"`{path}`: " in refusal(int(most) + 1)
    if least.startswith("above"):
        assert f"`{path}`: " not in refusal(1e-6) and f"`{path}`: " in refusal(int(least.split()[1]))
    else:
        assert f"`{path}`: " not in refusal(int(least))
        assert (least == "0" and what in ("items", "characters")) or f"`{path}`: " in refusal(int(least) - 1)


WRONG = [  # format, field, value, what is said of it
    ("manifest", "$.weights.raw_bytes", "many", "expected `int`, got `str`"),
    ("manifest", "$.weights.raw_bytes", 3, "holds more than 3 bytes of weights"),
    ("manifest", "$.weights.file", "../m/weights.bin.gz", "which is not in"),
    ("manifest", "$.weights.file", "/etc/passwd", "which is not in"),
    ("manifest", "$.weights.file", "..", "which is not in"),
    ("manifest", "$.weights.file", "a\0b", "which is not in"),
    ("manifest", "$.weights.encoding", "zstd", "(gzip|rans)"),
    ("manifest", "$.norm", "instance", "(fixed|picture)"),
    ("manifest", "$.direction", "BtoC", "(AtoB|BtoA)"),
    ("manifest", "$.labels[1].colour", "#0030FF", "#[0-9a-f]"),
    ("manifest", "$.labels[1].colour", "#0030ff\n", "#[0-9a-f]"),
    ("manifest", "$.title.en", {}, "expected `str`, got `object`"),
    ("manifest", "$.presets[0]", {"title": "none"}, "either strokes or an image"),
    ("manifest", "$.presets[0].image", "", "length >= 1"),
    ("manifest", "$.pencil", float("nan"), "expected `float` > 0"),
    ("manifest", "$.ops[1].kernel", 2.5, "kernel must be an integer"),
    ("manifest", "$.tensors[0]", -3, "has -3 channels"),
    ("strokes", "$.strokes[0].width", float("nan"), "expected `float` > 0"),
    ("strokes", "$.strokes[0].width", float("inf"), "expected `float` <= 4096"),
    ("strokes", "$.strokes[0].width", -1, "expected `float` > 0"),
    ("strokes", "$.strokes[0].width", 10**400, "number out of range"),
    ("strokes", "$.strokes[1].points[0]", float("-inf"), "expected `float` >= -65536"),
    ("strokes", "$.strokes[1].points", [1, 2, 3], "expected x, y pairs as points, got 3 numbers"),
    ("strokes", "$.strokes[0].pressures", [1.0], "expected a pressure for each of 2 points, got 1"),
    ("strokes", "$.strokes[0].pressures", [1.5, 1], "expected `float` <= 1"),
    ("strokes", "$.strokes[0].tool", "brush", "expected `str` matching regex"),
    ("strokes", "$.size", 1.5, "`$.strokes[0].points[3]`: expected `float`"),
    ("site", "$.files[0]", "a/../../b", "matching regex"),
    ("manifest", "$.files[0]", "/etc/passwd", "matching regex"),
    ("site", "$.models[0]", "model/../../manifest.0123456789ab.json", "model/manifest"),
    ("site", "$.models[0]", "https://example.org/manifest.0123456789ab.json", "model/manifest"),
]


@pytest.mark.parametrize(("name", "field", "value", "words"), WRONG)
def test_wrong_fields_are_named(formats: dict[str, Format], name: str, field: str, value: object, words: str) -> None:
    content = copy.deepcopy(formats[name].valid)
    if name == "strokes" and field == "$.size":
        content["strokes"][0]["points"][3] = 9999
    container, key = field_of(content, field)
    container[key] = value
    sentence = formats[name].refusal(content)
    assert words in sentence and named(field if field != "$.size" else "$.strokes", sentence), sentence
    assert str(formats[name].file) in sentence or "weights.bin.gz" in sentence


@EACH_FORMAT
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "truncated"),
        (b"\x89PNG\r\n", "malformed"),
        (b"[1]", "`$`: expected `object`, got `array`"),
        (b"\xff\xfe{\x00}\x00", "malformed"),
        (b"[" + b"1," * (8 << 20) + b"1]", "larger than 16 MiB"),
    ],
    ids=["empty", "binary", "array", "utf-16", "large"],
)
def test_what_is_no_such_file_at_all_is_a_sentence(
    formats: dict[str, Format], name: str, data: bytes, words: str
) -> None:
    sentence = formats[name].refusal_of(data)
    assert sentence.startswith(str(formats[name].file)) and words in sentence


@EACH_FORMAT
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "malformed"),
        ('"\\ud800\\u0020"', "malformed"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("1" + "0" * 5000, "out of range"),
    ],
    ids=["nan", "half a character", "deep", "long number"],
)
def test_what_no_reader_takes_is_refused_in_unknown_fields_too(
    formats: dict[str, Format], name: str, text: str, words: str
) -> None:
    content = json.dumps(formats[name].valid).removesuffix("}") + f', "newer": {text}}}'
    sentence = formats[name].refusal_of(content.encode())
    assert sentence.startswith(str(formats[name].file)) and words in sentence


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("folder.json", "pipe.json", "nothing.json"):
        with pytest.raises(NurieError, match=rf"There is no file .*{name}"):
            read_strokes(tmp_path / name, square(64))


def test_of_weights_no_more_is_unzipped_than_the_manifest_says(tmp_path: Path) -> None:
    """A gigabyte of zeros: 1 MB zipped."""
    with gzip.open(tmp_path / "bomb.gz", "wb", 1) as file:
        for _ in range(64):
            file.write(bytes(16 << 20))
    tracemalloc.start()
    with pytest.raises(NurieError, match=r"holds more than 1000 bytes of weights, but the manifest says 1000"):
        unzipped(tmp_path / "bomb.gz", 1000)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
