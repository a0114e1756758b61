"""Shorter names in the page's scripts: what is private, and what only one file knows. A twelfth less, zipped.

A name that is nobody's property is the same thing wherever it stands in a file, or another of the same name: all of
them may be renamed at once, to a name that the file does not have, without knowing its scopes. So a name stays as it is
where one of its places may be a property, a key, a method or the short form of both, or where nothing declares it in
this file: it may be the browser's.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import count, product
from string import ascii_letters

Token = tuple[str, str]  # kind and text
NAME, TEMPLATE, REGEX, VALUE, SIGN, SPACE = "name", "template", "regex", "value", "sign", "space"
TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\.?\d[\w.]*)
    |(?P<name>\#?[A-Za-z_$][\w$]*)
    |(?P<sign>\?\.|=>|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[\n])+/[a-z]*")  # a regular expression
TEXT = re.compile(r"[`}](?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.DOTALL)  # a template, or its part up to a value


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS = words(
    "arguments as async await break case catch class const constructor continue debugger default delete do else enum "
    "export extends false finally for from function get if import in instanceof let new null of return set static "
    "super switch this throw true try typeof undefined var void while with yield"
)
BEFORE_VALUES = words("await case delete do else in instanceof new of return throw typeof void yield")
BRANCHES = words("if for while switch with await")  # parentheses after these are no parameters
# What browsers have, and the page names things of its own after.
BROWSERS = words(
    "close closed event external find focus frames history length location locationbar menubar moveTo name navigator "
    "onclick onresize open opener origin parent performance print resizeTo screen scroll self status stop toolbar top"
)
KEPT = KEYWORDS | BROWSERS


@cache
def shortened(text: str) -> str:
    """A script in which names are as short as can be; `text` has no syntax errors."""
    tokens = without_last_signs(list(read(text)))
    short = short_names(tokens)
    return "".join(short.get(text, text) if kind == NAME else text for kind, text in tokens)


def without_last_signs(tokens: list[Token]) -> list[Token]:
    """Semicolons at once before a brace need not be there, where the script has no empty statements, nor commas before
    any closing bracket."""
    pairs = zip(tokens, [*tokens[1:], None], strict=True)
    last = {(SIGN, mark + bracket) for mark, bracket in (";}", ",}", ",]", ",)")}
    return [
        token for token, after in pairs if not (after and token[0] == SIGN and (after[0], token[1] + after[1]) in last)
    ]


def short_names(tokens: list[Token]) -> dict[str, str]:
    """What each name becomes that may have another one: the most common get the shortest."""
    often = Counter(text for kind, text in tokens if kind == NAME)
    free = own(tokens)
    private, plain = new_names(), (name for name in new_names() if name not in often)
    short = {}
    for name, _ in often.most_common():
        if name[0] == "#":
            short[name] = f"#{next(private)}"
        elif name in free and len(name) > 1:
            short[name] = next(plain)
    return short


def new_names() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_letters + "_$", repeat=length):
            if (name := "".join(letters)) not in KEPT:
                yield name


def read(text: str) -> Iterator[Token]:
    """The script's tokens, which together are the script."""
    at, last = 0, ("", "")
    open_: list[str] = []  # braces, and templates with a value
    while at < len(text):
        if text[at] == "`" or (text[at] == "}" and open_[-1] == "`"):
            found, kind = TEXT.match(text, at), TEMPLATE
            if text[at] == "}":
                open_.pop()
        elif text[at] == "/" and begins_pattern(last) and text[at + 1] not in "/*":
            found, kind = PATTERN.match(text, at), REGEX
        else:
            found = TOKEN.match(text, at)
            kind = found.lastgroup if found else None
        assert found and kind, text[at : at + 40]
        token = kind, found.group()
        if kind == TEMPLATE and token[1].endswith("${"):
            open_.append("`")
        elif token[1] == "{":
            open_.append("{")
        elif token[1] == "}":
            open_.pop()
        yield token
        at = found.end()
        last = last if kind == SPACE else token


def begins_pattern(last: Token) -> bool:
    """May a regular expression follow? Else a slash divides."""
    kind, text = last
    if kind == NAME:
        return text in BEFORE_VALUES
    return kind in (TEMPLATE, SIGN, "") and text not in (")", "]", "}") and not text.endswith("`")


def own(tokens: list[Token]) -> set[str]:
    """Names that are declared here, and that nothing else has."""
    code = Code([token for token in tokens if token[0] != SPACE])
    places = [i for i, (kind, text) in enumerate(code.tokens) if kind == NAME and text not in KEPT]
    declared = {code.text(i) for i in places if code.declares(i)}
    return declared - {code.text(i) for i in places if code.may_be_property(i)}


class Code:
    """Tokens without space, and the brackets around each."""

    def __init__(self, tokens: list[Token]):
        self.tokens = tokens
        self.around: list[int] = []  # place of the innermost bracket that is open there; -1: none
        self.end: dict[int, int] = {}  # of each bracket
        open_: list[int] = []
        for i, (kind, text) in enumerate(tokens):
            value = kind == TEMPLATE
            if open_ and ((value and text[0] == "}") or (kind == SIGN and text in ")]}")):
                self.end[open_.pop()] = i
            self.around.append(open_[-1] if open_ else -1)
            if (value and text.endswith("${")) or (kind == SIGN and text in "([{"):
                open_.append(i)

    def text(self, i: int) -> str:
        return self.tokens[i][1] if 0 <= i < len(self.tokens) else ""

    def may_be_property(self, i: int) -> bool:
        before, after = self.text(i - 1), self.text(i + 1)
        if "export" in (self.text(i - 2), self.text(i - 3)):
            return True  # of the module
        if before in (".", "?.", "get", "set", "static"):
            return True
        if self.text(self.around[i]) != "{":
            return False
        if after == "(" and before != "function" and self.text(self.end[i + 1] + 1) == "{":
            return True  # a method
        key_or_short = before in ("{", ",") and after in ("}", ",", "=", ":")
        return key_or_short or (before in ("{", "}", ";") and after in ("=", ";"))  # or a class's field

    def declares(self, i: int) -> bool:
        if self.text(i - 1) in ("const", "let", "var", "class", "function") or self.text(i + 1) == "=>":
            return True
        while self.text(i - 1) in ("(", "[", "{", ",", ":", "..."):  # within patterns
            i = self.around[i]
            if self.text(i - 1) in ("const", "let"):
                return True
            if self.text(i) == "(":
                return self.has_parameters(i)
        return False

    def has_parameters(self, i: int) -> bool:
        """Does a function's list of parameters begin here?"""
        after = self.text(self.end[i] + 1)
        return after == "=>" or (after == "{" and self.text(i - 1) not in BRANCHES)
