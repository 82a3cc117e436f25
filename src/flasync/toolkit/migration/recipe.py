"""What a recipe is: how one kind of blocking call is replaced, with its page and its cases.

A recipe gives for a call an *awaitable*: an expression whose value can be awaited. Who asks for it
awaits it: with `await` in an `async def`, with `flasync.await_(…)` elsewhere. A recipe of a client
gives what the call becomes, to the last character: a client behind a sync face is awaited nowhere.

One recipe a module in `recipes/`, found by being there. Its cases are its tests and its page.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import libcst as cst

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import HttpChoice
from flasync.toolkit.migration.imports import Import, choose_spelling
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import Safety


class LeaveAlone(Exception):
    """Raised by a recipe for a call that it must not touch; the message says why.

    The message is the end of a sentence: "it is called with `**options`, which may hold anything".
    """


@dataclass(frozen=True, slots=True)
class Twin:
    """What takes the place of a call.

    Attributes:
        expression: The new expression, built from nodes of the old one where possible, so that
            formatting and comments stay.
        imports: What it needs.
        replacements: Other expressions of the file that must change with it, such as the class
            in an `except` clause around the call: the old node and what takes its place.
        removed: Lines of the file that go with the call; the comments above them stay.
        needs_loop: Whether it can only be evaluated where an event loop runs: good for `await`,
            not for `await_`, whose argument a plain thread may evaluate.
        safety: How sure it is here; None: as the recipe says.
    """

    expression: cst.BaseExpression
    imports: tuple[Import, ...] = ()
    replacements: tuple[tuple[cst.BaseExpression, cst.BaseExpression], ...] = ()
    removed: tuple[cst.SimpleStatementLine, ...] = ()
    needs_loop: bool = False
    safety: Safety | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A file before and after.

    Attributes:
        title: What it shows, in a few words; it becomes the name of the test.
        before: A whole module. The recipe is tried on each call in it that it is for.
        after: The module that it becomes; the same text when the calls are left alone.
    """

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RecipePage:
    """The sections of a recipe's page in the documentation.

    Attributes:
        what: What it replaces by what, in one or two sentences.
        meaning: What stays the same and what does not, and how that is known.
        safety: When it is safe, when unsafe, and when nothing is done.
        references: (title, address) pairs.
    """

    what: str
    meaning: str
    safety: str
    references: tuple[tuple[str, str], ...] = ()


class Scene:
    """Where a call stands: what a recipe may ask besides the call itself.

    Args:
        file: The file that the call is in.
        call: The call, as it is in the file.
        name: What it calls, the dotted name that the knowledge knows, such as "time.sleep".
        files: Every file of the project that may be changed, this one included: what is made here
            is used elsewhere.
        http: The HTTP client that the project gets; None: nobody has chosen, which makes it the
            one that a recipe likes best, in a module `http_client`.
    """

    def __init__(
        self,
        file: ParsedFile,
        call: cst.Call,
        name: str,
        files: Iterable[ParsedFile] = (),
        http: HttpChoice | None = None,
    ) -> None:
        self.file = file
        self.call = call
        self.name = name
        self.files = files or (file,)
        self.http = http

    @property
    def parent(self) -> cst.CSTNode | None:
        """The node that the call is part of: `cst.WithItem` for `with call(): …`."""
        return self.file.get_parent(self.call)

    def require_function(self) -> None:
        """Raise `LeaveAlone` for a call that stands outside of functions."""
        if self.file.find_enclosing(self.call) is None:
            raise LeaveAlone("it stands outside of functions, where no request runs")

    def use(self, module: str, name: str | None = None) -> tuple[cst.BaseExpression, Import]:
        """Return how this file writes a name of a module, and the import that it needs for that.

            scene.use("asyncio", "sleep")    # asyncio.sleep, and `import asyncio`
            scene.use("flasync", "await_")   # await_, and `from flasync import await_`

        Names of the standard library are written with their module. What the file has imported
        already is used as it is.

        Raises:
            LeaveAlone: The name means something else here.
        """
        spelling = choose_spelling(self.file, self.call, module, name)
        if spelling is None:
            raise LeaveAlone(f"`{name or module}` means something else here")
        return spelling

    def bind(self, *names: str) -> dict[str, cst.Arg]:
        """Return the arguments of the call by the names of its parameters.

        Args:
            names: The parameters that may be given by position, in their order.

        Raises:
            LeaveAlone: An argument has a star, or there are more positions than names.
        """
        bound: dict[str, cst.Arg] = {}
        for position, arg in enumerate(self.call.args):
            if arg.star:
                raise LeaveAlone(f"it is called with `{arg.star}…`, which may hold anything")
            if arg.keyword is not None:
                bound[arg.keyword.value] = arg
            elif position < len(names):
                bound[names[position]] = arg
            else:
                raise LeaveAlone(f"it is called with more than {len(names)} positional arguments")
        return bound


class Recipe(abc.ABC):
    """How one kind of blocking call is replaced.

    Attributes:
        name: The name of its module, with hyphens: "time-sleep".
        title: What it replaces, as a heading: "time.sleep".
        names: The dotted names of the calls that it is for, as the knowledge has them; a last `*`
            is any public method of that class.
        way: `rewrite`: `build` gives an awaitable. `bridge`: it gives the client itself.
        frees: For a client: the dotted names, each perhaps with a last `*`, that wait no longer
            once all such clients are made this way.
        of_thread: Whether the client that it makes belongs to one thread. Where such a client stays
            sync, its calls cannot be handed to a thread one by one.
        of_loop: Whether the call runs a coroutine to its end, on an event loop of its own.
        of_result: Whether the call to replace is that of what the named call gives: `f(x)(y)`.
        safety: How sure it is, when `build` does not say otherwise.
        distributions: What must be installed for the new code, as requirements.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    way: ClassVar[Way] = Way.REWRITE
    frees: ClassVar[tuple[str, ...]] = ()
    of_thread: ClassVar[bool] = False
    of_loop: ClassVar[bool] = False
    of_result: ClassVar[bool] = False
    safety: ClassVar[Safety] = Safety.SAFE
    distributions: ClassVar[tuple[str, ...]] = ()
    page: ClassVar[RecipePage]
    changed: ClassVar[tuple[Case, ...]]
    """Files that it changes."""
    left: ClassVar[tuple[Case, ...]]
    """Files that come close and are left alone, at least as many as `changed`."""

    @abc.abstractmethod
    def build(self, scene: Scene) -> Twin:
        """Return what takes the place of a call.

        Raises:
            LeaveAlone: It must not be touched; the message says why.
        """
