"""What visitors download of the page itself: small, and the same program."""

import gzip
import subprocess
from pathlib import Path

import pytest

from nurie.config import Publish
from nurie.publish import publish
from nurie.serve import BUILT_IN
from nurie.site.assets import PAGE, imported
from nurie.site.minify import minified

SCRIPTS = sorted(PAGE.rglob("*.js"))


def zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(Publish(BUILT_IN, tmp_path_factory.mktemp("site")))


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.relative_to(PAGE).as_posix() for path in SCRIPTS])
def test_minified_scripts_are_scripts(node: str, script: Path) -> None:
    done = subprocess.run([node, "--input-type=module", "--check"], input=minified(script), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert b"/**" not in minified(script)


def test_strings_and_patterns_stay_as_they_are(tmp_path: Path) -> None:
    source = (
        'const a = "// no comment /* either */"; // one\nconst b = /[/*"]\\/\\/ /.test(`${a} // ${b}`); /* two */\n'
    )
    (tmp_path / "a.js").write_text(source)
    text = minified(tmp_path / "a.js").decode()
    assert '"// no comment /* either */"' in text and '/[/*"]\\/\\/ /' in text and "`${a} // ${b}`" in text
    assert "one" not in text and "two" not in text
    (tmp_path / "a.css").write_text("a { width: calc(1px + 2 * 3px); } /* one */ b :hover { content: '/* x */'; }\n")
    assert minified(tmp_path / "a.css").decode() == "a{width:calc(1px + 2 * 3px)}b :hover{content:'/* x */'}"


def test_the_page_is_small(site: Path) -> None:
    """Zipped: less than 35 kB until the first picture, and 65 in all that every visit loads; engine and model apart.

    What is loaded when it is asked for does not count: the shelf and WebGPU.
    """
    early = {"index.html", "first.js", "style.css", *imported("first.js")}
    every = {"main.js", "engine/worker.js", "engine/helper.js"}
    every |= early.union(*map(imported, every))
    assert len(early) > 10 and len(every) > 40 and not {"shelf/shelf.js", "engine/webgpu.js"} & every
    assert loaded(site, early) < 35_000
    assert loaded(site, every) < 65_000


def loaded(site: Path, names: set[str]) -> int:
    """Zipped bytes of the page's files of these names."""
    files = [site / "index.html"]
    for name in names - {"index.html"}:
        stem, suffix = Path(name).with_suffix(""), Path(name).suffix
        files += (site / "assets").glob(f"{stem}.????????????{suffix}")
    assert len(files) == len(names)
    return sum(map(zipped, files))
