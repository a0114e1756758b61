"""Line art from a photo, in pure Python and without learned weights.

Flow-based difference of Gaussians (Kang et al. 2007; Winnemöller et al. 2012): a difference of Gaussians across
the edge, averaged along the edge tangent flow, gives long coherent responses where fur would give speckle. Each
response is thinned to a line one pixel wide, short pieces are dropped, and a pen of one width draws the rest.

Works at twice the size of the drawing, so that thresholds and lengths below are in those doubled pixels.
"""

from functools import cache

import cv2
import numpy as np

from nurie.config import Detail
from nurie.drawings.ink import to_ink

SIGMA_TENSOR = 3.0  # smoothing of the structure tensor: what is smaller than this does not steer the flow
SIGMA_EDGE = 1.2  # inner Gaussian of the difference, the line width it looks for
SIGMA_FLOW = 4.0  # averaging along the flow
RATIO, TAU = 1.6, 0.99  # outer to inner Gaussian, and its weight (Winnemöller et al. 2012, equation 1)
# threshold of the response and shortest line: few lines must be strong, many may be short
LEVELS: dict[Detail, tuple[float, int]] = {"few": (0.015, 28), "some": (0.008, 32), "many": (0.004, 40)}
PEN = 2  # width of the outline in doubled pixels; looks like the thinned lines after pen()
USUAL_CONTRAST = 0.025  # 97th percentile of the response in an ordinary photo; the thresholds are meant for it


def draw_lines(
    picture: np.ndarray, mask: np.ndarray | None, details: tuple[Detail, ...], area: np.ndarray | None = None
) -> dict[Detail, np.ndarray]:
    """Line drawings of a picture, uint8 (h, w, 3) RGB with black lines on white, half its height and width.

    picture: uint8 (2h, 2w, 3) RGB. mask: float32 (2h, 2w) in [0, 1], 1 inside the subject, or None for no outline.
    area: float32 (2h, 2w), 1 where there is a picture and 0 where it was padded, which has no lines; None: it was not.
    """
    response = flow_dog(prepare_gray(picture))
    inside = np.ones(response.shape, bool)
    if area is not None:
        inside &= inner_area(area, 1)  # lines may touch the picture's border
    if mask is not None:
        inside &= inner_area(mask)
    edge = np.zeros(response.shape, np.uint8) if mask is None else outline(mask)
    response /= contrast(response, inside)
    return {detail: pen(strokes(response, inside, *LEVELS[detail]), edge) for detail in details}


def contrast(response: np.ndarray, inside: np.ndarray) -> float:
    """How strong a picture's lines are against an ordinary one's, 1/2 to 3/2: pale and dark cats need eyes too."""
    values = response[inside]
    strong = float(-np.percentile(values, 3)) if len(values) else USUAL_CONTRAST
    return float(np.clip(strong / USUAL_CONTRAST, 0.5, 1.5))


def prepare_gray(picture: np.ndarray) -> np.ndarray:
    """Lightness, float32 (h, w) in [0, 1], local contrast evened out (dark subjects have lines too), fur softened."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[:, :, 0]
    even = cv2.createCLAHE(2.0, (4, 4)).apply(light)
    gray = (light.astype(np.float32) + even.astype(np.float32)) / 510.0
    return cv2.bilateralFilter(gray, 7, 0.12, 5)


def tangent_flow(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (x, y) along the edges: the minor eigenvectors of the smoothed structure tensor."""
    gx, gy = (cv2.Sobel(gray, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    e, f, g = (cv2.GaussianBlur(p, (0, 0), SIGMA_TENSOR) for p in (gx * gx, gx * gy, gy * gy))
    across = 0.5 * np.arctan2(2 * f, e - g)  # angle of the major eigenvector, the gradient
    return -np.sin(across), np.cos(across)


def sample(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def flow_dog(gray: np.ndarray) -> np.ndarray:
    """Response of the flow-based difference of Gaussians, float32 (h, w); negative on dark lines."""
    h, w = gray.shape
    tx, ty = tangent_flow(gray)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    return along_flow(across_flow(gray, xs, ys, -ty, tx), xs, ys, tx, ty)


def across_flow(gray: np.ndarray, xs: np.ndarray, ys: np.ndarray, nx: np.ndarray, ny: np.ndarray) -> np.ndarray:
    """Difference of Gaussians along the normal (nx, ny)."""
    reach = int(np.ceil(2.5 * RATIO * SIGMA_EDGE))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    inner, outer = (np.exp(-((offsets / s) ** 2) / 2) for s in (SIGMA_EDGE, RATIO * SIGMA_EDGE))
    weights = inner / inner.sum() - TAU * outer / outer.sum()
    total = np.zeros_like(gray)
    for offset, weight in zip(offsets, weights, strict=True):
        total += np.float32(weight) * sample(gray, xs + offset * nx, ys + offset * ny)
    return total


def along_flow(response: np.ndarray, xs: np.ndarray, ys: np.ndarray, tx: np.ndarray, ty: np.ndarray) -> np.ndarray:
    """Gaussian average along the flow lines, in steps of one pixel both ways."""
    total, weights = response.copy(), 1.0
    for sign in (1.0, -1.0):
        x, y, vx, vy = xs, ys, sign * tx, sign * ty
        for step in range(1, int(2 * SIGMA_FLOW) + 1):
            x, y = x + vx, y + vy
            weight = float(np.exp(-((step / SIGMA_FLOW) ** 2) / 2))
            total += weight * sample(response, x, y)
            weights += weight
            ux, uy = sample(tx, x, y), sample(ty, x, y)
            # the tangent has no sign of its own: go on in the direction we came from
            turn = np.where(ux * vx + uy * vy < 0, np.float32(-1), np.float32(1))
            vx, vy = ux * turn, uy * turn
    return total / weights


def strokes(response: np.ndarray, inside: np.ndarray, threshold: float, shortest: int) -> np.ndarray:
    """Lines one pixel wide where the response is strong, bool (h, w); pieces of fewer pixels are dropped."""
    strong = drop_specks((response < -threshold) & inside, shortest)
    return drop_specks(thin(strong), shortest)


def drop_specks(lines: np.ndarray, smallest: int) -> np.ndarray:
    """Keep 8-connected components of at least `smallest` pixels."""
    _, components, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    labels = np.asarray(components, np.int32)
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return keep[labels]


@cache
def thinning_tables() -> tuple[np.ndarray, np.ndarray]:
    """For each of the 256 neighbourhoods, 1 where Zhang and Suen 1984 keep the pixel, for both sub-iterations."""
    tables = np.ones((2, 256), np.uint8)
    for code in range(256):
        p = [code >> i & 1 for i in range(8)]  # N, NE, E, SE, S, SW, W, NW
        rises = sum(not p[i] and p[(i + 1) % 8] for i in range(8))
        if 2 <= sum(p) <= 6 and rises == 1:
            n, e, s, w = p[0], p[2], p[4], p[6]
            tables[0, code] = bool(n and e and s) or bool(e and s and w)
            tables[1, code] = bool(n and e and w) or bool(n and s and w)
    return tables[0], tables[1]


def thin(shape: np.ndarray) -> np.ndarray:
    """Skeleton one pixel wide of a bool (h, w) shape (Zhang and Suen 1984), keeping its connections."""
    weights = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
    image = shape.astype(np.uint8)
    before = -1
    while (count := cv2.countNonZero(image)) != before:
        before = count
        for table in thinning_tables():
            code = cv2.filter2D(image, cv2.CV_8U, weights, borderType=cv2.BORDER_CONSTANT)
            image = cv2.bitwise_and(image, cv2.LUT(code, table))
    return image.astype(bool)


def line_width(drawing: np.ndarray) -> float:
    """Mean width of the lines of a drawing, uint8 (h, w, 3), in pixels: its ink by its skeleton's. 0 without lines."""
    ink = to_ink(drawing)
    length = cv2.countNonZero(thin(ink > 0.5).astype(np.uint8))
    return float(ink.sum()) / length if length else 0.0


def inner_area(mask: np.ndarray, beyond: int = 0) -> np.ndarray:
    """Inside the subject and a little away from its outline, which is drawn by itself.
    Beyond the border all is (1), or nothing."""
    return cv2.erode((mask > 0.5).astype(np.uint8), np.ones((11, 11), np.uint8), borderValue=beyond).astype(bool)


def outline(mask: np.ndarray) -> np.ndarray:
    """The mask's smoothed contours as a line, uint8 (h, w) in [0, 255]; contours shorter than 60 pixels are dropped."""
    soft = cv2.GaussianBlur(mask, (0, 0), 2.0)
    contours, _ = cv2.findContours((soft > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    canvas = np.zeros(mask.shape, np.uint8)
    smooth = [smooth_contour(contour) for contour in contours if len(contour) >= 60]
    cv2.polylines(canvas, smooth, True, 255, PEN, cv2.LINE_AA, shift=4)
    return canvas


def smooth_contour(contour: np.ndarray, reach: int = 4) -> np.ndarray:
    """A closed contour averaged over 2 reach + 1 points, in sixteenths of a pixel: no staircase."""
    points = contour[:, 0, :].astype(np.float32)
    total = sum(np.roll(points, shift, axis=0) for shift in range(-reach, reach + 1))
    return np.rint(np.asarray(total) / (2 * reach + 1) * 16).astype(np.int32)[:, None, :]


def pen(lines: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Draw lines and outline with a round pen and halve the size: uint8 (h/2, w/2, 3), black on white."""
    dots = cv2.dilate(lines.astype(np.uint8) * 255, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    ink = np.maximum(cv2.GaussianBlur(dots, (0, 0), 0.6), edge)
    h, w = ink.shape
    half = cv2.resize(ink, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return np.repeat(255 - half[:, :, None], 3, axis=2)
