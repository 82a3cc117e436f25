"""Which server a command starts, and with which options."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flasync.toolkit.finding import Place
from flasync.toolkit.production_files import ProductionFile
from flasync.toolkit.shell_words import Word, Words


class Server(enum.StrEnum):
    """What starts the app."""

    FLASK = "flask"
    """`flask run`: Werkzeug's development server."""
    SCRIPT = "python"
    """A Python file of the project."""
    FLASYNC = "flasync"
    GUNICORN = "gunicorn"
    UWSGI = "uwsgi"
    WAITRESS = "waitress-serve"
    MOD_WSGI = "mod_wsgi-express"


_BY_PROGRAM = {server.value: server for server in Server} | {"waitress": Server.WAITRESS}
# What is said before the name of a server without starting it.
_NO_LAUNCHERS = frozenset(
    "[ alias apk apt apt-get brew cat cd chmod chown command conda cp dnf echo export grep install"
    " kill ln mkdir mv pgrep pip pip3 pkill printf pushd rm sed test touch which yum".split()
)
_INSTALLERS = frozenset({"add", "install", "remove", "sync", "uninstall"})
_FLASK_OPTIONS_WITH_VALUE = frozenset({"-A", "--app", "-e", "--env-file"})
# Options of Python itself; those of them that end its own options are found before.
_PYTHON = re.compile(r"python[\d.]*$")


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """A command that starts the app.

    Attributes:
        server: What starts it.
        file: The file that it stands in.
        words: All that comes after the name of the server.
        name: The word that names it.
    """

    server: Server
    file: ProductionFile
    words: Words
    name: Word

    @property
    def place(self) -> Place:
        """Where the name of the server stands."""
        return self.file.text.locate(self.name.start)

    @property
    def target(self) -> str:
        """What is served, as written: the first word like "wsgi:app", or ""."""
        plain = [word.text for word in self.words if not word.text.startswith("-")]
        return next((text for text in plain if re.match(r"[A-Za-z_][\w.]*:[A-Za-z_]", text)), "")

    def get_option(self, *names: str) -> str | None:
        """Return the last value of an option, by any of its names, or None without it."""
        found = None
        for index, word in enumerate(self.words):
            for name in names:
                if word.text == name and index + 1 < len(self.words):
                    found = self.words[index + 1].text
                elif word.text.startswith(f"{name}="):
                    found = word.text[len(name) + 1 :]
                elif len(name) == len("-x") and re.match(rf"{name}[^-=]", word.text):
                    found = word.text[len(name) :]
        return found

    def has_flag(self, name: str) -> bool:
        """Return whether a flag is set."""
        return any(word.text == name for word in self.words)


def find_server_commands(file: ProductionFile) -> Iterator[ServerCommand]:
    """Yield the commands of a production file that start an app."""
    for words in file.commands:
        found = _find_program(words)
        if found is None:
            continue
        server, name, rest = found
        if server is Server.FLASK and _get_subcommand(rest) != "run":
            continue
        if server is Server.FLASYNC and _get_subcommand(rest) != "serve":
            continue
        yield ServerCommand(server, file, rest, name)


def _find_program(words: Words) -> tuple[Server, Word, Words] | None:
    """Return the server that a command starts, below wrappers such as `exec` or `uv run`."""
    for index, word in enumerate(words):
        name = word.text.rpartition("/")[2]
        if name in _NO_LAUNCHERS or word.text in _INSTALLERS:
            return None
        if _PYTHON.match(name):
            return _find_python_target(words[index + 1 :])
        if name in _BY_PROGRAM:
            return _BY_PROGRAM[name], word, words[index + 1 :]
    return None


def _find_python_target(words: Words) -> tuple[Server, Word, Words] | None:
    for index, word in enumerate(words):
        if word.text == "-m":
            rest = words[index + 1 :]
            if not rest:
                return None
            server = _BY_PROGRAM.get(rest[0].text, Server.SCRIPT)
            return server, rest[0], rest[1:]
        if not word.text.startswith("-"):
            return Server.SCRIPT, word, words[index + 1 :]
    return None


def _get_subcommand(words: Words) -> str:
    """Return the first word that is neither an option nor the value of one."""
    skips = False
    for word in words:
        if skips:
            skips = False
        elif word.text in _FLASK_OPTIONS_WITH_VALUE:
            skips = True
        elif not word.text.startswith("-"):
            return word.text
    return ""
