"""Line art: closed outlines, one width, no specks."""

import cv2
import numpy as np

from nurie.photos.lineart import draw_lines, drop_specks, flow_dog, outline, tangent_flow, thin

SIZE = 256


def disc(radius: int = 80, value: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc on white with a dark ring in it, uint8 (256, 256, 3), and its mask."""
    picture = np.full((SIZE, SIZE, 3), 255, np.uint8)
    cv2.circle(picture, (128, 128), radius, (200, 180, 160), -1, cv2.LINE_AA)
    cv2.circle(picture, (128, 128), radius // 2, (value, value, value), 4, cv2.LINE_AA)
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(mask, (128, 128), radius, 1.0, -1)
    return picture, mask


def white_areas(drawing: np.ndarray) -> int:
    """Number of white regions that the lines separate."""
    count, _ = cv2.connectedComponents((drawing[:, :, 0] > 200).astype(np.uint8), connectivity=4)
    return count - 1


def test_disc_with_a_ring_gives_two_closed_lines_of_one_width() -> None:
    drawing = draw_lines(*disc(), ("some",))["some"]
    assert drawing.shape == (128, 128, 3) and drawing.dtype == np.uint8
    assert white_areas(drawing) == 3  # outside, between, inside the ring
    ink = (255 - drawing[:, :, 0].astype(float)) / 255
    length = 2 * np.pi * (40 + 20)  # both circles at half size
    assert 1.0 < ink.sum() / length < 2.2  # a pen of 1 to 2 pixels
    assert np.array_equal(drawing[:, :, 0], drawing[:, :, 2])


def test_more_detail_draws_fainter_lines() -> None:
    picture, mask = disc(100)
    for y, value in ((60, 120), (110, 150), (128, 166), (146, 172), (190, 175)):
        cv2.line(picture, (90, y), (166, y), (value, value, value), 2, cv2.LINE_AA)
    drawings = draw_lines(picture, mask, ("few", "some", "many"))
    ink = [255.0 - drawings[detail].mean() for detail in ("few", "some", "many")]
    assert ink[0] < ink[1] < ink[2]


def test_blank_picture_without_mask_has_no_lines() -> None:
    drawing = draw_lines(np.full((64, 64, 3), 255, np.uint8), None, ("many",))["many"]
    assert (drawing == 255).all()


def test_flow_follows_an_edge() -> None:
    gray = np.zeros((64, 64), np.float32)
    gray[:, 32:] = 1.0  # a vertical edge
    tx, ty = tangent_flow(gray)
    assert np.abs(tx[10:54, 31:33]).max() < 0.01
    assert np.abs(ty[10:54, 31:33]).min() > 0.99


def test_dark_line_answers_negative() -> None:
    gray = np.ones((64, 64), np.float32)
    gray[:, 31:33] = 0.0
    response = flow_dog(gray)
    assert response[32, 31] < -0.1
    assert abs(response[32, 8]) < 0.02


def test_thinning_leaves_one_pixel_and_keeps_a_ring_closed() -> None:
    ring = np.zeros((64, 64), np.uint8)
    cv2.circle(ring, (32, 32), 20, 1, 7)
    line = thin(ring.astype(bool))
    blocks = cv2.filter2D(line.astype(np.uint8), cv2.CV_8U, np.ones((2, 2), np.float32), borderType=cv2.BORDER_CONSTANT)
    assert blocks.max() < 4  # nowhere two pixels thick
    count, _ = cv2.connectedComponents((~line).astype(np.uint8), connectivity=4)
    assert count - 1 == 2
    assert not thin(np.zeros((5, 5), bool)).any()


def test_components_shorter_than_asked_are_dropped() -> None:
    lines = np.zeros((20, 20), bool)
    lines[2, 2:12] = True
    lines[15, 2:6] = True
    assert drop_specks(lines, 5).sum() == 10
    assert drop_specks(lines, 11).sum() == 0


def test_outline_is_one_closed_line() -> None:
    _, mask = disc()
    edge = outline(mask)
    assert white_areas(np.repeat(255 - edge[:, :, None], 3, axis=2)) == 2
    assert (outline(np.zeros((64, 64), np.float32)) == 0).all()
