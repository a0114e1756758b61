"""Options as results keep them, and what finds those that are not as before."""

import dataclasses
from pathlib import Path
from typing import Any

from nurie.size import Size


def saved_options(options: Any) -> dict[str, Any]:
    """A command's options by name, as JSON can hold them."""
    return {field.name: plain(getattr(options, field.name)) for field in dataclasses.fields(options)}


def plain(value: Any) -> Any:
    if isinstance(value, Size):
        return value.saved
    return str(value) if isinstance(value, Path) else value


def changed_options(config: Any, now: dict[str, Any], saved: dict[str, Any], free: set[str]) -> str:
    """What differs between two results' options but for `free` ones: "size was 32, now 64; ...", or nothing.

    Those that an older Nurie did not save had the defaults of `config`, a dataclass.
    """
    saved = {field.name: plain(field.default) for field in dataclasses.fields(config)} | saved
    return "; ".join(f"{k} was {saved[k]}, now {now[k]}" for k in now if k not in free and now[k] != saved[k])
