"""Batches of pairs for training. Every batch is a function of (seed, step), so that a run can resume exactly."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nurie.batches.faces import add_face
from nurie.batches.hints import paint_strokes, random_hints, recolour, told
from nurie.batches.legs import add_legs
from nurie.batches.paws import add_paws
from nurie.batches.vary import jitter, redraw, vary
from nurie.config import Train
from nurie.drawings.ink import is_line_drawing
from nurie.drawings.shift import Shift, draw_shift, move
from nurie.nets.styles import style_of
from nurie.nets.tensors import to_tensor
from nurie.pairs.folder import PairFolder


@dataclass(frozen=True)
class Batch:
    drawing: Tensor  # float32 (n, 3, h, w) in [-1, 1]
    picture: Tensor  # float32 (n, 3, h, w) in [-1, 1]
    near_hints: Tensor  # float32 (n, 1, h, w): 1 where colour hints say the colour, else 0
    near_parts: Tensor  # the same at made-up faces and paws
    style: Tensor  # float32 (n, 3): the pictures' styles, but for what hints say otherwise
    redrawn: Tensor | None = None  # the drawings by other pens, with the same hints; None where all are coloured
    shift: Shift = (0, 0)  # how far `redrawn` was moved


@dataclass(frozen=True)
class Sampler:
    """Draws the training batch of any step: shuffled epochs over the pictures, a random detail of each, varied as the
    options say.

    With `classes`, the indices of each class's pictures: turns over the classes, in each turn one picture of every
    class, and shuffled epochs within each class.
    """

    pairs: PairFolder
    options: Train
    classes: tuple[tuple[int, ...], ...] = ()
    process: int = 0
    processes: int = 1

    def __call__(self, step: int) -> Batch:
        options = self.options
        redrawing = options.augment_drawing and options.consistency > 0
        rows: list[list[np.ndarray]] = []  # of each pair: picture, two masks, drawing and the same redrawn
        plain: list[np.ndarray] = []  # pictures before hints changed them
        redrawn = False
        rng = np.random.default_rng([options.seed, step, self.process, 1])
        for i in range(options.batch):
            position = (step * self.processes + self.process) * options.batch + i
            group = self.pairs.groups[self._of_class(position) if self.classes else self._of_all(position)]
            drawing, picture = self.pairs.read(group[int(rng.integers(len(group)))])
            if options.jitter:
                drawing, picture = jitter(drawing, picture, rng)
            if options.augment_drawing:
                drawing, picture = vary(drawing, picture, rng, options.tails)
            near_part = np.zeros(drawing.shape[:2], bool)
            if options.body_parts:
                if rng.random() < options.body_parts:
                    drawing, picture = add_legs(drawing, picture, rng)
                for add in (add_paws, add_face):  # a face where paws left room
                    if rng.random() < options.body_parts:
                        drawing, picture, near = add(drawing, picture, rng)
                        near_part |= near
            drawings = [redraw(drawing, rng) if options.augment_drawing else drawing for _ in range(1 + redrawing)]
            redrawn = redrawn or (redrawing and is_line_drawing(drawing))
            plain.append(picture)
            strokes = []
            if rng.random() < options.hints:
                strokes = random_hints(drawings[0], picture, rng)
                picture, strokes = recolour(drawings[0], picture, strokes, options.hint_recolour, rng)
            masks = told(strokes, picture), near_part
            row = [picture, *masks, *(paint_strokes(drawing, strokes) for drawing in drawings)]
            mirror = options.flip and rng.random() < 0.5
            rows.append([image[:, ::-1] for image in row] if mirror else row)
        pictures, near_hints, near_parts, *drawings = map(list, zip(*rows, strict=True))
        hinted, made_up = (torch.from_numpy(np.stack(near)[:, None]).float() for near in (near_hints, near_parts))
        shift = draw_shift(rng)
        again = to_tensor([move(drawing, shift) for drawing in drawings[1]]) if redrawn else None
        style = style_of(to_tensor(plain))
        return Batch(to_tensor(drawings[0]), to_tensor(pictures), hinted, made_up, style, again, shift)

    def _of_all(self, position: int) -> int:
        epoch, index = divmod(position, len(self.pairs))
        return int(self._order(epoch)[index])

    def _of_class(self, position: int) -> int:
        turn, index = divmod(position, len(self.classes))
        chosen = int(np.random.default_rng([self.options.seed, turn, 3]).permutation(len(self.classes))[index])
        members = self.classes[chosen]
        epoch, index = divmod(turn, len(members))
        return members[np.random.default_rng([self.options.seed, epoch, chosen, 4]).permutation(len(members))[index]]

    def _order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.options.seed, epoch, 2]).permutation(len(self.pairs))


def prefetch(sampler: Sampler, start: int, end: int) -> Iterator[Batch]:
    """Batches of steps start <= step < end, made two ahead in a thread. An error there is raised here."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(2)
    stop = threading.Event()

    def put(item: Batch | BaseException) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for step in range(start, end):
                if stop.is_set():
                    return
                put(sampler(step))
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        for _ in range(start, end):
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
