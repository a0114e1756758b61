"""Every option of every command: one frozen dataclass per command.

The comment behind a field, or above it, is its help text; notes in its type say what else holds for it. Each command
reads one artifact and writes the next:
photos -> (prepare) pairs/ -> (train) run/ -> (export) model/ -> (publish) site/ -> (serve).
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from tyro.conf import Positional, arg

Note = TypeVar("Note")


def notes(command: type, kind: type[Note]) -> dict[str, Note]:
    """The options of a command whose types carry a note of this kind, one of the classes below; with these notes."""
    types = get_type_hints(command, include_extras=True)
    found = ((name, note) for name, kept in types.items() for note in getattr(kept, "__metadata__", ()))
    return {name: note for name, note in found if isinstance(note, kind)}


class Range:
    """Can be from `least` to `most`, both included."""

    def __init__(self, least: float, most: float = math.inf) -> None:
        self.least, self.most = least, most


class LossWeight:
    """Is the weight of the training loss of the same name."""


class FreeToChange:
    """Can be another one when a run is resumed."""


class Before:
    """Was this before there was the option, where that is not its default."""

    def __init__(self, value: Any) -> None:
        self.value = value


Generator = Literal["fast", "unet256", "unet128"]
Discriminator = Literal["patch", "projected"]
Detail = Literal["few", "some", "many"]
Folder = Annotated[Path | None, arg(metavar="FOLDER")]
Positive = Annotated[int, Range(1)]
NotNegative = Annotated[int, Range(0)]
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[float, Range(0), LossWeight()]


@dataclass(frozen=True)
class Prepare:
    """Turn photos into training pairs: line art on the left, picture on the right.

    Run the same command again to resume, or after you added, mended or deleted photos or masks: pairs of changed ones
    are made anew, those of deleted ones removed, and all others kept.
    """

    # folder of JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC pictures (read recursively)
    photos: Annotated[Positional[Path], arg(metavar="PHOTOS")]
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS")]  # folder to write: train/, val/, sheet.png
    # where the input comes from: lines drawn from the picture, a second folder (--inputs), or the picture in gray
    mode: Literal["lines", "folders", "gray"] = "lines"
    inputs: Folder = None  # mode folders: folder of input pictures with the same names as the photos
    # folder of masks with the same names (white = subject; specks, and holes in which the subject goes on, are mended);
    # default: the alpha channel
    masks: Folder = None
    size: int = 256  # width and height of one half of a pair, pixels
    # square the picture: crop to the masked subject, pad with white, or crop the centre
    fit: Literal["subject", "pad", "crop"] = "subject"
    margin: float = 0.06  # white margin around the subject, as a fraction of its longer side
    details: tuple[Detail, ...] = ("few", "some", "many")  # how many lines to draw: one pair is written for each
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # BtoA puts the picture on the left
    val_percent: int = 10  # share of the pictures kept for validation, chosen by a stable hash of the name
    workers: int = 0  # processes; 0 = one per core


@dataclass(frozen=True)
class Train:
    """Train a pix2pix generator (Isola et al. 2017) on pairs.

    Run the same command again to resume exactly where it stopped.
    """

    # folder with train/ and val/ (from `nurie prepare`, or any pix2pix A|B folder)
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS"), FreeToChange()]
    # folder to write: best.safetensors, checkpoint.safetensors, samples-*.png, losses.png, losses.jsonl, warnings.txt
    run: Annotated[Positional[Path], arg(metavar="RUN"), FreeToChange()]
    generator: Generator = "fast"  # fast: the small net for the page; unet256, unet128: the classic U-Nets
    width: NotNegative = 0  # channels of the first layer; 0 = the generator's own default (fast 24, unet 64)
    size: int = 256  # train at this resolution, pixels; pairs are resized by area when they differ
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # BtoA learns right -> left
    steps: Annotated[Positive, FreeToChange()] = 20_000  # optimiser steps; a run that is given more goes on
    batch: Positive = 8  # pictures per step and process
    lr: Annotated[float, Range(0)] = 2e-4  # Adam step size of both nets
    decay: Share = 0.5  # share of the steps, at the end, over which lr falls linearly to 0
    beta1: Share = 0.5  # Adam beta1
    l1: Weight = 20.0  # weight of the L1 loss
    gan: Weight = 1.0  # weight of the GAN loss; with 0 here and for feature matching no discriminator is trained
    feature_matching: Weight = 5.0  # weight of the feature matching loss (Wang et al. 2018, pix2pixHD)
    # weight of the L1 difference of two pictures of one drawing by two pens, a few pixels apart; needs
    # --augment-drawing
    consistency: Annotated[Weight, Before(0.0)] = 10.0
    lattice: Annotated[Weight, Before(0.0)] = 40.0  # weight of the loss on rows and columns that are brighter in turns
    # projected: on the features of a network trained on ImageNet (Sauer et al. 2021); patch: a PatchGAN, as in Isola et
    # al. 2017, who used it with --l1 100 --feature-matching 0
    discriminator: Annotated[Discriminator, Before("patch")] = "projected"
    discriminator_width: Positive = 64  # channels of each projected discriminator, or of PatchGAN's first layer
    # the discriminator sees pictures this many times smaller; projected: or parts of them
    discriminator_scale: Positive = 1
    # fast only: tell the generator the subject's mean colour, so that the page can show other colourings
    styles: bool = True
    # fast only: tell the generator how enclosed each place of the drawing is by its lines, for line drawings
    enclosed: Annotated[bool, Before(False)] = True
    ema: Share = 0.999  # decay of the moving average of the generator's weights
    diffaugment: bool = True  # differentiable augmentation for the discriminator (Zhao et al. 2020)
    # vary the drawing: line width and softness, gaps, dropped and added strokes; wobble it and its picture
    augment_drawing: bool = True
    # share of the line drawings that get a tail, in the picture too: for animals, whose tails photos often hide; needs
    # --augment-drawing
    tails: Share = 0.0
    # share of the line drawings that get a made-up face and whiskers, in the picture too, and of those that get paws,
    # and legs: for animals, whose eyes and toes extractors seldom find whole, and most of whom sit or lie in photos
    body_parts: Share = 0.0
    body_part_l1: Weight = 10.0  # weight of a second L1 loss, around those faces and in those paws
    hints: Share = 0.5  # share of the line drawings that get strokes in the picture's colours, as hints what to paint
    hint_l1: Annotated[Weight, Before(0.0)] = 10.0  # weight of a second L1 loss, around those strokes
    # share of those strokes around which the picture gets another colour first, so that they say what nothing else does
    hint_recolour: Annotated[Share, Before(0.0)] = 0.7
    flip: bool = True  # mirror half of the pairs
    # enlarge most pairs by up to 12 % and crop them at random (Isola et al. 2017); a quarter of those on white paper
    # become smaller instead, down to a quarter, anywhere on it
    jitter: Annotated[bool, Before(False)] = True
    # CSV file with a header, then each picture's name and class: all classes are drawn equally often
    classes: Annotated[Path | None, arg(metavar="FILE")] = None
    # start from these weights: a run folder, a .safetensors file, or a model folder, whose credits the new model keeps
    init: Annotated[Path | None, arg(metavar="PATH"), FreeToChange()] = None
    # learn from this generator too: an earlier run with a larger --width, or a unet (run folder or .safetensors file)
    teacher: Annotated[Path | None, arg(metavar="PATH"), FreeToChange()] = None
    distil_output: Weight = 20.0  # with a teacher: weight of the L1 loss to its pictures
    distil_features: Weight = 10.0  # with a teacher: weight of the squared difference to the means of its channels
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # auto: bf16 where the hardware multiplies in it
    threads: Annotated[NotNegative, FreeToChange()] = 0  # CPU threads; 0 = PyTorch's choice
    seed: NotNegative = 0  # seed of everything random
    save_every: Annotated[Positive, FreeToChange()] = 500  # steps between checkpoints and sample sheets


@dataclass(frozen=True)
class Export:
    """Compress a trained generator into a model that the browser engine runs.

    BatchNorm is folded, the weights become 8-bit, and the engine's output is compared with
    PyTorch's on real drawings: the export fails where they differ by more than it promises.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # run folder or checkpoint.safetensors
    model: Annotated[Positional[Path], arg(metavar="MODEL")]  # folder to write: manifest.json, weights.HASH.bin.gz
    title: str = ""  # shown on the page; default: the run folder's name
    title_ja: str = ""  # the same in Japanese
    weights: Literal["int8", "float32"] = "int8"  # how weights are stored; int8 has one scale per output channel
    fill: bool = False  # flat colours: one for each area that a drawing's lines enclose, a few for what is open
    presets: Folder = None  # folder of drawings for the preset button: .json strokes or .png
    # NAME=#rrggbb of each colour in label maps, the ground first; default: the colours found in val drawings, unnamed
    labels: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()  # credit lines the page must show, such as the data set's licence
    pairs: Folder = None  # pairs whose val drawings check the export; default: the ones trained on
    samples: int = 8  # drawings compared with PyTorch
    tolerance: float = 0.02  # largest mean difference to PyTorch that the export accepts, of the 0-1 range
    format: tuple[Literal["nurie", "onnx"], ...] = ("nurie",)  # onnx also writes model.onnx, checked with ONNX Runtime


@dataclass(frozen=True)
class Publish:
    """Write a static site: page, engine and models, ready for any web host and any sub-path."""

    model: Annotated[Positional[Path], arg(metavar="MODEL")]  # model folder from `nurie export`
    site: Annotated[Positional[Path], arg(metavar="SITE")]  # folder to write
    # more model folders: visitors choose on the page, which begins with MODEL; the others are downloaded when chosen
    more: Annotated[tuple[Path, ...], arg(metavar="MODEL...")] = ()
    title: str = ""  # page title; default: the model's title


@dataclass(frozen=True)
class Serve:
    """Serve a site on this computer. Without a site: the built-in models."""

    # folder from `nurie publish`; default: the built-in models' page
    site: Annotated[Positional[Path | None], arg(metavar="[SITE]")] = None
    port: int = 8000  # first port to try; the next free one is taken; 0: any
    # address to listen on; 0.0.0.0 lets all devices in your network see the page, to try it on a phone
    host: Annotated[str, arg(metavar="ADDRESS")] = "127.0.0.1"
    open: bool = True  # open the browser


@dataclass(frozen=True)
class Predict:
    """Colour a folder of drawings with an exported model or a training run."""

    # model folder (runs the engine) or run folder / checkpoint (runs PyTorch)
    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    # drawings (pictures, or strokes as the presets' .json files), or folders of them
    images: Annotated[Positional[tuple[Path, ...]], arg(metavar="IMAGES...")]
    output: Path = Path("predicted")  # folder to write PNG files to
    # PNG to write: all drawings beside their pictures
    sheet: Annotated[Path | None, arg(metavar="FILE")] = None
    # which of the model's colourings, as the page's dice; default: a stroke drawing's own "seed", else 0
    seed: Annotated[int | None, arg(metavar="NUMBER")] = None


@dataclass(frozen=True)
class Evaluate:
    """Measure a run or a model on the val pairs: a table, then the same as one line of JSON.

    L1, PSNR and SSIM compare each picture with its target. FID and KID compare all pictures with all targets; FID is
    biased on fewer than 2,048 pictures, so prefer KID there. LPIPS is a perceptual distance. These three download the
    weights of their networks once. Robustness is how much a picture changes when its drawing is drawn a little
    differently. A run is computed by PyTorch, a model by the page's engine.
    """

    # model folder, run folder or checkpoint.safetensors
    model: Annotated[Positional[Path], arg(metavar="RUN-OR-MODEL")]
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS")]  # folder of pairs whose val side is used
    compare: Annotated[tuple[Path, ...], arg(metavar="RUN-OR-MODEL...")] = ()  # more of them, one column each
    samples: int = 0  # val pairs to use, evenly spread; 0 = all
    # PNG to write: a row for each of some val drawings, with the drawing, each model's picture and the target
    sheet: Annotated[Path | None, arg(metavar="FILE")] = None
    sheet_rows: int = 12  # val drawings on the sheet, evenly spread
    threads: int = 0  # CPU threads; 0 = PyTorch's choice (the engine takes one)
    seed: int = 0  # seed of the changes to the drawings, and of KID's subsets


@dataclass(frozen=True)
class Make:
    """Do it all: photos -> pairs -> run -> model -> site. Each stage resumes when it is run again."""

    photos: Annotated[Positional[Path], arg(metavar="PHOTOS")]  # folder of pictures
    site: Annotated[Positional[Path], arg(metavar="SITE")]  # folder to write the page to
    work: Folder = None  # folder for pairs/, run/ and model/; default: SITE-work beside the site
    masks: Folder = None  # as in `nurie prepare`
    fit: Literal["subject", "pad", "crop"] = "subject"  # as in `nurie prepare`
    size: int = 256  # as in `nurie prepare`
    steps: int = 20_000  # as in `nurie train`
    batch: int = 8  # as in `nurie train`
    title: str = ""  # as in `nurie export`
    credits: tuple[str, ...] = field(default=())  # as in `nurie export`
