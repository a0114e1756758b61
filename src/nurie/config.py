"""Every option of every command: one frozen dataclass per command.

The comment behind a field, or above it, is its help text; notes in its type say what else holds for it. Each command
reads one artifact and writes the next:
photos -> (prepare) pairs/ -> (train) run/ -> (export) model/ -> (publish) site/ -> (serve).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg
from tyro.constructors import PrimitiveConstructorSpec

from nurie.errors import NurieError
from nurie.limits import Length, Range, Sides
from nurie.size import Size


class LossWeight:
    """Is the weight of the training loss of the same name."""


class FreeToChange:
    """Can be another one when a run is resumed."""


class Before:
    """Was this before there was the option, where that is not its default."""

    def __init__(self, value: Any) -> None:
        self.value = value


def size_from(words: list[str]) -> Size:
    """Of a word on the command line. Raises ValueError, as tyro wants it."""
    try:
        return Size.parse(words[0])
    except NurieError as error:
        raise ValueError(str(error)) from error


SIZE_TEXT = PrimitiveConstructorSpec(
    nargs=1,
    metavar="SIZE",
    instance_from_str=size_from,
    is_instance=lambda value: isinstance(value, Size),
    str_from_instance=lambda size: [str(size)],
)
SQUARE = Size(256, 256)
Generator = Literal["fast", "unet256", "unet128", "init"]
Discriminator = Literal["patch", "projected"]
Detail = Literal["few", "some", "many"]
Folder = Annotated[Path | None, arg(metavar="FOLDER")]
Steps = Annotated[int, Range(1, 1_000_000_000)]
Sized = Annotated[Size, SIZE_TEXT, Sides(16, 4096)]
Width = Annotated[int, Range(1, 1024)]  # channels
Batch = Annotated[int, Range(1, 4096)]
Threads = Annotated[int, Range(0, 1024)]
Seed = Annotated[int, Range(0, 2**53 - 1)]  # JavaScript's whole numbers
Count = Annotated[int, Range(0, 1_000_000)]
Minutes = Annotated[float, Range(0, 100_000)]
Share = Annotated[float, Range(0, 1)]
Weight = Annotated[float, Range(0, 1_000_000), LossWeight()]
Line = Annotated[str, Length(2000)]


@dataclass(frozen=True)
class Get:
    """Download the data set of a recipe from its official place; its licence and credit are shown and written beside.

    Sizes and checksums are compared with those that are known. Run the same command again to resume.
    """

    # cats, openmoji or facades: 2,400 photos with masks and breeds (Oxford-IIIT Pet, 811 MB), 4,000 emoji as line art
    # and in colour (89 MB), or 606 photos and label maps as A|B pairs (CMP, as in pix2pix)
    name: Annotated[Positional[Literal["cats", "openmoji", "facades"]], arg(metavar="NAME")]
    folder: Annotated[Positional[Path], arg(metavar="FOLDER")]  # folder to write
    # address of a folder with the same files, to download from instead
    mirror: Annotated[str, arg(metavar="URL")] = ""


@dataclass(frozen=True)
class Prepare:
    """Turn photos into training pairs: line art on the left, picture on the right.

    Run the same command again to resume, or after you added, changed or deleted photos or masks: pairs of changed ones
    are made anew, those of deleted ones removed, and all others kept.
    """

    # folder of JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC pictures (read recursively), or a file of pairs as
    # tdeboissiere's pix2pix keeps them (HDF5), which are written as they are
    photos: Annotated[Positional[Path], arg(metavar="PHOTOS")]
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS")]  # folder to write: train/, val/, sheet.png
    # where the input comes from: lines drawn from the picture, a second folder (--inputs), or the picture in gray
    mode: Literal["lines", "folders", "gray"] = "lines"
    inputs: Folder = None  # mode folders: folder of input pictures with the same names as the photos
    # folder of masks with the same names, white = subject; specks are removed, and holes in which the subject goes on
    # are filled; default: the alpha channel
    masks: Folder = None
    size: Sized = SQUARE  # of one half of a pair, pixels: 384x256 is a width and a height, 256 a square
    # bring the picture into the shape of --size: crop to the masked subject, pad with white, or crop the centre
    fit: Literal["subject", "pad", "crop"] = "subject"
    margin: Annotated[float, Range(0, 4)] = 0.06  # white margin around the subject, as a fraction of its longer side
    details: tuple[Detail, ...] = ("few", "some", "many")  # how many lines to draw: one pair is written for each
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # BtoA puts the picture on the left
    # share of the pictures kept for validation, chosen by a stable hash of the name
    val_percent: Annotated[int, Range(0, 90)] = 10
    # CSV file with a header, then each picture's name and group: those of one group, such as photos of one animal, lie
    # on the same side of train and val
    groups: Annotated[Path | None, arg(metavar="FILE")] = None
    workers: Annotated[int, Range(0, 1024)] = 0  # processes; 0 = one per core


@dataclass(frozen=True)
class Check:
    """Say what is wrong with pairs before they are trained on: one line for each kind of fault, the worst pairs first.

    Faults that spoil a model or its scores are errors, what may be meant is a warning. Exits with 1 where there are
    errors, with --strict also where there are warnings. docs/training.md says what each means and what to do.
    """

    # folder with train/ and val/ (from `nurie prepare`, or pairs as pix2pix or CycleGAN keep them)
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS")]
    size: Sized = SQUARE  # as in `nurie train`
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # as in `nurie train`
    classes: Annotated[Path | None, arg(metavar="FILE")] = None  # as in `nurie train`
    # PNG to write: the worst pairs, with what is wrong with them
    sheet: Annotated[Path | None, arg(metavar="FILE")] = None
    # JSON to write: all findings with all their pairs; - is standard output
    json: Annotated[Path | None, arg(metavar="FILE")] = None
    strict: bool = False  # warnings fail, too


@dataclass(frozen=True)
class Train:
    """Train a pix2pix generator (Isola et al. 2017) on pairs.

    Run the same command again to resume exactly where it stopped.
    """

    # folder with train/ and val/ (from `nurie prepare`, or pairs as pix2pix or CycleGAN keep them)
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS"), FreeToChange()]
    # folder to write: best.safetensors, checkpoint.safetensors, report.html, samples-*.png, losses.jsonl, warnings.txt
    run: Annotated[Positional[Path], arg(metavar="RUN"), FreeToChange()]
    # fast: the small net for the page; unet256, unet128: the classic U-Nets; init: that of --init, such as an import
    generator: Generator = "fast"
    # channels of the first layer; 0 = the generator's own default (fast 24, unet 64)
    width: Annotated[int, Range(0, 1024)] = 0
    # train at this resolution, pixels: 384x256 is a width and a height, 256 a square; pairs of another size in the same
    # proportion are resized by area
    size: Sized = SQUARE
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # BtoA learns right -> left
    steps: Annotated[Steps, FreeToChange()] = 20_000  # optimiser steps; a run that is given more goes on
    # train for so long instead of for --steps, all calls together; 0: for --steps
    minutes: Annotated[Minutes, FreeToChange()] = 0.0
    # pictures of one size after the other, SIZE:STEPS for each, such as 128:1400 256:1000 or 192x128:1400 384x256:1000,
    # instead of --size and --steps; with --minutes the numbers are shares of the time
    stages: Annotated[tuple[str, ...], Length(2000), arg(metavar="SIZE:STEPS...")] = ()
    batch: Batch = 8  # pictures per step and process
    lr: Annotated[float, Range(0, 1)] = 2e-4  # Adam step size of both nets
    decay: Share = 0.5  # share of the steps, at the end, over which lr falls linearly to 0
    beta1: Annotated[float, Range(0, 0.9999)] = 0.5  # Adam beta1
    l1: Weight = 20.0  # weight of the L1 loss
    gan: Weight = 1.0  # weight of the GAN loss; with 0 here and for feature matching no discriminator is trained
    feature_matching: Weight = 5.0  # weight of the feature matching loss (Wang et al. 2018, pix2pixHD)
    # weight of the L1 difference between the pictures of two augmented versions of one drawing, one of them shifted by
    # a few pixels; needs --augment-drawing
    consistency: Annotated[Weight, Before(0.0)] = 10.0
    lattice: Annotated[Weight, Before(0.0)] = 40.0  # weight of the loss on checkerboard artefacts
    # projected: on the features of a network trained on ImageNet (Sauer et al. 2021); patch: a PatchGAN, as in Isola et
    # al. 2017, who used it with --l1 100 --feature-matching 0
    discriminator: Annotated[Discriminator, Before("patch")] = "projected"
    discriminator_width: Width = 64  # channels of each projected discriminator, or of PatchGAN's first layer
    # the discriminator sees pictures this many times smaller; projected: or parts of them
    discriminator_scale: Annotated[int, Range(1, 512)] = 1
    # fast only: condition the generator on the subject's mean colour, so that the page can show other colourings
    styles: bool = True
    # fast only: give the generator a map of how enclosed each place of a line drawing is by its lines
    enclosed: Annotated[bool, Before(False)] = True
    # fast only, for flat pictures: paint in so many colours, white, black and those that are found in the pairs; 0: in
    # any. Then only the cross-entropy teaches: no L1, no discriminator, no styles, no consistency, no lattice
    colours: Annotated[int, Range(0, 64)] = 0
    cross_entropy: Weight = 20.0  # with --colours: weight of the cross-entropy, instead of the L1 loss
    ema: Share = 0.999  # decay of the moving average of the generator's weights
    # share of the steps, at the end, over which that average turns into the plain mean of the weights (stochastic
    # weight averaging, Izmailov et al. 2018); 0: it stays as it is
    average: Share = 0.0
    # share of the weights of --init in the mean that those and the run's own become at the end: less of what they knew
    # is forgotten (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"); needs --batchnorm
    init_share: Share = 0.0
    # batches of train pairs on which BatchNorm's means and variances are measured anew at the end, as after weight
    # averaging; 0: they stay averages, as the weights
    batchnorm: Annotated[Count, FreeToChange()] = 0
    # steps at the beginning in which only the discriminator learns: after --init with a model, which has none
    discriminator_steps: Count = 0
    diffaugment: bool = True  # differentiable augmentation for the discriminator (Zhao et al. 2020)
    # vary the drawing: line width and softness, gaps, dropped and added strokes; wobble it and its picture
    augment_drawing: bool = True
    plain: Share = 0.0  # share of the pairs that --augment-drawing leaves as they are
    # share of the line drawings that get a synthetic tail, in the picture too: for animals, whose tails photos often
    # hide; needs --augment-drawing
    tails: Share = 0.0
    # share of the line drawings that get a synthetic face with whiskers, in the picture too, and of those that get
    # synthetic paws, and legs: for animals, whose eyes and toes line extraction seldom finds whole
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
    # CSV file with a header, then each picture's name and class: training samples all classes equally often
    classes: Annotated[Path | None, arg(metavar="FILE"), FreeToChange()] = None
    # drawings without pictures, such as visitors make: a folder of strokes (.json of the page) or of pictures of line
    # drawings, or an .ndjson file of Quick, Draw!
    drawings: Annotated[Path | None, arg(metavar="PATH"), FreeToChange()] = None
    # so many of them in a batch for each of its pairs, at least one
    drawings_share: Annotated[float, Range(0, 8)] = 0.5
    # with them: weight of the GAN loss of a discriminator that sees their pictures and real ones, without drawings
    unpaired_gan: Weight = 0.75
    ink_contrast: Weight = 2.0  # with them: weight of the loss on lines that are not seen in their pictures
    open_paper: Weight = 20.0  # with them: weight of the loss on colour where the sheet is open
    # with them: weight of the L1 between the mean colour of a subject and the style that was asked for
    subject_colour: Weight = 4.0
    # start from these weights: a run folder, a .safetensors file, or a model folder, whose credits the new model keeps
    init: Annotated[Path | None, arg(metavar="PATH"), FreeToChange()] = None
    # learn from this generator too: an earlier run with a larger --width, or a unet, or what drawings without pictures
    # should leave as it is (run folder, .safetensors file or model folder)
    teacher: Annotated[Path | None, arg(metavar="PATH"), FreeToChange()] = None
    distil_output: Weight = 20.0  # with a teacher: weight of the L1 loss to its pictures
    distil_features: Weight = 10.0  # with a teacher: weight of the squared difference to the means of its channels
    precision: Literal["auto", "bf16", "fp32"] = "auto"  # auto: bf16 where the hardware multiplies in it
    threads: Annotated[Threads, FreeToChange()] = 0  # CPU threads; 0 = PyTorch's choice
    seed: Seed = 0  # seed of everything random
    # write losses and val scores for these too; TensorBoard's are in the run folder, Trackio's in its own place
    track: Annotated[tuple[Literal["tensorboard", "trackio"], ...], FreeToChange()] = ()
    save_every: Annotated[Steps, FreeToChange()] = 500  # steps between checkpoints and sample sheets


@dataclass(frozen=True)
class Import:
    """Read an old checkpoint of another program: a run that exports, publishes, predicts and evaluates like ours.

    Whose it is, and how it is built, is seen in its arrays; docs/importing.md lists what is read. sheet.png in the run
    shows made-up drawings coloured by it.
    """

    # the checkpoint, one file or all files of it, and last the folder to write: checkpoint.safetensors, sheet.png
    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILES... RUN")]
    # normalise by the checkpoint's running statistics (fixed), or by those of each picture; auto: as its own program
    # did, which differs from program to program
    norm: Literal["auto", "fixed", "picture"] = "auto"
    # of the drawings, pixels; default: what the generator was made for, or 256 where it takes any
    size: Annotated[Size | None, SIZE_TEXT, Sides(16, 4096)] = None
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # which side of its pairs is the drawing: for evaluate and train
    credits: Annotated[tuple[str, ...], Length(2000)] = ()  # credit lines of what it was trained on


@dataclass(frozen=True)
class Export:
    """Compress a trained generator into a model that the browser engine runs.

    BatchNorm is folded, the weights become 8-bit, and the engine's output is compared with
    PyTorch's on real drawings: the export fails where they differ by more than it promises.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]  # run folder or checkpoint.safetensors
    model: Annotated[Positional[Path], arg(metavar="MODEL")]  # folder to write: manifest.json, weights.HASH.bin
    title: Line = ""  # shown on the page; default: the name of the run's or the pairs' folder
    title_ja: Line = ""  # the same in Japanese
    # how much rounded weights may change the pictures, root mean square of the 0-1 range: less takes more bytes
    rounding: Annotated[float, Range(0.00001, 1)] = 0.002
    weights: Literal["int8", "float32"] = "int8"  # how weights are stored; int8: as finely as pictures need
    fill: bool = False  # flat colours: one for each area that a drawing's lines enclose, a few for what is open
    # how much of the drawing's lines lies over the picture: 0 none, 0.5 soft ones, 1 all their ink; visitors may change
    # it
    lines: Share = 0
    # colours like #c8843c in which new drawings on the page begin, one after the other; then come those that were found
    # in the pictures and are not near one of these, their mean last; default: only the found ones, the mean first
    styles: Annotated[tuple[str, ...], Length(1000), arg(metavar="COLOUR...")] = ()
    presets: Folder = None  # folder of drawings for the preset button: .json strokes or pictures
    # NAME=#rrggbb of each colour in label maps, the ground first; default: the colours found in val drawings, unnamed
    labels: Annotated[tuple[str, ...], Length(2000)] = ()
    credits: Annotated[
        tuple[str, ...], Length(2000)
    ] = ()  # credit lines the page must show, such as the data set's licence
    pairs: Folder = None  # pairs whose val drawings check the export; default: the ones trained on
    samples: Annotated[int, Range(1, 10_000)] = 8  # drawings compared with PyTorch
    tolerance: Share = 0.02  # largest mean difference to PyTorch that the export accepts, of the 0-1 range
    format: tuple[Literal["nurie", "onnx"], ...] = ("nurie",)  # onnx also writes model.onnx, checked with ONNX Runtime


@dataclass(frozen=True)
class Publish:
    """Write a static site: page, engine and models, ready for any web host and any sub-path."""

    model: Annotated[Positional[Path], arg(metavar="MODEL")]  # model folder from `nurie export`
    site: Annotated[Positional[Path], arg(metavar="SITE")]  # folder to write
    # more model folders: visitors choose on the page, which begins with MODEL; the others are downloaded when chosen
    more: Annotated[tuple[Path, ...], arg(metavar="MODEL...")] = ()
    title: Line = ""  # page title; default: the model's title


@dataclass(frozen=True)
class Serve:
    """Serve a site on this computer. Without a site: the built-in models."""

    # folder from `nurie publish`; default: the built-in models' page
    site: Annotated[Positional[Path | None], arg(metavar="[SITE]")] = None
    port: Annotated[int, Range(0, 65535)] = 8000  # first port to try; the next free one is taken; 0: any
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
    # fit drawings into the model's size, or colour each picture in its own: padded with paper to what the model can
    # take, and cropped again
    size: Literal["model", "drawing"] = "model"
    # how much of the drawing's lines lies over the picture: 0 none, 1 all their ink; default: what the model says, 0
    # for a run
    lines: Annotated[float | None, arg(metavar="PART"), Range(0, 1)] = None
    # seed of the model's noise, which of its styles, and which likely colours of its palette, as the page's button
    # "Other colours"; default: a stroke drawing's own "seed", else 0
    seed: Annotated[int | None, arg(metavar="NUMBER"), Range(0, 2**53 - 1)] = None


@dataclass(frozen=True)
class Evaluate:
    """Measure a run or a model on the val pairs: a table, then the same as one line of JSON.

    L1, PSNR and SSIM compare each picture with its target. FID and KID compare all pictures with all targets; FID is
    biased on fewer than 2,048 pictures, so prefer KID there. LPIPS is a perceptual distance. These three download the
    weights of their networks once. Robustness is the mean change of a picture when its drawing is perturbed:
    line width, gaps, shift and others. A run is computed by PyTorch, a model by the page's engine.
    """

    # model folder, run folder or checkpoint.safetensors
    model: Annotated[Positional[Path], arg(metavar="RUN-OR-MODEL")]
    pairs: Annotated[Positional[Path], arg(metavar="PAIRS")]  # folder of pairs whose val side is used
    compare: Annotated[tuple[Path, ...], arg(metavar="RUN-OR-MODEL...")] = ()  # more of them, one column each
    samples: Count = 0  # val pairs to use, evenly spread; 0 = all
    # drawings without pictures, as in `nurie train`, but none that it learnt from: how much of them is lost in their
    # pictures
    drawings: Annotated[Path | None, arg(metavar="PATH")] = None
    # PNG to write: a row for each of some val drawings, with the drawing, each model's picture and the target
    sheet: Annotated[Path | None, arg(metavar="FILE")] = None
    sheet_rows: Annotated[int, Range(1, 200)] = 12  # val drawings on the sheet, evenly spread
    threads: Threads = 0  # CPU threads; 0 = PyTorch's choice (the engine takes one)
    seed: Seed = 0  # seed of the changes to the drawings, and of KID's subsets


@dataclass(frozen=True)
class Make:
    """Do it all: photos -> pairs -> run -> model -> site, in half an hour.

    The page is there after the first minutes, and anew at each save. Run the same command again to resume. Photos that
    you added, changed or deleted since are learnt: a run that is not past the middle goes on with them, else another
    one begins with its weights and has the same time again.
    """

    # folder of pictures, or of pairs that are there already; or an old checkpoint, as `nurie import` reads
    photos: Annotated[Positional[Path], arg(metavar="PHOTOS")]
    site: Annotated[Positional[Path], arg(metavar="SITE")]  # folder to write the page to
    # train for so long, all calls together; sizes, batch and lr follow from how fast this machine is. A GPU needs less
    minutes: Annotated[float, Range(0.1, 100_000)] = 30.0
    steps: Annotated[int, Range(0, 100_000_000)] = 0  # train for so many steps instead; 0: for --minutes
    # begin with these weights, as in `nurie train`; auto: those of the built-in model where the drawings are line art;
    # none: from nothing
    init: Line = "auto"
    # flat colours, one for each area that lines enclose, such as emoji have
    fill: bool = False
    # paint in so many colours, as in `nurie train`, and fill areas with them; 0: in any
    colours: Annotated[int, Range(0, 64)] = 0
    # drawings without pictures, such as visitors make, as in `nurie train`; a run that did not learn from them, or from
    # others, is followed by another one
    drawings: Annotated[Path | None, arg(metavar="PATH")] = None
    work: Folder = None  # folder for pairs/, run/ and model/; default: SITE-work beside the site
    masks: Folder = None  # as in `nurie prepare`
    inputs: Folder = None  # folder of drawings with the photos' names; default: lines are drawn from the photos
    fit: Literal["subject", "pad", "crop"] = "subject"  # as in `nurie prepare`
    size: Sized = SQUARE  # as in `nurie prepare`
    batch: Batch = 8  # as in `nurie train`; fewer on a slow machine
    direction: Literal["AtoB", "BtoA"] = "AtoB"  # as in `nurie train`, of pairs that are there already
    title: Line = ""  # as in `nurie export`
    credits: Annotated[tuple[str, ...], Length(2000)] = field(default=())  # as in `nurie export`
