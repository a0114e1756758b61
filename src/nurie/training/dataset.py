"""What a run learns from, as its checkpoints remember it."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from nurie.config import Train
from nurie.drawings.collection import Collection
from nurie.errors import NurieError
from nurie.pairs.names import NAMED, some


@dataclass(frozen=True)
class Dataset:
    pairs: dict[str, str]  # each picture to train on -> a digest of its files
    val: dict[str, str]  # the same of those for validation
    classes: dict[str, str] | None = None  # each picture to train on -> its class, where they are balanced
    drawings: Collection | None = None  # without pictures
    warnings: dict[str, str] = field(default_factory=dict)  # what is wrong with them, kind -> sentence

    def metadata(self) -> dict[str, Any]:
        known = {"pairs": self.pairs, "val_pairs": self.val_digest()}
        known |= {} if self.classes is None else {"classes": self.classes}
        return known | ({} if self.drawings is None else {"drawings": self.drawings.digest})

    def val_digest(self) -> str:
        return hashlib.sha256(json.dumps(self.val, sort_keys=True).encode()).hexdigest()[:16]

    def changes(self, meta: dict[str, Any]) -> str:
        """How the pictures to train on differ from those of a checkpoint: "2 new (p7, p8), 1 gone (p1)". Nothing where
        they do not, or where an older Nurie wrote it, which did not say what they were."""
        before = meta.get("pairs", self.pairs)
        kinds = {
            "new": [name for name in self.pairs if name not in before],
            "gone": [name for name in before if name not in self.pairs],
            "changed": [name for name in self.pairs if before.get(name, self.pairs[name]) != self.pairs[name]],
        }
        return ", ".join(f"{len(names):,} {kind} ({some(sorted(names))})" for kind, names in kinds.items() if names)

    def other_val(self, meta: dict[str, Any]) -> bool:
        """Whether the pictures for validation are not those of a checkpoint, so that its scores can not be compared."""
        digest = self.val_digest()
        return meta.get("val_pairs", digest) != digest

    def other_drawings(self, meta: dict[str, Any]) -> bool:
        """Whether the drawings without pictures are not those of a checkpoint."""
        return self.drawings is not None and meta.get("drawings") != self.drawings.digest

    def refuse_other_classes(self, config: Train, meta: dict[str, Any]) -> None:
        """A run resumes with the classes that it began with, wherever their file lies. Raises NurieError."""
        before, was = meta.get("classes", {}), meta["train"].get("classes")
        now = self.classes or {}
        pairs = [(name, label, now.get(name, label)) for name, label in before.items()]
        changed = [f"{name} was {old}, now {new}" for name, old, new in pairs if new != old]
        if (was is None) != (config.classes is None):
            changed = [f"classes was {was}, now {config.classes}"]
        if changed:
            more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
            raise NurieError(
                f"{config.run} holds a run with other classes ({'; '.join(changed[:NAMED])}{more}). Use the same ones "
                "to resume it, or another run folder; --init starts a new run from its weights."
            )
