"""The script by which a user's own login gives the headers of a session."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path

from flasync.errors import VerifyError


def log_in(script: Path, url: str) -> tuple[tuple[str, str], ...]:
    """Return the headers that the script's `login(url)` gives for a server.

    Args:
        script: A Python file with `def login(url): return {"Cookie": "session=…"}`.
        url: Where the app is served, without a slash at the end.

    Raises:
        VerifyError: The script cannot be run, or gives no headers.
    """
    try:
        login = runpy.run_path(str(script)).get("login")
    except (Exception, SystemExit) as error:
        raise _build_error(script, error) from error
    if not callable(login):
        raise VerifyError(
            f"The login script {str(script)!r} has no function 'login'. Give it one:"
            ' def login(url): return {"Cookie": "session=…"}'
        )
    try:
        headers = login(url)
    except (Exception, SystemExit) as error:
        raise _build_error(script, error) from error
    if not isinstance(headers, dict) or not all(
        isinstance(part, str) for pair in headers.items() for part in pair
    ):
        raise VerifyError(
            f"login({url!r}) of {str(script)!r} returned {headers!r}, which are no headers. Return"
            ' a dict of strings: {"Cookie": "session=…"}'
        )
    return tuple(headers.items())


def _build_error(script: Path, error: BaseException) -> VerifyError:
    raised = VerifyError(
        f"The login script {str(script)!r} failed: {type(error).__name__}: {error}. Its traceback"
        " is above; run its login() alone against the app"
    )
    raised.add_note("".join(traceback.format_exception(error)))
    return raised
