"""What a migration would do: stages, the changes in each, and the routes that stay as they are.

Frozen values without behaviour of their own, so that planning makes them, applying carries them
out and reports print them without knowing one another.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from flasync.toolkit.finding import Edit, Place
from flasync.toolkit.knowledge import Way


class Safety(enum.StrEnum):
    """How sure a change is; the words are Ruff's."""

    SAFE = "safe"
    """The meaning stays the same; only the waiting differs. Applied with `--write`."""
    UNSAFE = "unsafe"
    """The meaning may differ in a case that nobody can rule out from the source. Applied with
    `--unsafe` alone."""
    SHOWN = "shown"
    """Printed for a person to decide; never applied."""


class Colour(enum.StrEnum):
    """How a function gets onto the event loop."""

    ASYNC = "async"
    """`def` becomes `async def`."""
    ON_LOOP = "on_loop"
    """It stays a plain function and is marked `@flasync.on_loop`: for a view that somebody calls
    as a plain function, or whose decorators look at its result."""


class StageKind(enum.StrEnum):
    """What a stage is about."""

    APP = "app"
    """The Flask class."""
    DATABASE = "database"
    """The database URL."""
    CLIENT = "client"
    """Clients of one library, made async behind a sync face."""
    ROUTE = "route"
    """One route, or several that can only move together."""
    REQUIREMENTS = "requirements"
    """What the project says that it needs."""
    DEPLOYMENT = "deployment"
    """The lines that start the server."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a source file: that of a call, or of a whole function.

    Attributes:
        file: As in `Place`.
        start: Line and column of its first character, both from 1.
        end: Line and column of the first character after it.
    """

    file: str
    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def place(self) -> Place:
        """Where it begins."""
        return Place(self.file, *self.start)


@dataclass(frozen=True, slots=True)
class CallChange:
    """A call that is replaced.

    In an async function the replacement is awaited with `await`, elsewhere with `flasync.await_`.

    Attributes:
        span: The call.
        name: What it calls: the dotted name, or the qualified name of a function of the project.
        way: How it is freed.
        recipe: The name of the recipe; "" for the plain ones: a call of a function that becomes
            async (way `rewrite`), a call that goes to a thread (way `offload`).
        safety: How sure it is.
        reason: One sentence: why this way.
    """

    span: Span
    name: str
    way: Way
    recipe: str
    safety: Safety
    reason: str


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """A function that gets onto the event loop.

    Attributes:
        span: The function, from `def` on.
        name: Its qualified name.
        colour: How.
        reason: One sentence: why this way.
        is_view: Whether Flask calls it for a route.
    """

    span: Span
    name: str
    colour: Colour
    reason: str
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class TextChange:
    """A change of a line that is no call: an import, a URL, a requirement, a server's command.

    Attributes:
        edit: The edit; its positions are those of the file before the migration.
        safety: How sure it is.
        reason: One sentence: why.
    """

    edit: Edit
    safety: Safety
    reason: str


Change = CallChange | FunctionChange | TextChange


@dataclass(frozen=True, slots=True)
class Stage:
    """Changes that are applied, proved, and if need be undone, together.

    Attributes:
        id: Such as "app", "database", "client:redis", "route:GET /books/<slug>".
        kind: What it is about.
        title: One line that says what it does.
        changes: In the order of files and lines. Two stages may share a change.
        needs: The ids of the stages without which it must not be applied.
        routes: The ids of the routes that it moves.
        distributions: What must be installed for it, as requirements such as "aiosqlite".
    """

    id: str
    kind: StageKind
    title: str
    changes: tuple[Change, ...]
    needs: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A route that stays as it is.

    Attributes:
        route: Its id.
        reason: One sentence: why.
        place: What stands in the way, if that is one place.
        advice: One line: what to do by hand; "" where nothing is to be done.
    """

    route: str
    reason: str
    place: Place | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a migration would do.

    Attributes:
        stages: In the order in which they are applied.
        left: The routes that stay, in the order of the scan.
        moved_before: The ids of the routes that run on the loop already.
        by_hand: What a person has to do for it, one line each.
        notes: What the reader must know.
    """

    stages: tuple[Stage, ...]
    left: tuple[Left, ...]
    moved_before: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def get_span(change: Change) -> Span:
    """Return the stretch of a file that a change is about."""
    if isinstance(change, TextChange):
        return Span(change.edit.file, change.edit.start, change.edit.end)
    return change.span
