"""Other revisions of a project, in real repositories."""

import subprocess
import sys
from pathlib import Path

import pytest

from flasync.errors import RepositoryError
from flasync.toolkit.verifying.revision import check_out

USER = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    command = ["git", "-C", str(folder), *USER, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, text: str) -> None:
    """Commit another text of the shop."""
    (folder / "shop" / "app.py").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", text)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with two commits, whose project is in a folder, with ignored files."""
    top = tmp_path / "top"
    (top / "shop" / "instance").mkdir(parents=True)
    git(top, "init", "-q")
    (top / ".gitignore").write_text("instance\n__pycache__\n.env\n")
    (top / "shop" / ".env").write_text("COLOR=red")
    (top / "shop" / "instance" / "shop.db").write_text("books")
    (top / "shop" / "__pycache__").mkdir()
    commit(top, "old")
    commit(top, "new")
    return top


def test_files_of_a_revision(top: Path) -> None:
    """The project is there as it was, beside that of today, and gone afterwards."""
    (top / "shop" / "app.py").write_text("not committed")
    with check_out(top / "shop", "HEAD~1") as old:
        assert (old.root / "app.py").read_text() == "old"
        assert old.name == git(top, "rev-parse", "HEAD~1")[:7]
    assert not old.root.exists()
    assert (top / "shop" / "app.py").read_text() == "not committed"
    assert git(top, "worktree", "list").count("\n") == 1


def test_ignored_files_are_shared(top: Path) -> None:
    """What git ignores is that of today, outlives the checkout, and is no compiled code."""
    with check_out(top / "shop", "HEAD~1") as old:
        assert (old.root / ".env").read_text() == "COLOR=red"
        assert (old.root / "instance" / "shop.db").read_text() == "books"
        assert not (old.root / "__pycache__").exists()
        git(top, "worktree", "list")
    assert (top / "shop" / "instance" / "shop.db").read_text() == "books"


def test_a_checkout_ends_however_it_ends(top: Path) -> None:
    """An error inside leaves nothing behind, in the folder or in git."""
    with pytest.raises(KeyboardInterrupt), check_out(top, "HEAD") as old:
        raise KeyboardInterrupt
    assert not old.root.exists()
    assert git(top, "worktree", "list").count("\n") == 1


def test_hooks_do_not_run(top: Path) -> None:
    """A hook of the project, which may install or build things, is left alone."""
    hook = top / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with check_out(top, "HEAD") as old:
        assert (old.root / "shop" / "app.py").read_text() == "new"


def test_code_is_imported_from_the_revision(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the project from which Python imports is that of the revision there."""
    monkeypatch.setattr(sys, "path", [str(top / "shop"), *sys.path])
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    with check_out(top, "HEAD") as old:
        assert old.environ == {"PYTHONPATH": f"{old.root / 'shop'}:/elsewhere"}


@pytest.mark.parametrize("revision", ["none", "--help", "HEAD:shop"])
def test_a_revision_that_is_not_there(top: Path, revision: str) -> None:
    """What is no commit is refused, with what git says of it."""
    with (
        pytest.raises(RepositoryError, match="Name a revision that is there"),
        check_out(top, revision),
    ):
        pass


def test_a_folder_that_was_not_there(top: Path) -> None:
    """A project that the revision does not have yet is refused, and nothing is left."""
    (top / "later").mkdir()
    with (
        pytest.raises(RepositoryError, match="'later' is not there at the revision 'HEAD'"),
        check_out(top / "later", "HEAD"),
    ):
        pass
    assert git(top, "worktree", "list").count("\n") == 1


def test_no_repository(tmp_path: Path) -> None:
    """Outside of any repository, that is said."""
    with pytest.raises(RepositoryError, match="not a git repository"), check_out(tmp_path, "HEAD"):
        pass


def test_no_git(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git, that is said."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RepositoryError, match="git is not installed"), check_out(top, "HEAD"):
        pass
