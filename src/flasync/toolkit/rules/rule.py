"""What a rule is: a code, a page, cases that are its tests, and the detection."""

from __future__ import annotations

import abc
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import flask

from flasync.toolkit.finding import Finding, Severity
from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.sources import Sources
from flasync.toolkit.surface import Surface


@dataclass(frozen=True, slots=True)
class Case:
    """A small project that a rule is tried on.

    Attributes:
        title: What it shows, in a few words; it becomes the name of the test.
        files: Path to contents. Lines that end with `# FSY…` are where that code is found, and
            no other line is. `app.py` holds the app, where there is one.
    """

    title: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """The sections of a rule's page.

    Attributes:
        what: What it does. One or two sentences, beginning with "Finds".
        why: Why this is bad.
        example: Code that it finds.
        instead: Code to use instead.
        fix_safety: What `flasync migrate` may do about it, and what a person must decide.
        references: (title, address) pairs.
    """

    what: str
    why: str
    example: str
    instead: str
    fix_safety: str
    references: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class Program:
    """What a rule looks at: the app, its source and its call graph.

    Attributes:
        sources: The project's files.
        knowledge: What blocks.
        surface: Routes, hooks and commands.
        app: The live app; None in static mode.
        entries: For each route id, the entry functions in the graph: (kind, function).
        others: The entry functions of handlers that belong to no single route.
        functions: Every function of the project that a request may run, each once for each kind
            of arguments it is called with.
        outside: The functions that commands and jobs run.
        path: The app as it was named, for messages.
        notes: What the reader of the report must know of how it was made.
    """

    sources: Sources
    knowledge: Knowledge
    surface: Surface
    app: flask.Flask | None = None
    entries: dict[str, list[tuple[str, FunctionNode]]] = field(default_factory=dict)
    others: list[tuple[str, FunctionNode]] = field(default_factory=list)
    functions: list[FunctionNode] = field(default_factory=list)
    outside: list[FunctionNode] = field(default_factory=list)
    path: str = ""
    notes: list[str] = field(default_factory=list)


class Rule(abc.ABC):
    """A detection with its page and its cases. One a module; found by walking the package."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.WARNING
    page: ClassVar[Page]
    invalid: ClassVar[tuple[Case, ...]]
    """Projects in which it finds something."""
    valid: ClassVar[tuple[Case, ...]]
    """Projects that come close and are left alone; at least as many as `invalid`."""

    @abc.abstractmethod
    def find(self, program: Program) -> Iterable[Finding]:
        """Return what is wrong in a program. `Finding.routes` is filled in by the caller."""
