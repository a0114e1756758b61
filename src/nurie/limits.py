"""What the value of an option may be: notes in its type."""

from typing import Any, TypeVar, get_type_hints

from nurie.errors import NurieError, flag
from nurie.size import Size

Note = TypeVar("Note")


def notes(command: type, kind: type[Note]) -> dict[str, Note]:
    """The options of a command whose types carry a note of this kind, one of the classes below; with these notes."""
    types = get_type_hints(command, include_extras=True)
    found = ((name, note) for name, kept in types.items() for note in getattr(kept, "__metadata__", ()))
    return {name: note for name, note in found if isinstance(note, kind)}


def check_values(options: Any) -> None:
    """Raises NurieError, before a command does anything, where the value of an option is beyond its type's limits."""
    for name, limit in notes(type(options), Limit).items():
        value = getattr(options, name)
        for one in value if isinstance(value, tuple) else () if value is None else (value,):
            if fault := limit.fault(one):
                raise NurieError(f"{flag(name)} {fault}.")


class Limit:
    """What an option can be."""

    def fault(self, value: Any) -> str:
        """What is wrong with a value, or nothing."""
        raise NotImplementedError


class Range(Limit):
    """A number from `least` to `most`, both included."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most

    def fault(self, value: float) -> str:
        if self.least <= value <= self.most:
            return ""  # and neither infinite nor NaN
        return f"must be from {self.least} to {self.most}, but it is {value}"


class Sides(Limit):
    """A size whose sides are from `least` to `most` pixels, both included."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def fault(self, value: Size) -> str:
        if all(self.least <= side <= self.most for side in (value.width, value.height)):
            return ""
        return f"must be from {self.least} to {self.most}, but it is {value}"


class Length(Limit):
    """A text of at most so many characters, which has a UTF-8 form."""

    def __init__(self, most: int) -> None:
        self.most = most

    def fault(self, value: str) -> str:
        if len(value) > self.most:
            return f"must have at most {self.most} characters, but it has {len(value)}"
        return "must be text in UTF-8" if any("\ud800" <= character <= "\udfff" for character in value) else ""
