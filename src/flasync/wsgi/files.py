"""`wsgi.file_wrapper`: how a file becomes a response body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

# Bytes a step. Each step of a sync view's stream is a hop to its thread, so small ones are dear;
# Werkzeug asks for 8 KiB, which would be 128 hops a mebibyte.
BLOCK_BYTES = 256 * 1024


class FileWrapper:
    """An iterable over a file's blocks, as PEP 3333 "Optional Platform-Specific File Handling".

    Args:
        file: A binary file. Its `close`, `seek` and `tell`, where it has them, are passed through.
        block_bytes: What the application asks for; larger blocks are used where that is small.
    """

    def __init__(self, file: IO[bytes], block_bytes: int = 8192) -> None:
        self.file = file
        self.block_bytes = max(block_bytes, BLOCK_BYTES)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(self.block_bytes)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file."""
        if hasattr(self.file, "close"):
            self.file.close()

    def seekable(self) -> bool:
        """Whether the file can be positioned; Werkzeug asks this before it serves a range."""
        if hasattr(self.file, "seekable"):
            return self.file.seekable()
        return hasattr(self.file, "seek")

    def seek(self, *args: int) -> None:
        """Position the file."""
        if hasattr(self.file, "seek"):
            self.file.seek(*args)

    def tell(self) -> int | None:
        """Return the file's position, or None where it has none."""
        return self.file.tell() if hasattr(self.file, "tell") else None
