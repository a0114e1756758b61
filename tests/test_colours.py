"""Colours as classes: a generator that paints in the colours of a palette."""

import json

import pytest
import torch

from nurie.errors import NurieError
from nurie.nets.generators import FastGenerator, build_generator
from nurie.nets.metadata import read_metadata


def test_a_generator_of_colours_gives_a_logit_for_each_at_every_pixel() -> None:
    net = build_generator("fast", 8, colours=5).eval()
    assert isinstance(net, FastGenerator) and net.head.bias is not None
    with torch.no_grad():
        net.head.bias.fill_(7)  # beyond what pictures have
        logits = net(torch.rand(2, 3, 64, 32))
    assert logits.shape == (2, 5, 64, 32) and (logits > 1).all()


def about(**changes: object) -> str:
    generator = {"kind": "fast", "width": 8, "colours": 3}
    meta = {"version": 1, "step": 1, "train": {"size": 64, "direction": "AtoB"}, "generator": generator}
    return json.dumps(meta | {"palette": ["#ffffff", "#000000", "#ff0000"], "shares": [0.5, 0.25, 0.25]} | changes)


def test_a_checkpoint_of_colours_has_as_many_in_its_palette() -> None:
    meta = read_metadata(about(), "a file")
    assert meta["generator"]["colours"] == len(meta["palette"]) == 3
    for changes, fault in (
        ({"palette": ["#ffffff", "#000000"]}, "a palette of 3 colours, got 2"),
        ({"palette": ["#ffffff", "#000000", "red"]}, r"palette\[2\]"),
        ({"shares": [1.0]}, "a share for each of 3 colours, got 1"),
        ({"generator": {"kind": "fast", "width": 8}}, "a palette of 0 colours, got 3"),
    ):
        with pytest.raises(NurieError, match=fault):
            read_metadata(about(**changes), "a file")


def test_checkpoints_of_before_there_were_colours_are_read_as_they_were() -> None:
    meta = read_metadata(about(generator={"kind": "fast", "width": 8}, palette=[], shares=[]), "a file")
    assert "colours" not in meta["generator"]
