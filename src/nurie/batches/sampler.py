"""Batches of pairs for training.

Every pair is a function of the run's seed and of its position in the run: a step takes the next ones, and processes
share them. So a run can resume exactly, and a step sees the same pairs with any number of processes.
"""

import itertools
import queue
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nurie.batches.pair import VariedPair, vary_pair
from nurie.batches.streams import Choice, Streams
from nurie.batches.unpaired import Unpaired, unpaired_at
from nurie.config import Train
from nurie.drawings.collection import Collection
from nurie.drawings.shift import Shift, draw_shift, move
from nurie.nets.styles import style_of
from nurie.nets.tensors import to_mask, to_tensor
from nurie.pairs.folder import PairFolder, resized_pair
from nurie.size import Size


@dataclass(frozen=True)
class Batch:
    drawing: Tensor  # float32 (n, 3, h, w) in [-1, 1]
    picture: Tensor  # float32 (n, 3, h, w) in [-1, 1]
    near_hints: Tensor  # float32 (n, 1, h, w): 1 where colour hints say the colour, else 0
    near_parts: Tensor  # the same at made-up faces and paws
    style: Tensor  # float32 (n, 3): the pictures' styles, but for what hints say otherwise
    redrawn: Tensor | None = None  # the drawings by other pens, with the same hints; None where all are coloured
    shift: Shift = (0, 0)  # how far `redrawn` was moved
    unpaired: Unpaired | None = None  # drawings without pictures

    def shown(self) -> tuple[Tensor, Tensor]:
        """What the generator is shown at once: the drawings, then those without pictures, (n + m, 3, h, w), and the
        styles that it is asked for, (n + m, 3), of the latter those of the pairs in turn."""
        if not self.unpaired:
            return self.drawing, self.style
        drawing = torch.cat([self.drawing, self.unpaired.drawing])
        return drawing, self.style[torch.arange(len(drawing), device=self.style.device) % len(self.style)]


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
    drawings: Collection | None = None  # without pictures

    def __call__(self, step: int, size: Size | None = None) -> Batch:
        """size: of the pictures; None: the folder's."""
        first = step * self.processes * self.options.batch  # the position of the step's first pair, of all processes
        mine = first + self.process * self.options.batch
        pairs = [self._pair(position, size) for position in range(mine, mine + self.options.batch)]
        shift = draw_shift(Streams(self.options.seed, first)(Choice.SHIFT))
        redrawn = None
        if any(pair.redrawn is not None for pair in pairs):
            versions = (pair.drawing if pair.redrawn is None else pair.redrawn for pair in pairs)
            redrawn = to_tensor([move(drawing, shift) for drawing in versions])
        return Batch(
            drawing=to_tensor([pair.drawing for pair in pairs]),
            picture=to_tensor([pair.picture for pair in pairs]),
            near_hints=to_mask([pair.near_hints for pair in pairs]),
            near_parts=to_mask([pair.near_parts for pair in pairs]),
            style=style_of(to_tensor([pair.plain for pair in pairs])),
            redrawn=redrawn,
            shift=shift,
            unpaired=self._unpaired(step, size or self.pairs.size),
        )

    def _unpaired(self, step: int, size: Size) -> Unpaired | None:
        share = self.options.drawings_share
        if self.drawings is None or not share:
            return None
        count = max(1, round(share * self.options.batch))
        first = (step * self.processes + self.process) * count
        return unpaired_at(range(first, first + count), self.drawings, self.options.seed, size)

    def _pair(self, position: int, size: Size | None) -> VariedPair:
        """The pair at a position in the run, over all processes."""
        streams = Streams(self.options.seed, position)
        group = self.pairs.groups[self._of_class(position) if self.classes else self._of_all(position)]
        path = group[int(streams(Choice.DETAIL).integers(len(group)))]
        drawing, picture = resized_pair(*self.pairs.read(path), size or self.pairs.size)
        return vary_pair(drawing, picture, self.options, streams)

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


def prefetch(sample: Callable[[int], Batch], start: int) -> Generator[Batch, None, None]:
    """Batches of the steps from `start` on, made two ahead in a thread. An error there is raised here."""
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
            for step in itertools.count(start):
                if stop.is_set():
                    return
                put(sample(step))
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
