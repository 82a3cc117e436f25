"""The new text of a file: the original, and the changes of a plan.

Edits of text come first. Where they leave the calls and functions that are changed, too, is
computed from the edits alone, so no span ever drifts; then the tree of that text is transformed and
gives its own code back, character by character where nothing was changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar

import libcst as cst

from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.http_clients import HttpChoice
from flasync.toolkit.migration.imports import (
    Import,
    add_imports,
    choose_spelling,
    list_passed_on,
    prune_imports,
)
from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Colour,
    FunctionChange,
    Span,
    TextChange,
    get_span,
)
from flasync.toolkit.migration.recipe import LeaveAlone, Recipe, Scene, Twin
from flasync.toolkit.migration.removed_lines import close_gaps
from flasync.toolkit.migration.text_edits import ContradictionError, EditedText

_Moved = tuple[Span, CallChange | FunctionChange]
_FAILURES = (
    ContradictionError,
    LeaveAlone,
    SyntaxError,
    cst.CSTValidationError,
    cst.ParserSyntaxError,
)
_Node = TypeVar("_Node", bound=cst.CSTNode)

_MARK = "\ufeff"
# Where the grammar wants a primary, and what is none without parentheses.
_PRIMARY_FIELDS: dict[type[cst.CSTNode], str] = {
    cst.Attribute: "value",
    cst.Await: "expression",
    cst.Call: "func",
    cst.Subscript: "value",
}
_LOOSE = (
    cst.Await,
    cst.BinaryOperation,
    cst.BooleanOperation,
    cst.Comparison,
    cst.GeneratorExp,
    cst.IfExp,
    cst.Lambda,
    cst.NamedExpr,
    cst.Tuple,
    cst.UnaryOperation,
    cst.Yield,
)


class RenderError(RuntimeError):
    """Changes that do not fit the file or one another: a bug of whoever planned or built them."""


def render(
    file: ParsedFile,
    changes: Collection[Change],
    recipes: Mapping[str, Recipe],
    keep: Collection[str] = (),
    *,
    files: Iterable[ParsedFile] = (),
    http: HttpChoice | None = None,
) -> str:
    """Return the text of a file after changes; those of other files are ignored.

    Args:
        file: The file as it was before the migration.
        changes: What is to change, in any order.
        recipes: The recipes by their names.
        keep: Names that other modules or the tests use from this one: their imports stay.
        files: Every file of the project that may be changed, as `Scene` has it.
        http: The HTTP client that the project gets, as `Scene` has it.

    Raises:
        RenderError: The changes contradict one another or the file, or the result is no Python.
    """
    own = [item for item in dict.fromkeys(changes) if get_span(item).file == file.name]
    if not own:
        return file.text
    mark = _MARK if file.text.startswith(_MARK) else ""
    try:
        file, moved = _edit(file, own)
        text = file.text.removeprefix(_MARK)
        if moved:
            world = _World(recipes, _Files(files, file) if files else (), http)
            text = _rewrite(file, moved, world, keep)
        compile(text, file.name, "exec", dont_inherit=True)
    except _FAILURES as error:
        raise RenderError(f"{file.name} cannot be changed as planned: {error}") from error
    return mark + text


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of the project, one of them as it is after the edits of its text."""

    files: Iterable[ParsedFile]
    edited: ParsedFile

    def __iter__(self) -> Iterator[ParsedFile]:
        for file in self.files:
            yield self.edited if file.name == self.edited.name else file


@dataclass(frozen=True, slots=True)
class _World:
    """What recipes are asked with, besides the call."""

    recipes: Mapping[str, Recipe]
    files: Iterable[ParsedFile]
    http: HttpChoice | None

    def build(self, file: ParsedFile, call: cst.Call, change: CallChange) -> Twin:
        """Return what a recipe puts in the place of a call."""
        recipe = self.recipes.get(change.recipe)
        if recipe is None:
            raise ContradictionError(f"there is no recipe {change.recipe!r}")
        return recipe.build(Scene(file, call, change.name, self.files, self.http))


def _edit(file: ParsedFile, changes: Iterable[Change]) -> tuple[ParsedFile, list[_Moved]]:
    """Return the file after the edits of its text, and where the other changes are in it."""
    text = file.text.removeprefix(_MARK)
    edited = EditedText(text, [item.edit for item in changes if isinstance(item, TextChange)])
    moved = [(edited.move(item.span), item) for item in changes if not isinstance(item, TextChange)]
    return (file if edited.text == text else ParsedFile(file.name, edited.text)), moved


def _rewrite(
    file: ParsedFile, changes: Iterable[_Moved], world: _World, keep: Collection[str]
) -> str:
    """Return the text of a file after changes of calls and functions."""
    rewriting = _Rewriting(file, changes, world)
    module = rewriting.rewrite()
    _check_bound(rewriting.imports)
    module = add_imports(module, rewriting.imports)
    if PurePath(file.name).name == "__init__.py":
        keep = {*keep, *list_passed_on(file)}
    return prune_imports(file.module, module, keep).code


def _check_bound(imports: Iterable[Import]) -> None:
    """Check that no two imports give one name two meanings.

    Raises:
        ContradictionError: Two do, such as `from a import get` and `from b import get`.
    """
    bound: dict[str, tuple[str, str | None]] = {}
    for item in imports:
        is_plain = item.name is None and item.alias is None
        meaning = (item.bound, None) if is_plain else (item.module, item.name)
        if bound.setdefault(item.bound, meaning) != meaning:
            raise ContradictionError(f"`{item.bound}` would be imported from two modules")


class _Rewriting(cst.CSTTransformer):
    """Carries out the changes of calls and functions in the tree of a file.

    A changed call is replaced from above, before what is in it: a recipe is given the call as it is
    in the file, and what it gives back is walked for further changed calls. So calls in the
    arguments of calls find their place wherever the recipe has put them.

    Attributes:
        imports: What the new code needs.
    """

    def __init__(
        self,
        file: ParsedFile,
        changes: Iterable[_Moved],
        world: _World,
    ) -> None:
        super().__init__()
        self.imports: set[Import] = set()
        self._file = file
        self._world = world
        self._functions: dict[cst.CSTNode, Colour] = {}
        # What takes the place of a node, and the nodes whose place is taken.
        self._new: dict[cst.CSTNode, cst.BaseExpression] = {}
        self._done: set[cst.CSTNode] = set()
        self._removed: set[cst.CSTNode] = set()
        calls: list[tuple[cst.Call, CallChange]] = []
        for span, change in changes:
            if isinstance(change, CallChange):
                calls.append((_require(file.find_call(span), change), change))
            else:
                function = _require(file.find_function(span), change)
                self._functions[function] = change.colour
        for call, change in calls:  # after all functions: they decide where `await` may stand
            self._replace(call, self._build(call, change))

    def rewrite(self) -> cst.Module:
        """Return the new tree.

        Raises:
            ContradictionError: A recipe has lost an argument in which a call was to be changed.
        """
        module = self._file.module.visit(self)
        for node in self._new:
            if node not in self._done:
                place = self._file.locate(node).place
                raise ContradictionError(f"line {place.line}: the change of a call was lost")
        return module

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Leave out what `on_leave` replaces as a whole."""
        return node not in self._new or node in self._done

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        """Return what takes the place of a node."""
        new = self._new.get(original_node)
        if new is not None and original_node not in self._done:
            self._done.add(original_node)
            return new.visit(self)
        colour = self._functions.get(original_node)
        if colour is not None:
            return self._colour(original_node, updated_node, colour)
        if original_node in self._removed:
            return cst.RemoveFromParent()
        if isinstance(original_node, cst.Module | cst.IndentedBlock):
            return close_gaps(original_node, updated_node, self._removed)
        return _parenthesize_first(updated_node)

    def _colour(
        self, original: cst.FunctionDef, updated: cst.FunctionDef, colour: Colour
    ) -> cst.FunctionDef:
        if colour is Colour.ASYNC:
            return updated.with_changes(asynchronous=updated.asynchronous or cst.Asynchronous())
        decorator = cst.Decorator(self._use(original, "on_loop"))
        return updated.with_changes(decorators=[*updated.decorators, decorator])

    def _replace(self, node: cst.BaseExpression, new: cst.BaseExpression) -> None:
        known = self._new.setdefault(node, new)
        if not known.deep_equals(new):
            place = self._file.locate(node).place
            raise ContradictionError(f"line {place.line}: two changes of one expression")

    def _build(self, call: cst.Call, change: CallChange) -> cst.BaseExpression:
        """Return what takes the place of a call, with the parentheses that were around it."""
        expression = self._build_twin(call, change)
        if expression.lpar and list(expression.lpar) == list(call.lpar):
            expression = expression.with_changes(lpar=[], rpar=[])
        if change.way is not Way.BRIDGE and self._may_await(call):
            expression = cst.Await(expression)
        elif change.way is Way.REWRITE:
            expression = cst.Call(self._use(call, "await_"), [cst.Arg(expression)])
        expression = expression.with_changes(
            lpar=[*call.lpar, *expression.lpar], rpar=[*expression.rpar, *call.rpar]
        )
        return _parenthesize(expression) if self._touches_word(call) else expression

    def _build_twin(self, call: cst.Call, change: CallChange) -> cst.BaseExpression:
        if change.way is Way.OFFLOAD:
            name = "run_sync" if self._may_await(call) else "call_in_thread"
            return offload(call, self._use(call, name))
        if not change.recipe:
            return call.with_changes(lpar=[], rpar=[])
        twin = self._world.build(self._file, call, change)
        self.imports.update(twin.imports)
        for old, new in twin.replacements:
            self._replace(old, new)
        self._removed.update(twin.removed)
        return twin.expression

    def _may_await(self, node: cst.CSTNode) -> bool:
        """Return whether `await` may stand at a node, and means what it says there."""
        function = self._file.find_awaiting(node)
        if function is None:
            return False
        return function.asynchronous is not None or self._functions.get(function) is Colour.ASYNC

    def _use(self, node: cst.CSTNode, name: str) -> cst.BaseExpression:
        """Return how the file writes a name of flasync at a node, and note the import."""
        spelling = choose_spelling(self._file, node, "flasync", name)
        if spelling is not None:
            self.imports.add(spelling[1])
            return spelling[0]
        module = choose_spelling(self._file, node, "flasync", None)
        if module is None:
            line = self._file.locate(node).start[0]
            raise ContradictionError(f"line {line}: `{name}` and `flasync` mean something else")
        self.imports.add(module[1])
        return cst.Attribute(module[0], cst.Name(name))

    def _touches_word(self, call: cst.Call) -> bool:
        """Return whether a word stands directly before or after a call: `return"a".strip()`."""
        before, after = self._file.get_neighbours(call)
        return not call.lpar and (_is_of_word(before) or _is_of_word(after))


def offload(call: cst.Call, function: cst.BaseExpression) -> cst.Call:
    """Return the call of `run_sync` or its like that makes a call, its arguments as written."""
    args = [
        arg.with_changes(value=_parenthesize(arg.value))
        if isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar
        else arg
        for arg in call.args
    ]
    before = call.whitespace_before_args
    if not args:
        return cst.Call(function, [cst.Arg(call.func, whitespace_after_arg=before)])
    comma = cst.Comma(whitespace_after=_find_separator(call))
    args.insert(0, cst.Arg(call.func, comma=comma))
    return call.with_changes(func=function, args=args, lpar=[], rpar=[])


def _find_separator(call: cst.Call) -> cst.BaseParenthesizableWhitespace:
    """Return what stands between a new first argument and the others: a line each, or a space."""
    before = call.whitespace_before_args
    if isinstance(before, cst.ParenthesizedWhitespace):
        breaks = (
            isinstance(arg.comma, cst.Comma)
            and isinstance(arg.comma.whitespace_after, cst.ParenthesizedWhitespace)
            for arg in call.args
        )
        if before.first_line.comment or before.empty_lines or any(breaks):
            return cst.ParenthesizedWhitespace(indent=before.indent, last_line=before.last_line)
    return cst.SimpleWhitespace(" ")


def _parenthesize_first(node: Any) -> Any:
    """Return a node whose first part can stand where only a primary may: `(await a).b`."""
    field = _PRIMARY_FIELDS.get(type(node))
    if field is None:
        return node
    value = getattr(node, field)
    if isinstance(value, _LOOSE) and not value.lpar:
        return node.with_changes(**{field: _parenthesize(value)})
    return node


def _parenthesize(expression: cst.BaseExpression) -> cst.BaseExpression:
    return expression.with_changes(
        lpar=[cst.LeftParen(), *expression.lpar], rpar=[*expression.rpar, cst.RightParen()]
    )


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _require(node: _Node | None, change: CallChange | FunctionChange) -> _Node:
    if node is None:
        raise ContradictionError(f"{change.name} is not at line {change.span.start[0]}")
    return node
