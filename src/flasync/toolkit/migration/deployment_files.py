"""The lines that start the server: what they become when it is an ASGI server.

What is found is what rules FSY502 and FSY503 find. No change here is safe: what runs in production
a person decides, and what has no equal is only shown.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import flask
from packaging.version import InvalidVersion, Version

from flasync.toolkit.finding import Edit, Finding, Place
from flasync.toolkit.migration.app_class import find_class_obstacle
from flasync.toolkit.migration.plan import Safety, TextChange
from flasync.toolkit.migration.requirement_places import read_requirement_lists
from flasync.toolkit.production_files import read_production_files
from flasync.toolkit.rules import Program
from flasync.toolkit.rules.development_server import DevelopmentServer
from flasync.toolkit.rules.wsgi_only_server import WsgiOnlyServer
from flasync.toolkit.server_command import Server, ServerCommand, find_server_commands
from flasync.toolkit.shell_words import Word

_FIRST_WITH_ASGI = Version("24")
_ASGI_WORKER = "gunicorn's ASGI worker, which version 24 and newer have, overlaps async requests"
_PIN = re.compile(r"(?:==|~=?|\^|^)\s*(\d+(?:\.\d+)*)")
_WORKER_OPTIONS = ("-k", "--worker-class")
_PLAIN_WORD = re.compile(r"[\w@%+=:,./${}-]+")
# What YAML takes for a string without quotes: no number, no truth value.
_PLAIN_ITEM = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)-{0,2}[A-Za-z/](?:[\w@%+=,./:-]*[\w/])?",
    re.IGNORECASE,
)
# Settings of a server that say how it serves WSGI, and what flasync has in their place.
_THREADS = "Threads for sync views are set by app.config['WORKER_THREADS'], 40 without it"
_ANOTHER_MEANING = {
    ("--threads",): f"gunicorn's ASGI worker has no threads: leave it out. {_THREADS}",
    ("-t", "--timeout"): (
        "With the ASGI worker --timeout ends a worker whose event loop stands still that long, and"
        " no more a request that takes that long: limit those in the proxy or with asyncio.timeout"
    ),
}
# Options of `waitress-serve` and `flask run`, and of `flasync serve` in their place; "": it needs
# none.
_WAITRESS = {
    "--host": "--host",
    "--port": "--port",
    "--threads": "",
    "--call": "",
    "--app": "--app",
}
_FLASK_RUN = {
    "--app": "--app", "-A": "--app", "--host": "--host", "-h": "--host", "--port": "--port",
    "-p": "--port", "--env-file": "--env-file", "-e": "--env-file", "--cert": "--cert",
    "--key": "--key", "--with-threads": "", "--no-debug": "", "--no-reload": "",
}  # fmt: skip
_FLAGS = frozenset({"--call", "--with-threads", "--no-debug", "--no-reload"})
_WAITRESS_DEFAULTS = (("--host", "0.0.0.0"), ("--port", "8080"))  # noqa: S104  Waitress's own


@dataclass(frozen=True, slots=True)
class _Written:
    """How the words of one command are separated: as a shell, JSON or a list of YAML wants it.

    Attributes:
        gap: What stands between two words.
        is_list: Whether each word is a string of its own, which no shell reads.
    """

    gap: str
    is_list: bool

    def write(self, words: Iterable[str]) -> str:
        """Return words as they are written there."""
        return self.gap.join(map(self._quote, words))

    def _quote(self, word: str) -> str:
        if not self.is_list:
            return word
        is_item = not self.gap.startswith(",")
        return word if is_item and _PLAIN_ITEM.fullmatch(word) else json.dumps(word)


def plan_deployment(program: Program, served: str = "") -> tuple[TextChange, ...]:
    """Return what is to be changed where the app's server is started or set up.

    The app is taken to be a `flasync.Flask` by then. Changes that are only shown may have an edit
    that changes nothing: their reason says what to do.

    Args:
        program: The app.
        served: What is served in place of the app, as `AppClass.served` has it.
    """
    root = program.sources.root
    commands = {
        command.place: command
        for file in read_production_files(root)
        for command in find_server_commands(file)
    }
    findings = [*WsgiOnlyServer().find(program), *DevelopmentServer().find(program)]
    changes: list[TextChange] = []
    for finding in {finding.place: finding for finding in findings}.values():
        command = commands.get(finding.place)
        if command is not None:
            changes += _change_command(command, finding, program, served)
        elif finding.place.file.endswith(".py"):
            changes += _change_settings(finding, root)
        else:
            changes.append(_show(finding.place, finding.advice))
    return tuple(sorted(changes, key=lambda change: (change.edit.file, change.edit.start)))


def _change_command(
    command: ServerCommand, finding: Finding, program: Program, served: str
) -> Iterator[TextChange]:
    obstacle = _find_wrapper(command, program)
    stuck = find_class_obstacle(program) if command.server is Server.GUNICORN else None
    target = _find_target(command, served) if stuck is not None else None
    if obstacle:
        yield _show(command.place, obstacle)
    elif stuck is not None and target is None:
        advice = "Serve the object `flasync.ASGI(app)` in place of the app, or use `flasync serve`"
        yield _show(command.place, f"{stuck}. {advice}")
    elif command.server is Server.GUNICORN:
        yield from _change_gunicorn(command, _find_gunicorn(program.sources.root))
        if target is not None:
            edit = _build_edit(command, target, target + len(command.target), served)
            yield TextChange(edit, Safety.UNSAFE, f"{stuck}: what wraps it is served")
    elif command.server is Server.WAITRESS:
        yield _change_to_serve(command, _WAITRESS, finding)
    elif command.server is Server.FLASK:
        yield _change_to_serve(command, _FLASK_RUN, finding)
    elif command.server is not Server.SCRIPT:  # a script with app.run() starts an ASGI server then
        yield _show(command.place, finding.advice)


def _find_target(command: ServerCommand, served: str) -> int | None:
    """Return the offset of a command's target, if it is of the module of what is to be served."""
    module = command.target.partition(":")[0]
    if not served or module != served.partition(":")[0]:
        return None
    for word in command.words:
        if word.text == command.target:
            return word.start + word.raw.index(command.target)
    return None


def _find_wrapper(command: ServerCommand, program: Program) -> str:
    """Return what to do where something is served that is no Flask object, such as middleware."""
    module, _, name = command.target.partition(":")
    served = getattr(sys.modules.get(module), name, None) if name.isidentifier() else None
    if program.app is None or served is None or isinstance(served, flask.Flask):
        return ""
    return (
        f"{command.target} is a {type(served).__name__} around the app, which only WSGI servers can"
        " call. Put WSGI middleware at `app.wsgi_app`, or mount in an ASGI framework, and serve the"
        " app itself"
    )


def _change_gunicorn(command: ServerCommand, version: Version | None) -> Iterator[TextChange]:
    words = command.words
    reason = _ASGI_WORKER
    safety = Safety.UNSAFE
    if version is not None and version < _FIRST_WITH_ASGI:
        reason = (
            f"gunicorn {version} has no ASGI worker: raise it to 24 or newer first, or serve"
            " with `flasync serve` or uvicorn"
        )
        safety = Safety.SHOWN
    found = _find_option(words, _WORKER_OPTIONS)
    if found is None:
        written = _read_form(command)
        end = command.name.start + len(command.name.raw)
        if written.gap.startswith("\n"):  # an item of YAML may have a comment
            end += len(command.file.text.contents[end:].partition("\n")[0])
        text = written.gap + written.write(("-k", "asgi"))
        yield TextChange(_build_edit(command, end, end, text), safety, reason)
    else:
        word, value = found
        start = word.start + word.raw.rindex(value)
        edit = _build_edit(command, start, start + len(value), "asgi")
        yield TextChange(edit, safety, reason)
    for names, advice in _ANOTHER_MEANING.items():
        option = _find_option(words, names)
        if option is not None:
            yield _show(command.file.text.locate(option[0].start), advice)


def _find_option(words: Sequence[Word], names: Sequence[str]) -> tuple[Word, str] | None:
    """Return the last value of an option and the word that it is in, or None without it."""
    found = None
    for word, following in zip(words, [*words[1:], None], strict=True):
        for name in names:
            if word.text == name and following is not None:
                found = (following, following.text)
            elif word.text.startswith(f"{name}="):
                found = (word, word.text[len(name) + 1 :])
            elif len(name) == len("-x") and re.match(rf"{name}[^-=]", word.text):
                found = (word, word.text[len(name) :])
    return found


def _change_to_serve(
    command: ServerCommand, options: dict[str, str], finding: Finding
) -> TextChange:
    """Return the change of a whole command to `flasync serve`, or only its advice."""
    arguments = _translate(command, options)
    written = _read_form(command)
    if arguments is None or not (written.is_list or all(map(_PLAIN_WORD.fullmatch, arguments))):
        return _show(command.place, finding.advice)
    last = command.words[-1] if command.words else command.name
    text = written.write(("flasync", "serve", *arguments))
    prefix = command.name.raw.rpartition("/")[0]
    start = command.name.start + (len(prefix) + 1 if prefix else 0)
    if written.is_list and command.name.raw[0] in "\"'":
        start = command.name.start
    reason = f"It speaks ASGI; it needs `pip install 'flasync[serve]'`. {_THREADS}"
    edit = _build_edit(command, start, last.start + len(last.raw), text)
    return TextChange(edit, Safety.UNSAFE, reason)


def _translate(command: ServerCommand, options: dict[str, str]) -> list[str] | None:
    """Return the arguments of `flasync serve` for a command; None: they cannot all be said."""
    arguments: list[str] = []
    words = iter(command.words)
    for word in words:
        name, separator, value = word.text.partition("=")
        if name == "run" and command.server is Server.FLASK:
            continue
        if not name.startswith("-"):
            if command.server is not Server.WAITRESS or "--app" in arguments:
                return None
            arguments += ["--app", word.text]
            continue
        if name not in options:
            return None
        if not separator and name not in _FLAGS:
            following = next(words, None)
            if following is None:
                return None
            value = following.text
        if options[name]:
            arguments += [options[name], value]
    if command.server is Server.WAITRESS:
        for name, value in _WAITRESS_DEFAULTS:
            if name not in arguments:
                arguments += [name, value]
    return arguments


def _read_form(command: ServerCommand) -> _Written:
    """Return how the words of a command are separated in its file."""
    contents = command.file.text.contents
    line_start = contents.rfind("\n", 0, command.name.start) + 1
    before = contents[line_start : command.name.start]
    end = command.name.start + len(command.name.raw)
    if re.fullmatch(r"\s*-\s+", before) and re.match(r"[^\S\n]*(#[^\n]*)?(\n|$)", contents[end:]):
        return _Written(f"\n{before}", is_list=True)
    if command.name.raw[0] in "\"'" and re.match(r"\s*[,\]]", contents[end:]):
        return _Written(", ", is_list=True)
    return _Written(" ", is_list=False)


def _change_settings(finding: Finding, root: Path) -> Iterator[TextChange]:
    """Yield the changes of gunicorn's configuration: its worker class, and what goes with that."""
    file = finding.place.file
    for node in ast.parse((root / file).read_bytes()).body:
        if not isinstance(node, ast.Assign):
            continue
        value, option = node.value, f"--{ast.unparse(node.targets[0])}"
        if node.lineno == finding.place.line:
            start = (value.lineno, value.col_offset + 1)
            end = (value.end_lineno or value.lineno, (value.end_col_offset or 0) + 1)
            yield TextChange(Edit(file, start, end, '"asgi"'), Safety.UNSAFE, _ASGI_WORKER)
        for names, advice in _ANOTHER_MEANING.items():
            if option in names:
                yield _show(Place(file, node.lineno), advice)


def _build_edit(command: ServerCommand, start: int, end: int, text: str) -> Edit:
    first, last = command.file.text.locate(start), command.file.text.locate(end)
    return Edit(first.file, (first.line, first.column), (last.line, last.column), text)


def _show(place: Place, reason: str) -> TextChange:
    """Return a change that only says what a person should do at a place."""
    at = (place.line, place.column)
    return TextChange(Edit(place.file, at, at, ""), Safety.SHOWN, reason)


def _find_gunicorn(root: Path) -> Version | None:
    """Return the version of gunicorn that a project pins, or else the one that is installed here.

    None: neither is known, as where gunicorn is installed on the server alone.
    """
    for place in read_requirement_lists(root):
        for entry in place.entries:
            match = _PIN.search(entry.written) if entry.name == "gunicorn" else None
            if match is not None:
                return Version(match[1])
    try:
        return Version(importlib.metadata.version("gunicorn"))
    except (importlib.metadata.PackageNotFoundError, InvalidVersion):
        return None
