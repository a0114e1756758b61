"""Shorter names are the same program."""

import re
import subprocess

import pytest
from playwright.sync_api import Page

from nurie.site.assets import PAGE, sources
from nurie.site.shorten import own, read, shortened

SCRIPTS = {path.relative_to(PAGE).as_posix(): path.read_text() for path in PAGE.rglob("*.js")}
JOINED = {name: data.decode() for name, data in sources().items() if name.endswith(".js")}

PROGRAM = r"""
import { sep as parting } from "node:path";
const told = [];
const tell = (what, { width: wide = 3, height } = {}, ...others) => told.push([what, wide, height, ...others]);
const [first, [second = first], ...others] = [4, [undefined], 5, 6];
tell("destructuring", { width: first, height: second }, ...others);
class Shape extends Object {
  #height = 2;
  label = "none";
  static count = 0;
  constructor(height) { super(); this.#height = height; Shape.count += 1; }
  get area() { return this.#height ** 2; }
  set area(area) { this.#height = Math.sqrt(area); }
  double(height = this.#height) { return #height in this ? 2 * height : NaN; }
  async later() { return this.#height; }
}
const shape = new Shape(7);
shape.area = 81;
const area = shape.area / 3 / shape.double();
tell(`nested ${[1, 2].map((number) => `<${number / 1}:${{ number }.number}>`).join("/")} \` end`, shape, area);
tell(/[/"`#]\/"(.)/g.exec('x[/"y')?.index ?? "none".replace(/n\//, "x") + typeof undeclared, { tell }.tell.length);
const length = "outer".length, chosen = length > 3 ? area : first;
function sum(values, start = 0) { let total = start; for (const value of values) total += value; return total; }
try { sum(null); } catch (problem) { tell(problem.constructor.name, { sum, first }.first, { chosen: sum([1, 2]) }); }
outer: for (let row = 0; row < 3; row++) for (let column = 0; ; column++) {
  if (column > row) continue outer; else tell("row");
}
tell(await shape.later(), { async later(first) { return first; } }.later.length, Object.keys({ first, second, Shape }));
tell(JSON.stringify(shape) + Shape.count + (parting === "/" ? "slash" : "other"), { get first() { return second; } });
switch (first) { case 4: tell("four"); }
console.log(JSON.stringify(told));
"""


def ran(node: str, script: str) -> str:
    done = subprocess.run([node, "--input-type=module"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_with_all_kinds_of_names_does_the_same(node: str) -> None:
    short = shortened(PROGRAM)
    assert len(short) < 0.95 * len(PROGRAM) and ran(node, short) == ran(node, PROGRAM) != ""
    assert shortened(short) == short or len(shortened(short)) <= len(short)
    for kept in (
        "width: ",
        "label",
        "area",
        "double(",
        "later",
        "sum,",
        ".count",
        'from "node:path"',
        '/[/"`#]\\/"(.)/g',
    ):
        assert kept in short, kept
    assert "wide" not in short and "#height" not in short and "total" not in short


@pytest.mark.parametrize("name", SCRIPTS)
def test_tokens_are_the_script(name: str) -> None:
    tokens = list(read(SCRIPTS[name]))
    assert "".join(text for _, text in tokens) == SCRIPTS[name]
    assert all("\n" not in text for kind, text in tokens if kind in ("name", "value", "regex"))
    words = {text for kind, text in tokens if kind == "name"}
    assert all(re.fullmatch(r"#?[A-Za-z_$][\w$]*", word) for word in words)


@pytest.mark.browser
def test_no_name_that_browsers_have_gets_another(page: Page) -> None:
    names = set().union(*(own(list(read(text))) for text in [*SCRIPTS.values(), *JOINED.values()]))
    assert len(names) > 300
    assert page.evaluate("names => names.filter((name) => name in globalThis)", sorted(names)) == []
    worker = "data:text/javascript,onmessage = ({ data }) => postMessage(data.filter((name) => name in globalThis))"
    found = page.evaluate(
        """([names, worker]) => new Promise((resolve) => {
            const thread = new Worker(worker);
            thread.onmessage = ({ data }) => resolve(data);
            thread.postMessage(names);
        })""",
        [sorted(names), worker],
    )
    assert found == []


def test_what_a_script_exports_keeps_its_name() -> None:
    text = "export const first = 1;\nexport async function second(value) { return value; }\nexport class Third {}\n"
    short = shortened(text)
    assert all(name in short for name in ("first", "second", "Third")) and "value" not in short
