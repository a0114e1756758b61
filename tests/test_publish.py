"""Publishing made-up models with a made-up page."""

import codecs
import hashlib
import html.parser
import json
import re
from pathlib import Path

import pytest

from nurie.config import Publish
from nurie.errors import NurieError
from nurie.files.ours import read_object
from nurie.publish import publish
from nurie.site import assets, join
from nurie.site.index import HEADING, MANIFEST_META

CREDIT = "Pictures by <somebody>, CC BY-SA 4.0"


def write_model(folder: Path, weights: bytes = b"weights", title: str | dict[str, str] = "Cats") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.bin.gz").write_bytes(weights)
    (folder / "preset-2.png").write_bytes(b"picture")
    digest = hashlib.sha256(weights).hexdigest()
    manifest = {
        "format": "nurie-model", "version": 1, "title": title, "input": {"width": 64, "height": 64},
        "weights": {
            "file": "weights.bin.gz", "encoding": "gzip", "bytes": len(weights), "raw_bytes": 9, "sha256": digest,
        },
        "tensors": [3], "ops": [{"op": "input"}, {"op": "output"}],
        "presets": [
            {"title": {"en": "One"}, "strokes": [{"width": 2, "points": [1, 2]}]},
            {"title": {"en": "Two"}, "image": "preset-2.png"},
        ],
        "credits": [CREDIT],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    files = {
        "index.html": f'<title>Nurie</title>{MANIFEST_META}<link rel="stylesheet" href="./style.css">'
        f'<script type="module" src="./first.js"></script>{HEADING}',
        "first.js": "import './b.js'; import('./main.js');",
        "main.js": "import { a } from './a.js'; import('./leaf.js'); import './b.js';",
        "a.js": "import { b } from \"./b.js\"; new URL('./engine.wasm', import.meta.url); export const a = './unknown'",
        "b.js": "import { a } from './a.js';",  # a cycle with a.js
        "leaf.js": "new Worker(new URL('./main.js', import.meta.url))",  # a longer cycle with main.js
        "style.css": "p { background: url(./paper.png) }",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "engine.wasm").write_bytes(b"\0asm './a.js'")
    (folder / "paper.png").write_bytes(b"paper")
    monkeypatch.setattr(assets, "PAGE", folder)
    monkeypatch.setattr(join, "FILES", ())
    return folder


def on_disk(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def former(site: Path) -> set[str]:
    """What the list of a folder, if it has one, says to be left from the version before."""
    listed = site / "site.json"
    return set(read_object(listed).get("former", []))


def files(site: Path) -> set[str]:
    """All but those."""
    return on_disk(site) - former(site)


def check_references(site: Path) -> None:
    """Every reference of every file leads to a file of the site, by a relative path."""
    index = (site / "index.html").read_text()
    names = re.findall(r'(?:href|src|content)="(\./[^"]+)"', index)
    assert len(names) >= 3
    assert all((site / name).is_file() for name in names)
    for path in (site / "assets").rglob("*"):
        if path.suffix in (".js", ".css"):
            for name in assets.REFERENCE.findall(path.read_text()):
                assert (path.parent / name).is_file(), f"{path.name} -> {name}"
    manifests = json.loads((site / "site.json").read_text())["models"]
    assert [f"./{name}" for name in manifests] == [model["content"] for model in metas(site)]
    assert set(manifests) == {name for name in files(site) if re.match(r"model/manifest\.\w{12}\.", name)}
    for manifest in manifests:
        content = json.loads((site / manifest).read_text())
        for name in [content["weights"]["file"], content["presets"][1]["image"]]:
            assert (site / "model" / name).is_file()
            assert re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.(bin|png)", name)
        assert content["credits"] == [CREDIT]


class Parser(html.parser.HTMLParser):
    """Collects the metas that name models, and all texts."""

    def __init__(self, site: Path) -> None:
        super().__init__()
        self.metas: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self.feed((site / "index.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta" and dict(attrs).get("name") == "nurie-model":
            self.metas.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def metas(site: Path) -> list[dict[str, str]]:
    return [{key: value or "" for key, value in meta.items()} for meta in Parser(site).metas]


def texts(site: Path) -> list[str]:
    return [text for text in Parser(site).texts if text]


def test_the_browser_is_told_early_what_the_page_needs(page: Path, tmp_path: Path) -> None:
    site = publish(Publish(write_model(tmp_path / "model"), tmp_path / "site"))
    hints = re.findall(r'<link rel="(modulepreload|preload)"[^>]*href="\./([^"]+)">', (site / "index.html").read_text())
    assert all((site / name).is_file() for _, name in hints)
    kinds = {Path(name).name.split(".")[0]: kind for kind, name in hints}
    # first.js is asked for anyway, leaf.js only by a call
    assert kinds == {name: "modulepreload" for name in ("a", "b", "main")}  # the model's are early.js's


def test_the_site_is_complete(tmp_path: Path, page: Path):
    site = publish(Publish(write_model(tmp_path / "model"), tmp_path / "deep" / "site"))
    check_references(site)
    names = files(site)
    plain = {"index.html", "site.json", "_headers"}
    assert plain <= names
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", name) for name in names - plain)
    assert len([name for name in names if name.startswith("assets/")]) == 9
    assert next(site.glob("assets/engine.*.wasm")).read_bytes() == b"\0asm './a.js'"
    assert not [path for path in site.parent.iterdir() if path.name.startswith(".")]
    first = {name: (site / name).read_bytes() for name in names}
    manifest = tmp_path / "model" / "manifest.json"
    manifest.write_bytes(codecs.BOM_UTF8 + manifest.read_bytes())  # as some editors save it
    publish(Publish(tmp_path / "model", site))
    assert {name: (site / name).read_bytes() for name in files(site)} == first


def test_names_change_with_the_content_and_with_what_it_refers_to(tmp_path: Path, page: Path):
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    before = files(publish(Publish(model, site)))
    (page / "engine.wasm").write_bytes(b"\0asm new")
    after = files(publish(Publish(model, site)))
    check_references(site)
    changed = {name.split(".")[0] for name in before - after}
    assert changed == {f"assets/{name}" for name in ("engine", "a", "b", "first", "main", "leaf")}
    write_model(model, b"other weights")
    again = files(publish(Publish(model, site)))
    assert {name.split(".")[0] for name in after - again} == {"model/weights", "model/manifest"}
    check_references(site)


def test_files_keep_their_folders_and_change_their_names_with_what_they_refer_to_there(tmp_path: Path, page: Path):
    more = {
        "leaf.js": "import('./parts/c.js')",
        "parts/c.js": "import '../style.css'; new URL('./deep/c.wasm', import.meta.url)",
        "parts/d.js": "import '../parts/c.js'; import './d.js'",
        "parts/deep/c.wasm": "1",
        "parts/.hidden/notes.js": "import './gone.js'",
    }
    for name, text in more.items():
        (page / name).parent.mkdir(parents=True, exist_ok=True)
        (page / name).write_text(text)
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    before = files(publish(Publish(model, site)))
    check_references(site)
    folders = {name.rpartition("/")[0] for name in before if name.startswith("assets/")}
    assert folders == {"assets", "assets/parts", "assets/parts/deep"}
    (page / "parts" / "deep" / "c.wasm").write_text("2")
    changed = {name.split(".")[0] for name in before - files(publish(Publish(model, site)))}
    check_references(site)
    on_the_way = ("first", "main", "leaf", "parts/c", "parts/d", "parts/deep/c")
    assert changed == {f"assets/{name}" for name in on_the_way}


def test_text_that_moves_from_one_file_to_the_next_changes_the_names_of_both_and_of_what_refers_to_them(
    tmp_path: Path, page: Path
):
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    (page / "leaf.js").write_text("import './p.js'; import './q.js'")
    sites = []
    for texts in (("1; 2;", "3;"), ("1;", " 2;3;")):
        for name, text in zip("pq", texts, strict=True):
            (page / f"{name}.js").write_text(text)
        sites.append(files(publish(Publish(model, site))))
        check_references(site)
    changed = {name.split(".")[0] for name in sites[0] - sites[1]}
    assert changed == {f"assets/{name}" for name in ("first", "leaf", "main", "p", "q")}


def test_the_title_is_escaped(tmp_path: Path, page: Path):
    title = "</title><script>alert('\\1')</script> & 猫"
    site = publish(Publish(write_model(tmp_path / "model", title=title), tmp_path / "site", title=title))
    assert texts(site) == [title, title]  # of the tab and of the page
    assert json.loads(metas(site)[0]["data-title"]) == title
    assert (site / "index.html").read_text(encoding="utf-8").count("<script") == 1


def test_without_a_title_the_page_shows_the_models_in_the_visitors_language(tmp_path: Path, page: Path):
    title = {"ja": "猫", "en": "Cats"}
    site = publish(Publish(write_model(tmp_path / "model", title=title), tmp_path / "site"))
    assert texts(site) == ["Cats"]  # of the tab, until the script runs
    assert json.loads(metas(site)[0]["data-title"]) == title


def test_several_models_share_everything_but_their_own_files(tmp_path: Path, page: Path):
    models = [write_model(tmp_path / name, name.encode(), name.title()) for name in ("cats", "dogs", "birds")]
    one = files(publish(Publish(models[0], tmp_path / "one")))
    site = publish(Publish(models[0], tmp_path / "site", more=tuple(models[1:])))
    check_references(site)
    assert [model["data-name"] for model in metas(site)] == ["cats", "dogs", "birds"]
    assert [json.loads(model["data-title"]) for model in metas(site)] == ["Cats", "Dogs", "Birds"]
    assert one < files(site)
    more = sorted(name.split(".")[0] for name in files(site) - one)  # the same preset picture is there once
    assert more == ["model/manifest", "model/manifest", "model/weights", "model/weights"]
    assert texts(site) == ["Cats"]
    for model in metas(site):
        fetched = [site / model["content"], site / model["data-weights"]]
        assert model["data-bytes"] == str(sum(path.stat().st_size for path in fetched))


def test_the_page_knows_what_decides_where_things_are_before_the_manifest_comes(tmp_path: Path, page: Path):
    labels = [{"colour": "#0000ff", "title": {"en": "wall", "ja": "壁"}}, {"colour": "#ff0000"}]
    mapped, styled = write_model(tmp_path / "walls"), write_model(tmp_path / "cats")
    painted = write_model(tmp_path / "flat")
    choices = {"hints": True, "styles": [[0, 0, 0]]}, {"palette": ["#ffffff", "#000000", "#ff0000"]}
    for model, fields in ((mapped, {"labels": labels}), (styled, choices[0]), (painted, choices[1])):
        manifest = json.loads((model / "manifest.json").read_text())
        (model / "manifest.json").write_text(json.dumps(manifest | fields))
    site = publish(Publish(mapped, tmp_path / "site", more=(styled, painted)))
    size = {"width": 64, "height": 64}
    assert [json.loads(model["data-layout"]) for model in metas(site)] == [
        {"input": size, "labels": labels}, {"input": size, "hints": True, "styles": True},
        {"input": size, "styles": True},
    ]  # fmt: skip


def test_two_models_of_one_name_are_refused(tmp_path: Path, page: Path):
    models = write_model(tmp_path / "a" / "cats"), write_model(tmp_path / "b" / "cats")
    with pytest.raises(NurieError, match=r"both named 'cats', but .*\(\?model=cats\). Rename one"):
        publish(Publish(models[0], tmp_path / "site", more=(models[1],)))
    assert not (tmp_path / "site").exists()


def test_a_damaged_second_model_is_a_sentence(tmp_path: Path, page: Path):
    models = write_model(tmp_path / "cats"), write_model(tmp_path / "dogs")
    (models[1] / "weights.bin.gz").write_bytes(b"weigh")
    with pytest.raises(NurieError, match=r"dogs.weights.bin.gz is damaged"):
        publish(Publish(models[0], tmp_path / "site", more=(models[1],)))


@pytest.mark.parametrize("name", ["index.html", "photo.jpg"])
def test_somebody_elses_folder_is_refused(tmp_path: Path, page: Path, name: str):
    site = tmp_path / "site"
    site.mkdir()
    (site / name).write_text("mine")
    with pytest.raises(NurieError, match="is not empty and was not made by `nurie publish`"):
        publish(Publish(write_model(tmp_path / "model"), site))
    assert files(site) == {name}
    with pytest.raises(NurieError, match="is a file"):
        publish(Publish(tmp_path / "model", site / name))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"pages": []}', r"site\.json is not the list of a site .*`\$\.format` is missing. Choose another"),
        (
            '{"format": "nurie-site", "version": 2}',
            r"site\.json has a format that this .* Choose another",
        ),
    ],
)
def test_somebody_elses_site_json_is_no_leave_to_replace_the_folder(
    tmp_path: Path, page: Path, text: str, words: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "site.json").write_text(text)
    (site / "mine.html").write_text("mine")
    with pytest.raises(NurieError, match=words):
        publish(Publish(write_model(tmp_path / "model"), site))
    assert files(site) == {"site.json", "mine.html"}


def add(site: Path, mine: dict[str, str]) -> dict[str, str]:
    for name, text in mine.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return mine


def test_only_what_the_sites_list_names_is_replaced(tmp_path: Path, page: Path, capsys: pytest.CaptureFixture) -> None:
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    publish(Publish(model, site))
    assert set(json.loads((site / "site.json").read_text())["files"]) == files(site)
    mine = add(site, {".git/HEAD": "x" * 99999, "CNAME": "c", "assets/own.0123456789ab.js": "", "a/b.html": "b"})
    (site / "index.html").write_text("edited")  # still ours
    said = capsys.readouterr().out.split(": ")[1]
    (page / "leaf.js").write_text("1")
    publish(Publish(write_model(model, b"other weights"), site))
    check_references(site)
    listed = set(json.loads((site / "site.json").read_text())["files"])
    assert listed == files(site) - mine.keys() and len(listed) == len(files(site)) - len(mine)
    assert {name: (site / name).read_text() for name in mine} == mine
    out, err = capsys.readouterr()
    assert err == "kept: .git, CNAME, a, assets/own.0123456789ab.js (not made by this command)\n"
    assert out.split(": ")[1] == said  # the size is the site's, not the folder's


def test_pages_that_are_open_have_their_files_for_one_more_version(tmp_path: Path, page: Path, capsys) -> None:
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    mine = {"model/own.0123456789ab.bin": "1", "CNAME": "c"}
    versions = []
    for weights in (b"first", b"second", b"second", b"third", b"first"):
        (page / "leaf.js").write_text(weights.decode())
        publish(Publish(write_model(model, weights), site))
        add(site, mine)
        versions.append(files(site) - mine.keys())
        check_references(site)
        before = next((version for version in versions[-2::-1] if version != versions[-1]), set())
        hashed = {name for name in before if re.search(r"\.[0-9a-f]{12}\.\w+$", name)}
        assert former(site) == hashed - versions[-1]
        assert on_disk(site) == versions[-1] | hashed | mine.keys()
        assert all((site / name).read_text() == text for name, text in mine.items())
    assert versions[0] == versions[4] != versions[1] == versions[2]
    assert "second" not in capsys.readouterr().err


def test_a_publish_that_was_killed_leaves_no_file_that_nobody_lists(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    publish(Publish(model, site))
    for step, weights in (("put", b"second"), ("remove", b"third")):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(f"nurie.files.install.{step}", interrupted)
            publish(Publish(write_model(model, weights), site))
    publish(Publish(write_model(model, b"fourth"), site))
    assert on_disk(site) == set(json.loads((site / "site.json").read_text())["files"]) | former(site)
    check_references(site)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_older_sites_files_are_those_with_a_name_as_publishing_gives_it(tmp_path: Path, page: Path) -> None:
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    publish(Publish(model, site))
    old = json.loads((site / "site.json").read_text())
    del old["files"]
    mine = add(site, {"CNAME": "c", "assets/own.js": "1", "model/notes.txt": "2", "photo.0123456789ab.png": "3"})
    add(site, {"site.json": json.dumps(old), "assets/parts/old.0123456789ab.js": "older"})
    publish(Publish(write_model(model, b"other weights"), site))
    assert files(site) - set(json.loads((site / "site.json").read_text())["files"]) == mine.keys()
    check_references(site)


def test_a_site_may_lie_in_a_model_and_a_model_in_a_site(tmp_path: Path, page: Path) -> None:
    outer = write_model(tmp_path / "outer")
    before = files(outer)
    site = publish(Publish(outer, outer / "site"))
    write_model(site / "model", b"inner")
    publish(Publish(site / "model", site))
    publish(Publish(outer, site))
    assert before <= files(outer)
    assert {"manifest.json", "weights.bin.gz", "preset-2.png"} <= files(site / "model")
    check_references(site)
    with pytest.raises(NurieError, match="is not empty and was not made by `nurie publish`"):
        publish(Publish(outer, outer))


def test_names_that_have_their_hash_already_stay(tmp_path: Path, page: Path) -> None:
    model = write_model(tmp_path / "model")
    digest = hashlib.sha256(b"weights").hexdigest()[:12]
    text = (model / "manifest.json").read_text().replace("weights.bin.gz", f"weights.{digest}.bin.gz")
    (model / "manifest.json").write_text(text)
    (model / "weights.bin.gz").rename(model / f"weights.{digest}.bin.gz")
    site = publish(Publish(model, tmp_path / "site"))
    assert (site / "model" / f"weights.{digest}.bin").is_file()
    check_references(site)


def test_fields_that_only_a_newer_page_knows_are_published_too(tmp_path: Path, page: Path) -> None:
    manifest = write_model(tmp_path / "model") / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"newer": {"a": [1.5, "ä"]}, "files": ["a"]}))
    site = publish(Publish(tmp_path / "model", tmp_path / "site"))
    published = json.loads(next(site.glob("model/manifest.*")).read_text(encoding="utf-8"))
    assert published["newer"] == {"a": [1.5, "ä"]} and "files" not in published


def test_a_failure_leaves_the_old_site(tmp_path: Path, page: Path):
    model, site = write_model(tmp_path / "model"), tmp_path / "site"
    before = files(publish(Publish(model, site)))
    (page / "engine.wasm").unlink()
    with pytest.raises(NurieError, match=r"a.js needs engine.wasm, which is missing .*hatch_build.py"):
        publish(Publish(model, site))
    assert files(site) == before
    assert {path.name for path in tmp_path.iterdir()} == {"model", "page", "site"}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda model: (model / "manifest.json").unlink(), "no manifest.json"),
        (lambda model: (model / "manifest.json").write_text("{"), "not the manifest of a model"),
        (lambda model: (model / "weights.bin.gz").write_bytes(b"weigh"), "is damaged"),
        (lambda model: (model / "weights.bin.gz").unlink(), "which is not in"),
        (lambda model: (model / "preset-2.png").unlink(), "which is not in"),
    ],
)
def test_a_damaged_model_is_a_sentence(tmp_path: Path, page: Path, damage, sentence: str):
    damage(write_model(tmp_path / "model"))
    with pytest.raises(NurieError, match=sentence):
        publish(Publish(tmp_path / "model", tmp_path / "site"))
    assert not (tmp_path / "site").exists()


def test_a_manifest_cannot_name_files_outside_its_folder(tmp_path: Path, page: Path):
    model = write_model(tmp_path / "model")
    (tmp_path / "secret.png").write_bytes(b"secret")
    text = (model / "manifest.json").read_text().replace("preset-2.png", "../secret.png")
    (model / "manifest.json").write_text(text)
    with pytest.raises(NurieError, match="which is not in"):
        publish(Publish(model, tmp_path / "site"))


def test_the_real_page(tmp_path: Path):
    if not (assets.PAGE / "index.html").is_file() or not (assets.PAGE / "engine" / "nurie.wasm").is_file():
        pytest.skip("the page is not built")
    site = publish(Publish(write_model(tmp_path / "model"), tmp_path / "site", title="A desk"))
    check_references(site)
    assert texts(site).count("A desk") == 2
