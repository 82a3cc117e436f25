"""Another git revision of the project, in a folder of its own for as long as it is served."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import flasync
from flasync.errors import RepositoryError

# What git ignores and no app needs from elsewhere: it is made by running the code.
_MADE_BY_RUNNING = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")

# The folder from which flasync itself is imported.
_FLASYNC = Path(flasync.__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Checkout:
    """A project as it was at a revision."""

    name: str
    """The short name of the commit."""
    root: Path
    """The project's folder there."""
    environ: dict[str, str]
    """Variables by which Python finds the code there, and not that of today."""


@contextmanager
def check_out(root: Path, revision: str) -> Iterator[Checkout]:
    """Have a revision of a project in a temporary folder until the block ends, however it ends.

    What git ignores, as an `.env` file or a database of SQLite, is not in a revision: the revision
    uses that of today, by symbolic links.

    Args:
        root: The project's folder, anywhere in its repository.
        revision: As git takes it: a commit, a branch, a tag, HEAD~2.

    Raises:
        RepositoryError: git is not installed, this is no repository, or it has no such revision.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    inside = root.resolve().relative_to(top.resolve())
    with tempfile.TemporaryDirectory(prefix="flasync-revision-") as folder:
        there = Path(folder, "project").resolve()
        _git(root, "worktree", "add", "--detach", "--quiet", str(there), commit)
        try:
            if not (there / inside).is_dir():
                raise RepositoryError(
                    f"The folder {str(inside)!r} is not there at the revision {revision!r}. Name"
                    " one that has it: git log --oneline -- ."
                )
            _link_ignored(top, there)
            yield Checkout(commit[:7], there / inside, {"PYTHONPATH": _move_paths(top, there)})
        finally:
            # What it leaves goes with the folder, and git forgets the worktree then.
            with suppress(RepositoryError):
                _git(root, "worktree", "remove", "--force", str(there))


def _link_ignored(top: Path, there: Path) -> None:
    """Make links to what git ignores in the project of today."""
    listed = _git(
        top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"
    )
    for name in filter(None, listed.split("\0")):
        source, link = top / name, there / name.rstrip("/")
        made_by_running = source.name in _MADE_BY_RUNNING or source.suffix == ".pyc"
        if not made_by_running and link.parent.is_dir() and not os.path.lexists(link):
            link.symlink_to(source, target_is_directory=source.is_dir())


def _move_paths(top: Path, there: Path) -> str:
    """Return a PYTHONPATH with the folders of the project from which code is imported today.

    Among them is the `src` of a project that pip has installed in place.
    """
    moved = []
    for path in (Path(entry).resolve() for entry in sys.path):
        # What serves is not part of what is compared, where one repository has both.
        is_moved = path.is_relative_to(top) and path != _FLASYNC
        if is_moved and (there / path.relative_to(top)).is_dir():
            moved.append(str(there / path.relative_to(top)))
    return os.pathsep.join([*moved, *filter(None, [os.environ.get("PYTHONPATH")])])


def _git(root: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise RepositoryError(
            "git is not installed, and a revision is checked out with it. Install it, or compare"
            " with: --compare stock"
        )
    process = subprocess.run(  # noqa: S603 (our own arguments, the revision named by its owner)
        [git, "-C", str(root), "-c", "core.hooksPath=/dev/null", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RepositoryError(
            f"git {arguments[0]} failed in {str(root)!r}: {process.stderr.strip()}. Name a revision"
            " that is there: git log --oneline"
        )
    return process.stdout.removesuffix("\n")
