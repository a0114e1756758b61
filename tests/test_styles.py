"""Styles: the mean colour of what is not paper, and the common ones of a data set."""

from pathlib import Path

import numpy as np
import torch

from conftest import square
from nurie.drawings.ink import WHITE, subject
from nurie.drawings.sheets import save_png
from nurie.nets.generators import StyleInput, hash_noise
from nurie.nets.styles import common_styles, style_of
from nurie.nets.tensors import to_tensor
from nurie.pairs.folder import PairFolder
from nurie.train import styles_of


def test_the_style_is_the_mean_colour_of_the_subject() -> None:
    picture = torch.ones(2, 3, 8, 8)
    picture[0, :, :4] = torch.tensor([-0.5, 0.0, 0.25])[:, None, None]
    assert torch.allclose(style_of(picture), torch.tensor([[-0.5, 0.0, 0.25], [1.0, 1.0, 1.0]]))


def test_paper_is_what_is_no_subject() -> None:
    greys = [np.full((1, 1, 3), level, np.uint8) for level in range(255)]
    is_paper = (style_of(to_tensor(greys)) == 1).all(1).tolist()
    assert is_paper == [not subject(grey).any() for grey in greys]
    assert is_paper.index(True) == WHITE


def test_colourful_pixels_count_more_than_grey_ones() -> None:
    picture = torch.ones(1, 3, 8, 8)
    picture[0, :, :4] = torch.tensor([1.0, -0.5, -1.0])[:, None, None]
    picture[0, :, 4:6] = -1.0  # black
    picture[0, :, 6:7] = 0.5  # grey
    style = style_of(picture)[0]
    assert (style - torch.tensor([1.0, -0.5, -1.0])).abs().max() < 0.1
    picture[0, :, :4] = 0.5
    assert torch.allclose(style_of(picture), torch.full((1, 3), (5 * 0.5 - 2) / 7))


def test_common_styles_are_the_same_every_time_and_not_more_than_pictures(pairs: Path) -> None:
    colours = styles_of(PairFolder(pairs / "train", square(64)))
    styles = common_styles(colours)
    assert styles == common_styles(colours)
    assert len(styles) == len(colours) < 12
    assert len(common_styles(colours, 2)) == 2
    assert all(-1 <= value <= 1 for style in styles for value in style)


def test_the_first_style_is_the_nearest_to_all_and_the_others_the_most_common_first(tmp_path: Path) -> None:
    colours = [(250, 20, 20)] * 4 + [(20, 20, 250)] * 3 + [(128, 60, 128)] * 2
    (tmp_path / "train").mkdir()
    for i, colour in enumerate(colours):
        pair = np.full((64, 128, 3), 255, np.uint8)
        pair[16:48, 80:112] = colour
        save_png(tmp_path / "train" / f"p{i}.png", pair)
    styles = (np.array(common_styles(styles_of(PairFolder(tmp_path / "train", square(64))))) + 1) * 127.5
    assert np.abs(styles - [(128, 60, 128), (250, 20, 20), (20, 20, 250)]).max() < 1


def test_noise_is_random_in_training_and_fixed_afterwards() -> None:
    module, x = StyleInput(), torch.zeros(2, 5, 6, 7)
    first, second = module(x), module(x)
    assert first.shape == (2, 4, 6, 7)
    assert (first[:, 0] != second[:, 0]).all()
    module.eval()
    style = torch.tensor([[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
    fixed = module(x, style)
    assert np.array_equal(fixed[1, 0].numpy(), hash_noise(6, 7, 0))
    assert torch.equal(fixed[:, 1:], style[:, :, None, None].expand(2, 3, 6, 7))
