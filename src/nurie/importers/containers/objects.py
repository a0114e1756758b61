"""The objects of a TensorFlow 2 checkpoint: who owns a variable, under whatever name it is stored.

The entry is a TrackableObjectGraph of TensorFlow's trackable_object_graph.proto.
"""

from dataclasses import dataclass

from nurie.errors import NurieError
from nurie.importers.containers.wire import Message, messages, numbers, text

ENTRY = "_CHECKPOINTABLE_OBJECT_GRAPH"
ROOT = 0


@dataclass(frozen=True)
class Objects:
    """Of each object: its parts, numbers of objects by name; and the name of its array, or nothing."""

    parts: tuple[dict[str, int], ...]
    arrays: tuple[str, ...]

    def at(self, path: str, start: int = ROOT) -> int | None:
        """The object that a path of names, such as "generator/kernel", leads to."""
        for name in path.split("/"):
            if start not in range(len(self.parts)) or name not in self.parts[start]:
                return None
            start = self.parts[start][name]
        return start if start in range(len(self.parts)) else None

    def numbered(self, prefix: str, start: int) -> list[int]:
        """The parts of this name and a number, in order."""
        names = {name[len(prefix) :]: part for name, part in self.parts[start].items() if name.startswith(prefix)}
        digits = [number for number in names if number.isdecimal() and len(number) < 9]
        return [names[number] for number in sorted(digits, key=int) if names[number] in range(len(self.parts))]

    def array(self, name: str, start: int) -> str:
        """The name of the array of a part, or nothing."""
        part = self.at(name, start)
        return "" if part is None else self.arrays[part]


def read_objects(stored: Message) -> Objects:
    """Raises NurieError."""
    nodes = messages(stored, 1)
    return Objects(tuple(parts_of(node) for node in nodes), tuple(array_of(node) for node in nodes))


def parts_of(node: Message) -> dict[str, int]:
    return {text(part, 2): numbers(part).get(1, 0) for part in messages(node, 1)}


def array_of(node: Message) -> str:
    stored = [text(value, 3) for value in messages(node, 2) if text(value, 1) == "VARIABLE_VALUE"]
    if len(stored) > 1:
        raise NurieError("a variable has two values")
    return stored[0] if stored else ""
