"""Training: resume, losses, checkpoints, and what a user gets told."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from conftest import TINY, forget_accelerate, square
from nurie.config import Train
from nurie.errors import NurieError
from nurie.nets import checkpoint
from nurie.nets.generators import FastGenerator
from nurie.painting.painter import open_painter
from nurie.pairs.folder import PairFolder
from nurie.train import train
from nurie.training.options import metadata, refuse_other_options


def tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def command(pairs: Path, run: Path, steps: int, *more: str) -> list[str]:
    options = [word for key, value in TINY.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    return [
        sys.executable,
        "-m",
        "nurie",
        "train",
        str(pairs),
        str(run),
        f"--steps={steps}",
        "--save-every=3",
        *options,
        *more,
    ]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(
    "kind", ["alone", "with a teacher and classes", "with a projected discriminator", "in colours"]
)
def test_killed_run_resumes_bit_identical(pairs: Path, tmp_path: Path, kind: str) -> None:
    steps, environment = 40, {**os.environ, "OMP_NUM_THREADS": "1"}
    more: list[str] = []
    if "projected" in kind:
        more = ["--discriminator", "projected", "--feature-matching", "5", "--hint-l1", "10"]
    if "colours" in kind:
        more = ["--colours", "5"]
    if "teacher" in kind:
        train(Train(pairs, tmp_path / "teacher", steps=2, **{**TINY, "width": 16}))
        (tmp_path / "list.csv").write_text("id,class\n" + "".join(f"p{i},{i > 1}\n" for i in range(6)))
        more = ["--teacher", str(tmp_path / "teacher"), "--classes", str(tmp_path / "list.csv")]
    whole = command(pairs, tmp_path / "whole", steps, *more)
    subprocess.run(whole, check=True, env=environment, capture_output=True)

    broken = tmp_path / "broken"
    process = subprocess.Popen(
        command(pairs, broken, steps, *more), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while lines(broken / "losses.jsonl") < 4 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_at = lines(broken / "losses.jsonl")
    assert 4 <= killed_at < steps, "the process must die in the middle for this test to mean anything"

    subprocess.run(command(pairs, broken, steps, *more), check=True, env=environment, capture_output=True)
    expected, resumed = tensors(tmp_path / "whole" / checkpoint.FILE), tensors(broken / checkpoint.FILE)
    assert expected.keys() == resumed.keys()
    assert any(key.startswith("adapters/") for key in expected) == ("teacher" in kind)
    assert [key for key in expected if not torch.equal(expected[key], resumed[key])] == []
    expected, resumed = tensors(tmp_path / "whole" / checkpoint.BEST), tensors(broken / checkpoint.BEST)
    assert [key for key in expected if not torch.equal(expected[key], resumed[key])] == []
    assert (tmp_path / "whole" / "losses.jsonl").read_text() == (broken / "losses.jsonl").read_text()


def test_training_learns_and_leaves_pictures_to_look_at(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=60, save_every=30, gan=0.0, lr=2e-3, ema=0.5, augment_drawing=False, **TINY)
    train(config)
    records = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records] == list(range(1, 61))
    assert records[-1]["l1"] < 0.5 * records[0]["l1"]
    assert records[-1]["val_l1"] < 0.25
    assert records[-1]["val_l1"] < records[-1]["val_score"] < records[29]["val_score"]
    for name in ("samples-000030.png", "samples-000060.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_checkpoint_alone_gives_the_averaged_generator(pairs: Path, tmp_path: Path) -> None:
    path = train(Train(pairs, tmp_path, steps=3, save_every=3, **TINY))
    moved = tmp_path / "moved.safetensors"
    path.rename(moved)
    generator, meta = checkpoint.load_generator(moved)
    assert meta["generator"] == {"kind": "fast", "width": 8, "styles": True, "enclosed": True}
    assert meta["step"] == 3
    saved = tensors(moved)
    assert all(torch.equal(value, saved[f"ema/{name}"]) for name, value in generator.state_dict().items())
    assert not generator.training


def test_init_leaves_the_default_style_to_the_new_run(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "a", steps=1, save_every=1, **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", init=tmp_path / "a", size=square(96)))  # other pixels, other mean colours
    generator, meta = checkpoint.load_generator(tmp_path / "b")
    default = generator.get_submodule("style").get_buffer("colour")
    assert torch.equal(default, torch.tensor(meta["styles"][0]))
    assert not torch.equal(default, tensors(tmp_path / "a" / checkpoint.FILE)["ema/style.colour"])


def test_init_starts_from_another_runs_weights(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "a", steps=2, save_every=2, **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", init=tmp_path / "a", lr=0.0, steps=1))
    a, b = tensors(tmp_path / "a" / checkpoint.FILE), tensors(tmp_path / "b" / checkpoint.FILE)
    assert torch.equal(a["ema/head.weight"], b["generator/head.weight"])


def test_init_from_other_pixels_leaves_a_discriminator_of_other_parts_fresh(pairs: Path, tmp_path: Path) -> None:
    options = TINY | {"discriminator": "projected", "size": square(32)}
    config = Train(pairs, tmp_path / "a", steps=1, **options)
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", init=tmp_path / "a", size=square(64)))
    a, b = tensors(tmp_path / "a" / checkpoint.FILE), tensors(tmp_path / "b" / checkpoint.FILE)
    assert {key for key in b if key.startswith("discriminator/")} > {
        key for key in a if key.startswith("discriminator/")
    }


def test_init_from_a_best_file_leaves_the_discriminator_fresh(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "a", steps=2, save_every=2, **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", init=tmp_path / "a" / checkpoint.BEST, lr=0.0, steps=1))
    a, b = tensors(tmp_path / "a" / checkpoint.FILE), tensors(tmp_path / "b" / checkpoint.FILE)
    assert torch.equal(a["ema/head.weight"], b["generator/head.weight"])
    assert not torch.equal(a["discriminator/logits.weight"], b["discriminator/logits.weight"])


def test_without_adversarial_losses_no_discriminator_is_trained(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path / "a", steps=2, save_every=1, **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", gan=0.0, feature_matching=0.0, init=tmp_path / "a"))
    a, b = tensors(tmp_path / "a" / checkpoint.FILE), tensors(tmp_path / "b" / checkpoint.FILE)
    learnt = {key for key in a if key.startswith("discriminator/") and not torch.equal(a[key], b[key])}
    assert not learnt and not torch.equal(a["generator/head.weight"], b["generator/head.weight"])
    records = [json.loads(line) for line in (tmp_path / "b" / "losses.jsonl").read_text().splitlines()]
    assert len(records) == 2 and not {"gan", "discriminator", "feature_matching"} & records[0].keys()


def test_a_run_folder_means_its_best_generator(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.5, 0.3, 0.4, 0.35])  # of the saves at steps 1, 2, 3 and, after a resume, 4
    monkeypatch.setattr("nurie.training.validate.scores", lambda *_: {"val_l1": 0.1, "val_score": next(values)})
    config = Train(pairs, tmp_path, steps=4, save_every=1, **TINY)
    with pytest.raises(StopIteration):
        train(replace(config, steps=5))
    forget_accelerate()
    best, meta = checkpoint.load(tmp_path / checkpoint.BEST)
    assert (meta["step"], meta["best"], best.keys()) == (2, 0.3, {"ema"})
    assert checkpoint.load_generator(tmp_path)[1]["step"] == 2
    assert checkpoint.load_generator(tmp_path / checkpoint.FILE)[1]["step"] == 4

    drawing = PairFolder(pairs / "val", square(64)).read(pairs / "val" / "p0--few.png")[0]
    folder, best = (open_painter(path).paint(drawing) for path in (tmp_path, tmp_path / checkpoint.BEST))
    assert np.array_equal(folder, best)


def test_a_later_save_that_is_as_good_is_kept(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.300, 0.305, 0.310, 0.306, 0.308])  # 2 % above the lowest is 0.306
    monkeypatch.setattr("nurie.training.validate.scores", lambda *_: {"val_l1": 0.1, "val_score": next(values)})
    train(Train(pairs, tmp_path, steps=5, save_every=1, **TINY))
    meta = checkpoint.load(tmp_path / checkpoint.BEST)[1]
    assert (meta["step"], meta["best"]) == (4, 0.3)


def test_best_score_survives_a_resume(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.3, 0.4, 0.35, 0.2])
    monkeypatch.setattr("nurie.training.validate.scores", lambda *_: {"val_l1": 0.1, "val_score": next(values)})
    steps = []
    for end in (2, 3, 4):
        train(Train(pairs, tmp_path, steps=end, save_every=1, **TINY))
        forget_accelerate()
        steps.append(checkpoint.load_generator(tmp_path)[1]["step"])
    assert steps == [1, 1, 4]


def test_other_options_do_not_resume(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=1, **TINY)
    train(config)
    forget_accelerate()
    with pytest.raises(NurieError, match=r"other options \(l1 was 20.0, now 50.0\)"):
        train(replace(config, l1=50.0))


def test_a_finished_run_goes_on_when_it_is_given_more_steps(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=1, **TINY)
    train(config)
    forget_accelerate()
    train(replace(config, steps=3))
    groups, meta = checkpoint.load(tmp_path / checkpoint.FILE)
    assert meta["step"] == meta["train"]["steps"] == 3
    assert groups["optimizer_g"]["0/step"] == 3, "Adam goes on, too"
    records = [json.loads(line)["step"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert records == [1, 2, 3]


def test_run_of_an_older_nurie_had_the_defaults_of_newer_options(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, steps=1)
    saved = metadata(config, 1)["train"]
    del saved["distil_output"]
    refuse_other_options(config, saved)
    with pytest.raises(NurieError, match=r"distil_output was 20.0, now 3.0"):
        refuse_other_options(replace(config, distil_output=3.0), saved)


def test_run_from_before_there_was_a_choice_of_discriminators_had_a_patchgan(pairs: Path, tmp_path: Path) -> None:
    config = Train(pairs, tmp_path, discriminator="patch", hint_l1=0.0, jitter=False)
    saved = metadata(config, 1)["train"]
    del saved["discriminator"], saved["hint_l1"], saved["jitter"]
    refuse_other_options(config, saved)
    with pytest.raises(NurieError, match=r"discriminator was patch, now projected"):
        refuse_other_options(replace(config, discriminator="projected"), saved)


def test_consistency_makes_pictures_change_less_with_the_pen(pairs: Path, tmp_path: Path) -> None:
    """Weighted so heavily that it counts in a few steps."""
    options = TINY | {"steps": 12, "save_every": 12, "gan": 0.0, "hints": 0.0, "lr": 1e-3}
    train(Train(pairs, tmp_path / "without", consistency=0.0, **options))
    assert "consistency" not in (tmp_path / "without" / "losses.jsonl").read_text()
    forget_accelerate()
    train(Train(pairs, tmp_path / "with", consistency=1000.0, **options))
    records = [json.loads(line) for line in (tmp_path / "with" / "losses.jsonl").read_text().splitlines()]
    assert records[-1]["consistency"] < 0.5 * records[0]["consistency"]


@pytest.mark.parametrize("loss", ["feature_matching", "body_part_l1"])
def test_a_further_loss_is_logged_and_changes_the_weights(pairs: Path, tmp_path: Path, loss: str) -> None:
    config = replace(Train(pairs, tmp_path / "a", steps=2, save_every=2, body_parts=1.0, **TINY), **{loss: 0.0})
    train(config)
    assert loss not in (tmp_path / "a" / "losses.jsonl").read_text()
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", **{loss: 10.0}))
    assert loss in (tmp_path / "b" / "losses.jsonl").read_text()
    a, b = tensors(tmp_path / "a" / checkpoint.FILE), tensors(tmp_path / "b" / checkpoint.FILE)
    assert not torch.equal(a["generator/head.weight"], b["generator/head.weight"])


def test_generators_are_told_their_pictures_styles_whatever_strokes_say(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    forward = FastGenerator.forward

    def note(net: FastGenerator, x: torch.Tensor, style: torch.Tensor | None = None, **more: Any) -> torch.Tensor:
        if net.training:
            told.append(style)
        return forward(net, x, style, **more)

    monkeypatch.setattr(FastGenerator, "forward", note)
    config = Train(pairs, tmp_path / "a", steps=1, **{**TINY, "hints": 1.0, "consistency": 0.0, "batch": 1})
    train(config)
    forget_accelerate()
    train(replace(config, run=tmp_path / "b", hints=0.0))
    assert torch.equal(*told)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": square(60)}, "--size must be a multiple of 32 for fast, but it is 60"),
        ({"generator": "unet256"}, "--size must be a multiple of 256 for unet256"),
        ({"batch": 0}, "--batch must be from 1 to 4096, but it is 0"),
        ({"lr": -1e-3}, "--lr must be from 0 to 1, but it is -0.001"),
        ({"consistency": float("nan")}, "--consistency must be from 0 to 1000000, but it is nan"),
        ({"discriminator_scale": 0}, "--discriminator-scale must be from 1 to 512, but it is 0"),
        ({"hints": 50.0}, "--hints must be from 0 to 1, but it is 50.0"),
        ({"width": 6}, "width must be a multiple of 4, but it is 6"),
    ],
)
def test_impossible_options_give_a_sentence(pairs: Path, tmp_path: Path, change: dict, sentence: str) -> None:
    with pytest.raises(NurieError, match=sentence):
        train(replace(Train(pairs, tmp_path / "run", steps=1, **TINY), **change))


def test_empty_pairs_folder_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NurieError, match=r"There are no pairs in .*train.*nurie prepare"):
        train(Train(tmp_path, tmp_path / "run", steps=1, **TINY))


def test_damaged_checkpoint_gives_a_sentence(pairs: Path, tmp_path: Path) -> None:
    train(Train(pairs, tmp_path, steps=1, **TINY))
    for name in (checkpoint.BEST, checkpoint.FILE):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(NurieError, match=rf"{name} is damaged or not a safetensors file"):
            checkpoint.load_generator(tmp_path)
        path.rename(tmp_path / f"old-{name}")
    with pytest.raises(NurieError, match="There is no checkpoint at"):
        checkpoint.load_generator(tmp_path / "nowhere")
