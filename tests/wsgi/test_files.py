"""`flasync.wsgi.files`: files as response bodies."""

import io
import tempfile
from pathlib import Path
from typing import Any

from werkzeug.wsgi import wrap_file

from flasync.wsgi.files import BLOCK_BYTES, FileWrapper


def test_yields_the_file_in_blocks() -> None:
    """The blocks make up the file; none is empty, all but the last are of block size."""
    content = bytes(range(256)) * (BLOCK_BYTES // 100)
    blocks = list(FileWrapper(io.BytesIO(content)))
    assert b"".join(blocks) == content
    assert {len(block) for block in blocks[:-1]} == {BLOCK_BYTES}
    assert blocks[-1]


def test_small_blocks_grow() -> None:
    """Werkzeug's 8 KiB become one step a quarter of a mebibyte; larger wishes are kept."""
    assert FileWrapper(io.BytesIO(), 8192).block_bytes == BLOCK_BYTES
    assert FileWrapper(io.BytesIO(), 2 * BLOCK_BYTES).block_bytes == 2 * BLOCK_BYTES


def test_empty_file_has_no_block() -> None:
    """An empty file gives nothing."""
    assert list(FileWrapper(io.BytesIO())) == []


def test_close_closes_the_file() -> None:
    """Closing the body closes the file, once or twice."""
    file = io.BytesIO(b"x")
    wrapper = FileWrapper(file)
    wrapper.close()
    wrapper.close()
    assert file.closed


def test_seeks_where_the_file_does(tmp_path: Path) -> None:
    """A range request can position a file that can be positioned."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        wrapper = FileWrapper(file)
        assert wrapper.seekable()
        wrapper.seek(4)
        assert wrapper.tell() == 4
        assert b"".join(wrapper) == b"456789"


def test_bare_reader_is_enough() -> None:
    """An object with `read` alone is a file too: not seekable, nothing to close."""

    class Bare:
        def __init__(self) -> None:
            self._left = [b"a", b"b", b""]

        def read(self, size: int) -> bytes:
            return self._left.pop(0)

    bare: Any = Bare()
    wrapper = FileWrapper(bare)
    assert not wrapper.seekable()
    assert wrapper.tell() is None
    wrapper.seek(0)
    assert list(wrapper) == [b"a", b"b"]
    wrapper.close()


def test_werkzeug_takes_it() -> None:
    """`werkzeug.wsgi.wrap_file` uses it when it finds it in the environ."""
    with tempfile.TemporaryFile() as file:
        wrapped = wrap_file({"wsgi.file_wrapper": FileWrapper}, file)
        assert isinstance(wrapped, FileWrapper)
