"""The source lines that findings stand in."""

from __future__ import annotations

import linecache
from pathlib import Path

from flasync.toolkit.finding import Place


class SourceLines:
    """Reads lines of a project's files, each file once.

    Args:
        root: The folder that the files of places are relative to.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def get(self, place: Place) -> str:
        """Return the line of a place without its indentation; empty when it cannot be read."""
        return linecache.getline(str(self._root / place.file), place.line).strip()
