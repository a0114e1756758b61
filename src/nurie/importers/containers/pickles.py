"""Looks through the pickles of a PyTorch file before PyTorch reads it: what they name, and how much they ask for.

torch.load with weights_only runs nothing that is foreign, but allocates what a file asks for.
"""

import pickle
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, ClassVar

from nurie.errors import NurieError

SIZES = {  # bytes of a number
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
STORAGES = {
    **{f"torch.{place}{kind}Storage": size for kind, size in SIZES.items() for place in ("", "cuda.")},
    "torch.storage.UntypedStorage": 1,
}
HARMLESS = {
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    "torch.Size", "torch.device", "_codecs.encode",
    *(f"torch.{name}" for name in ("float16", "float32", "float64", "bfloat16", "int32", "int64", "bool")),
}  # fmt: skip
OPERATIONS = (  # those that torch.load with weights_only knows
    pickle.PROTO, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.NEWOBJ, pickle.REDUCE, pickle.BUILD, pickle.APPEND,
    pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3,
    pickle.NONE, pickle.NEWFALSE, pickle.NEWTRUE, pickle.EMPTY_TUPLE, pickle.EMPTY_LIST, pickle.EMPTY_DICT,
    pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.BINFLOAT, pickle.BINUNICODE, pickle.SHORT_BINSTRING,
    pickle.BINPERSID, pickle.BINGET, pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT, pickle.LONG1,
)  # fmt: skip


class Inert:
    """Stands for what a pickle names; called, it makes nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any) -> None:
        return None


class Ordered(OrderedDict):
    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__()
        for key, value in items:
            self[key] = value

    def __setitem__(self, key: Any, value: Any) -> None:
        plain(key)
        super().__setitem__(key, value)


class Scan(pickle._Unpickler):  # pyright: ignore: in Python, as the one in C allocates for any index of its memo
    """load: the pickle's value, with nothing in place of tensors. storages: bytes of each, by its key.

    Raises NurieError for objects of foreign classes, other errors for a damaged file.
    """

    dispatch: ClassVar[dict[int, Any]] = {code[0]: pickle._Unpickler.dispatch[code[0]] for code in OPERATIONS}  # pyright: ignore

    def __init__(self, file: Any, path: Any) -> None:
        super().__init__(file, encoding="utf-8")
        self.path = path
        self.storages: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full == "collections.OrderedDict":
            return Ordered
        if full in STORAGES or full in HARMLESS:
            return Inert(full)
        raise NurieError(
            f"{self.path} holds Python objects ({ascii(full)[1:80].rstrip(chr(39))}), and Nurie runs none. Save the "
            'weights alone, by the program that made it: torch.save(generator.state_dict(), "generator.pth").'
        )

    def persistent_load(self, pid: Any) -> Inert:
        kind, storage, key, _, count = pid[:5]
        size = STORAGES.get(storage.name) if isinstance(storage, Inert) else None
        if kind != "storage" or size is None or not isinstance(key, str) or not isinstance(count, int) or count < 0:
            raise ValueError("expected the weights of a tensor where it has something else")
        if self.storages.setdefault(key, size * count) != size * count:
            raise ValueError(f"it gives two sizes to the weights {key[:40]}")
        return Inert(storage.name)

    def load_setitems(self) -> None:
        items = self.pop_mark()  # pyright: ignore
        for key, value in zip(items[::2], items[1::2], strict=True):
            plain(key)
            self.stack[-1][key] = value  # pyright: ignore

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()  # pyright: ignore
        plain(key)
        self.stack[-1][key] = value  # pyright: ignore

    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.SETITEM[0]] = load_setitem


def plain(key: Any) -> None:
    """Raises ValueError for a key that is no name or number: Python crashes where it hashes deeply nested tuples."""
    if not isinstance(key, str | int | float):
        raise ValueError("expected names as keys")
