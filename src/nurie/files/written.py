"""What a command wrote to a folder that holds other files too: a list in it, .nurie.json, tells them apart."""

import os
from pathlib import Path

from msgspec import Struct

from nurie.errors import NurieError
from nurie.files.install import FORMAT, VERSION
from nurie.files.ours import LIST, read_object
from nurie.files.schema import read_json, to_json
from nurie.files.write import write_file

MANY = ""  # what a file is made of that shows many others


class Results(Struct, frozen=True, kw_only=True):
    """A folder's list."""

    format: str = FORMAT
    version: int = VERSION
    by: str
    files: list[str]
    of: dict[str, str] = {}  # what each was made of


class Written:
    """The files that a command wrote to a folder, each with the text that tells what it was made of."""

    def __init__(self, folder: Path, by: str) -> None:
        """Read the folder's list, if there is one. Raises NurieError where it is none."""
        self.folder, self.by = folder, by
        self.sources: dict[str, str] = {}
        if os.path.lexists(folder / LIST):
            verdict, mend = "is no list of files that Nurie wrote", "Move it, or choose another folder."
            found = read_json(folder / LIST, Results, verdict, mend, known=(FORMAT, VERSION))
            self.sources = {name: found.of.get(name, "") for name in found.files if os.path.lexists(folder / name)}

    def may_write(self, name: str, source: str) -> bool:
        """Whether there is no file of this name, or one that we made of the same."""
        return not os.path.lexists(self.folder / name) or self.sources.get(name) == source

    def write(self, name: str, data: bytes, source: str) -> None:
        """Put a file in place, after its name is on the list: no result is ever taken for somebody's file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.sources.get(name) != source:
            self.sources[name] = source
            listed = Results(by=self.by, files=sorted(self.sources), of=self.sources)
            write_file(self.folder / LIST, to_json(listed))
        write_file(self.folder / name, data)


def refuse_taken(path: Path, by: str, option: str) -> None:
    """Raises NurieError where a file that an option names would replace one that no earlier call made."""
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise NurieError(f"{option} expects a name in UTF-8; {path} is not that.") from error
    if not Written(path.parent, by).may_write(path.name, MANY):
        raise NurieError(f"{path} is there already, and no earlier {option} made it. Choose another name for it.")


def written_in(folder: Path) -> list[str]:
    """The names on a folder's list, whichever command wrote it; none where there is no such list."""
    names = read_object(folder / LIST).get("files")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
