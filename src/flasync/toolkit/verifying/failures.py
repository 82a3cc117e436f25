"""Why a request got no response, in words for people."""

from __future__ import annotations

import errno
import resource

import aiohttp

# The first that fits counts.
_WORDS: dict[type[BaseException], str] = {
    TimeoutError: "no answer within {timeout_s:g} s",
    aiohttp.ClientConnectorDNSError: "the host {error.host!r} is not known",
    aiohttp.ClientSSLError: "no secure connection: {error}",
    aiohttp.ServerDisconnectedError: "the server closed the connection without an answer",
    aiohttp.ClientPayloadError: "the answer ended before it was complete",
    aiohttp.ClientResponseError: "the answer is no HTTP: {error.message}",
    aiohttp.InvalidURL: "{error.url!s} is no URL",
}


def describe_failure(error: BaseException, timeout_s: float) -> str:
    """Return why there was no response, without a full stop.

    Args:
        error: What aiohttp or the system raised.
        timeout_s: Seconds that the request had.
    """
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words.format(error=error, timeout_s=timeout_s)
    if isinstance(error, OSError):
        return _describe_system_error(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _describe_system_error(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "the connection was refused: nothing listens there"
    if error.errno in (errno.ECONNRESET, errno.EPIPE):
        return "the server broke off the connection"
    if error.errno == errno.EMFILE:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"more connections than the {limit} files that this process may open: see ulimit -n"
    return f"{type(error).__name__}: {error.strerror or error}"
