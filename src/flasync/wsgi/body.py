"""The request body as `wsgi.input`."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class BodyReader:
    """A read-only binary stream over chunks that arrive one by one.

    It gives what `io.BytesIO` over the whole body would give, `readline` and iteration included,
    and never asks for a chunk before it needs one. `read()` reads to the end of the body.

    Args:
        fetch: Returns the next non-empty chunk, or `b""` at the end of the body, again and again.
            It may block or switch, and may raise.

    Runs in: the request's lane. Switches: exactly when `fetch` does.
    Source: PEP 3333, "Input and Error Streams".
    """

    __slots__ = ("_fetch", "_pending", "_start")

    closed = False

    def __init__(self, fetch: Callable[[], bytes]) -> None:
        self._fetch = fetch
        self._pending = b""
        self._start = 0

    def readable(self) -> bool:
        """Return True, for `io` wrappers around this."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def seekable(self) -> bool:
        """Return False: what has been read is gone."""
        return False

    def flush(self) -> None:
        """Do nothing, for `io` wrappers around this."""

    def close(self) -> None:
        """Do nothing: the body belongs to the server."""

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end of the body; all that is left for -1."""
        if size is None or size < 0:
            return self._take_all()
        parts: list[bytes] = []
        while size > 0:
            part = self._take(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readall(self) -> bytes:
        """Return all that is left of the body."""
        return self._take_all()

    def readinto(self, buffer: memoryview | bytearray) -> int:
        """Fill the beginning of `buffer` with what one fetch gives; return how many bytes."""
        part = self._take(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def readline(self, size: int | None = -1) -> bytes:
        """Return the next line with its end, cut at `size` bytes."""
        limit = -1 if size is None else size
        parts: list[bytes] = []
        while limit != 0:
            if not self._has_pending():
                break
            end = self._pending.find(b"\n", self._start) + 1
            part = self._take((end or len(self._pending)) - self._start, limit)
            parts.append(part)
            if limit > 0:
                limit -= len(part)
            if part.endswith(b"\n"):
                break
        return b"".join(parts)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Return the lines that are left, or as many as make up `hint` bytes."""
        lines: list[bytes] = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next line."""
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _has_pending(self) -> bool:
        """Fetch a chunk if none is pending; return whether one is now."""
        if self._start < len(self._pending):
            return True
        self._pending, self._start = self._fetch(), 0
        return bool(self._pending)

    def _take(self, size: int, limit: int = -1) -> bytes:
        """Return up to `size` (and `limit`) bytes of one chunk; `b""` only at the end."""
        if 0 <= limit < size:
            size = limit
        if not self._has_pending():
            return b""
        start = self._start
        if start == 0 and size >= len(self._pending):
            part, self._pending = self._pending, b""
            return part
        part = self._pending[start : start + size]
        self._start = start + len(part)
        return part

    def _take_all(self) -> bytes:
        """Return everything up to the end of the body."""
        parts: list[bytes] = []
        while self._has_pending():
            parts.append(self._take(len(self._pending)))
        return parts[0] if len(parts) == 1 else b"".join(parts)
