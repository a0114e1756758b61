"""What the headers of a request ask for (RFC 9110): a file only if it has changed, a part of it, or packed by gzip."""

import re
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime

TAG = re.compile(r'"([^"]*)"')
RANGE = re.compile(r"bytes=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


class OutsideFile(Exception):
    """The range that a request asks for begins after the file's end, or is empty."""


def unchanged(headers: Message, tag: str, modified: int) -> bool:
    """Whether the client already has the version with this entity tag, last modified at this second since 1970.

    Tags are compared weakly (13.1.2). Where a request names tags, its date does not count (13.1.3).
    """
    tags = headers.get_all("If-None-Match")
    if tags is not None:
        names = ",".join(tags)
        return names.strip() == "*" or tag.strip('"') in TAG.findall(names)
    since = _seconds(headers.get("If-Modified-Since", ""))
    return since is not None and modified <= since


def wanted_range(headers: Message, size: int, tag: str, modified: str) -> tuple[int, int] | None:
    """First byte and number of bytes that a request asks for, of a file of this size; None: all of it.

    All of it too where several ranges are asked for, which servers may answer so (14.2), where the range makes no
    sense, or where If-Range names another version. Raises OutsideFile.
    """
    match = RANGE.fullmatch(headers.get("Range", "").strip())
    first, last = match.groups() if match else ("", "")
    if not (first or last) or headers.get("If-Range", tag).strip() not in (tag, modified):
        return None
    if not first:  # the last bytes
        count = min(int(last), size)
        first = size - count
    else:
        first = int(first)
        if last and int(last) < first:
            return None
        count = min(int(last or size - 1), size - 1) - first + 1
    if count <= 0:
        raise OutsideFile
    return first, count


def accepts_gzip(headers: Message) -> bool:
    """Whether the client takes gzip, and likes it no less than unpacked content (12.5.3)."""
    quality = dict(map(_quality, ",".join(headers.get_all("Accept-Encoding", [])).split(",")))
    gzip = quality.get("gzip", quality.get("*", 0.0))
    return gzip > 0 and gzip >= quality.get("identity", 0.0)


def _quality(item: str) -> tuple[str, float]:
    """gzip;q=0.5 -> (gzip, 0.5). What is no number counts as a refusal."""
    name, _, parameters = item.partition(";")
    weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", parameters, re.IGNORECASE)
    return name.strip().lower(), float(weight[1]) if weight else float(not parameters.strip())


def _seconds(date: str) -> float | None:
    """Since 1970, or None when this is no date."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
