"""What git knows of the project: whether it is clean, and a commit for each stage."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path

from flasync.errors import RepositoryError


def find_repository(root: Path) -> Path | None:
    """Return the folder of the repository that a project is in, or None when it is in none.

    Raises:
        RepositoryError: There is one, and git is not installed or refuses to use it.
    """
    resolved = root.resolve()
    if not any((folder / ".git").exists() for folder in (resolved, *resolved.parents)):
        return None
    return Path(_git(root, "rev-parse", "--show-toplevel").removesuffix("\n"))


def list_changes(root: Path) -> tuple[str, ...]:
    """Return the files of a project that differ from its last commit, staged ones included.

    Untracked files do not count.

    Args:
        root: The project's folder; what is elsewhere in the repository does not count.

    Returns:
        Their names relative to the root, sorted.

    Raises:
        RepositoryError: git is not installed, or this is no repository.
    """
    status = _git(
        root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--", "."
    )
    top = _find_top(root)
    return _name_below(root, (top + entry[3:] for entry in filter(None, status.split("\0"))))


def list_untracked(root: Path, files: Iterable[str]) -> tuple[str, ...]:
    """Return which files git could not bring back: they are there, and it does not know them.

    Files that it ignores are among them, and those outside of the repository.

    Args:
        root: The project's folder.
        files: Relative to the root or absolute.

    Returns:
        Their names relative to the root, sorted.

    Raises:
        RepositoryError: git is not installed, or this is no repository.
    """
    top = _find_top(root)
    there = {path for name in files if os.path.exists(path := os.path.realpath(root / name))}
    inside = sorted(path for path in there if path.startswith(top))
    return _name_below(root, there - _list_tracked(root, inside))


def commit(root: Path, files: Iterable[str], message: str) -> str:
    """Commit the present contents of some files, and nothing else.

    Hooks run, and the author is the one of the user's configuration. What is staged besides stays
    staged. Files that git ignores, or that are outside of the repository, are left out.

    Args:
        root: The project's folder.
        files: Relative to the root or absolute; new and deleted ones included.
        message: The whole message.

    Returns:
        The short name of the commit; "" when there was nothing to commit.

    Raises:
        RepositoryError: git is not installed, does not know who commits, or a hook refuses. The
            files are as they are, and nothing is staged.
    """
    paths = _list_committable(root, files)
    if not paths or not _git(root, "status", "--porcelain=v1", "--", *paths):
        return ""
    _check_identity(root)
    tracked = _list_tracked(root, paths)
    new = [path for path in paths if path not in tracked]
    if new:
        _git(root, "add", "--intent-to-add", "--", *new)
    try:
        _git(root, "commit", "--quiet", "-m", message, "--only", "--", *paths)
    except BaseException:
        if new:
            _git(root, "rm", "--cached", "--quiet", "--", *new)
        raise
    return _git(root, "rev-parse", "--short", "HEAD").strip()


def _list_committable(root: Path, files: Iterable[str]) -> list[str]:
    """Return the absolute paths of the files that may be committed.

    A symbolic link is not changed by what is written through it: the file it leads to is.
    """
    top = _find_top(root)
    real = sorted({os.path.realpath(root / name) for name in files})
    inside = [path for path in real if path.startswith(top)]
    if not inside:
        return []
    process = _run(root, "check-ignore", "-z", "--stdin", given="\0".join(inside))
    ignored = set(process.stdout.split("\0"))
    return [path for path in inside if path not in ignored]


def _find_top(root: Path) -> str:
    """Return the folder of the repository, with a slash at its end."""
    return os.path.join(_git(root, "rev-parse", "--show-toplevel").removesuffix("\n"), "")


def _list_tracked(root: Path, paths: Collection[str]) -> set[str]:
    """Return which absolute paths within the repository git knows."""
    if not paths:
        return set()
    known = _git(root, "ls-files", "-z", "--full-name", "--", *paths)
    top = _find_top(root)
    return {top + name for name in filter(None, known.split("\0"))}


def _name_below(root: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Return paths relative to the project's folder, with forward slashes, sorted."""
    real = os.path.realpath(root)
    return tuple(sorted(os.path.relpath(path, real).replace(os.sep, "/") for path in paths))


def _check_identity(root: Path) -> None:
    for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if _run(root, "var", name).returncode:
            raise RepositoryError(
                "git does not know who commits: user.name or user.email is not set. Set them with"
                ' `git config user.name "…"` and `git config user.email "…"`'
            )


def _git(root: Path, *arguments: str) -> str:
    """Return what a git command prints.

    Raises:
        RepositoryError: It failed.
    """
    process = _run(root, *arguments)
    if process.returncode:
        said = (process.stderr.strip() or process.stdout.strip()) or "no message"
        raise RepositoryError(
            f"`git {arguments[0]}` in {str(root)!r} ended with exit code {process.returncode}:"
            f" {said}. Mend that, or go on without git"
        )
    return process.stdout


def _run(root: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    git = shutil.which("git")
    if git is None:
        raise RepositoryError(
            f"git is not installed, and what happens in {str(root)!r} needs it. Install it, or go"
            " on without git"
        )
    return subprocess.run(  # noqa: S603  git with arguments of ours
        [git, "-C", str(root), *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
