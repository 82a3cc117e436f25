"""Writing a small Flask project, and looking at what the interpreter makes of it."""

import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flasync.serving.location import load_flask_app
from flasync.toolkit.graph import CallSite, FunctionNode, Reached, Where, walk_calls
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program, build_static_program

_APP = """
import functools, time
import flask
from witness import note

app = flask.Flask(__name__)
"""
# What the app's own hooks call; armed once the app is imported.
_WITNESS = """
ran = []
armed = False


def note(what):
    if armed:
        ran.append(what)
"""


@dataclass
class Project:
    """A project's folder.

    Attributes:
        root: The folder.
        ran: What of the app's code the last `build` has run, by the name it gives to `note`.
    """

    root: Path
    ran: list[str] = field(default_factory=list)

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file, dedented."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def write_app(self, text: str, view: str | None = None) -> None:
        """Write app.py: an app, some code, and a view with this body at "/"."""
        code = _APP + textwrap.dedent(text)
        if view is not None:
            body = textwrap.indent(textwrap.dedent(view).strip(), "    ")
            code += f"\n\n@app.get('/')\ndef index():\n{body}\n    return ''\n"
        self.write("app.py", code)

    def load(self) -> Any:
        """Import the app; what it runs from here on is recorded."""
        self.write("witness.py", _WITNESS)
        sys.modules.pop("app", None)
        app = load_flask_app("app")
        import witness  # noqa: PLC0415 (the project's own, written just now)

        witness.armed = True
        self.ran = witness.ran
        return app

    def build(self) -> Program:
        """Import the app and interpret it."""
        return build_program(self.load(), self.root)

    def build_from(self, app: Any) -> Program:
        """Interpret an app that `load` gave."""
        return build_program(app, self.root)

    def build_static(self) -> Program:
        """Interpret the source alone."""
        self.write("witness.py", _WITNESS)
        return build_static_program(self.root)

    def scan_view(self, text: str, view: str) -> "View":
        """Return what the view of `write_app` does."""
        self.write_app(text, view)
        return View(self.build(), "GET /")


class View:
    """One route of a program, as tests ask about it."""

    def __init__(self, program: Program, route: str) -> None:
        self.program = program
        self._entries = [node for _, node in program.entries[route]]

    @property
    def reached(self) -> list[Reached]:
        """What runs in a request, nearest first."""
        return [reached for entry in self._entries for reached in walk_calls(entry)]

    @property
    def sites(self) -> list[CallSite]:
        """The call sites that run in a request, nearest first."""
        return [reached.site for reached in self.reached]

    @property
    def blocking(self) -> list[str]:
        """The texts of those that block."""
        return [site.text for site in self.sites if site.blocking is not None]

    @property
    def names(self) -> set[str]:
        """The dotted names of all that is called."""
        return {name for site in self.sites for name in site.names}

    @property
    def targets(self) -> set[str]:
        """The names of the project's functions that run in the request."""
        return {
            target.name
            for site in self.sites
            for target, where in site.targets
            if where is Where.HERE
        }

    @property
    def unresolved(self) -> list[str]:
        """The calls whose target is not known."""
        nodes: dict[int, FunctionNode] = {id(node): node for node in self._entries}
        for entry in self._entries:
            nodes |= {id(reached.function): reached.function for reached in walk_calls(entry)}
        return [text for node in nodes.values() for _, text in node.unresolved]
