"""How files are named for programs that know the repository and not the project's folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath


class FileAddresses:
    """Names the files of a report relative to a folder.

    Args:
        root: The folder that the files of places are relative to.
        base: The folder, such as the repository's, that the reader's names are relative to;
            None: `root` itself.
    """

    def __init__(self, root: str, base: Path | None = None) -> None:
        self.base = Path(base or root).absolute()
        self._root = Path(root)

    def name(self, file: str) -> str:
        """Return a file's name relative to the base, or absolute if it is outside of it."""
        path = Path(os.path.normpath(self._root / file))
        if path.is_relative_to(self.base):
            return PurePosixPath(path.relative_to(self.base)).as_posix()
        return path.as_posix()
