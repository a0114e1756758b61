"""The wire format of protocol buffers, https://protobuf.dev/programming-guides/encoding: what TensorFlow writes its
indices in. Nothing is copied: fields are views of the message."""

from collections.abc import Iterator

from nurie.errors import NurieError

VARINT, LONG, BYTES, SHORT = 0, 1, 2, 5  # kinds of fields
Message = memoryview


def varint(data: Message, at: int) -> tuple[int, int]:
    """A number below 2^64, and where it ends. Raises NurieError."""
    number = 0
    for index, byte in enumerate(data[at : at + 10]):
        number |= (byte & 127) << 7 * index
        if byte < 128:
            return number & (1 << 64) - 1, at + index + 1
    raise NurieError("a number does not end")


def fields(message: Message) -> Iterator[tuple[int, int | Message]]:
    """Each field's number, and its value: bytes, or a number of any kind without its sign. Raises NurieError."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = varint(message, at)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            length, at = varint(message, at)
        else:
            length = {LONG: 8, SHORT: 4}.get(kind, len(message) + 1)
        value = message[at : at + length]
        if len(value) < length:
            raise NurieError("a field does not end")
        at += length
        yield tag >> 3, value if kind == BYTES else int.from_bytes(value, "little")


def numbers(message: Message) -> dict[int, int]:
    """The fields that are numbers, the last of each."""
    return {number: value for number, value in fields(message) if isinstance(value, int)}


def messages(message: Message, number: int) -> list[Message]:
    """The fields of a number that are bytes, in order."""
    return [value for field, value in fields(message) if field == number and isinstance(value, Message)]


def text(message: Message, number: int) -> str:
    """A field that is text, or nothing. Raises NurieError."""
    try:
        return next((str(value, "utf-8") for value in messages(message, number)), "")
    except UnicodeDecodeError as error:
        raise NurieError("a name is no text") from error
