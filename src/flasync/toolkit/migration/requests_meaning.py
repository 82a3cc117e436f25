"""What of requests has the same meaning in each of the clients that can take its place."""

from __future__ import annotations

from dataclasses import dataclass, field

POSITIONS: dict[str, tuple[str, ...]] = {
    "delete": ("url",),
    "get": ("url", "params"),
    "head": ("url",),
    "options": ("url",),
    "patch": ("url", "data"),
    "post": ("url", "data", "json"),
    "put": ("url", "data"),
    "request": ("method", "url"),
}
"""The parameters that requests takes by position."""

RAISING = frozenset({"raise_for_status", "json", "text", "content", "iter_content", "iter_lines"})
"""The attributes of a response that may raise an error of requests."""

_TOP_LEVEL = (
    "ConnectTimeout ConnectionError HTTPError JSONDecodeError ReadTimeout RequestException Timeout"
    " TooManyRedirects URLRequired"
).split()
_BELOW = (
    "ChunkedEncodingError ContentDecodingError InvalidHeader InvalidJSONError InvalidProxyURL"
    " InvalidSchema InvalidURL MissingSchema ProxyError RetryError SSLError StreamConsumedError"
    " UnrewindableBodyError"
).split()

ERRORS = frozenset(_TOP_LEVEL) | frozenset(_BELOW)
"""The names of its error classes."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a client keeps of requests.

    Attributes:
        left: Arguments with which a call is left alone, each with the reason.
        renamed: The arguments that have another name.
        reads: The attributes of a response that may be read.
        sets: The attributes of a response that may be set.
        passes: Whether a response may be tested, returned, and passed on.
        errors: For the names of error classes, the dotted names that take their place.
    """

    left: dict[str, str]
    reads: frozenset[str]
    errors: dict[str, tuple[str, ...]]
    renamed: dict[str, str] = field(default_factory=dict)
    sets: frozenset[str] = frozenset()
    passes: bool = False


_LEFT = {
    "cert": "which belongs to a client and not to a call",
    "hooks": "which are called with another response",
}

NIQUESTS_MEANING = Meaning(
    left=_LEFT,
    reads=frozenset(
        "close content cookies elapsed headers history is_permanent_redirect is_redirect"
        " iter_content iter_lines json links ok raise_for_status reason request status_code text"
        " url".split()
    ),
    sets=frozenset({"encoding"}),
    passes=True,
    errors={
        **{name: (name,) for name in _TOP_LEVEL},
        **{name: (f"exceptions.{name}",) for name in _BELOW},
    },
)
HTTPX_MEANING = Meaning(
    left=_LEFT
    | {
        "cookies": "which httpx keeps for a client and not for a call",
        "proxies": "which belong to a client and not to a call",
    },
    renamed={"allow_redirects": "follow_redirects"},
    reads=frozenset({"content", "json", "ok", "raise_for_status", "status_code"}),
    errors={
        "ConnectTimeout": ("ConnectTimeout",),
        "ConnectionError": ("NetworkError", "ProtocolError", "ProxyError", "ConnectTimeout"),
        "HTTPError": ("HTTPStatusError",),
        "InvalidSchema": ("UnsupportedProtocol",),
        "InvalidURL": ("InvalidURL", "UnsupportedProtocol"),
        "MissingSchema": ("UnsupportedProtocol",),
        "ReadTimeout": ("ReadTimeout",),
        "RequestException": ("HTTPError", "InvalidURL"),
        "Timeout": ("TimeoutException",),
        "TooManyRedirects": ("TooManyRedirects",),
    },
)
