"""What the new code needs and this environment has not."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterable

from packaging.requirements import Requirement

from flasync.errors import InstallError

_TAIL_LINES = 10


def find_missing(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return those of some requirements, such as "aiosqlite", that this Python does not have."""
    return tuple(text for text in dict.fromkeys(requirements) if not _is_installed(text))


def install(requirements: Iterable[str]) -> None:
    """Install requirements into the environment of this Python, with its pip, or else with uv.

    Raises:
        InstallError: There is neither, or it failed.
    """
    wanted = list(requirements)
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", *wanted]
    elif shutil.which("uv"):
        command = ["uv", "pip", "install", "--python", sys.executable, *wanted]
    else:
        raise InstallError(
            f"{sys.executable!r} has no pip, and there is no uv, so {', '.join(wanted)} cannot be"
            " installed. Install what is missing yourself, and leave out --install"
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    importlib.invalidate_caches()
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL_LINES:])
        raise InstallError(
            f"`{' '.join(command)}` failed with exit code {done.returncode}: {said}. Install what"
            " is missing yourself, and leave out --install"
        )


def _is_installed(text: str) -> bool:
    requirement = Requirement(text)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)
