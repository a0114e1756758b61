"""Files that Nurie reads, damaged in every way: for each format valid content, mutations of it, and how it is read.

tests/test_mutations.py tries some of each; `python bench/damaged.py` tries 2,000, and measures time and memory.
"""

import copy
import json
import struct
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import TINY, circle_pair
from nurie.config import Prepare, Train
from nurie.drawings.sheets import to_png
from nurie.drawings.strokes import read_strokes
from nurie.engine.modelfile import MANIFEST, read_model, standing
from nurie.errors import NurieError
from nurie.export import named_labels, presets_of
from nurie.files import ours
from nurie.files.install import BEGUN, begun
from nurie.files.written import Written
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.pairs.classes import read_classes
from nurie.pairs.record import Record, read_record
from nurie.prepare import remember_options
from nurie.site.models import site_model
from nurie.site.sitefile import read_site
from nurie.size import Size
from nurie.training.options import metadata
from pages import write_model
from plans import small_unet

SIZE = 64
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
STROKES = {
    "title": {"en": "Line", "ja": "線"}, "size": 64, "seed": 3,
    "strokes": [{"width": 2, "points": [1, 2, 3.5, 4], "tool": "eraser", "pressures": [0.5, 1]},
                {"width": 1.5, "points": [5, 6], "colour": "#ff8800"}],
}  # fmt: skip
SITE = {"format": "nurie-site", "version": 1, "title": "Cats", "models": ["model/manifest.0123456789ab.json"],
    "files": ["site.json"],
}  # fmt: skip
MORE = {  # of a manifest
    "title": {"en": "Cats", "ja": "猫"}, "output": {"channels": 3, "range": [-1, 1], "meaning": "picture, RGB"},
    "input": {"width": 64, "height": 64, "channels": 3, "range": [-1, 1], "multiple": 32, "meaning": "drawing"},
    "norm": "fixed", "direction": "AtoB", "pencil": 2.0, "lines": 0.5, "hints": True, "styles": [[-0.001, -0.078, 1]],
    "mean_style": 0,
    "palette": ["#ffffff", "#000000", "#ff8800"],
    "labels": [{"colour": "#0030ff", "title": "wall"}, {"colour": "#0080ff"}],
    "generator": {"kind": "fast", "width": 8, "styles": True, "colours": 3, "parameters": 9, "macs": 8, "steps": 7},
    "presets": [{"title": "2", "seed": 0, "image": "a.png"}, {"title": {"en": "1"}, "strokes": STROKES["strokes"]}],
    "files": ["manifest.json"], "credits": ["Ours"],
    "parity": {"samples": 8, "mean_difference": 0.004, "max_difference": 0.09, "tolerance": 1},
}  # fmt: skip
FILES = {"format": "nurie-files", "version": 1, "files": ["a.png", "b/c.png"]}
CLASSES = "name,breed\ncat,Bengal\ndog,Boxer\n\nfox,Bengal,more\n"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3))
numbers = st.sampled_from([0, -1, 1, 2**31, 2**32 - 1, 2**53, 2**63, 10**30, 1e308, float("nan"), float("inf")])


def places(value: Any, path: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Path, container and key of every field and every item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        here = f"{path}.{key}" if isinstance(key, str) else f"{path}[{key}]"
        yield here, value, key
        yield from places(inner, here)


@st.composite
def changed_fields(draw: st.DrawFn, valid: Any) -> tuple[str, Any]:
    """A JSON value with one field dropped, replaced or nested; and that field's path."""
    content = copy.deepcopy(valid)
    path, container, key = draw(st.sampled_from(list(places(content))))
    change = draw(st.sampled_from(["drop", "replace", "number", "nest"]))
    if change == "drop":
        del container[key]
    elif change == "nest":
        container[key] = draw(st.sampled_from([[container[key]], {"inner": container[key]}]))
    else:
        container[key] = draw(values if change == "replace" else numbers)
    return path, content


@st.composite
def changed_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """A file with bytes replaced, inserted, cut out, repeated, or cut off."""
    data = valid
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        change = draw(st.sampled_from(["replace", "repeat", "end"]))
        middle = draw(st.binary(max_size=20)) if change == "replace" else data[start:end] * 2
        data = data[:start] if change == "end" else data[:start] + middle + data[end:]
    return data


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def json_of(valid: bytes) -> st.SearchStrategy[bytes]:
    return changed_bytes(valid) | changed_fields(json.loads(valid)).map(lambda changed: dumped(changed[1]))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@st.composite
def png_of(draw: st.DrawFn, valid: bytes, text: str | None = None) -> bytes:
    """A PNG with changed bytes, another header, or other JSON in its text chunk; the checksums are right."""
    change = draw(st.sampled_from(["bytes", "header", *(["text"] * 2 if text else [])]))
    if change == "bytes":
        return draw(changed_bytes(valid))
    if change == "text":
        _, content = draw(changed_fields(json.loads(text or "")))
        body = b"nurie\0" + dumped(content)
        return valid[:33] + chunk(b"tEXt", body) + valid[33:]
    sides = st.sampled_from([0, 1, SIZE, 5000, 20_000, 70_000, 2**31 - 1, 2**32 - 1])
    kind = draw(st.lists(st.integers(0, 17), min_size=5, max_size=5))  # bits, colours, compression, filter, interlace
    header = struct.pack(">II", draw(sides), draw(sides)) + bytes(kind)
    return valid[:8] + chunk(b"IHDR", header) + valid[33:]


@st.composite
def safetensors_of(draw: st.DrawFn, valid: bytes, checksums: bool) -> bytes:
    """A checkpoint with changed bytes, another header, other metadata, or other weights that are all of a kind."""
    length = struct.unpack("<Q", valid[:8])[0]
    header, body = json.loads(valid[8 : 8 + length]), valid[8 + length :]
    about = json.loads(header["__metadata__"]["nurie"])
    if not checksums:
        about.pop("checksums")
    changes = ["bytes", "length", "header", "metadata", "metadata text", "weights", "kind", "name"]
    change = draw(st.sampled_from(changes))
    if change == "bytes":
        return draw(changed_bytes(valid))
    if change == "metadata":
        _, about = draw(changed_fields(about))
    header["__metadata__"]["nurie"] = json.dumps(about)
    tensors = [name for name in header if name != "__metadata__"]
    name = draw(st.sampled_from(tensors))
    if change == "metadata text":
        header["__metadata__"]["nurie"] = draw(st.text(max_size=20) | st.just("[" * 100_000))
    if change == "header":
        _, header = draw(changed_fields(header))
    if change == "kind":
        kinds = ["F16", "BF16", "F64", "I32", "U8", "BOOL", "F8_E4M3", "C64", "?"]
        header[name]["dtype"] = draw(st.sampled_from(kinds))
    if change == "name":
        header[draw(st.sampled_from(["", "ema", "ema/", "x", "ema/x", "a/b/c"]))] = header.pop(name)
    if change == "weights":
        start, end = header[name]["data_offsets"]
        filling = draw(st.sampled_from([b"\xff", b"\x00", b"\x7f"]))
        body = body[:start] + filling * (end - start) + body[end:]
    text = json.dumps(header).encode()
    size = draw(st.sampled_from([0, 1, 2**32, 2**63, 2**64 - 1])) if change == "length" else len(text)
    return struct.pack("<Q", size) + text + body


@dataclass
class Format:
    """A file, its mutations, and how it is read. What came of them is counted."""

    name: str
    file: Path
    valid: bytes
    mutations: Callable[[bytes], st.SearchStrategy[bytes]]
    read: Callable[[], object]
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0  # seconds

    def refusal(self, data: bytes) -> str:
        """What is said of this content; nothing where it is read. Any other error is a test's failure."""
        self.file.write_bytes(data)
        try:
            self.read()
        except NurieError as error:
            return str(error) or "nothing said"
        return ""

    def try_all(self, cases: int) -> None:
        """Read so many mutations."""

        @settings(max_examples=cases, deadline=None, database=None, suppress_health_check=SLOW)
        @given(self.mutations(self.valid))
        def try_one(data: bytes) -> None:
            start = time.perf_counter()
            sentence = self.refusal(data)
            self.slowest = max(self.slowest, time.perf_counter() - start)
            assert "\n" not in sentence and len(sentence) < 2000, sentence
            self.counts["refused" if sentence else "read"] += 1

        try_one()


def made_up(home: Path) -> dict[str, Format]:
    """Each format by its name, on valid files in a folder. `read` of a format raises NurieError or succeeds."""
    model = write_model(home / "model", SIZE, *small_unet(), **MORE)
    (model / "a.png").write_bytes(to_png(circle_pair(1)[:, :SIZE]))
    manifest = (model / MANIFEST).read_bytes()
    run = checkpoint_of(home / "run")
    drawing, record, prepared = circle_pair(2)[:, :SIZE], home / "pair.png", home / "prepared"
    for folder in ("prepared", "pictures", "drawings", "listed", "begun"):
        (home / folder).mkdir()
    options = Prepare(home / "photos", prepared)
    remember_options(options)
    text = Record("2020/a.jpg", "0123abcd", "0" * 32).text()

    def publish() -> object:
        read_model(model)
        return standing(model), site_model("cats", model)

    best, labels, classes = run / ours.BEST, home / "labels.txt", home / "classes.csv"
    list_file, saved = home / "listed" / ours.LIST, prepared / ours.PREPARED
    listing = FILES | {"by": "predict", "of": {"a.png": "b"}}
    formats = [
        Format("checkpoint", best, best.read_bytes(), partial(safetensors_of, checksums=True),
               lambda: checkpoint.load_generator(run)),
        Format("checkpoint without checksums", best, best.read_bytes(), partial(safetensors_of, checksums=False),
               lambda: checkpoint.load_generator(run)),
        Format("manifest", model / MANIFEST, manifest, json_of, publish),
        Format("strokes", home / "line.json", dumped(STROKES), json_of,
               lambda: read_strokes(home / "line.json", Size(SIZE, SIZE))),
        Format("site", home / ours.SITE, dumped(SITE), json_of, lambda: read_site(home)),
        Format("preset picture", home / "pictures/a.png", to_png(drawing), png_of,
               lambda: presets_of(home / "pictures", [drawing])),
        Format("preset strokes", home / "drawings/a.json", dumped(STROKES), json_of,
               lambda: presets_of(home / "drawings", [drawing])),
        Format("classes", classes, CLASSES.encode(), changed_bytes, lambda: read_classes(classes)),
        Format("labels", labels, b"wall=#0030ff door=#ff0000 sky=#00ffff", changed_bytes,
               lambda: named_labels(labels.read_text(errors="surrogateescape").split(" "))),
        Format("prepare.json", saved, saved.read_bytes(), json_of, lambda: remember_options(options)),
        Format("pair record", record, to_png(drawing, text), partial(png_of, text=text["nurie"]),
               lambda: read_record(record)),
        Format("list of results", list_file, dumped(listing), json_of,
               lambda: Written(home / "listed", "predict").may_write("a.png", "b")),
        Format("list of what was begun", home / "begun" / BEGUN, dumped(FILES), json_of, lambda: begun(home / "begun")),
    ]  # fmt: skip
    return {each.name: each for each in formats}


def checkpoint_of(run: Path) -> Path:
    """A run of an untrained net."""
    run.mkdir()
    config = Train(run / "pairs", run, **TINY)
    about = metadata(config, 3) | {"styles": [[0.0, 0.1, -0.5]], "best": 0.1, "credits": ["Ours"], "draws": 2}
    about["generator"]["width"] = 4
    net = build_generator(**about["generator"])
    checkpoint.save(run / ours.BEST, {"ema": net.state_dict()}, about)
    return run
