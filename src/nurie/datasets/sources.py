"""The data sets of the recipes: where they officially are, what is known of their files, and what becomes of these."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageFilter

from nurie.drawings.sheets import to_png
from nurie.errors import NurieError
from nurie.files.write import write_file

PETS = "https://thor.robots.ox.ac.uk/~vgg/data/pets/"
OPENMOJI = "https://github.com/hfg-gmuend/openmoji/releases/download/16.0.0/"
PIX2PIX = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/"

# code points of skin tones, hair and genders, the joiner and the selector of the picture
VARIANT = re.compile("1F3F[BCDEF]|1F9B[0123]|264[02]|200D|FE0F")
# couples that have a code point of their own, and the same of two persons (man and woman are persons here)
ONE_CODE = {
    "1F48F": "1F9D1-2764-1F48B-1F9D1", "1F491": "1F9D1-2764-1F9D1",
    **dict.fromkeys(("1F46B", "1F46C", "1F46D"), "1F9D1-1F91D-1F9D1"),
}  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """A .tar.gz or .zip file. `place` says which path below the data set's folder a member's gets; None: none.

    size and sha256 are empty where nobody has published them.
    """

    url: str
    place: Callable[[PurePosixPath], str | None]
    least: int  # fewer files can not be all of it
    most: int  # bytes that its files may have together
    size: int = 0
    sha256: str = ""
    convert: Callable[[bytes], bytes] = bytes  # what is in a file -> what is written

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class DataSet:
    archives: tuple[Archive, ...]
    licence: str
    credit: str
    next: str  # the command that goes on; FOLDER stands for the data set's folder
    finish: Callable[[Path], None] = lambda folder: None  # when all files are there


def cat(path: PurePosixPath) -> bool:
    """Cats' names begin with a capital, dogs' do not, says the data set's own README."""
    return path.name[:1].isupper()


def pet_photo(path: PurePosixPath) -> str | None:
    return f"photos/{path.name}" if path.parent.name == "images" and path.suffix == ".jpg" and cat(path) else None


def pet_annotation(path: PurePosixPath) -> str | None:
    if path.parent.name == "trimaps" and path.suffix == ".png" and cat(path):
        return f"masks/{path.name}"
    return None


def mask(trimap: bytes) -> bytes:
    """A PNG whose subject is 1, background 2 and undecided border 3 -> one whose subject, 2 pixels wider, is 255.

    Raises NurieError.
    """
    try:
        with Image.open(io.BytesIO(trimap)) as image:
            subject = np.asarray(image) == 1
    except (OSError, ValueError, SyntaxError) as error:
        raise NurieError(f"A trimap is damaged: {error}") from error
    return to_png(Image.fromarray((subject * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(5)))


def list_breeds(folder: Path) -> None:
    """list.csv, with the breed of each cat that has a photo and a mask."""
    names = sorted(path.stem for path in (folder / "masks").glob("*.png"))
    rows = "".join(f"{name},{name.rpartition('_')[0]}\n" for name in names)
    write_file(folder / "list.csv", f"id,breed\n{rows}".encode())


def list_variants(folder: Path) -> None:
    """groups.csv, with the group of each emoji: variants of one are nearly the same picture."""
    codes = sorted(path.stem for path in (folder / "color").glob("*.png"))
    rows = "".join(f"{code},{emoji_group(code)}\n" for code in codes)
    write_file(folder / "groups.csv", f"code,group\n{rows}".encode())


def emoji_group(code: str) -> str:
    """The same for an emoji's code points, such as "1F469-1F3FD-200D-1F680", and for those of its variants in another
    skin tone, with other hair, or of another gender."""
    parts = [part for part in code.split("-") if not VARIANT.fullmatch(part)]
    person = ["1F9D1" if part in ("1F468", "1F469") else part for part in parts]
    return ONE_CODE.get("-".join(person), "-".join(person)) or code


def emoji(folder: str) -> Callable[[PurePosixPath], str | None]:
    return lambda path: f"{folder}/{path.name}" if path.suffix == ".png" else None


def facade(path: PurePosixPath) -> str | None:
    split = path.parent.name
    return f"{split}/{path.name}" if split in ("train", "val", "test") and path.suffix == ".jpg" else None


DATA_SETS = {
    "cats": DataSet(
        archives=(
            Archive(
                PETS + "images.tar.gz", pet_photo, least=2300, most=2 << 30, size=791_918_971,
                sha256="67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d",
            ),
            Archive(
                PETS + "annotations.tar.gz", pet_annotation, least=2300, most=1 << 30, size=19_173_078,
                sha256="52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91", convert=mask,
            ),
        ),
        licence="CC BY-SA 4.0",
        credit="Oxford-IIIT Pet data set: Parkhi, Vedaldi, Zisserman, Jawahar, 2012; CC BY-SA 4.0; copyright of the "
        "images remains with the original owners",
        next="nurie make FOLDER/photos site/ --masks FOLDER/masks",
        finish=list_breeds,
    ),
    "openmoji": DataSet(
        archives=(
            Archive(OPENMOJI + "openmoji-618x618-black.zip", emoji("black"), least=3000, most=1 << 30),
            Archive(OPENMOJI + "openmoji-618x618-color.zip", emoji("color"), least=3000, most=1 << 30),
        ),
        licence="CC BY-SA 4.0",
        credit="OpenMoji, the open-source emoji and icon project; CC BY-SA 4.0",
        next="nurie prepare FOLDER/color pairs/ --mode folders --inputs FOLDER/black --groups FOLDER/groups.csv",
        finish=list_variants,
    ),
    "facades": DataSet(
        archives=(Archive(PIX2PIX + "facades.tar.gz", facade, least=500, most=1 << 30),),
        licence="no licence is stated: for experiments only, publish nothing trained on it",
        credit="CMP Facade Database: Tyleček and Šára, 2013; pairs by Isola et al. 2017",
        next="nurie train FOLDER run/ --direction BtoA",
    ),
}  # fmt: skip
