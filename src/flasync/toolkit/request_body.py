"""What kind of body a person has typed for a request."""

from __future__ import annotations

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


def guess_content_type(body: bytes) -> str:
    """Return the type of a body: JSON if it begins with a bracket or brace, else a form."""
    return _JSON if body.lstrip().startswith((b"{", b"[")) else _FORM
