"""Steps for the response, as it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasync.toolkit.report.wording import count
from flasync.toolkit.tracing.timeline import Timeline, Track
from flasync.toolkit.tracing.trace import Action


class ResponseSteps:
    """Makes steps of ASGI messages.

    Args:
        timeline: Where to.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._pieces = 0
        self._sent_bytes = 0

    def note(self, track: Track, messages: list[Any]) -> None:
        """Add the steps of some messages: the whole response, its begin, a piece, or its end."""
        start, is_last = messages[0], not messages[-1].get("more_body", False)
        sent_bytes = sum(len(message.get("body", b"")) for message in messages)
        self._sent_bytes += sent_bytes
        if start["type"] == "http.response.start":
            kind = _get_content_type(start)
            words = f"{start['status']}{f', {kind}' if kind else ''}"
            if is_last:
                self._add(track, "response sent", f"{words}, {count(sent_bytes, 'byte')}")
                return
            self._add(track, "response begun", words)
        if sent_bytes:
            self._pieces += 1
            self._add(track, "piece of the response sent", count(sent_bytes, "byte"))
        if is_last:
            words = f"{count(self._pieces, 'piece')}, {count(self._sent_bytes, 'byte')}"
            self._add(track, "response complete", words)

    def _add(self, track: Track, text: str, result: str) -> None:
        self._timeline.add(track, Action.SENT, text, result=result)


def _get_content_type(start: Mapping[str, Any]) -> str:
    headers: dict[bytes, bytes] = dict(start["headers"])
    value = headers.get(b"content-type", headers.get(b"Content-Type", b""))
    return str(value, "latin-1").partition(";")[0]
