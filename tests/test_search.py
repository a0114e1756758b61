"""bench/search.py: variants of the small generator, trained as any other."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import TINY, square
from nurie.pairs.folder import PairFolder
from nurie.training.validate import val_tensors


def test_a_variant_is_trained_and_scored(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[1] / "bench")])
    search = importlib.import_module("search")
    monkeypatch.setattr(search, "SEARCH", replace(search.SEARCH, steps=1, **TINY))
    name = "width 16"
    search.train_variant(name, pairs, tmp_path)
    net = search.trained(name, tmp_path)
    assert net.head.weight.shape[1] == 16
    fresh = search.build(search.VARIANTS[name])
    assert net.state_dict().keys() == fresh.state_dict().keys()
    scores = search.score(net, val_tensors(PairFolder(pairs / "val", square(64)), 3))
    assert 0 < scores["l1"] < 1 and scores["sharpness"] > 0
