"""The twin of a call of requests: a call of the shared client, and the `except` clauses with it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flasync.toolkit.migration.error_clauses import ErrorClauses, Replacement
from flasync.toolkit.migration.error_mentions import ErrorClause
from flasync.toolkit.migration.http_calls import (
    bind_arguments,
    build_call,
    check_place,
    read_constant,
)
from flasync.toolkit.migration.http_clients import NIQUESTS, HttpChoice
from flasync.toolkit.migration.imports import Import
from flasync.toolkit.migration.plan import Safety
from flasync.toolkit.migration.project_files import list_mentioning
from flasync.toolkit.migration.recipe import LeaveAlone, Scene, Twin
from flasync.toolkit.migration.requests_meaning import (
    ERRORS,
    HTTPX_MEANING,
    NIQUESTS_MEANING,
    POSITIONS,
    RAISING,
    Meaning,
)
from flasync.toolkit.migration.value_uses import UseKind, ValueUse, list_uses

# What niquests' responses lack, or have with another meaning, and only requests' are asked for.
_TELLING_ATTRIBUTES = frozenset({"apparent_encoding", "raw"})
_BASIC_AUTH = frozenset({"requests.auth.HTTPBasicAuth", "requests.auth.HTTPProxyAuth"})


class RequestsTwin:
    """Builds the twin of one call.

    Args:
        scene: The call, and the client that was chosen.

    Raises:
        LeaveAlone: By its methods: the call must not be touched.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._choice = scene.http or HttpChoice(NIQUESTS)
        self._is_niquests = self._choice.client is NIQUESTS
        self._meaning: Meaning = NIQUESTS_MEANING if self._is_niquests else HTTPX_MEANING
        self._imports: set[Import] = set()

    def build(self) -> Twin:
        """Return what takes the place of the call."""
        check_place(self._scene)
        verb = self._scene.name.rpartition(".")[2]
        bound = bind_arguments(self._scene, POSITIONS[verb], self._meaning.left)
        self._check_arguments(bound)
        uses = list(list_uses(self._scene.file, self._scene.call))
        for use in uses:
            self._check_use(use, bound)
        call, needed = build_call(
            self._scene, self._choice, self._rename(bound), self._complete(verb, bound)
        )
        replacements = (*self._replace_reads(uses), *self._replace_clauses(uses))
        return Twin(
            call,
            (needed, *sorted(self._imports, key=str)),
            replacements,
            safety=None if self._is_niquests else Safety.UNSAFE,
        )

    def check_in_place(self, positions: tuple[str, ...]) -> Twin:
        """Return the call as it is, with the clauses that change: for a session that is bridged."""
        bound = bind_arguments(self._scene, positions, self._meaning.left)
        self._check_arguments(bound)
        uses = list(list_uses(self._scene.file, self._scene.call))
        for use in uses:
            self._check_use(use, bound)
        replacements = self._replace_clauses(uses)
        return Twin(self._scene.call, tuple(sorted(self._imports, key=str)), replacements)

    # --- arguments -----------------------------------------------------------------------------

    def _check_arguments(self, bound: dict[str, cst.Arg]) -> None:
        if "stream" in bound and read_constant(bound["stream"]) != "False":
            raise LeaveAlone("it streams: what reads the response afterwards waits as well")
        if read_constant(bound.get("timeout")) in ("0", "0.0"):
            raise LeaveAlone("a timeout of 0 is an error in requests alone")
        if "auth" in bound and not self._is_basic(bound["auth"].value):
            raise LeaveAlone("`auth` may be an object that was written for requests")
        data = bound["data"].value if "data" in bound else None
        if isinstance(data, cst.GeneratorExp) or _is_opened(data):
            raise LeaveAlone("its body is read bit by bit while it is sent")
        if not self._is_niquests and data is not None and not isinstance(data, cst.Dict):
            raise LeaveAlone(f"`data` is no dict as written, and {self._name} takes nothing else")

    def _is_basic(self, value: cst.BaseExpression) -> bool:
        if isinstance(value, cst.Tuple) or (isinstance(value, cst.Name) and value.value == "None"):
            return True
        names = self._scene.file.name_qualified(value.func) if isinstance(value, cst.Call) else ()
        return self._is_niquests and bool(names) and _BASIC_AUTH.issuperset(names)

    def _rename(self, bound: dict[str, cst.Arg]) -> dict[str, cst.Arg]:
        renamed = {}
        for name, arg in bound.items():
            new = self._meaning.renamed.get(name, name)
            renamed[new] = arg if new == name else arg.with_changes(keyword=cst.Name(new))
        return renamed

    def _complete(self, verb: str, bound: dict[str, cst.Arg]) -> dict[str, str]:
        """Return what must be said to another library for it to do as requests does."""
        added: dict[str, str] = {}
        if self._is_niquests:
            return added
        if "timeout" not in bound:
            added["timeout"] = "None"
        if verb != "head" and "allow_redirects" not in bound:
            added["follow_redirects"] = "True"
        return added

    # --- the response --------------------------------------------------------------------------

    def _check_use(self, use: ValueUse, bound: dict[str, cst.Arg]) -> None:
        if use.kind is UseKind.IGNORED:
            return
        if use.kind is UseKind.READ:
            self._check_read(use, bound)
        elif use.kind is UseKind.SET:
            if use.attribute not in self._meaning.sets:
                raise LeaveAlone(f"`{use.attribute}` of its response is set")
        elif use.kind is UseKind.OTHER or not self._meaning.passes:
            raise LeaveAlone(
                f"its response is used in a way that that of {self._name} may not allow"
            )
        elif use.kind is UseKind.PASSED:
            self._check_passed(use)
        if use.kind in (UseKind.RETURNED, UseKind.PASSED):
            self._check_everywhere()

    def _check_read(self, use: ValueUse, bound: dict[str, cst.Arg]) -> None:
        if use.attribute not in self._meaning.reads:
            raise LeaveAlone(f"`{use.attribute}` of its response is used")
        if self._is_niquests:
            return
        if use.attribute == "raise_for_status" and "headers" in bound:
            raise LeaveAlone(f"{self._name} takes an answer 304, not modified, for an error")
        if use.attribute == "ok" and use.node is self._scene.call:
            raise LeaveAlone("`ok` of its response is used")

    def _check_passed(self, use: ValueUse) -> None:
        """Let a response pass to functions of the same file alone."""
        file = self._scene.file
        arg = file.get_parent(use.node)
        call = file.get_parent(arg) if arg is not None else None
        func = call.func if isinstance(call, cst.Call) else None
        own = {function.name.value for _, function in file.list_functions()}
        is_own = isinstance(func, cst.Name) and func.value in own
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
            is_own = func.value.value in ("self", "cls") and func.attr.value in own
        if not is_own:
            raise LeaveAlone(
                "its response is passed on to code that may know that of requests alone"
            )

    def _check_everywhere(self) -> None:
        """Make sure that nobody asks a response for what only that of requests has."""
        for word in (*_TELLING_ATTRIBUTES, "Response"):
            for file in list_mentioning(self._scene.files, word):
                finder = _TellingFinder()
                file.module.visit(finder)
                if finder.found:
                    raise LeaveAlone(
                        f"its response leaves the function, and {file.name} uses {finder.found}"
                    )

    def _replace_reads(self, uses: list[ValueUse]) -> Iterator[Replacement]:
        """Yield `not r.is_error` for `r.ok`, and `r.is_error` for `not r.ok`."""
        if self._is_niquests:
            return
        for use in uses:
            read = self._scene.file.get_parent(use.node)
            if use.attribute != "ok" or not isinstance(read, cst.Attribute):
                continue
            is_error = read.with_changes(attr=cst.Name("is_error"))
            above = self._scene.file.get_parent(read)
            if isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not):
                yield above, is_error.with_changes(lpar=above.lpar, rpar=above.rpar)
            elif isinstance(above, cst.If | cst.Return | cst.Assign):
                yield read, cst.UnaryOperation(cst.Not(), is_error)
            else:
                negated = cst.UnaryOperation(cst.Not(), is_error)
                yield read, negated.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])

    # --- errors --------------------------------------------------------------------------------

    def _replace_clauses(self, uses: list[ValueUse]) -> tuple[Replacement, ...]:
        self._check_guards(uses)
        return ErrorClauses(self._scene, "requests", ERRORS).replace(
            [self._scene.call, *(use.node for use in uses)],
            RAISING,
            self._translate,
            escapes=any(use.kind in (UseKind.RETURNED, UseKind.PASSED) for use in uses),
        )

    def _check_guards(self, uses: list[ValueUse]) -> None:
        """Make sure that no clause catches an error for a base class that its twin lacks."""
        for node in (self._scene.call, *(use.node for use in uses)):
            below: cst.CSTNode = node
            above = self._scene.file.get_parent(below)
            while above is not None and not isinstance(above, cst.FunctionDef):
                if isinstance(above, cst.Try | cst.TryStar) and below is above.body:
                    for handler in above.handlers:
                        self._check_guard(handler)
                below, above = above, self._scene.file.get_parent(above)

    def _check_guard(self, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> None:
        caught = handler.type
        if caught is None:
            return
        elements = caught.elements if isinstance(caught, cst.Tuple) else ()
        for node in [element.value for element in elements] or [caught]:
            if any(
                name.split(".")[0] == "urllib3" for name in self._scene.file.name_qualified(node)
            ):
                raise LeaveAlone("errors of urllib3, below requests, are caught around it")
            is_wide = isinstance(node, cst.Name) and node.value in _OTHER_BASES
            if is_wide and not self._is_niquests:
                raise LeaveAlone(f"an error of requests is caught as `{_write(node)}` around it")

    def _translate(self, clause: ErrorClause, name: str) -> list[cst.BaseExpression]:
        new = self._meaning.errors.get(name)
        if new is None:
            raise LeaveAlone(f"`{name}`, which is caught, has no counterpart in {self._name}")
        if not self._is_niquests and name != "HTTPError" and _asks_for_response(clause.handler):
            raise LeaveAlone("its error is asked for the response")
        library, needed = self._scene.use(self._name)
        self._imports.add(needed)
        classes: list[cst.BaseExpression] = []
        for dotted in new:
            expression = library
            for part in dotted.split("."):
                expression = cst.Attribute(expression, cst.Name(part))
            classes.append(expression)
        return classes

    @property
    def _name(self) -> str:
        return self._choice.client.name


# Builtin classes that errors of requests are, and those of httpx are not.
_OTHER_BASES = frozenset({"OSError", "IOError", "EnvironmentError", "ValueError"})


class _TellingFinder(cst.CSTVisitor):
    """Finds what only a response of requests answers to."""

    def __init__(self) -> None:
        self.found = ""

    def visit_Attribute(self, node: cst.Attribute) -> None:
        if node.attr.value in _TELLING_ATTRIBUTES:
            self.found = f"`{node.attr.value}` of something"

    def visit_Call(self, node: cst.Call) -> None:
        asked = node.func.value if isinstance(node.func, cst.Name) else ""
        if asked in ("isinstance", "issubclass"):
            if any("Response" in _write(arg.value) for arg in node.args):
                self.found = f"`{asked}` with a Response"


def _asks_for_response(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    if handler.name is None:
        return False
    text = _write(handler.body)
    return any(f"{_write(handler.name.name)}.{name}" in text for name in ("response", "request"))


def _is_opened(node: cst.BaseExpression | None) -> bool:
    return (
        isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "open"
    )


def _write(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)
