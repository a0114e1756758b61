"""Normalisations of PyTorch's generators, told from the names beside them."""

from dataclasses import dataclass

from nurie.importers.builder import Builder, Value
from nurie.importers.network import Network

EPSILON = 1e-5
NAMES = {"batch": "batch norm", "scaled": "norm without statistics", "instance": "instance norm", "none": "no norm"}


@dataclass(frozen=True)
class Norms:
    """All normalisations of a network. kind: of NAMES. tracked: instance norm that kept running statistics."""

    network: Network
    kind: str
    tracked: bool = False

    def add(self, b: Builder, x: Value, name: str, channels: int) -> Value:
        """The one called `name`."""
        if self.kind == "none":
            return x
        if self.kind == "instance":
            return b.norm(x, channels, EPSILON)
        array, batch = self.network.array, self.kind == "batch"
        return b.norm(
            x, channels, EPSILON, scale=array(f"{name}.weight"), shift=array(f"{name}.bias"),
            mean=array(f"{name}.running_mean") if batch else None,
            variance=array(f"{name}.running_var") if batch else None,
        )  # fmt: skip

    @property
    def words(self) -> str:
        return NAMES[self.kind]

    def readings(self, first: str) -> tuple[str, ...]:
        """Those that make sense; of both, this one first."""
        if self.kind == "batch":
            return ("picture", "fixed") if first == "picture" else ("fixed", "picture")
        return ("fixed",) if self.kind == "none" else ("picture",)

    def why(self, batch: str) -> str:
        """batch: the sentence for batch norm, of which both readings make sense."""
        if self.kind == "batch":
            return batch
        if self.kind == "none":
            return "It has no normalisation."
        if self.kind == "instance":
            return "It has instance norm, which is always by the statistics of the picture."
        return "Its norm has no running statistics: it is by those of the picture."

    def notes(self) -> tuple[str, ...]:
        if not self.tracked:
            return ()
        return ("Its instance norm kept running statistics, as in 2018: they are left out, as later programs do.",)


def norms_of(network: Network, norm: str, bare: str) -> Norms:
    """norm: the name of one of them. bare: their kind where nothing is by that name, "instance" or "none"."""
    scaled, tracked = network.has(f"{norm}.weight"), network.has(f"{norm}.running_mean")
    if scaled:
        return Norms(network, "batch" if tracked else "scaled")
    return Norms(network, "instance" if tracked else bare, tracked)
