"""What the recipes of clients have in common: how the async client is written, and its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import libcst as cst

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.client_following import follow_client
from flasync.toolkit.migration.client_uses import ClientUses, Kind, Use
from flasync.toolkit.migration.imports import Import
from flasync.toolkit.migration.recipe import LeaveAlone, Recipe, Scene, Twin

# Built-in functions that read a cursor to its end, by `for`.
_READ_WHOLE = frozenset({"dict", "enumerate", "list", "map", "set", "sorted", "tuple", "zip"})
_AS_USUAL = {
    Kind.ITEM: "it is subscripted",
    Kind.ITERATED: "it is iterated over",
    Kind.WITH: "it is entered in a `with` statement",
}


class ClientRecipe(Recipe):
    """Makes a client async, behind a sync face; the code that uses it stays as it is.

    Attributes:
        unlike: Attributes in which the face differs from the sync client.
        settable: Attributes that may be set on the face as on the sync client.
    """

    way: ClassVar[Way] = Way.BRIDGE
    unlike: ClassVar[frozenset[str]] = frozenset()
    settable: ClassVar[frozenset[str]] = frozenset()

    def follow(self, scene: Scene) -> ClientUses:
        """Return what the project does with the client that a call makes.

        Raises:
            LeaveAlone: It does what the face cannot do, or goes where nobody can follow it.
        """
        uses = follow_client(scene.files, [(scene.file, scene.call)])
        lost = uses.find(Kind.LOST)
        if lost is not None:
            raise LeaveAlone(f"it goes where it cannot be followed, at {lost.place}")
        passed = uses.find(Kind.PASSED)
        if passed is not None:
            raise LeaveAlone(
                f"it is given to `{passed.name}` at {passed.place}, which wants the sync client"
            )
        for use in uses.uses:
            if self.differs(use):
                what = _AS_USUAL.get(use.kind) or f"its `{use.name}` is used"
                raise LeaveAlone(f"{what} at {use.place}, in which the async client differs")
        return uses

    def differs(self, use: Use) -> bool:
        """Return whether the face of the async client does not do what a use wants of it."""
        if use.kind is Kind.SET:
            return use.name not in self.settable
        if use.kind is Kind.ATTRIBUTE:
            return use.name in self.unlike or use.name.startswith("_")
        return use.kind in {Kind.ITEM, Kind.ITERATED}


class ConnectionRecipe(ClientRecipe):
    """Makes connections of a database async, each for one request, with their cursors.

    Attributes:
        used: The attributes of a connection that the face has, and of which it does the same.
        cursors: Those of its methods that give a cursor.
        used_of_cursor: As `used`, for cursors.
        chains: Those methods of a cursor that give the cursor itself.
        ends: What must be there of the ways to close a connection.
    """

    used: ClassVar[frozenset[str]]
    cursors: ClassVar[tuple[str, ...]] = ("cursor", "execute")
    used_of_cursor: ClassVar[frozenset[str]]
    chains: ClassVar[tuple[str, ...]] = ("execute", "executemany")
    ends: ClassVar[frozenset[str | Kind]] = frozenset({"close", Kind.WITH})

    def check(self, scene: Scene) -> ClientUses:
        """Return what the project does with the connection that a call makes.

        Raises:
            LeaveAlone: It is no connection of one request, or does what the face cannot do.
        """
        uses = self.follow(scene)
        if uses.is_kept:
            raise LeaveAlone("it is kept for longer than one request, which share it")
        if not any(use.name in self.ends or use.kind in self.ends for use in uses.uses):
            raise LeaveAlone("it is closed by nobody, or in a way that the async client lacks")
        self._check_cursors(scene, uses)
        return uses

    def differs(self, use: Use) -> bool:
        """Return whether the face of a connection does not do what a use wants of it."""
        if use.kind is Kind.ATTRIBUTE:
            return use.name not in self.used
        if use.kind is Kind.WITH:
            return Kind.WITH not in self.ends
        return super().differs(use)

    def _check_cursors(self, scene: Scene, connection: ClientUses) -> None:
        """Raise for a cursor that does what its face cannot do."""
        starts = list(connection.list_calls(*self.cursors))
        for file, call in starts:
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == "cursor":
                if call.args:
                    place = file.locate(call).place
                    raise LeaveAlone(f"a cursor of another kind is made at {place}")
        count, uses = -1, ClientUses((), is_kept=False)
        while count < len(starts):
            count = len(starts)
            uses = follow_client(scene.files, starts)
            known = {id(call) for _, call in starts}
            more = uses.list_calls(*self.chains)
            starts += [(file, call) for file, call in more if id(call) not in known]
        for use in uses.uses:
            if self._cursor_differs(use):
                what = _AS_USUAL.get(use.kind) or f"`{use.name}`"
                raise LeaveAlone(f"a cursor is used by {what} at {use.place}")

    def _cursor_differs(self, use: Use) -> bool:
        match use.kind:
            case Kind.ATTRIBUTE:
                return use.name not in self.used_of_cursor
            case Kind.PASSED:
                return use.name not in _READ_WHOLE
            case Kind.WITH:
                return Kind.WITH not in self.ends
            case Kind.ITERATED:
                return False
        return True


def spell_class(scene: Scene, module: str, name: str) -> tuple[cst.BaseExpression, Import]:
    """Return how the file writes a class of a module whose sync twin has the same name.

    With its module, or where the module's name means something else, as `AsyncName`.

    Raises:
        LeaveAlone: That name is taken, too.
    """
    try:
        owner, needed = scene.use(module)
    except LeaveAlone:
        alias = f"Async{name}"
        if alias in scene.file.list_bound(scene.call):
            raise
        return cst.Name(alias), Import(module, name, alias)
    return cst.Attribute(owner, cst.Name(name)), needed


def bridge(scene: Scene, client: cst.BaseExpression, *imports: Import) -> Twin:
    """Return the face of a client that exists, or of a factory of one: `bridged(client)`."""
    bridged, needed = scene.use("flasync", "bridged")
    return Twin(cst.Call(bridged, [cst.Arg(client)]), (needed, *imports))


def bridge_connect(
    scene: Scene, owner: cst.BaseExpression, args: Sequence[cst.Arg], *imports: Import
) -> Twin:
    """Return the face of the connection that an async `connect` gives: `bridged(f.connect)(…)`."""
    bridged, needed = scene.use("flasync", "bridged")
    connect = cst.Attribute(owner, cst.Name("connect"))
    func = cst.Call(bridged, [cst.Arg(connect)])
    return Twin(scene.call.with_changes(func=func, args=args), (*imports, needed))


def bridge_factory(
    scene: Scene, factory: cst.BaseExpression, args: list[cst.Arg], *imports: Import
) -> Twin:
    """Return the face of what a factory makes once for each loop: `bridged(partial(f, …))`."""
    partial, needed = scene.use("functools", "partial")
    call = scene.call.with_changes(func=partial, args=_prepend(factory, args, scene.call))
    before = call.whitespace_before_args
    if not args or not isinstance(before, cst.ParenthesizedWhitespace):
        return bridge(scene, call, needed, *imports)
    face = bridge(scene, call, needed, *imports)
    # Of several lines: the inner call is one step further in, on lines of its own.
    inner = cst.ensure_type(call.visit(_StepIn(scene.file.module.default_indent)), cst.Call)
    outer = cst.ensure_type(face.expression, cst.Call).with_changes(
        whitespace_before_args=before,
        args=[cst.Arg(inner, whitespace_after_arg=_find_closing(args[-1]))],
    )
    return replace(face, expression=outer)


def _find_closing(last: cst.Arg) -> cst.BaseParenthesizableWhitespace:
    """Return what stands between the last argument of a call and its closing parenthesis."""
    return (
        last.comma.whitespace_after
        if isinstance(last.comma, cst.Comma)
        else (last.whitespace_after_arg)
    )


class _StepIn(cst.CSTTransformer):
    """Moves the lines of a call that come after its first one step in."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def leave_ParenthesizedWhitespace(
        self,
        original_node: cst.ParenthesizedWhitespace,
        updated_node: cst.ParenthesizedWhitespace,
    ) -> cst.ParenthesizedWhitespace:
        last = updated_node.last_line
        return updated_node.with_changes(last_line=last.with_changes(value=last.value + self._step))


def _prepend(factory: cst.BaseExpression, args: list[cst.Arg], call: cst.Call) -> list[cst.Arg]:
    """Return arguments with one more before them; a call of several lines gets one more line."""
    if not args:
        return [cst.Arg(factory)]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        comma = cst.Comma(whitespace_after=call.whitespace_before_args)
    return [cst.Arg(factory, comma=comma), *args]


def name_arguments(
    scene: Scene, positions: tuple[str, ...], known: Mapping[str, str], first: int = 0
) -> list[cst.Arg]:
    """Return the arguments of a call, by the names that the async client has for them.

    Args:
        scene: The call.
        positions: The names of the positional parameters, in their order.
        known: What may be given, each with its name for the async client.
        first: How many of them stay positional.

    Raises:
        LeaveAlone: Something else is given.
    """
    bound = scene.bind(*positions)
    args = []
    for position, (name, arg) in enumerate(bound.items()):
        if name not in known:
            raise LeaveAlone(f"it is made with `{name}`, in which the async client differs")
        if arg.keyword is None and position < first:
            args.append(arg)
            continue
        equal = arg.equal if arg.keyword is not None else _EQUAL
        args.append(arg.with_changes(keyword=cst.Name(known[name]), equal=equal))
    return args


_EQUAL = cst.AssignEqual(
    whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
)
