"""New text in files: whole or not at all, and taken back to the byte."""

import errno
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from flasync.errors import FileChangedError, FileWriteError
from flasync.toolkit.migration.applying import Snapshot, Workspace

# Of the moment before anything was read.
START = Snapshot({})


def list_leftovers(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob(".flasync-*"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project with two files."""
    (tmp_path / "app.py").write_text("one = 1\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "views.py").write_text("two = 2\n")
    return Workspace(tmp_path)


def read_all(workspace: Workspace) -> dict[str, str]:
    """Take both files and return their texts."""
    return {name: workspace.read(name) for name in ("app.py", "pkg/views.py")}


def test_write_and_rollback(workspace: Workspace) -> None:
    """What was written is there, and what was before comes back."""
    before = read_all(workspace)
    workspace.write({"app.py": "one = 11\n", "pkg/views.py": "two = 22\n"})
    assert (workspace.root / "app.py").read_text() == "one = 11\n"
    assert (workspace.root / "pkg" / "views.py").read_text() == "two = 22\n"
    workspace.rollback(START)
    assert read_all(workspace) == before
    assert list_leftovers(workspace.root) == []


def test_rollback_to_a_stage(workspace: Workspace) -> None:
    """A snapshot is come back to, whatever stages were written after it."""
    read_all(workspace)
    workspace.write({"app.py": "one = 11\n"})
    stage = workspace.snapshot()
    workspace.write({"app.py": "one = 111\n", "pkg/views.py": "two = 22\n", "new.py": "3\n"})
    workspace.rollback(stage)
    assert read_all(workspace) == {"app.py": "one = 11\n", "pkg/views.py": "two = 2\n"}
    assert not (workspace.root / "new.py").exists()
    assert workspace.read_original("app.py") == "one = 1\n"


def test_new_file_is_removed(workspace: Workspace) -> None:
    """A file that the run made is gone after it is taken back, and can be made again."""
    workspace.write({"wsgi.py": "made\n"})
    workspace.rollback(START)
    assert not (workspace.root / "wsgi.py").exists()
    workspace.write({"wsgi.py": "made again\n"})
    assert (workspace.root / "wsgi.py").read_text() == "made again\n"


def test_file_that_is_there_unread(workspace: Workspace) -> None:
    """A file that nobody read is no new one and is not written over."""
    with pytest.raises(FileChangedError, match=r"app\.py.*there already"):
        workspace.write({"app.py": "mine\n"})
    assert (workspace.root / "app.py").read_text() == "one = 1\n"


@pytest.mark.parametrize(
    ("data", "after"),
    [
        (b"a = 1\r\nb = 2\r\n", b"a = 1\r\nnew\r\nb = 2\r\n"),
        (b"\xef\xbb\xbfa = 1\nb = 2\n", b"\xef\xbb\xbfa = 1\nnew\nb = 2\n"),
        (b"# coding: latin-1\nb = '\xe9'\n", b"# coding: latin-1\nnew\nb = '\xe9'\n"),
        (b"a = 1\r\nb\nc", b"a = 1\r\nnew\nb\nc"),
    ],
    ids=["CR LF", "byte order mark", "latin-1", "mixed line ends"],
)
def test_bytes_around_the_text_stay(tmp_path: Path, data: bytes, after: bytes) -> None:
    """Encoding, byte order mark and line ends are the file's own, in old lines and new ones."""
    path = tmp_path / "app.py"
    path.write_bytes(data)
    workspace = Workspace(tmp_path)
    text = workspace.read("app.py")
    first = text.index("\n") + 1
    workspace.write({"app.py": text[:first] + "new\n" + text[first:]})
    assert path.read_bytes() == after
    workspace.rollback(START)
    assert path.read_bytes() == data


def test_character_that_does_not_fit(tmp_path: Path) -> None:
    """A character that the file's encoding lacks is refused, and nothing is written."""
    (tmp_path / "app.py").write_bytes(b"# coding: latin-1\n")
    workspace = Workspace(tmp_path)
    text = workspace.read("app.py")
    with pytest.raises(FileWriteError, match=r"'→'.*iso-8859-1"):
        workspace.write({"app.py": text + "# →\n"})
    assert workspace.read("app.py") == text


def test_no_text(tmp_path: Path) -> None:
    """A file that is no text in its encoding is refused by name."""
    (tmp_path / "Procfile").write_bytes(b"web: \xff\xfe\n")
    with pytest.raises(FileWriteError, match=r"Procfile.*not readable as text"):
        Workspace(tmp_path).read("Procfile")


def test_mode_stays(workspace: Workspace) -> None:
    """A script that may be run may be run afterwards."""
    path = workspace.root / "app.py"
    path.chmod(0o750)
    read_all(workspace)
    workspace.write({"app.py": "other\n"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o750


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_owner_stays(workspace: Workspace) -> None:
    """A file that is somebody else's is theirs afterwards."""
    path = workspace.root / "app.py"
    os.chown(path, 12345, 23456)
    read_all(workspace)
    workspace.write({"app.py": "other\n"})
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_symbolic_link(workspace: Workspace) -> None:
    """A link stays a link: the file that it leads to is changed."""
    link = workspace.root / "linked.py"
    link.symlink_to("pkg/views.py")
    workspace.write({"linked.py": workspace.read("linked.py") + "three = 3\n"})
    assert link.is_symlink()
    assert (workspace.root / "pkg/views.py").read_text() == "two = 2\nthree = 3\n"


def test_read_only_file(workspace: Workspace) -> None:
    """A file that its owner has made read-only stays as it is, and so do the others."""
    read_all(workspace)
    (workspace.root / "pkg/views.py").chmod(0o444)
    with pytest.raises(FileWriteError, match=r"views\.py.*read-only.*chmod"):
        workspace.write({"app.py": "other\n", "pkg/views.py": "other\n"})
    assert (workspace.root / "app.py").read_text() == "one = 1\n"


def change(path: Path) -> None:
    path.write_text("mine\n")


@pytest.mark.parametrize("act", [change, Path.unlink], ids=["changed", "deleted"])
def test_somebody_else_was_faster(workspace: Workspace, act: Callable[[Path], None]) -> None:
    """What was changed or deleted since it was read is kept, and so is the rest of the set."""
    read_all(workspace)
    path = workspace.root / "pkg/views.py"
    act(path)
    with pytest.raises(FileChangedError, match=r"views\.py.*somebody else"):
        workspace.write({"app.py": "other\n", "pkg/views.py": "other\n"})
    assert not path.exists() or path.read_text() == "mine\n"
    assert (workspace.root / "app.py").read_text() == "one = 1\n"


def test_touched_file_is_the_same(workspace: Workspace) -> None:
    """A file that was only saved again, with the same contents, may be written."""
    read_all(workspace)
    os.utime(workspace.root / "app.py", (1, 1))
    workspace.write({"app.py": "other\n"})
    assert (workspace.root / "app.py").read_text() == "other\n"


def test_rollback_beside_a_change(workspace: Workspace) -> None:
    """What somebody else changed meanwhile is kept, and everything else is put back."""
    read_all(workspace)
    workspace.write({"app.py": "other\n", "pkg/views.py": "other\n"})
    change(workspace.root / "app.py")
    with pytest.raises(FileChangedError, match=r"app\.py.*1 such file"):
        workspace.rollback(START)
    assert (workspace.root / "app.py").read_text() == "mine\n"
    assert (workspace.root / "pkg/views.py").read_text() == "two = 2\n"


def test_hold_what_was_scanned(workspace: Workspace) -> None:
    """Texts that were read before are taken when they still are what the files contain."""
    workspace.hold({"app.py": "one = 1\n"})
    workspace.write({"app.py": "other\n"})
    with pytest.raises(FileChangedError, match=r"views\.py.*scanned"):
        workspace.hold({"pkg/views.py": "two = 0\n"})


def test_failure_in_the_middle(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the second file cannot take its place, the first is put back.

    The failing call stands for a disk that breaks between the two; nothing real fails there alone.
    """
    read_all(workspace)
    replace, calls = os.replace, []

    def fail(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FileWriteError, match="Input/output error"):
        workspace.write({"app.py": "other\n", "pkg/views.py": "other\n"})
    assert read_all(workspace) == {"app.py": "one = 1\n", "pkg/views.py": "two = 2\n"}
    assert (workspace.root / "app.py").read_text() == "one = 1\n"
    assert list_leftovers(workspace.root) == []


def test_full_disk(workspace: Workspace) -> None:
    """A limit that is hit while new files are written leaves all old ones, and no half one."""
    script = """
    import resource, signal, sys
    from pathlib import Path
    from flasync.errors import FileWriteError
    from flasync.toolkit.migration.applying import Workspace

    workspace = Workspace(Path(sys.argv[1]))
    workspace.read("app.py")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        workspace.write({"new.py": "small", "app.py": "x" * 1000})
    except FileWriteError as error:
        print(error)
    """
    said = run(script, workspace.root)
    assert "File too large" in said
    assert (workspace.root / "app.py").read_text() == "one = 1\n"
    assert not (workspace.root / "new.py").exists()
    assert list_leftovers(workspace.root) == []


def test_versions_differ_for_python(workspace: Workspace) -> None:
    """Two versions of one size within a second are imported as what they are."""
    script = """
    import importlib, sys
    from pathlib import Path
    from flasync.toolkit.migration.applying import Workspace

    root = Path(sys.argv[1])
    sys.path.insert(0, str(root))
    workspace = Workspace(root)
    workspace.read("app.py")
    start = workspace.snapshot()
    import app
    for number in range(2, 8):
        workspace.write({"app.py": f"one = {number}\\n"})
        importlib.invalidate_caches()
        assert importlib.reload(app).one == number, number
    workspace.rollback(start)
    assert importlib.reload(app).one == 1
    print("in step")
    """
    assert run(script, workspace.root) == "in step\n"


def test_restored_file_has_its_time(workspace: Workspace) -> None:
    """A file that was taken back is as old as before, so that nothing is built anew for it."""
    path = workspace.root / "app.py"
    before = path.stat().st_mtime_ns
    read_all(workspace)
    workspace.write({"app.py": "other\n"})
    assert path.stat().st_mtime_ns != before
    workspace.rollback(START)
    assert path.stat().st_mtime_ns == before


# The child is killed at its first audited act (opening, renaming, dating, removing…), the next one
# at its second, until one comes through: every moment between two acts is tried.
KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from flasync.toolkit.migration.applying import Workspace

root = Path(sys.argv[1])
old = {"app.py": "old\\n" * 5000, "views.py": "old too\\n" * 5000}
new = {"app.py": "new\\n" * 9000, "views.py": "new too\\n" * 9000}


def write_until(limit):
    workspace = Workspace(root)
    for name in old:
        workspace.read(name)
    left = itertools.count(limit, -1)

    def kill(event, arguments):
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)
    workspace.write(new)
    os._exit(0)


seen, leftovers = set(), 0
for limit in itertools.count():
    for name, text in old.items():
        (root / name).write_text(text)
    child = os.fork()
    if not child:
        write_until(limit)
    status = os.waitpid(child, 0)[1]
    state = tuple((root / name).read_text() for name in old)
    for name, text in zip(old, state):
        assert text in (old[name], new[name]), (limit, name, len(text))
    seen.add(state)
    leftovers += len(list(root.glob(".flasync-*.tmp")))
    assert {path.suffix for path in root.iterdir()} <= {".py", ".tmp"}
    workspace = Workspace(root)
    text = workspace.read("app.py")
    workspace.write({"app.py": text + "#"})
    assert not list(root.glob(".flasync-*")), "the next run removes what is left"
    if os.WIFEXITED(status):
        break
print(limit, len(seen), leftovers)
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """A kill leaves each file old or new, and what else it leaves the next run removes."""
    moments, states, leftovers = map(int, run(KILLED, tmp_path).split())
    assert moments > 10
    assert states == 3, "both old; the first new; both new"
    assert leftovers > 0


INTERRUPTED = """
import itertools, os, sys
from pathlib import Path
from flasync.toolkit.migration.applying import Snapshot, Workspace

root = Path(sys.argv[1])
old = {"app.py": "old\\n", "views.py": "old too\\n"}
limit = None


def interrupt(event, arguments):
    global limit
    if limit is not None and event != "compile":
        limit -= 1
        if limit < 0:
            limit = None
            raise KeyboardInterrupt


sys.addaudithook(interrupt)
for moment in itertools.count():
    for name, text in old.items():
        (root / name).write_text(text)
    workspace = Workspace(root)
    for name in old:
        workspace.read(name)
    limit = moment
    try:
        workspace.write({"app.py": "new\\n", "views.py": "new too\\n"})
    except KeyboardInterrupt:
        changed = [name for name in old if workspace.read(name) != old[name]]
        if changed:
            assert changed == list(old), moment
            workspace.rollback(Snapshot({}))
        assert {name: (root / name).read_text() for name in old} == old, moment
        left = list(root.glob(".flasync-*"))
        assert len(left) <= 1, (moment, left)
    else:
        break
print(moment)
"""


def test_interrupted_at_any_moment(tmp_path: Path) -> None:
    """Ctrl-C leaves a set wholly written, to be taken back, or wholly as it was."""
    assert int(run(INTERRUPTED, tmp_path)) > 10


def run(script: str, root: Path) -> str:
    """Run a script for a folder and return what it prints."""
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(root)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout
