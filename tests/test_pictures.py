"""Pictures of every kind are read as people see them, in bounded memory."""

import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from nurie.errors import NurieError
from nurie.files.pictures import SUFFIXES, orientation_of, read_picture, without_warnings
from nurie.photos.compose import read_beside, same_shape

RED = (200, 30, 30)


def corner(height: int = 40, width: int = 60) -> np.ndarray:
    """White with a red left upper corner."""
    image = np.full((height, width, 3), 255, np.uint8)
    image[: height // 4, : width // 4] = RED
    return image


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "avif", "heic"])
def test_every_ending_is_read(tmp_path: Path, suffix: str) -> None:
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if f".{suffix}" not in SUFFIXES:
        pytest.skip("this Pillow reads none")
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(corner(64, 96)).save(path)
    picture, alpha = read_picture(path)
    assert alpha is None and picture.shape == (64, 96, 3)
    assert np.abs(picture[4, 4].astype(int) - RED).max() < 25 and picture[50, 80].min() > 245


def test_opaque_alpha_is_none_and_another_is_kept(tmp_path: Path) -> None:
    image = Image.fromarray(corner())
    for lowest in (255, 0):
        alpha = np.full((40, 60), 255, np.uint8)
        alpha[20:, :] = lowest
        image.putalpha(Image.fromarray(alpha))
        image.save(tmp_path / "a.png")
        found = read_picture(tmp_path / "a.png")[1]
        assert (found is None) == (lowest == 255)


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(corner()).save(tmp_path / f"a.{suffix}", exif=exif)
    with Image.open(tmp_path / f"a.{suffix}") as file:
        expected = np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    assert np.array_equal(read_picture(tmp_path / f"a.{suffix}")[0], expected)
    assert orientation_of(tmp_path / f"a.{suffix}") == orientation


def test_colours_of_other_profiles_become_srgb(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    profile = swapped_profile(srgb.tobytes())
    Image.fromarray(np.full((8, 8, 3), (250, 10, 20), np.uint8)).save(tmp_path / "a.png", icc_profile=profile)
    assert read_picture(tmp_path / "a.png")[0][4, 4].argmax() == 1, "its red is green"


def swapped_profile(profile: bytes) -> bytes:
    """An sRGB profile whose red and green are swapped, and whose name is another one."""
    return (
        profile.replace(b"rXYZ", b"tXYZ")
        .replace(b"gXYZ", b"rXYZ")
        .replace(b"tXYZ", b"gXYZ")
        .replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    )


@pytest.mark.parametrize("profile", [b"broken", b"\0" * 200])
def test_broken_profiles_are_ignored(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(corner()).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(read_picture(tmp_path / "a.png")[0], corner())


def test_srgb_profiles_change_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(corner()).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(read_picture(tmp_path / "a.png")[0], corner())


def test_cmyk_with_an_rgb_profile_is_read_without_it(tmp_path: Path) -> None:
    profile = swapped_profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    Image.fromarray(np.full((8, 8, 3), RED, np.uint8)).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=profile)
    assert read_picture(tmp_path / "a.jpg")[0][4, 4].argmax() == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((4, 4), 0.5, np.float32), 128),
        (np.full((4, 4), 128, np.int32), 128),
        (np.full((4, 4), 65535, np.int32), 255),
    ],
)
def test_fractions_and_large_numbers_become_8_bits(tmp_path: Path, values: np.ndarray, expected: int) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert read_picture(tmp_path / "a.tif")[0][2, 2].tolist() == [expected] * 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif"])
def test_half_a_file_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(NurieError, match="can not be read as a picture"):
        read_picture(path)


def test_what_is_no_photo_is_not_opened_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")
    with pytest.raises(NurieError, match="of no kind that is known"):
        read_picture(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_of_many_megapixels_is_read_smaller(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (16000, 12000), RED).save(tmp_path / f"a.{suffix}")
    Image.fromarray(corner()).save(tmp_path / "b.png")
    if suffix == "png":
        with pytest.raises(NurieError, match="16000x12000 pixels, and 180 million can be read"):
            read_picture(tmp_path / "a.png")
        return
    code = (
        "import resource, sys, pathlib; from nurie.files.pictures import read_picture;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "picture, _ = read_picture(pathlib.Path(sys.argv[1]));"
        "print(*picture.shape, *picture[9, 9], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.jpg"], capture_output=True, text=True, check=True)
    height, width, _, red, green, _, kilobytes = map(int, done.stdout.split())
    assert (height, width) == (3000, 4000) and red > 190 and green < 40
    assert kilobytes < 300_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((100, 200), (50, 100), True),
        ((1000, 667), (100, 67), True),  # rounded
        ((3000, 4000), (384, 512), True),
        ((4000, 1333), (60, 20), True),
        ((100, 200), (200, 100), False),
        ((100, 200), (100, 190), False),
        ((480, 640), (256, 256), False),
    ],
)
def test_shapes_are_the_same_but_for_rounding(one: tuple, other: tuple, same: bool) -> None:
    shapes = np.zeros((*one, 3), np.uint8), np.zeros((*other, 3), np.uint8)
    assert same_shape(*shapes) is same and same_shape(*shapes[::-1]) is same


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_an_unturned_mask_is_turned_as_its_photo(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(corner()).save(tmp_path / "photo.png", exif=exif)
    Image.fromarray(corner()).save(tmp_path / "mask.png")
    photo, _ = read_picture(tmp_path / "photo.png")
    assert photo.shape == (60, 40, 3)
    mask, _ = read_beside(tmp_path / "mask.png", tmp_path / "photo.png", photo)
    assert np.array_equal(mask, photo)


def test_a_mask_of_another_shape_is_refused_with_both_sizes(tmp_path: Path) -> None:
    Image.fromarray(corner()).save(tmp_path / "photo.png")
    Image.fromarray(corner(60, 40)).save(tmp_path / "mask.png")
    photo, _ = read_picture(tmp_path / "photo.png")
    with pytest.raises(NurieError, match=r"mask.png has 40x60 pixels and .*photo.png 60x40"):
        read_beside(tmp_path / "mask.png", tmp_path / "photo.png", photo)


def test_threads_that_read_at_the_same_time_leave_nothing_of_it_behind() -> None:
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    first, second = without_warnings(), without_warnings()  # they end in the order in which they began
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS is None
    second.__exit__(None, None, None)
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before and before[0] is not None


def test_nothing_but_our_own_sentence_is_said_of_an_odd_picture(tmp_path: Path) -> None:
    """Pillow logs an error of a TIFF with so many samples for each pixel."""
    tags = [(256, 1, 4), (257, 1, 4), (258, 1, 8), (259, 1, 1), (262, 1, 2), (277, 1, 65535)]
    entries = b"".join(struct.pack("<HHII", tag, 3, count, value) for tag, count, value in tags)
    (tmp_path / "odd.tif").write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4))
    code = (
        "import sys; from pathlib import Path; from nurie.errors import NurieError\n"
        "from nurie.files.pictures import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except NurieError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "odd.tif")], capture_output=True, text=True)
    assert "can not be read as a picture" in done.stdout and done.stderr == ""
