"""Average the generators of training stages that began with each other's weights (Wortsman et al. 2022, Model soups).

    python examples/cats/average.py OUT.safetensors RUN=SHARE RUN=SHARE ...

RUN is a run folder, whose last save counts, or a checkpoint; shares add up to 1. What is no weight, such as the styles,
comes from the first.
"""

import sys
from pathlib import Path

from nurie.checkpoint import load, save
from nurie.errors import NurieError

DEFAULT_STYLE = "style.colour"  # a buffer of the generator


def average(parts: list[tuple[Path, float]], out: Path) -> None:
    """Write the mean of generators weighted by their shares. Raises NurieError with a sentence."""
    if abs(sum(share for _, share in parts) - 1) > 1e-6:
        raise NurieError(f"Expected shares that add up to 1, got {', '.join(f'{share:g}' for _, share in parts)}.")
    loaded = [load(path, ("ema",)) for path, _ in parts]
    first, meta = loaded[0]
    for (path, _), (_, other) in zip(parts, loaded, strict=True):
        if other["generator"] != meta["generator"]:
            raise NurieError(f"{path} holds another net than {parts[0][0]}: {other['generator']}, {meta['generator']}.")
    mean = {
        name: sum(share * groups["ema"][name] for (_, share), (groups, _) in zip(parts, loaded, strict=True))
        if tensor.is_floating_point() and name != DEFAULT_STYLE
        else tensor
        for name, tensor in first["ema"].items()
    }
    save(out, {"ema": mean}, meta)


if __name__ == "__main__":
    try:
        out, *parts = sys.argv[1:]
        average([(Path(run), float(share)) for run, share in (part.rsplit("=", 1) for part in parts)], Path(out))
    except (NurieError, ValueError) as error:
        sys.exit(f"{error}\n{__doc__}")
