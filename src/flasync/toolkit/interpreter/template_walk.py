"""Walking one template: its loops, calls, macros, and the templates that it leads to."""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from jinja2 import nodes

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite, FunctionNode, Where
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Instance,
    Live,
    Record,
    Values,
    join,
)

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.templates import Templates

# Jinja's own filters that iterate over what they are given.
_ITERATING_FILTERS = frozenset(
    {"batch", "first", "groupby", "join", "last", "length", "count", "list", "map", "max", "min"}
    | {"random", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum"}
    | {"unique", "items", "dictsort"}
)
# Those that give items of it, and those that give as many.
_ITEM_FILTERS = frozenset({"first", "last", "max", "min", "random"})
_PASSING_FILTERS = frozenset(
    {"list", "reverse", "select", "reject", "selectattr", "rejectattr", "sort", "unique", "default"}
    | {"d", "batch", "slice"}
)
Names: TypeAlias = ChainMap[str, Any]


@dataclass(frozen=True, eq=False)
class Macro:
    """A macro and the names that it sees."""

    node: nodes.Macro
    names: Names
    walk: TemplateWalk


@dataclass(frozen=True, eq=False)
class MacroFolder:
    """What `{% import "…" as name %}` gives."""

    macros: Mapping[str, Any] = field(default_factory=dict)


class TemplateWalk:
    """One walk through a template.

    Args:
        templates: The app's templates.
        function: Where the call sites are put.
        overridden: The blocks that a template which extends this one defines anew.
        own: The blocks that this one defines.
    """

    def __init__(
        self,
        templates: Templates,
        function: FunctionNode,
        overridden: frozenset[str],
        own: frozenset[str],
    ) -> None:
        self._templates = templates
        self._evaluator = templates.evaluator
        self._function = function
        self._overridden = overridden
        self._own = own
        self._sites: dict[int, CallSite] = {}
        self._calling: set[int] = set()
        self._importing: frozenset[str] = frozenset()
        self._loaded: set[tuple[str, str]] = set()

    def get_site(self, node: nodes.Node) -> CallSite:
        """Return the call site of a node, made when it is not there."""
        site = self._sites.get(id(node))
        if site is None:
            begin = self._function.place
            in_code = begin.line > 1
            place = begin if in_code else Place(begin.file, node.lineno)
            site = self._sites[id(node)] = CallSite(ast.Pass(), place, describe(node))
            self._function.sites.append(site)
        return site

    def _spot(self, node: nodes.Node) -> Spot:
        return Spot(self.get_site, node)

    def walk_all(self, statements: Iterable[nodes.Node], names: Names) -> None:
        """Walk statements and the expressions between them in their order."""
        for statement in statements:
            walk = _STATEMENTS.get(type(statement))
            if walk is not None:
                walk(self, statement, names)
            elif isinstance(statement, nodes.Expr):
                self._evaluate(statement, names)

    # Statements

    def _walk_output(self, node: nodes.Output, names: Names) -> None:
        for part in node.nodes:
            self._evaluate(part, names)

    def _walk_for(self, node: nodes.For, names: Names) -> None:
        inner: Names = names.new_child()
        self._assign(node.target, self._iterate(node.iter, names), inner)
        self._evaluate(node.test, inner)
        self.walk_all(node.body, inner)
        self.walk_all(node.else_, names)

    def _walk_if(self, node: nodes.If, names: Names) -> None:
        self._evaluate(node.test, names)
        self.walk_all(node.body, names)
        self.walk_all(node.elif_, names)
        self.walk_all(node.else_, names)

    def _walk_with(self, node: nodes.With, names: Names) -> None:
        inner: Names = names.new_child()
        for target, value in zip(node.targets, node.values, strict=True):
            self._assign(target, self._evaluate(value, names), inner)
        self.walk_all(node.body, inner)

    def _walk_block(self, node: nodes.Block, names: Names) -> None:
        if node.name not in self._overridden:
            self.walk_all(node.body, names.new_child())

    def _walk_assign(self, node: nodes.Assign, names: Names) -> None:
        self._assign(node.target, self._evaluate(node.node, names), names)

    def _walk_macro(self, node: nodes.Macro, names: Names) -> None:
        names[node.name] = Macro(node, names, self)

    def _walk_call_block(self, node: nodes.CallBlock, names: Names) -> None:
        self._evaluate(node.call, names)
        self.walk_all(node.body, names.new_child())

    def _walk_inner(self, node: nodes.Node, names: Names) -> None:
        for child in node.iter_child_nodes():
            self.walk_all([child], names)

    def _walk_extends(self, node: nodes.Extends, names: Names) -> None:
        self._enter(node.template, names, node, self._overridden | self._own)

    def _walk_include(self, node: nodes.Include, names: Names) -> None:
        self._enter(node.template, names, node, frozenset())

    def _walk_import(self, node: nodes.Import, names: Names) -> None:
        names[node.target] = MacroFolder(self._load_macros(node.template, names))

    def _walk_from_import(self, node: nodes.FromImport, names: Names) -> None:
        macros = self._load_macros(node.template, names)
        for item in node.names:
            name, alias = item if isinstance(item, tuple) else (item, item)
            if name in macros:
                names[alias] = macros[name]

    def _enter(
        self, template: nodes.Expr, names: Names, node: nodes.Node, overridden: frozenset[str]
    ) -> None:
        context = {name: values for name, values in names.items() if isinstance(values, tuple)}
        for name in self._read_texts(template, names):
            self._templates.enter(name, context, self.get_site(node), overridden)

    def _load_macros(self, template: nodes.Expr, names: Names) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self._read_texts(template, names):
            parsed = self._templates.parse(name)
            if parsed is None or name in self._importing:
                continue
            tree, place = parsed
            function = FunctionNode(f"template {name}", None, None, place)
            walk = TemplateWalk(self._templates, function, frozenset(), frozenset())
            walk._importing = self._importing | {name}
            macros: Names = ChainMap({})
            walk.walk_all(tree.body, macros)
            found.update(macros)
        return found

    def _read_texts(self, node: nodes.Expr, names: Names) -> Iterator[str]:
        for value in self._evaluate(node, names):
            if isinstance(value, Live) and type(value.obj) is str:
                yield value.obj

    # Expressions

    def _evaluate(self, node: nodes.Node | None, names: Names) -> Values:
        if node is None:
            return UNKNOWN
        evaluate = _EXPRESSIONS.get(type(node), TemplateWalk._evaluate_parts)
        found: Values = evaluate(self, node, names)
        return found

    def _evaluate_parts(self, node: nodes.Node, names: Names) -> Values:
        for child in node.iter_child_nodes():
            self._evaluate(child, names)
        return UNKNOWN

    def _evaluate_constant(self, node: nodes.Const, names: Names) -> Values:
        return (Live(node.value),)

    def _evaluate_name(self, node: nodes.Name, names: Names) -> Values:
        known = names.get(node.name)
        if known is None:
            known = self._templates.find_global(node.name)
        if not isinstance(known, tuple):
            return UNKNOWN
        return self._evaluator.operations.use(known, self._spot(node))

    def _evaluate_attribute(self, node: nodes.Getattr, names: Names) -> Values:
        receivers = self._evaluate(node.node, names)
        if not receivers:
            return UNKNOWN
        key = (describe(node.node), node.attr)
        spot = Spot(_forget) if key in self._loaded else self._spot(node)
        self._loaded.add(key)
        return self._read(receivers, node.attr, spot)

    def _evaluate_item(self, node: nodes.Getitem, names: Names) -> Values:
        receivers = self._evaluate(node.node, names)
        keys = self._evaluate(node.arg, names)
        if not receivers:
            return UNKNOWN
        return self._evaluator.operations.read_item(receivers, keys, self._spot(node))

    def _read(self, receivers: Values, name: str, spot: Spot) -> Values:
        """Read what a dot means in Jinja: an attribute, or else an item."""
        found: list[Values] = []
        for receiver in receivers:
            if isinstance(receiver, Record) and any(key == name for key, _ in receiver.keys):
                found.append(self._evaluator.operations.read_item((receiver,), (Live(name),), spot))
            else:
                found.append(self._evaluator.attributes.read((receiver,), name, spot))
        return join(*found)

    def _evaluate_call(self, node: nodes.Call, names: Names) -> Values:
        arguments = self._evaluate_arguments(node, names)
        macro = self._find_macro(node.node, names)
        if macro is not None:
            self._call_macro(macro, arguments, node)
            return UNKNOWN
        callees = self._evaluate(node.node, names)
        site = self._spot(node).site
        return join(*(self._evaluator.calls.call(callee, arguments, site) for callee in callees))

    def _evaluate_arguments(
        self, node: nodes.Call | nodes.Filter | nodes.Test, names: Names
    ) -> Arguments:
        arguments = Arguments([self._evaluate(argument, names) for argument in node.args or ()])
        for keyword in node.kwargs or ():
            if isinstance(keyword, nodes.Keyword):
                arguments.keywords[keyword.key] = self._evaluate(keyword.value, names)
        arguments.is_partial = node.dyn_args is not None or node.dyn_kwargs is not None
        return arguments

    def _find_macro(self, node: nodes.Expr, names: Names) -> Macro | None:
        if isinstance(node, nodes.Name):
            found = names.get(node.name)
            return found if isinstance(found, Macro) else None
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            folder = names.get(node.node.name)
            if isinstance(folder, MacroFolder):
                found = folder.macros.get(node.attr)
                return found if isinstance(found, Macro) else None
        return None

    def _call_macro(self, macro: Macro, arguments: Arguments, node: nodes.Call) -> None:
        """Walk a macro with what it is given, as a function of its own template."""
        place = macro.walk._function.place
        function = FunctionNode(f"macro {macro.node.name}", None, None, place)
        if id(macro.node) in self._calling:
            return
        walk = TemplateWalk(self._templates, function, frozenset(), frozenset())
        walk._calling = self._calling | {id(macro.node)}
        names: Names = macro.names.new_child()
        for position, parameter in enumerate(macro.node.args):
            given = arguments.get(str(position)) or arguments.get(parameter.name)
            names[parameter.name] = given or UNKNOWN
        walk.walk_all(macro.node.body, names)
        if function.sites:
            self.get_site(node).targets.append((function, Where.HERE))

    def _evaluate_filter(self, node: nodes.Filter, names: Names) -> Values:
        given = self._evaluate(node.node, names)
        arguments = self._evaluate_arguments(node, names)
        function = self._templates.find_filter(node.name)
        if function is not None:
            arguments.positional.insert(0, given)
            site = self._spot(node).site
            return self._evaluator.calls.call(Live(function), arguments, site)
        if node.name not in _ITERATING_FILTERS or not given:
            return given if node.name in _PASSING_FILTERS else UNKNOWN
        items = self._evaluator.operations.iterate(given, self._spot(node))
        return self._filter_items(node, items, arguments)

    def _filter_items(self, node: nodes.Filter, items: Values, arguments: Arguments) -> Values:
        if node.name in _ITEM_FILTERS:
            return items
        attributes = arguments.get("attribute") or UNKNOWN
        for value in attributes:
            if isinstance(value, Live) and type(value.obj) is str and items:
                for name in value.obj.split("."):
                    items = self._read(items, name, self._spot(node))
        return (Instance(list, items),)

    def _iterate(self, node: nodes.Node, names: Names) -> Values:
        values = self._evaluate(node, names)
        return self._evaluator.operations.iterate(values, self._spot(node)) if values else UNKNOWN

    def _evaluate_either(self, node: nodes.CondExpr, names: Names) -> Values:
        self._evaluate(node.test, names)
        return join(self._evaluate(node.expr1, names), self._evaluate(node.expr2, names))

    def _evaluate_or(self, node: nodes.Or | nodes.And, names: Names) -> Values:
        return join(self._evaluate(node.left, names), self._evaluate(node.right, names))

    def _evaluate_list(self, node: nodes.List | nodes.Tuple, names: Names) -> Values:
        items = join(*[self._evaluate(item, names) for item in node.items])
        return (Instance(list, items),)

    def _evaluate_dict(self, node: nodes.Dict, names: Names) -> Values:
        keys: dict[str, Values] = {}
        for pair in node.items:
            values = self._evaluate(pair.value, names)
            if isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str):
                keys[pair.key.value] = values
        return (Record(tuple(keys.items())),)

    def _assign(self, target: nodes.Node, values: Values, names: Names) -> None:
        if isinstance(target, nodes.Name):
            names[target.name] = values
            begin = f"{target.name}."
            self._loaded = {key for key in self._loaded if not f"{key[0]}.".startswith(begin)}
        elif isinstance(target, nodes.Tuple):
            for position, item in enumerate(target.items):
                self._assign(item, self._evaluator.operations.unpack(values, position), names)


def _forget() -> CallSite:
    """Return a site for what is noted at another one already."""
    return CallSite(ast.Pass(), Place("", 1), "")


def describe(node: nodes.Node) -> str:
    """Return a node as one would say it, shortened: "book.authors"."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{describe(node.node)}.{node.attr}"
        case nodes.Getitem():
            return f"{describe(node.node)}[…]"
        case nodes.Call():
            return f"{describe(node.node)}({'…' if node.args or node.kwargs else ''})"
        case nodes.Filter():
            return f"{describe(node.node) if node.node is not None else ''}|{node.name}"
        case nodes.Extends() | nodes.Include():
            name = node.template.value if isinstance(node.template, nodes.Const) else "…"
            return f'{type(node).__name__.lower()} "{name}"'
        case _:
            return "…"


_STATEMENTS: dict[type[nodes.Node], Any] = {
    nodes.Output: TemplateWalk._walk_output,
    nodes.For: TemplateWalk._walk_for,
    nodes.If: TemplateWalk._walk_if,
    nodes.With: TemplateWalk._walk_with,
    nodes.Block: TemplateWalk._walk_block,
    nodes.Assign: TemplateWalk._walk_assign,
    nodes.AssignBlock: TemplateWalk._walk_inner,
    nodes.Macro: TemplateWalk._walk_macro,
    nodes.CallBlock: TemplateWalk._walk_call_block,
    nodes.FilterBlock: TemplateWalk._walk_inner,
    nodes.Scope: TemplateWalk._walk_inner,
    nodes.ScopedEvalContextModifier: TemplateWalk._walk_inner,
    nodes.ExprStmt: TemplateWalk._walk_inner,
    nodes.Extends: TemplateWalk._walk_extends,
    nodes.Include: TemplateWalk._walk_include,
    nodes.Import: TemplateWalk._walk_import,
    nodes.FromImport: TemplateWalk._walk_from_import,
}
_EXPRESSIONS: dict[type[nodes.Node], Any] = {
    nodes.Const: TemplateWalk._evaluate_constant,
    nodes.Name: TemplateWalk._evaluate_name,
    nodes.Getattr: TemplateWalk._evaluate_attribute,
    nodes.Getitem: TemplateWalk._evaluate_item,
    nodes.Call: TemplateWalk._evaluate_call,
    nodes.Filter: TemplateWalk._evaluate_filter,
    nodes.CondExpr: TemplateWalk._evaluate_either,
    nodes.Or: TemplateWalk._evaluate_or,
    nodes.And: TemplateWalk._evaluate_or,
    nodes.List: TemplateWalk._evaluate_list,
    nodes.Tuple: TemplateWalk._evaluate_list,
    nodes.Dict: TemplateWalk._evaluate_dict,
}
