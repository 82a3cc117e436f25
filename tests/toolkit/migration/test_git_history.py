"""Real repositories: what is dirty, and commits of some files alone."""

import os
import subprocess
from pathlib import Path

import pytest

from flasync.errors import RepositoryError
from flasync.toolkit.migration.git_history import (
    commit,
    find_repository,
    list_changes,
    list_untracked,
)


def git(root: Path, *arguments: str) -> str:
    process = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    )
    return process.stdout


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own git configuration, and repositories around it, out of the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit of three files."""
    root = tmp_path / "shop"
    (root / "pkg").mkdir(parents=True)
    for name in ("app.py", "other.py", "pkg/ä views.py"):
        (root / name).write_text("one\n")
    git(root, "init", "-q")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_find_repository(root: Path, tmp_path: Path) -> None:
    """The repository around a folder is found, also from below; elsewhere there is none."""
    assert find_repository(root / "pkg") == root
    assert find_repository(tmp_path) is None


def test_clean(root: Path) -> None:
    """Nothing changed is clean, and so is a file that git does not know."""
    (root / "new.py").write_text("")
    assert list_changes(root) == ()


def test_files_that_git_cannot_bring_back(root: Path, tmp_path: Path) -> None:
    """Of the files that are to be changed, those that git does not know or ignores are named."""
    (root / ".gitignore").write_text("settings.py\n")
    git(root, "add", ".gitignore")
    git(root, "commit", "-q", "-m", "ignore")
    for name in ("new.py", "settings.py", "pkg/ä new.py"):
        (root / name).write_text("one\n")
    (tmp_path / "far.py").write_text("one\n")
    wanted = ["app.py", "new.py", "settings.py", "pkg/ä new.py", "not there.py", "../far.py"]
    assert list_untracked(root, wanted) == ("../far.py", "new.py", "pkg/ä new.py", "settings.py")
    assert list_untracked(root / "pkg", ["ä new.py", "ä views.py"]) == ("ä new.py",)
    assert list_untracked(root, ["app.py"]) == ()


def test_dirty(root: Path) -> None:
    """Changed, staged, deleted and renamed files are named, whatever their names."""
    (root / "app.py").write_text("two\n")
    git(root, "mv", "other.py", "moved.py")
    (root / "pkg" / "ä views.py").unlink()
    assert list_changes(root) == ("app.py", "moved.py", "other.py", "pkg/ä views.py")


def test_changes_elsewhere(root: Path) -> None:
    """What is dirty outside of the project's folder does not count."""
    (root / "app.py").write_text("two\n")
    assert list_changes(root / "pkg") == ()
    (root / "pkg" / "ä views.py").write_text("two\n")
    assert list_changes(root / "pkg") == ("ä views.py",)


def test_commit_some_files(root: Path) -> None:
    """Only the given files are in the commit; what else is changed or staged stays so."""
    for name in ("app.py", "other.py", "pkg/ä views.py", "new.py"):
        (root / name).write_text("two\n")
    git(root, "add", "other.py")
    name = commit(root, ["app.py", "new.py"], "Move routes\n\n# not a comment")
    assert git(root, "show", "--name-only", "--format=%an <%ae>", name).split("\n") == [
        "Ada <ada@example.org>",
        "",
        "app.py",
        "new.py",
        "",
    ]
    assert git(root, "log", "-1", "--format=%B").strip() == "Move routes\n\n# not a comment"
    assert git(root, "diff", "--cached", "--name-only") == "other.py\n"
    assert list_changes(root) == ("other.py", "pkg/ä views.py")


def test_commit_a_deleted_file(root: Path) -> None:
    """A file that was taken away is taken away in the commit."""
    (root / "app.py").unlink()
    commit(root, ["app.py"], "Remove it")
    assert git(root, "ls-files", "app.py") == ""
    assert list_changes(root) == ()


def test_commit_from_below(root: Path) -> None:
    """Names are relative to the project's folder, wherever in the repository that is."""
    (root / "pkg" / "ä views.py").write_text("two\n")
    commit(root / "pkg", ["ä views.py"], "Change it")
    assert list_changes(root) == ()


def test_nothing_to_commit(root: Path) -> None:
    """Files that are as they were make no commit."""
    assert commit(root, ["app.py"], "Nothing") == ""
    assert commit(root, [], "Nothing") == ""
    assert git(root, "log", "--format=%s") == "first\n"


def test_ignored_and_outside(root: Path, tmp_path: Path) -> None:
    """Files that git ignores or that are elsewhere are left out, and the others committed."""
    (root / ".gitignore").write_text(".env\n")
    (root / ".env").write_text("secret")
    (root / "app.py").write_text("two\n")
    (tmp_path / "far.py").write_text("")
    commit(root, [".env", "app.py", str(tmp_path / "far.py")], "Change it")
    assert git(root, "ls-files") == 'app.py\nother.py\n"pkg/\\303\\244 views.py"\n'


def test_commit_through_a_link(root: Path) -> None:
    """Of a symbolic link, the file that it leads to is committed."""
    (root / "link.py").symlink_to("app.py")
    git(root, "add", "link.py")
    git(root, "commit", "-q", "-m", "link")
    (root / "link.py").write_text("two\n")
    commit(root, ["link.py"], "Change it")
    assert git(root, "show", "--name-only", "--format=") == "app.py\n"


def test_first_commit(tmp_path: Path) -> None:
    """A repository without a commit gets its first one."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    (tmp_path / "app.py").write_text("one\n")
    assert list_untracked(tmp_path, ["app.py"]) == ("app.py",)
    commit(tmp_path, ["app.py"], "Begin")
    assert git(tmp_path, "log", "--format=%s") == "Begin\n"


def write_hook(root: Path, script: str) -> None:
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_hook_runs(root: Path) -> None:
    """The project's hooks run, and a new file is in the index that they see."""
    write_hook(root, "git diff --cached --name-only > seen")
    (root / "new.py").write_text("one\n")
    commit(root, ["new.py"], "Add it")
    assert (root / "seen").read_text() == "new.py\n"


def test_hook_refuses(root: Path) -> None:
    """What a hook says is in the error; the files stay, and nothing is staged."""
    write_hook(root, "echo 'app.py: line too long' >&2; exit 1")
    (root / "app.py").write_text("two\n")
    (root / "new.py").write_text("two\n")
    with pytest.raises(RepositoryError, match=r"git commit.*line too long"):
        commit(root, ["app.py", "new.py"], "Change it")
    assert git(root, "status", "--porcelain") == " M app.py\n?? new.py\n"


def test_identity_unset(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git that does not know who commits is told apart, with the commands that mend it."""
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")
    (root / "app.py").write_text("two\n")
    with pytest.raises(RepositoryError, match=r"who commits.*git config user\.name"):
        commit(root, ["app.py"], "Change it")


def test_no_repository(tmp_path: Path) -> None:
    """A folder in no repository is told by git's own words."""
    with pytest.raises(RepositoryError, match="not a git repository"):
        list_changes(tmp_path)


def test_git_is_missing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git, a project in a repository says so, and one in none needs none."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(RepositoryError, match="not installed"):
        find_repository(root)
    assert find_repository(tmp_path) is None


def test_merge_under_way(root: Path) -> None:
    """In the middle of a merge git refuses, and the error has its reason."""
    git(root, "checkout", "-q", "-b", "side")
    (root / "other.py").write_text("side\n")
    git(root, "commit", "-qam", "side")
    git(root, "checkout", "-q", "-")
    (root / "other.py").write_text("main\n")
    git(root, "commit", "-qam", "main")
    subprocess.run(["git", "-C", str(root), "merge", "-q", "side"], check=False)
    (root / "app.py").write_text("two\n")
    with pytest.raises(RepositoryError, match="merge"):
        commit(root, ["app.py"], "Change it")
