"""What a lowering writes: tensors, operations, weights, and where each value of the graph lies."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, fx

from nurie.convert.graph import channels_of, parts_of
from nurie.convert.quantise import codes_with
from nurie.engine.plan import Op
from nurie.errors import NurieError


@dataclass(frozen=True)
class Slice:
    """Where a value lies: channels of a tensor from `channel` on; `lanes` says at which, where there are gaps."""

    tensor: int
    channel: int
    channels: int
    lanes: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Channels with the gaps."""
        return self.lanes[-1] + 1 if self.lanes else self.channels


class Writer:
    def __init__(self) -> None:
        self.tensors: list[int] = []
        self.ops: list[Op] = []
        self.weights = bytearray()
        self.places: dict[fx.Node, Slice] = {}  # values computed so far
        self.destinations: dict[fx.Node, list[Slice]] = {}  # of parts of concatenations

    def _reserve(self, node: fx.Node) -> None:
        """One tensor for a concatenation, and a slice of it for each part."""
        tensor, channel = len(self.tensors), 0
        lanes: list[int] = []
        for part in parts_of(node):
            count = channels_of(part)
            self.destinations.setdefault(part, []).append(Slice(tensor, channel, count))
            lanes += range(channel, channel + count)
            channel += -(-count // 4) * 4
        self.tensors.append(lanes[-1] + 1)
        gaps = lanes != list(range(len(lanes)))
        self.places[node] = Slice(tensor, 0, len(lanes), tuple(lanes) if gaps else ())

    def _place(self, node: fx.Node) -> Slice:
        """Of a value, without gaps."""
        if node not in self.places:
            raise NurieError(f"{node.name} is needed in a form that the engine did not compute.")
        place = self.places[node]
        return self._gathered(place, torch.eye(place.channels, dtype=torch.float64)) if place.lanes else place

    def _gathered(self, place: Slice, matrix: Tensor, shift: Tensor | None = None, to: Slice | None = None) -> Slice:
        """Each channel a sum of others, matrix (channels, channels of the place): a 1x1 convolution."""
        to = to or self._tensor(len(matrix))
        op = Op("conv", place.tensor, place.channel, to.tensor, to.channel, kernel=1)
        self.ops.append(self._store(op, spread(matrix[:, None, None], place), shift, int8=False))
        return to

    def _tensor(self, channels: int) -> Slice:
        self.tensors.append(channels)
        return Slice(len(self.tensors) - 1, 0, channels)

    def _new(self, node: fx.Node) -> Slice:
        """Where a value goes: its slice of a concatenation, or a tensor of its own."""
        return self.destinations[node][0] if node in self.destinations else self._tensor(channels_of(node))

    def _emit(self, node: fx.Node, op: Op) -> None:
        """An operation that writes a value, and copies for all other concatenations that it is part of."""
        self.ops.append(op)
        self.places[node] = place = Slice(op.output, op.output_channel, channels_of(node))
        for other in self.destinations.get(node, [])[1:]:
            fields = {"in_channels": place.channels}
            self.ops.append(Op("copy", place.tensor, place.channel, other.tensor, other.channel, **fields))

    def _store(self, op: Op, weight: Tensor, bias: Tensor | None, int8: bool, step: float | None = None) -> Op:
        """Append the weights (out, ky, kx, in) and fill in the offsets and channels. step: of 8-bit weights that have
        one step, see `in_steps`."""
        values = weight.float().contiguous().numpy()
        op = replace(op, out_channels=values.shape[0], in_channels=values.shape[0 if op.op == "depthwise" else 3])
        if int8:
            values, scales, compand = codes_with(values, step)
            op = replace(op, scale=self._append(scales), compand=compand)
        if bias is not None:
            op = replace(op, bias=self._append(bias.numpy().astype(np.float32)))
        return replace(op, weight=self._append(values))

    def _append(self, values: np.ndarray) -> int:
        offset = len(self.weights)
        self.weights += np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        self.weights += bytes(-len(self.weights) % 4)
        return offset


def spread(weight: Tensor, source: Slice) -> Tensor:
    """Zeros for the gaps in what is read: (out, ky, kx, in) -> (out, ky, kx, in with the gaps)."""
    if not source.lanes:
        return weight
    made = weight.new_zeros(*weight.shape[:3], source.width)
    made[..., list(source.lanes)] = weight
    return made
