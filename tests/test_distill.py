"""Distillation: what the student is compared with, and what a user gets told about a wrong teacher."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import TINY, forget_accelerate, square
from nurie.config import Export, Train
from nurie.errors import NurieError
from nurie.export import export
from nurie.nets import checkpoint
from nurie.nets.generators import build_generator
from nurie.train import train
from nurie.training.distill import Teacher, fingerprint, open_teacher, recorded, same_sizes, shapes


@pytest.fixture(scope="module")
def teacher(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a generator twice as wide."""
    run = tmp_path_factory.mktemp("teacher") / "run"
    train(Train(pairs, run, steps=3, save_every=3, **{**TINY, "width": 16}))
    forget_accelerate()
    return run


def records(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "losses.jsonl").read_text().splitlines()]


def test_features_are_the_decoders_levels_coarsest_first() -> None:
    drawing = torch.zeros(1, 3, 256, 256)
    fast, unet = build_generator("fast", 8).eval(), build_generator("unet256", 8).eval()
    assert [s[1] for s in shapes(fast, drawing)] == [8, 16, 32, 64, 128]
    assert [s[1] for s in shapes(unet, drawing)] == [2, 4, 8, 16, 32, 64, 128]
    assert same_sizes(shapes(fast, drawing), shapes(unet, drawing)) == [(0, 2), (1, 3), (2, 4), (3, 5), (4, 6)]


def test_recording_ends_with_its_block() -> None:
    net, drawing = build_generator("fast", 8).eval(), torch.zeros(1, 3, 32, 32)
    with recorded(net) as features:
        net(drawing)
    net(drawing)
    assert len(features) == 5


def test_feature_loss_is_nothing_for_a_student_equal_to_its_teacher() -> None:
    net = build_generator("fast", 8)
    teacher = Teacher(net, net.eval(), square(64))
    for adapter in teacher.adapters:
        assert isinstance(adapter, torch.nn.Conv2d) and adapter.bias is not None
        torch.nn.init.dirac_(adapter.weight)
        torch.nn.init.zeros_(adapter.bias)
    drawing = torch.rand(2, 3, 64, 64)
    _, features = teacher.show(drawing, torch.zeros(2, 3))
    assert teacher.feature_loss(teacher.adapters, features, features).item() == 0
    assert teacher.feature_loss(teacher.adapters, [f + 0.5 for f in features], features).item() == pytest.approx(0.25)


def test_a_teacher_with_styles_paints_in_the_style_that_it_is_told() -> None:
    net = build_generator("fast", 8, styles=True, enclosed=True)
    teacher = Teacher(net, net.eval(), square(64))
    drawing, red = torch.ones(1, 3, 64, 64), torch.tensor([[0.5, -0.5, -0.5]])
    picture, _ = teacher.show(drawing, red)
    assert torch.equal(picture, net(drawing, red))
    assert not torch.equal(picture, net(drawing))


def test_fingerprint_is_of_the_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, other = build_generator("fast", 8), build_generator("fast", 8)
    before = fingerprint(net)
    assert before != fingerprint(other)
    other.load_state_dict(net.state_dict())
    assert before == fingerprint(other)


def test_student_comes_near_its_teacher(pairs: Path, tmp_path: Path, teacher: Path) -> None:
    """Led by nothing else: neither the discriminator nor the targets."""
    alone: dict[str, Any] = {"l1": 0.0, "gan": 0.0, "feature_matching": 0.0, "lattice": 0.0, "hints": 0.0}
    train(Train(pairs, tmp_path, steps=60, teacher=teacher, lr=2e-3, save_every=60, **TINY, **alone))
    lines = records(tmp_path)
    for name in ("distil_output", "distil_features"):
        assert sum(r[name] for r in lines[-10:]) < 0.5 * sum(r[name] for r in lines[:10]), name


def test_adapters_are_in_the_checkpoint_but_not_in_the_generator(pairs: Path, tmp_path: Path, teacher: Path) -> None:
    path = train(Train(pairs, tmp_path, steps=1, teacher=teacher, **TINY))
    groups, meta = checkpoint.load(path)
    assert len(groups["adapters"]) == 10  # weight and bias of five levels
    assert groups["ema"].keys() == build_generator("fast", 8, styles=True, enclosed=True).state_dict().keys()
    assert meta["teacher"] == fingerprint(checkpoint.load_generator(teacher)[0])


def test_moved_teacher_resumes_another_one_does_not(pairs: Path, tmp_path: Path, teacher: Path) -> None:
    config = Train(pairs, tmp_path / "run", steps=1, teacher=teacher, **TINY)
    train(config)
    moved = teacher.rename(tmp_path / "moved")
    forget_accelerate()
    train(replace(config, teacher=moved))
    for other, sentence in ((None, "began with a teacher"), (tmp_path / "other", "began with another teacher")):
        if other:
            torch.manual_seed(7)
            ema = build_generator("fast", 8, styles=True, enclosed=True).state_dict()
            other.mkdir()
            checkpoint.save(other / checkpoint.FILE, {"ema": ema}, checkpoint.load(config.run)[1])
        forget_accelerate()
        with pytest.raises(NurieError, match=rf"{sentence}\. Resume it with the same --teacher"):
            train(replace(config, teacher=other))
    moved.rename(teacher)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"direction": "BtoA"}, r"was trained with --direction AtoB, but this run has BtoA\. Use the same"),
        ({"size": square(96)}, r"was trained with --size 64, but this run has 96"),
        ({"teacher": Path("nowhere")}, "There is no checkpoint at nowhere"),
    ],
)
def test_wrong_teacher_gives_a_sentence(
    pairs: Path, tmp_path: Path, teacher: Path, change: dict, sentence: str
) -> None:
    with pytest.raises(NurieError, match=sentence):
        train(replace(Train(pairs, tmp_path / "run", steps=1, teacher=teacher, **TINY), **change))


def test_damaged_teacher_gives_a_sentence(pairs: Path, tmp_path: Path, teacher: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes((teacher / checkpoint.FILE).read_bytes()[:100])
    with pytest.raises(NurieError, match=r"damaged\.safetensors is damaged"):
        train(Train(pairs, tmp_path / "run", steps=1, teacher=damaged, **TINY))


def test_a_run_is_not_its_own_teacher(pairs: Path, tmp_path: Path, teacher: Path) -> None:
    for path in (teacher, teacher / checkpoint.FILE):
        with pytest.raises(NurieError, match="is the run itself"):
            train(Train(pairs, teacher, steps=4, teacher=path, **{**TINY, "width": 16}))


def test_a_model_teaches_as_the_run_that_it_is_of_does_and_hands_its_credits_on(
    pairs: Path, tmp_path: Path, teacher: Path
) -> None:
    model = export(Export(teacher, tmp_path / "model", weights="float32", tolerance=1.0, credits=("Thanks to A",)))
    drawing, student = torch.rand(2, 3, 64, 64) * 2 - 1, build_generator("fast", 8, styles=True, enclosed=True).eval()
    style, shown = torch.rand(2, 3), []
    for path in (teacher, model):
        opened = open_teacher(Train(pairs, tmp_path / "run", teacher=path, **TINY), student)
        assert opened
        shown.append(opened.show(drawing, style)[0])
    assert torch.allclose(*shown, atol=1e-4)
    options: dict[str, Any] = {**TINY, "distil_features": 0.0}
    path = train(Train(pairs, tmp_path / "run", steps=1, teacher=model, **options))
    assert checkpoint.load(path)[1]["credits"] == ["Thanks to A"]
    assert records(tmp_path / "run")[0]["distil_output"] > 0 and "distil_features" not in records(tmp_path / "run")[0]
    forget_accelerate()
    assert checkpoint.load(train(Train(pairs, tmp_path / "run", steps=2, teacher=model, **options)))[1]["step"] == 2


def test_a_teacher_of_classes_is_refused(pairs: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {**TINY, "colours": 4, "styles": False, "enclosed": False}
    run = tmp_path / "colours"
    train(Train(pairs, run, steps=1, **options))
    forget_accelerate()
    with pytest.raises(NurieError, match="paints in 4 colours, not in any"):
        train(Train(pairs, tmp_path / "run", steps=1, teacher=run, **TINY))
