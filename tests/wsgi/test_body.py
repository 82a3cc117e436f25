"""`flasync.wsgi.body`: what `io.BytesIO` over the whole body would give, and no chunk too early."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasync.wsgi.body import BodyReader

# Few letters and many line ends, so that short bodies have every shape of line.
CHUNKS = st.lists(st.lists(st.sampled_from(b"ab\n"), min_size=1, max_size=9).map(bytes), max_size=9)
SIZES = st.one_of(st.none(), st.integers(min_value=-1, max_value=12))
CALLS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["read", "readline", "readlines"]), SIZES),
        st.tuples(st.sampled_from(["next", "readall", "fill"]), st.integers(1, 12)),
    ),
    max_size=12,
)


class Chunks:
    """A fetch over chunks, which counts what it has handed out."""

    def __init__(self, *chunks: bytes) -> None:
        self.left = list(chunks)
        self.fetched = 0
        self.ends = 0

    def __call__(self) -> bytes:
        if not self.left:
            self.ends += 1
            return b""
        self.fetched += 1
        return self.left.pop(0)


def fill(stream: Any, size: int) -> bytes:
    """Read by `readinto`, as often as it takes to fill the buffer: once may give less."""
    buffer = bytearray(size)
    filled = 0
    while filled < size and (count := stream.readinto(memoryview(buffer)[filled:])):
        filled += count
    return bytes(buffer[:filled])


def perform(stream: Any, name: str, size: int | None) -> Any:
    """Make one call of a stream; the name says which."""
    if name == "next":
        return next(stream, None)
    if name == "fill":
        assert size is not None
        return fill(stream, size)
    if name == "readall":
        return stream.readall() if hasattr(stream, "readall") else stream.read()
    return getattr(stream, name)(size)


@given(CHUNKS, CALLS)
def test_equals_bytes_io(chunks: list[bytes], calls: list[tuple[str, int | None]]) -> None:
    """Any mix of calls over any chunking returns what `io.BytesIO` over the body returns."""
    reader = BodyReader(Chunks(*chunks))
    reference = io.BytesIO(b"".join(chunks))
    for name, size in calls:
        assert perform(reader, name, size) == perform(reference, name, size), (name, size)
    assert reader.read() == reference.read()


@given(CHUNKS)
def test_iterates_over_lines(chunks: list[bytes]) -> None:
    """Iteration gives the body's lines, however they were cut on the way."""
    assert list(BodyReader(Chunks(*chunks))) == list(io.BytesIO(b"".join(chunks)))


@given(CHUNKS, st.integers(1, 5))
def test_buffered_reader_on_top(chunks: list[bytes], size: int) -> None:
    """`io.BufferedReader` and `io.TextIOWrapper` work on top, as some parsers put them there."""
    body = b"".join(chunks)
    assert io.BufferedReader(BodyReader(Chunks(*chunks)), size).read() == body
    text = io.TextIOWrapper(io.BufferedReader(BodyReader(Chunks(*chunks))), newline="\n")
    assert text.readlines() == io.StringIO(body.decode(), newline="\n").readlines()


@pytest.mark.parametrize(
    ("act", "fetched"),
    [
        (lambda reader: reader.read(0), 0),
        (lambda reader: reader.read(1), 1),
        (lambda reader: reader.read(2), 1),
        (lambda reader: reader.read(3), 2),
        (lambda reader: reader.readline(), 1),
        (lambda reader: reader.readline(0), 0),
        (lambda reader: (reader.readline(), reader.readline()), 2),
        (lambda reader: reader.readinto(bytearray(9)), 1),
        (lambda reader: next(iter(reader)), 1),
        (lambda reader: reader.readlines(1), 1),
    ],
)
def test_fetches_late(act: Callable[[BodyReader], Any], fetched: int) -> None:
    """A chunk is fetched when its first byte is needed and not before."""
    chunks = Chunks(b"a\n", b"b\n", b"c\n")
    act(BodyReader(chunks))
    assert chunks.fetched == fetched


def test_end_stays_the_end() -> None:
    """After the end every kind of read returns nothing, again and again."""
    reader = BodyReader(Chunks(b"x"))
    assert reader.read() == b"x"
    for _ in range(2):
        assert reader.read() == reader.read(1) == reader.readline() == reader.readall() == b""
        assert reader.readlines() == list(reader) == []
        assert reader.readinto(bytearray(1)) == 0


def test_raises_what_fetch_raises() -> None:
    """What goes wrong on the wire reaches whoever reads; what was read before is not lost."""

    left = [b"ab"]

    def fetch() -> bytes:
        if not left:
            raise ConnectionError("gone")
        return left.pop()

    reader = BodyReader(fetch)
    assert reader.read(1) == b"a"
    with pytest.raises(ConnectionError):
        reader.read(2)


def test_is_a_readable_stream() -> None:
    """It is a readable, unseekable, read-only binary stream."""
    reader = BodyReader(Chunks())
    assert reader.readable()
    assert not reader.seekable()
    assert not reader.writable()
