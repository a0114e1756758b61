"""Operations, fields, limits and errors of the engine are those of the tables in docs/formats.md, in all sources.

What a source has is a set of texts, so that a failure names what is missing in it, or only there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields

import pytest
import wasmtime

from nurie.engine import plan, reference, wasm
from nurie.engine.plan import Op
from sources import (
    PAGE,
    c_constants,
    c_enum_with,
    c_struct,
    formats,
    js_constant,
    js_fields_read,
    js_keys,
    js_literal,
    js_numbers,
    js_strings,
    number,
    numbered,
    python_fields_read,
    table,
    text_of,
)

PLAN, ENGINE = "The plan: `tensors` and `ops`", "The engine"
HEADER = "engine/engine.h"
FIELDS = table(PLAN, "field")
OPERATIONS = numbered(FIELDS["op"][1])
ACTIVATIONS = numbered(FIELDS["activation"][1])
STATISTICS = numbered(FIELDS["statistics"][1])
MODES = numbered(FIELDS["mode"][1])
LIMITS = {name: number(cells[0]) for name, cells in table(PLAN, "limit").items()}
ERRORS = {code: (name.strip("`"), text.partition(":")[0]) for code, (name, text) in table(ENGINE, "error").items()}
MESSAGES = {code: text for code, (_, text) in ERRORS.items()}
DEFAULTS = [f"{name} = {cells[0]}" for name, cells in FIELDS.items() if name != "op"]
OF_CONVOLUTIONS = [name for name in ACTIVATIONS if name != "fill"]


def named(values: Mapping) -> set[str]:
    return {f"{name} = {value}" for name, value in values.items()}


def in_order(names: Iterable[str]) -> set[str]:
    return {f"{index}: {name}" for index, name in enumerate(names)}


def lower(values: dict[str, int]) -> dict[str, int]:
    return {name.lower(): value for name, value in values.items()}


def limits(*names: str) -> set[str]:
    """Some of the document's; all without names."""
    return named({name: LIMITS[name] for name in names or LIMITS})


def max_of(values: Mapping) -> set[str]:
    return named({name: value for name, value in values.items() if name.startswith("MAX_")})


def python_defaults() -> list[str]:
    return [f"{field.name} = {field.default:g}" for field in fields(Op) if field.default is not MISSING]


def js_type() -> list[str]:
    [body] = re.findall(r"@typedef \{\{(op: string, [^}]*)\}\} Fields", text_of(f"{PAGE}/plan.js"))
    return re.findall(r"(\w+): (?:string|number)", body)


def js_defaults() -> list[str]:
    return [f"{name} = {value}" for name, value in js_numbers("plan.js", "FIELDS").items()]


def js_errors() -> dict[str, str]:
    return dict(re.findall(r'\[(-\d+)\]: "(.*)"', js_literal("errors.js", "MESSAGES")))


def reserved_pages() -> int:
    [found] = re.findall(r"--max-memory=(\d+)", text_of("hatch_build.py"))
    return int(found) // 65536


# What a source has, and what the document has.
SOURCES: dict[str, Callable[[], tuple[set[str], set[str]]]] = {
    "operations in formats.md's list": lambda: (
        set(re.findall(r"^- `(\w+)`: ", formats(PLAN), re.M)),
        set(OPERATIONS),
    ),
    "operations in engine.h": lambda: (named(lower(c_enum_with(HEADER, "CONV"))), named(OPERATIONS)),
    "operations in plan.py": lambda: (in_order(plan.OPS), in_order(OPERATIONS)),
    "operations in plan.js": lambda: (in_order(js_strings("plan.js", "OPS")), in_order(OPERATIONS)),
    "operations in reference.py": lambda: (set(reference.OPERATIONS), set(OPERATIONS)),
    "operations in wgsl.js and wgsl-imported.js": lambda: (
        {*js_keys("wgsl.js", "KERNELS"), *js_keys("wgsl-imported.js", "IMPORTED")},
        set(OPERATIONS),
    ),
    "activations in engine.h": lambda: (named(lower(c_enum_with(HEADER, "RELU"))), named(ACTIVATIONS)),
    "activations in plan.py": lambda: (in_order(plan.ACTIVATIONS), in_order(ACTIVATIONS)),
    "activations in plan.js": lambda: (in_order(js_strings("plan.js", "ACTIVATIONS")), in_order(ACTIVATIONS)),
    "activations in reference.py": lambda: (set(reference.ACTIVATED), set(OF_CONVOLUTIONS)),
    "activations in wgsl.js": lambda: (set(js_keys("wgsl.js", "ACTIVATED")), set(OF_CONVOLUTIONS)),
    "statistics in engine.h": lambda: (named(lower(c_enum_with(HEADER, "CHANNEL"))), named(STATISTICS)),
    "statistics in plan.py": lambda: (in_order(plan.STATISTICS), in_order(STATISTICS)),
    "statistics in plan.js": lambda: (in_order(js_strings("plan.js", "STATISTICS")), in_order(STATISTICS)),
    "modes in engine.h": lambda: (named(lower(c_enum_with(HEADER, "LAB"))), named(MODES)),
    "modes in plan.py": lambda: (in_order(plan.MODES), in_order(MODES)),
    "modes in plan.js": lambda: (in_order(js_strings("plan.js", "MODES")), in_order(MODES)),
    "fields in engine.h": lambda: (in_order(c_struct(HEADER, "Op")), in_order(FIELDS)),
    "fields in plan.py": lambda: (in_order(python_defaults()), in_order(DEFAULTS)),
    "fields in plan.js": lambda: (in_order(js_defaults()), in_order(DEFAULTS)),
    "fields in plan.js's type": lambda: (in_order(js_type()), in_order(FIELDS)),
    "fields read in reference.py": lambda: (
        python_fields_read("src/nurie/engine/reference.py") & FIELDS.keys(),
        set(FIELDS),
    ),
    "fields read in plan.js, webgpu.js, layout.js, wgsl.js and wgsl-imported.js": lambda: (
        js_fields_read("plan.js", "webgpu.js", "layout.js", "wgsl.js", "wgsl-imported.js") & FIELDS.keys(),
        set(FIELDS),
    ),
    "limits in engine.h": lambda: (max_of(c_constants(HEADER)), limits()),
    "limits in plan.py": lambda: (
        max_of(vars(plan)),
        limits("MAX_COUNT", "MAX_CHANNELS", "MAX_COMPUTED", "MAX_KERNEL", "MAX_SIDE", "MAX_LABELS", "MAX_COMPAND"),
    ),
    "limits in plan.js": lambda: (max_of({"MAX_SIDE": js_constant("plan.js", "MAX_SIDE")}), limits("MAX_SIDE")),
    "limits in wasm.js": lambda: (max_of({"MAX_PAGES": js_constant("wasm.js", "MOST_PAGES")}), limits("MAX_PAGES")),
    "limits in hatch_build.py": lambda: (max_of({"MAX_PAGES": reserved_pages()}), limits("MAX_PAGES")),
    "errors in engine.h": lambda: (
        named({code: name for name, code in c_enum_with(HEADER, "BAD_PLAN").items() if code}),
        named({code: name for code, (name, _) in ERRORS.items()}),
    ),
    "errors in wasm.py": lambda: (named(wasm.ERRORS), named(MESSAGES)),
    "errors in errors.js": lambda: (named(js_errors()), named(MESSAGES)),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_what_the_document_has(source: str) -> None:
    there, documented = SOURCES[source]()
    assert documented
    missing, alone = sorted(documented - there), sorted(there - documented)
    assert there == documented, f"{source}: missing from docs/formats.md's {missing}; only there {alone}"


def test_no_error_code_is_used_that_is_not_in_the_document() -> None:
    code = text_of(*(f"{PAGE}/{name}.js" for name in ("errors", "wasm", "webgpu", "worker")))
    used = {"-" + digit for digit in re.findall(r"(?:EngineError\(|THREAD_LOST = |BAD_CODE = )-(\d)", code)}
    assert used >= {"-1", "-3", "-4", "-5", "-6", "-7"}
    assert used <= ERRORS.keys()


def test_the_engine_exports_what_the_document_says() -> None:
    documented = set(re.findall(r"`(?:int|void) (\w+)\(.*?\)`", formats(ENGINE)))
    module = wasmtime.Module.from_file(wasm.compiled("nurie.wasm")[0], str(wasm.WASM_FOLDER / "nurie-threads.wasm"))
    exported = {export.name for export in module.exports} - {"__stack_pointer"}
    typed = set(re.findall(r"@property \{\(.*?\) => \w+\} (\w+)", text_of(f"{PAGE}/wasm.js")))
    assert documented == exported == typed
