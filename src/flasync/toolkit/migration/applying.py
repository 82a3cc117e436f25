"""Putting new text into files, and taking it back, whatever happens in between.

A file is replaced by `os.replace` with a complete one from the same folder, so that who looks at
any moment, also after a kill, finds the old file or the new one. All new files of a set are
complete on disk before the first takes its place: a full disk or a read-only folder is found out
while nothing has changed yet.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import itertools
import os
import re
import shutil
import stat
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flasync.errors import FileChangedError, FileWriteError

_LEFTOVER = re.compile(r"\.flasync-(\d+)-\d+\.tmp$")
_SECOND_NS = 1_000_000_000
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the files of a workspace contained at one moment.

    Attributes:
        contents: The bytes of each file by its name; None: there was no such file.
    """

    contents: Mapping[str, bytes | None]


@dataclass(slots=True)
class _Held:
    """A file of a workspace.

    Attributes:
        path: Where its contents are: for a symbolic link, what it leads to.
        original: Its bytes before the run; None: it did not exist.
        current: Its bytes as this run left them.
        times: The modification time that each contents of the file has in this run, in
            nanoseconds.
    """

    path: Path
    original: bytes | None
    current: bytes | None
    times: dict[bytes, int] = field(default_factory=dict)

    def choose_time(self, contents: bytes, now_ns: int) -> int:
        """Return a modification time by which these contents are told from all others.

        Python takes a compiled file for up to date when the source's size and its time in whole
        seconds are the same: two versions of one size within a second would be one to it.
        """
        if contents not in self.times:
            taken = {(time // _SECOND_NS, len(other)) for other, time in self.times.items()}
            while (now_ns // _SECOND_NS, len(contents)) in taken:
                now_ns += _SECOND_NS
            self.times[contents] = now_ns
        return self.times[contents]


class Workspace:
    """The files of a project that a run changes.

    It holds what each file contained at first. A file that anybody else changes meanwhile is never
    written over.

    Args:
        root: The project's folder. Names of files are relative to it, with forward slashes, or
            absolute, as in `Place`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: dict[str, _Held] = {}

    def hold(self, texts: Mapping[str, str]) -> None:
        """Take files as somebody else has read them: those are the texts that edits are for.

        Raises:
            FileChangedError: A file contains something else by now.
            FileWriteError: A file cannot be read.
        """
        for name, text in texts.items():
            if self.read(name) != text:
                raise _build_changed(self.root / name, "it is not any more what was scanned")

    def read(self, name: str) -> str:
        """Return the text of a file as this run left it; its line ends are those of the file.

        Raises:
            FileWriteError: The file cannot be read, or not as text.
        """
        held = self._held.get(name) or self._take(name)
        return _decode(held.path, held.current or b"")

    def read_original(self, name: str) -> str:
        """Return the text of a file before the run; "" for a new one."""
        held = self._held[name]
        return _decode(held.path, held.original or b"")

    def write(self, texts: Mapping[str, str]) -> None:
        """Give files new texts: all of them, or none.

        A file keeps its encoding, byte order mark, mode and owner. Where all its lines end with
        CR LF, the new ones do. A name that was neither read nor held is a new file.

        Raises:
            FileChangedError: A file was changed, made or deleted by somebody else. Nothing is
                written.
            FileWriteError: A file cannot be written. What was written is put back.
        """
        contents: dict[str, bytes | None] = {}
        for name, text in texts.items():
            held = self._held.get(name) or self._make(name)
            contents[name] = _encode(held.path, held.original, text)
        self._put(contents)

    def snapshot(self) -> Snapshot:
        """Return what to come back to with `rollback`."""
        return Snapshot({name: held.current for name, held in self._held.items()})

    def rollback(self, snapshot: Snapshot) -> None:
        """Put every file back as it was at a moment; files that were made since are removed.

        Raises:
            FileChangedError: Some files were changed by somebody else and stay as they are; the
                others are back.
            FileWriteError: A file cannot be written.
        """
        targets = {
            name: snapshot.contents.get(name, held.original) for name, held in self._held.items()
        }
        strange = [name for name in self._list_differing(targets) if not self._is_ours(name)]
        self._put({name: data for name, data in targets.items() if name not in strange})
        if strange:
            raise _build_changed(
                self.root / strange[0], f"{len(strange)} such files were not put back"
            )

    def _take(self, name: str) -> _Held:
        path = Path(os.path.realpath(self.root / name))
        try:
            data, time_ns = path.read_bytes(), path.stat().st_mtime_ns
        except OSError as error:
            raise _build_failure(path, "read", error) from error
        held = self._held[name] = _Held(path, data, data, {data: time_ns})
        return held

    def _make(self, name: str) -> _Held:
        path = Path(os.path.realpath(self.root / name))
        if path.exists():
            raise _build_changed(path, "it is there already, and was not read before")
        held = self._held[name] = _Held(path, None, None)
        return held

    def _list_differing(self, contents: Mapping[str, bytes | None]) -> list[str]:
        return [name for name, data in contents.items() if self._held[name].current != data]

    def _is_ours(self, name: str) -> bool:
        held = self._held[name]
        try:
            return held.path.read_bytes() == held.current
        except FileNotFoundError:
            return held.current is None
        except OSError as error:
            raise _build_failure(held.path, "read", error) from error

    def _put(self, contents: Mapping[str, bytes | None]) -> None:
        """Give files their contents, None for no file: all of them, or none."""
        names = self._list_differing(contents)
        for name in names:
            if not self._is_ours(name):
                raise _build_changed(self._held[name].path, "somebody else changed it meanwhile")
            _check_writable(self._held[name].path)
        folders = {self._held[name].path.parent for name in names}
        _remove_leftovers(folders)
        done: list[tuple[_Held, bytes | None]] = []
        with _Replacements() as replacements:
            for name in names:
                self._prepare(replacements, self._held[name], contents[name])
            try:
                for name in names:
                    held = self._held[name]
                    done.append((held, held.current))
                    replacements.carry_out(held.path)
                    held.current = contents[name]
            except BaseException:
                self._undo(done)
                raise
        _sync(folders)

    def _prepare(self, replacements: _Replacements, held: _Held, contents: bytes | None) -> None:
        now_ns = replacements.add(held.path, contents)
        if contents is not None:
            replacements.date(held.path, held.choose_time(contents, now_ns))

    def _undo(self, done: Iterable[tuple[_Held, bytes | None]]) -> None:
        """Put back what was before a set of which one could not be written."""
        with _Replacements() as replacements:
            for held, before in done:
                self._prepare(replacements, held, before)
                replacements.carry_out(held.path)
                held.current = before


class _Replacements:
    """Complete new files beside the old ones, until they take their places."""

    def __init__(self) -> None:
        self._temporary: dict[Path, Path | None] = {}

    def __enter__(self) -> _Replacements:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove those that did not come to their place."""
        for path in self._temporary.values():
            if path is not None:
                path.unlink(missing_ok=True)

    def add(self, path: Path, contents: bytes | None) -> int:
        """Write the new file of a path, None for none, and return its time in nanoseconds."""
        if contents is None:
            self._temporary[path] = None
            return 0
        temporary = path.with_name(f".flasync-{os.getpid()}-{next(_NUMBERS)}.tmp")
        self._temporary[path] = temporary
        try:
            with open(temporary, "xb") as file:
                file.write(contents)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                _copy_attributes(path, temporary)
            return temporary.stat().st_mtime_ns
        except OSError as error:
            raise _build_failure(path, "written", error) from error

    def date(self, path: Path, time_ns: int) -> None:
        """Set the time of a new file."""
        temporary = self._temporary[path]
        if temporary is not None:
            os.utime(temporary, ns=(time_ns, time_ns))

    def carry_out(self, path: Path) -> None:
        """Put the new file in the place of the old one."""
        temporary = self._temporary[path]
        try:
            if temporary is None:
                path.unlink(missing_ok=True)
            else:
                os.replace(temporary, path)
        except OSError as error:
            raise _build_failure(path, "written", error) from error
        self._temporary[path] = None


def _copy_attributes(source: Path, target: Path) -> None:
    """Give a new file the owner, mode and extended attributes of the old one, but its own time."""
    time_ns, owner = target.stat().st_mtime_ns, source.stat()
    with contextlib.suppress(PermissionError):  # only root gives files away
        os.chown(target, owner.st_uid, owner.st_gid)
    shutil.copystat(source, target)
    os.utime(target, ns=(time_ns, time_ns))


def _check_writable(path: Path) -> None:
    """Check that a file is not protected: `os.replace` would only ask for its folder.

    Raises:
        FileWriteError: It is.
    """
    if not path.exists():
        return
    if not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise FileWriteError(
            f"{str(path)!r} cannot be written: it is read-only. Allow it with"
            f" `chmod u+w {path}`, or exclude the file in [tool.flasync]"
        )
    if not os.access(path, os.W_OK):
        raise _build_failure(
            path, "written", PermissionError(errno.EACCES, "it is somebody else's")
        )


def _remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove the new files of a run that was killed before they came to their place."""
    for folder in folders:
        for path in folder.glob(".flasync-*.tmp"):
            match = _LEFTOVER.match(path.name)
            if match and not _is_running(int(match[1])):
                path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    """Return whether a process may be another run; an equal id is one that was used before."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        return True
    return True


def _sync(folders: Iterable[Path]) -> None:
    """Have the new names on disk too."""
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _find_encoding(path: Path, data: bytes) -> str:
    if path.suffix in {".py", ".pyi", ".pyw"}:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode(_find_encoding(path, data))
    except (UnicodeError, LookupError, SyntaxError) as error:
        raise FileWriteError(
            f"{str(path)!r} is not readable as text: {error}. Save it as UTF-8"
        ) from error


def _encode(path: Path, original: bytes | None, text: str) -> bytes:
    data = original or b""
    encoding = _find_encoding(path, data)
    if b"\r\n" in data and not re.search(rb"(?<!\r)\n", data):
        text = re.sub(r"(?<!\r)\n", "\r\n", text)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise FileWriteError(
            f"The new text of {str(path)!r} has {text[error.start]!r}, which its encoding"
            f" {encoding} cannot hold. Save the file as UTF-8"
        ) from error


def _build_changed(path: Path, reason: str) -> FileChangedError:
    return FileChangedError(
        f"{str(path)!r} was left as it is: {reason}. Save or undo what was changed, then run the"
        " command again"
    )


def _build_failure(path: Path, verb: str, error: OSError) -> FileWriteError:
    return FileWriteError(
        f"{str(path)!r} cannot be {verb}: {error.strerror or error}. Nothing of this step was"
        " changed; mend that and run the command again"
    )
