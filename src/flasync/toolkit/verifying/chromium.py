"""Where a Chromium is that can be driven."""

from __future__ import annotations

import os
import shutil

from flasync.errors import MissingExtraError

# The names under which the systems install it.
NAMES = ("chromium", "chromium-browser", "google-chrome")

# As root, which containers run everything as, Chromium has no sandbox.
ARGUMENTS = ("--no-sandbox",)


def find_chromium() -> str:
    """Return the path of Chromium or Chrome: that in FLASYNC_CHROMIUM, or the first installed.

    Raises:
        MissingExtraError: There is none.
    """
    for name in (os.environ.get("FLASYNC_CHROMIUM", ""), *NAMES):
        path = shutil.which(name) if name else None
        if path is not None:
            return path
    raise MissingExtraError(
        f"a browser is needed, and none of {', '.join(NAMES)} is installed: apt install chromium,"
        " or set FLASYNC_CHROMIUM to the path of Chrome"
    )
