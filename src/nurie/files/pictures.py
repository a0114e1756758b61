"""Pictures as files hold them -> upright RGB as people see it, in bounded memory."""

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageColor, UnidentifiedImageError, features

from nurie.errors import NurieError

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what is wrong with a picture is said once, by us

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF"]
SUFFIXES = {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
HEIF = {".heic", ".heif", ".hif"}
if features.check("avif"):
    FORMATS.append("AVIF")
    SUFFIXES.add(".avif")
if find_spec("pillow_heif"):
    FORMATS.append("HEIF")
    SUFFIXES |= HEIF
# What to do so that files of these endings are read.
HINTS = {suffix: "pip install pillow-heif" for suffix in HEIF} | {".avif": "pip install --upgrade pillow"}

ENOUGH = 32_000_000  # pixels; larger pictures are made smaller as they are read
# More pixels are refused: a JPEG is decoded smaller than it is, of others the whole picture is in memory for a while.
LARGEST = {"JPEG": 400_000_000, "MPO": 400_000_000}  # MPO: a JPEG that holds several
LARGEST_OTHER = 180_000_000
SRGB = "sRGB"  # in the descriptions of its profiles
OPAQUE = 250  # of 255; what is more than this looks opaque

ORIENTATION = 0x0112  # EXIF tag
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: Path, orientation: int | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Picture, uint8 (h, w, 3) sRGB, upright by its EXIF orientation or another one, 1 to 8; and its alpha, float32
    (h, w) in [0, 1], or None where nothing is transparent.

    Pictures of more than ENOUGH pixels come smaller. Raises NurieError when the file is no picture, or is damaged.
    """
    with opened(path) as image:
        factor = reduction(image)
        if factor > 1:
            image.draft(None, (image.width // factor, image.height // factor))
        image.load()
        turn = TURNS.get(exif_of(image) if orientation is None else orientation)
        parts = split(image)
        factor = reduction(image)  # no more where it was decoded smaller
        if factor > 1:
            parts = [part.reduce(factor) for part in parts]
        if turn is not None:
            parts = [part.transpose(turn) for part in parts]
        picture = np.asarray(to_srgb(parts[0], image.info.get("icc_profile")))
        return picture, np.asarray(parts[1], np.float32) / 255.0 if len(parts) > 1 else None


def flattened(picture: np.ndarray, alpha: np.ndarray | None, ground: str = "white") -> np.ndarray:
    """A picture, uint8 (h, w, 3), laid on a ground by its alpha, float (h, w) in [0, 1]."""
    if alpha is None:
        return picture
    colour = np.array(ImageColor.getrgb(ground), np.float32)
    share = alpha[:, :, None]
    return np.rint(picture * share + colour * (1 - share)).astype(np.uint8)


def orientation_of(path: Path) -> int:
    """The EXIF orientation of a picture, 1 to 8; 1 is upright. Raises NurieError as read_picture."""
    with opened(path) as image:
        return image.info.get("original_orientation") or exif_of(image)  # the former where pillow-heif turned it


def profile_of(path: Path) -> str:
    """The name of a picture's colour profile where that is not sRGB, else nothing. Raises as read_picture."""
    with opened(path) as image:
        profile = image.info.get("icc_profile")
    if not profile:
        return ""
    try:
        name = description(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except Exception:  # as in to_srgb, which ignores it
        return "broken"
    return "" if SRGB in name else name or "unnamed"


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """An open picture. What Pillow makes of a bad one, here or later, becomes a NurieError."""
    if "HEIF" in FORMATS:
        import pillow_heif

        pillow_heif.register_heif_opener()
    try:
        with without_warnings(), Image.open(path, formats=FORMATS) as image:
            refuse_larger(image)
            yield image
    except MemoryError:
        raise
    except Exception as error:  # the readers raise whatever they stumble over
        reason = "it is of no kind that is known" if isinstance(error, UnidentifiedImageError) else error
        raise NurieError(f"{path} can not be read as a picture ({reason})") from error


class Silence:
    """How many threads are reading pictures: what they set is the process's, and is set back when all have ended."""

    lock = threading.Lock()
    readers = 0
    inside = ExitStack()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Inside, Pillow neither warns nor limits the pixels of a picture. For several threads at a time."""
    with Silence.lock:
        if Silence.readers == 0:
            Silence.inside.enter_context(warnings.catch_warnings(action="ignore"))
            Silence.inside.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = None  # LARGEST instead
        Silence.readers += 1
    try:
        yield
    finally:
        with Silence.lock:
            Silence.readers -= 1
            if Silence.readers == 0:
                Silence.inside.close()


def refuse_larger(image: Image.Image) -> None:
    most = LARGEST.get(image.format or "", LARGEST_OTHER)
    if image.width * image.height > most:
        raise NurieError(f"it has {image.width}x{image.height} pixels, and {most // 1_000_000} million can be read")


def reduction(image: Image.Image) -> int:
    """By which power of two width and height are divided so that ENOUGH pixels stay."""
    factor = 1
    while image.width * image.height > ENOUGH * factor**2:
        factor *= 2
    return factor


def exif_of(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # broken notes do not spoil the picture
        return 1


def split(image: Image.Image) -> list[Image.Image]:
    """A picture without alpha, and its alpha where something is transparent."""
    image = eight_bit(image)
    if "A" not in image.mode.upper() and "transparency" not in image.info:
        return [image.convert("RGB") if image.mode in ("P", "1") else image]
    both = image.convert("RGBA")
    alpha = both.getchannel("A")
    lowest = alpha.getextrema()[0]
    return [both.convert("RGB"), alpha][: 1 if isinstance(lowest, int | float) and lowest > OPAQUE else 2]


def eight_bit(image: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits for each pixel, or of fractions, as one of 8 bits; others as they are."""
    if image.mode[0] not in "IF":
        return image
    values = np.nan_to_num(np.asarray(image, np.float32))
    small = values.max(initial=0.0) <= (1.0 if image.mode == "F" else 255.0)
    if image.mode == "F":
        values = values * 255.0 if small else values
    elif image.mode != "I" or not small:
        values = values / 257.0
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def description(profile: Any) -> str:
    return " ".join(ImageCms.getProfileDescription(profile).split())


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture without alpha in sRGB. A profile that is broken, or of another kind of colour, is ignored."""
    try:
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[source.profile.xcolor_space.strip()]
        if (mode == "CMYK") == (image.mode == "CMYK") and SRGB not in description(source):
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image.convert(mode), source, target, outputMode="RGB")
            return image if converted is None else converted
    except Exception:  # as most: there is none
        pass
    return image.convert("RGB")
