"""What request headers ask for, by the rules of RFC 9110."""

from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurie.site.conditions import OutsideFile, accepts_gzip, unchanged, wanted_range

MOMENT, DATE = 784111777, "Sun, 06 Nov 1994 08:49:37 GMT"  # RFC 9110's example
HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
HUGE = "9" * 5000  # digits: more than Python makes a number of
NUMBER = st.none() | st.integers(0, 40)


def message(**headers: str) -> Message:
    result = Message()
    for name, value in headers.items():
        result[name.replace("_", "-")] = value
    return result


@pytest.mark.parametrize(
    ("tags", "same"),
    [
        ('"a-1"', True), ('W/"a-1"', True), ('"x", "a-1"', True), ('"x,y" ,W/"a-1"', True), ("*", True), (" * ", True),
        ('"a"', False), ("a-1", False), ("", False), ('"x, a-1"', False), ('"A-1"', False), ('"a-1', False),
    ],
)  # fmt: skip
def test_named_tags(tags: str, same: bool) -> None:
    assert unchanged(message(If_None_Match=tags), '"a-1"', MOMENT) is same
    # the date does not count then
    assert unchanged(message(If_None_Match=tags, If_Modified_Since=DATE), '"a-1"', MOMENT) is same


def test_tags_on_two_lines() -> None:
    headers = message(If_None_Match='"x"')
    headers["If-None-Match"] = '"a-1"'
    assert unchanged(headers, '"a-1"', MOMENT)


@pytest.mark.parametrize(
    ("date", "same"),
    [
        (DATE, True), ("Sunday, 06-Nov-94 08:49:37 GMT", True), ("Sun Nov  6 08:49:37 1994", True),
        ("Sun, 06 Nov 1994 08:49:38 GMT", True), ("Sun, 06 Nov 1994 08:49:36 GMT", False),
        ("yesterday", False), ("", False), ("Sun, 99 Nov 1994 08:49:37 GMT", False),
        (f"Sun, 06 Nov {10**30} 08:49:37 GMT", False),
    ],
)  # fmt: skip
def test_dates(date: str, same: bool) -> None:
    assert unchanged(message(If_Modified_Since=date), '"a-1"', MOMENT) is same


def test_without_a_condition_everything_has_changed() -> None:
    assert not unchanged(message(), '"a-1"', MOMENT)


@settings(deadline=None)
@given(first=NUMBER, last=NUMBER, size=st.integers(0, 30))
def test_a_range_is_what_python_cuts(first: int | None, last: int | None, size: int) -> None:
    data = bytes(range(size))
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    expected: bytes | None
    if first is None:
        expected = None if last is None else data[max(size - last, 0) :]
    else:
        expected = data[first : None if last is None else last + 1]
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert wanted_range(message(Range=text), size, '"t"', DATE) is None
    elif expected == b"":
        with pytest.raises(OutsideFile):
            wanted_range(message(Range=text), size, '"t"', DATE)
    else:
        start, count = wanted_range(message(Range=text), size, '"t"', DATE) or (0, 0)
        assert data[start : start + count] == expected and count == len(expected or b"")


@pytest.mark.parametrize(
    "text",
    [
        "bytes=0-1,3-4",
        "items=0-1",
        "bytes",
        "bytes=a-b",
        "bytes=0-" + "9" * 5000,
        "bytes=" + "9" * 5000 + "-",
        "bytes=-",
    ],
)
def test_ranges_that_are_answered_whole(text: str) -> None:
    assert wanted_range(message(Range=text), 10, '"t"', DATE) is None


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ('"t"', (2, 3)),
        (DATE, (2, 3)),
        ('"u"', None),
        ('W/"t"', None),
        ("Sun, 06 Nov 1994 08:49:38 GMT", None),
        ("", None),
    ],
)
def test_a_range_of_another_version_is_answered_whole(condition: str, part: tuple[int, int] | None) -> None:
    assert wanted_range(message(Range="bytes=2-4", If_Range=condition), 10, '"t"', DATE) == part
    # not even when it lies outside
    if part is None:
        assert wanted_range(message(Range="bytes=99-", If_Range=condition), 10, '"t"', DATE) is None


@pytest.mark.parametrize(
    ("accepted", "gzip"),
    [
        ("gzip", True), ("gzip, deflate, br, zstd", True), ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True), ("*", True),
        ("gzip ; q=0.001", True), ("identity;q=0.5, gzip;q=0.5", True), ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip;q=0.000", False), ("*;q=0", False),
        ("gzip;q=0, *", False), ("identity, gzip;q=0.5", False), ("x-gzip, br", False), ("gzip;q=x", False),
        ("gzip;q=-1", False),
    ],
)  # fmt: skip
def test_gzip_only_where_it_is_liked(accepted: str, gzip: bool) -> None:
    assert accepts_gzip(message(Accept_Encoding=accepted)) is gzip


def test_gzip_is_not_sent_unasked() -> None:
    assert not accepts_gzip(message())


@settings(deadline=None)
@given(text=HEADER | st.builds("bytes={}".format, HEADER), size=st.integers(0, 1 << 40))
def test_no_header_makes_an_error(text: str, size: int) -> None:
    headers = message(If_None_Match=text, Range=text, If_Range='"t"', Accept_Encoding=text)
    unchanged(headers, '"t"', MOMENT)
    unchanged(message(If_Modified_Since=text), '"t"', MOMENT)
    accepts_gzip(headers)
    try:
        part = wanted_range(headers, size, '"t"', DATE)
    except OutsideFile:
        return
    assert part is None or (part[0] >= 0 and 0 < part[1] <= size - part[0])
