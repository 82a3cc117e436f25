"""A WSGI response as ASGI messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from flasync.errors import StartResponseError

Message = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# PEP 3333 forbids an application to send these, and HTTP/2 has no place for them. The server
# decides about its connection and its framing.
_HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_FORBIDDEN = re.compile(rb"[\r\n\0]").search
_NO_BODY_STATUSES = frozenset({204, 304})
_FIRST_FINAL_STATUS = 200

# The wire form of header names seen so far. Bounded, since an application may invent names.
_NAMES: dict[str, bytes] = {}
_MOST_NAMES = 1024


class ResponseHead:
    """What `start_response` was told, and the bytes given to its `write`.

    Args:
        method: The request's method: a response to HEAD has no body.
        send: Called with a list of messages that must be sent before the caller goes on; only
            `write` uses it, the deprecated way to send data before the iterable.
    """

    __slots__ = ("_send", "content_length", "headers", "method", "sent", "sent_bytes", "status")

    def __init__(self, method: str, send: Callable[[list[Message]], None]) -> None:
        self.method = method
        self._send = send
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.content_length: int | None = None
        self.sent = False
        self.sent_bytes = 0

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Callable[[bytes], None]:
        """Take the status and the headers of the response.

        Raises:
            StartResponseError: It was called twice without `exc_info`, or with a status or a
                header that cannot be sent.
            BaseException: That of `exc_info`, when the headers have been sent already.

        Source: PEP 3333, "The start_response() Callable".
        """
        if exc_info:
            if self.sent:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self.status:
            raise StartResponseError(
                f"start_response({status!r}) was called a second time. The WSGI application (or a "
                "middleware around it) started its response twice. Pass exc_info to replace a "
                "response that is not sent yet."
            )
        self.status = parse_status(status)
        self.headers, self.content_length = build_headers(headers)
        return self._write

    @property
    def has_body(self) -> bool:
        """Whether a body may follow. Source: RFC 9110, 6.4.1."""
        return (
            self.method != "HEAD"
            and self.status >= _FIRST_FINAL_STATUS
            and self.status not in _NO_BODY_STATUSES
        )

    def build_start(self) -> Message:
        """Return the message that starts the response; from here on it cannot be replaced.

        Raises:
            StartResponseError: `start_response` was not called.
        """
        if not self.status:
            raise StartResponseError(
                "The WSGI application gave data without calling start_response. A middleware "
                "around app.wsgi_app returned its own iterable. Make it call start_response first."
            )
        self.sent = True
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}

    def take(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of `data` belongs to the body, and whether the body is complete with it."""
        if not self.has_body:
            return b"", True
        length = self.content_length
        if length is not None:
            data = data[: length - self.sent_bytes]
        self.sent_bytes += len(data)
        return data, self.sent_bytes == length

    def _write(self, data: bytes) -> None:
        messages = [] if self.sent else [self.build_start()]
        data, _ = self.take(data)
        if data:
            messages.append(build_body(data, more=True))
        self._send(messages)


def build_messages(head: ResponseHead, chunks: Iterable[bytes]) -> Iterator[list[Message]]:
    """Yield the messages of a response, in lists that belong together.

    The head goes with the first chunk, as PEP 3333 wants it. The last message is recognised as
    early as can be: when the chunks so far fill `Content-Length`. The iterable is then still
    advanced to its end, for the code behind a middleware's last `yield`; but data in excess of
    the response ends it, and is dropped: it would be taken for the next response.

    Raises:
        StartResponseError: The application yields or ends before `start_response`.
    """
    complete = False
    for chunk in chunks:
        if not chunk:
            continue
        if complete:
            return
        messages = [] if head.sent else [head.build_start()]
        data, complete = head.take(chunk)
        messages.append(build_body(data, more=not complete))
        yield messages
    if not complete:
        messages = [] if head.sent else [head.build_start()]
        yield [*messages, build_body(b"", more=False)]


def build_body(data: bytes, *, more: bool) -> Message:
    """Return a message with a piece of the body."""
    return {"type": "http.response.body", "body": data, "more_body": more}


def parse_status(status: str) -> int:
    """Return the code of a status line such as "404 NOT FOUND".

    Raises:
        StartResponseError: It does not begin with a code from 100 to 999.
    """
    code = status[:3]
    if not (code.isascii() and code.isdigit() and code >= "100" and status[3:4] in ("", " ")):
        raise StartResponseError(
            f"start_response got the status {status!r}. It must begin with three digits from 100 "
            "to 999 and a space, as in '404 NOT FOUND'. Mend the view or the middleware."
        )
    return int(code)


def build_headers(
    headers: Iterable[tuple[str, str]],
) -> tuple[list[tuple[bytes, bytes]], int | None]:
    """Return headers as ASGI wants them, and the Content-Length among them or None.

    Returns:
        A list of (name, value) byte pairs, names lower-cased, without hop-by-hop headers.

    Raises:
        StartResponseError: A name or a value is not Latin-1, has a line break, or the
            Content-Length is no number.
    """
    built: list[tuple[bytes, bytes]] = []
    length: int | None = None
    for name, value in headers:
        wire_name = _NAMES.get(name)
        if wire_name is None:
            wire_name = _build_name(name)
        if not wire_name:
            continue
        try:
            wire_value = value.encode("latin-1")
        except UnicodeEncodeError:
            raise _bad_header(name, value, "it has characters outside Latin-1") from None
        if _FORBIDDEN(wire_value):
            raise _bad_header(name, value, "it has a line break or a NUL")
        if wire_name == b"content-length":
            if not (value.isascii() and value.isdigit()):
                raise _bad_header(name, value, "it must be a number of bytes")
            length = int(value)
        built.append((wire_name, wire_value))
    return built, length


def _build_name(name: str) -> bytes:
    """Return a header name's wire form, or `b""` for one that is left out."""
    lower = name.lower()
    if not _TOKEN(lower):
        raise _bad_header(name, "", "its name is no token of RFC 9110, 5.6.2")
    wire_name = b"" if lower in _HOP_BY_HOP else lower.encode("ascii")
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[name] = wire_name
    return wire_name


def _bad_header(name: str, value: str, why: str) -> StartResponseError:
    return StartResponseError(
        f"The response header {name!r}: {value!r} cannot be sent: {why}. Encode the value where "
        "it is set, for example with urllib.parse.quote or werkzeug.http.dump_options_header."
    )
