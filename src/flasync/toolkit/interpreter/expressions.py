"""Walking expressions: what they may be, and what evaluating them calls."""

from __future__ import annotations

import ast
import builtins
import datetime
import decimal
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import CallSite, FunctionNode, Usage
from flasync.toolkit.interpreter.operations import may_be_proxies
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.values import (
    MAX_ALTERNATIVES,
    UNKNOWN,
    Arguments,
    Function,
    Instance,
    Live,
    Record,
    Row,
    Scope,
    Super,
    Value,
    Values,
    build_row,
    join,
)
from flasync.toolkit.sources import SourceFile

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator

# Methods of strings, lists, dicts and the like, which wait for nothing whatever they belong to.
_PLAIN_METHODS = frozenset(
    name
    for cls in (str, bytes, int, float, list, tuple, dict, set)
    for name in vars(cls)
    if not name.startswith("_")
)
_OPERATORS = {ast.Add: "__add__", ast.Div: "__truediv__", ast.BitOr: "__or__", ast.Mod: "__mod__"}
# Builtins that call one method of what they are given.
_PROTOCOLS = {
    bool: "__bool__",
    bytes: "__bytes__",
    hash: "__hash__",
    int: "__int__",
    len: "__len__",
    next: "__next__",
    repr: "__repr__",
    str: "__str__",
}
# These, and the builtins whose calls are about names themselves.
_SPECIAL_IDS = frozenset(map(id, (super, getattr, dict, type, *_PROTOCOLS)))
# Types whose arithmetic stays among them.
_COMPUTED_TYPES: tuple[type, ...] = (
    *(bytes, complex, float, int, str, decimal.Decimal),
    *(datetime.date, datetime.datetime, datetime.timedelta),
)
# Methods of containers that put something in.
_ADDERS = frozenset({"add", "append", "appendleft", "insert"})
_LONGEST_TEXT = 60


class ExpressionWalk:
    """One walk through the expressions of a function, or through a lambda.

    Args:
        evaluator: What resolves attributes and calls.
        function: Where the call sites are put.
        source: The file of the code.
        scope: Its names; parameters are already there.
        owner: For a method: the object that it is called on, and the class it is found in.

    Attributes:
        returns: What it returns, so far.
        yields: What it yields, so far.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        function: FunctionNode,
        source: SourceFile,
        scope: Scope,
        owner: tuple[Value, Any] | None = None,
    ) -> None:
        self.returns: Values = UNKNOWN
        self.yields: Values = UNKNOWN
        self._evaluator = evaluator
        self._function = function
        self._source = source
        self._scope = scope
        self._owner = owner
        self._sites: dict[int, CallSite] = {}
        self._loaded: dict[str, set[str]] = {}

    def get_site(self, node: ast.AST) -> CallSite:
        """Return the call site of a node, made when it is not there."""
        site = self._sites.get(id(node))
        if site is None:
            known = self._source.spots.get(id(node))
            if known is None:
                known = self._source.spots[id(node)] = (self._source.locate(node), describe(node))
            site = self._sites[id(node)] = CallSite(node, *known)
            self._function.sites.append(site)
        return site

    def _spot(self, node: ast.AST) -> Spot:
        return Spot(self.get_site, node)

    def evaluate(self, node: ast.expr | None) -> Values:
        """Return what an expression may be, and note what evaluating it runs."""
        if node is None:
            return UNKNOWN
        evaluate = _EXPRESSIONS.get(type(node))
        return evaluate(self, node) if evaluate is not None else UNKNOWN

    # Expressions

    def _evaluate_name(self, node: ast.Name) -> Values:
        scope: Scope | None = self._scope
        name = node.id
        while scope is not None:
            if name in scope.names:
                values = scope.names[name]
                # As nearly always there is no proxy, and no spot is needed.
                return self._use(values, node) if may_be_proxies(values) else values
            if name in scope.local_names:
                return UNKNOWN
            if scope.outer is None:
                break
            scope = scope.outer
        namespace = self._scope.namespace
        if name in namespace:
            values = (Live(namespace[name]),)
            return self._use(values, node) if may_be_proxies(values) else values
        builtin = getattr(builtins, name, None)
        return (Live(builtin),) if builtin is not None else UNKNOWN

    def _use(self, values: Values, node: ast.AST) -> Values:
        """Return what values are once they are used; see `Operations.use`."""
        return self._evaluator.operations.use(values, self._spot(node))

    def _evaluate_attribute(self, node: ast.Attribute) -> Values:
        receivers = self.evaluate(node.value)
        if not receivers:
            return UNKNOWN
        if self._note_loaded(node):
            # Read before by this name: whatever that runs is noted there.
            return self._evaluator.attributes.read(receivers, node.attr, Spot(self._forget))
        return self._evaluator.attributes.read(receivers, node.attr, self._spot(node))

    def _forget(self) -> CallSite:
        return CallSite(ast.Pass(), self._function.place, "")

    def _evaluate_call(self, node: ast.Call) -> Values:
        callees = self.evaluate(node.func)
        arguments = self._evaluate_arguments(node)
        special = self._call_special(node, callees, arguments)
        if special is not None:
            return special
        site = self.get_site(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _ADDERS:
            self._note_addition(function.value, arguments)
        if not callees:
            self._note_unresolved(node)
            return UNKNOWN
        call = self._evaluator.calls.call
        if len(callees) == 1:  # as nearly always
            return join(call(callees[0], arguments, site))
        return join(*[call(callee, arguments, site) for callee in callees])

    def _note_addition(self, container: ast.expr, arguments: Arguments) -> None:
        """Remember what `rows.append(book)` puts into a container made here."""
        if isinstance(container, ast.Name):
            held = self._scope.names.get(container.id)
            if held and arguments.positional:
                given = arguments.positional[-1]
                added = tuple(_add_item(item, None, given) for item in held)
                self._scope.names[container.id] = added

    def _call_special(self, node: ast.Call, callees: Values, arguments: Arguments) -> Values | None:
        """Evaluate the calls that are about names themselves: `super()` and `getattr(x, "y")`."""
        special = [
            callee.obj
            for callee in callees
            if type(callee) is Live and id(callee.obj) in _SPECIAL_IDS
        ]
        if not special:
            return None
        if super in special:
            return self._find_super()
        if getattr in special and len(node.args) > 1:
            names = [value.obj for value in arguments.positional[1] if isinstance(value, Live)]
            found = [
                self._evaluator.attributes.read(arguments.positional[0], name, self._spot(node))
                for name in names
                if type(name) is str
            ]
            default = arguments.positional[2] if len(arguments.positional) > 2 else UNKNOWN  # noqa: PLR2004 (getattr's third argument)
            return join(*found, default)
        for builtin in special:
            method = _PROTOCOLS.get(builtin)
            if method is not None and arguments.positional:
                self._evaluator.operations.operate(
                    arguments.positional[0], method, self._spot(node)
                )
        if dict in special and not node.args and not arguments.is_partial:
            return (Record(tuple(arguments.keywords.items())),)
        if type in special and len(node.args) == 1:
            return self._evaluator.operations.get_types(arguments.positional[0])
        return None

    def _find_super(self) -> Values:
        if self._owner is None:
            return UNKNOWN
        receiver, after = self._owner
        return (Super(receiver, after),)

    def _evaluate_arguments(self, node: ast.Call) -> Arguments:
        arguments = Arguments()
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._add_starred(arguments, argument.value)
            elif not arguments.is_partial:
                arguments.positional.append(self.evaluate(argument))
            else:
                self.evaluate(argument)
        for keyword in node.keywords:
            values = self.evaluate(keyword.value)
            if keyword.arg is not None:
                arguments.keywords[keyword.arg] = values
                continue
            arguments.is_partial = True
            for value in values:
                if isinstance(value, Record):
                    arguments.keywords.update(value.keys)
        return arguments

    def _add_starred(self, arguments: Arguments, node: ast.expr) -> None:
        values = self.evaluate(node)
        self._evaluator.operations.iterate(values, self._spot(node))
        first = values[0] if len(values) == 1 else None
        if isinstance(first, Row) and not arguments.is_partial:
            arguments.positional.extend(first.places)
        else:
            arguments.is_partial = True

    def _note_unresolved(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _PLAIN_METHODS:
            return
        self._function.unresolved.append((self._source.locate(node), describe(node)))

    def _evaluate_await(self, node: ast.Await) -> Values:
        values = self.evaluate(node.value)
        if isinstance(node.value, ast.Call) and id(node.value) in self._sites:
            self._sites[id(node.value)].usage = Usage.AWAITED
        return values  # a coroutine stands here for what it will return

    def _evaluate_operation(self, node: ast.BinOp) -> Values:
        left = self.evaluate(node.left)
        self.evaluate(node.right)
        plain = _compute(left, node.op)
        if plain:
            return plain
        method = _OPERATORS.get(type(node.op))
        if method is None or not left:
            return UNKNOWN
        return self._evaluator.operations.operate(left, method, self._spot(node))

    def _evaluate_bool(self, node: ast.BoolOp) -> Values:
        return join(*[self.evaluate(value) for value in node.values])

    def _evaluate_compare(self, node: ast.Compare) -> Values:
        self.evaluate(node.left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            values = self.evaluate(right)
            if values and isinstance(operator, ast.In | ast.NotIn):
                self._evaluator.operations.operate(values, "__contains__", self._spot(right))
        return UNKNOWN

    def _evaluate_if(self, node: ast.IfExp) -> Values:
        self.evaluate(node.test)
        return join(self.evaluate(node.body), self.evaluate(node.orelse))

    def _evaluate_lambda(self, node: ast.Lambda) -> Values:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.evaluate(default)
        name = f"{self._function.name}.<lambda>"
        return (Function(node, self._source, self._scope, name),)

    def _evaluate_dict(self, node: ast.Dict) -> Values:
        keys: dict[str, Values] = {}
        others: list[Values] = []
        for key, value in zip(node.keys, node.values, strict=True):
            values = self.evaluate(value)
            if key is None:
                for inner in values:
                    if isinstance(inner, Record):
                        keys.update(inner.keys)
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                keys[key.value] = values
            else:
                self.evaluate(key)
                others.append(values)
        return (Record(tuple(keys.items()), join(*others)),)

    def _evaluate_sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Values:
        places = [self.evaluate(item) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return (build_row(places),)
        items = join(*places)
        cls = {ast.List: list, ast.Set: set}[type(node)]
        return (Instance(cls, items),)

    def _evaluate_comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> Values:
        before = self._scope.names
        self._scope.names = dict(before)
        for generator in node.generators:
            self._assign(generator.target, self._iterate(generator.iter), None)
            for condition in generator.ifs:
                self.evaluate(condition)
        if isinstance(node, ast.DictComp):
            self.evaluate(node.key)
            found: Values = (Record((), self.evaluate(node.value)),)
        else:
            cls = {ast.ListComp: list, ast.SetComp: set}.get(type(node), GeneratorType)
            found = (Instance(cls, self.evaluate(node.elt)),)
        self._scope.names = before
        return found

    def _evaluate_subscript(self, node: ast.Subscript) -> Values:
        receivers = self.evaluate(node.value)
        keys = self.evaluate(node.slice)
        if not receivers:
            return UNKNOWN
        return self._evaluator.operations.read_item(receivers, keys, self._spot(node))

    def _evaluate_named(self, node: ast.NamedExpr) -> Values:
        values = self.evaluate(node.value)
        self._assign(node.target, values, node.value)
        return values

    def _evaluate_yield(self, node: ast.Yield) -> Values:
        self.yields = join(self.yields, self.evaluate(node.value))
        return UNKNOWN

    def _evaluate_yield_from(self, node: ast.YieldFrom) -> Values:
        self.yields = join(self.yields, self._iterate(node.value))
        return UNKNOWN

    def _evaluate_constant(self, node: ast.Constant) -> Values:
        return (Live(node.value),)

    def _evaluate_text(self, node: ast.JoinedStr) -> Values:
        """Return an f-string whose parts are all known, as the name of a template may be."""
        texts = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            known = [
                value.obj
                for value in self.evaluate(inner)
                if isinstance(value, Live) and type(value.obj) is str
            ]
            texts = [text + piece for text in texts for piece in known][:MAX_ALTERNATIVES]
        return tuple(map(Live, texts))

    def _evaluate_parts(self, node: ast.expr) -> Values:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
        return UNKNOWN

    # Names

    def _iterate(self, node: ast.expr) -> Values:
        values = self.evaluate(node)
        return self._evaluator.operations.iterate(values, self._spot(node)) if values else UNKNOWN

    def _assign(self, target: ast.expr, values: Values, node: ast.expr | None) -> None:
        match target:
            case ast.Name():
                self._assign_name(target.id, values)
            case ast.Attribute():
                receivers = self.evaluate(target.value)
                self._evaluator.stored.assign(receivers, target.attr, values, self._spot(target))
                self._note_loaded(target)
            case ast.Subscript():
                self._assign_item(target, values)
            case ast.Tuple() | ast.List():
                self._unpack(target.elts, values, node)
            case ast.Starred():
                self._assign(target.value, (Instance(list, values),), None)

    def _assign_name(self, name: str, values: Values) -> None:
        self._loaded.pop(name, None)
        scope: Scope | None = self._scope
        if name not in self._scope.local_names:  # `nonlocal`
            while scope is not None and name not in scope.names:
                scope = scope.outer
        owner = scope or self._scope
        known = UNKNOWN if owner is self._scope else owner.names.get(name, UNKNOWN)
        owner.names[name] = join(known, values)

    def _note_loaded(self, node: ast.Attribute) -> bool:
        """Note that an attribute of a name has its value; return whether it had it before."""
        if not isinstance(node.value, ast.Name):
            return False
        loaded = self._loaded.setdefault(node.value.id, set())
        if node.attr in loaded:
            return True
        loaded.add(node.attr)
        return False

    def _assign_item(self, target: ast.Subscript, values: Values) -> None:
        receivers = self.evaluate(target.value)
        self.evaluate(target.slice)
        if receivers:
            self._evaluator.operations.operate(receivers, "__setitem__", self._spot(target))
        if not isinstance(target.value, ast.Name) or target.value.id not in self._scope.names:
            return
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        self._scope.names[target.value.id] = tuple(
            _add_item(receiver, key, values) for receiver in receivers
        )

    def _unpack(self, targets: list[ast.expr], values: Values, node: ast.expr | None) -> None:
        if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(targets):
            # Their parts were evaluated just now; this gives what each of them is.
            for target, part in zip(targets, node.elts, strict=True):
                self._assign(target, self.evaluate(part), part)
            return
        for position, target in enumerate(targets):
            self._assign(target, self._evaluator.operations.unpack(values, position), None)


def _add_item(receiver: Value, key: Any, values: Values) -> Value:
    if isinstance(receiver, Record):
        if isinstance(key, str):
            return Record(tuple({**dict(receiver.keys), key: values}.items()), receiver.others)
        return Record(receiver.keys, join(receiver.others, values))
    if isinstance(receiver, Instance):
        return Instance(receiver.cls, join(receiver.items, values))
    return receiver


def _compute(left: Values, operator: ast.operator) -> Values:
    """Return what arithmetic on numbers, texts and dates gives, as far as the left side tells."""
    found: list[Value] = []
    for value in left:
        cls: Any = type(value.obj) if isinstance(value, Live) else getattr(value, "cls", None)
        if not any(cls is computed for computed in _COMPUTED_TYPES):
            return UNKNOWN
        found.append(Instance(cls))
        if isinstance(operator, ast.Sub) and (cls is datetime.date or cls is datetime.datetime):
            found.append(Instance(datetime.timedelta))
    return join(found)


def describe(node: ast.AST) -> str:
    """Return a node as one would say it, shortened: "supplier.stock(…)"."""
    if isinstance(node, ast.Call):
        arguments = "…" if node.args or node.keywords else ""
        return f"{describe(node.func)}({arguments})"
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return _shorten(f"{describe(node.value)}.{node.attr}")
    return _shorten(" ".join(ast.unparse(node).split()))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else "…" + text[1 - _LONGEST_TEXT :]


_EXPRESSIONS: dict[type[ast.AST], Any] = {
    ast.Name: ExpressionWalk._evaluate_name,
    ast.Attribute: ExpressionWalk._evaluate_attribute,
    ast.Call: ExpressionWalk._evaluate_call,
    ast.Await: ExpressionWalk._evaluate_await,
    ast.BinOp: ExpressionWalk._evaluate_operation,
    ast.BoolOp: ExpressionWalk._evaluate_bool,
    ast.Compare: ExpressionWalk._evaluate_compare,
    ast.IfExp: ExpressionWalk._evaluate_if,
    ast.Lambda: ExpressionWalk._evaluate_lambda,
    ast.Dict: ExpressionWalk._evaluate_dict,
    ast.List: ExpressionWalk._evaluate_sequence,
    ast.Tuple: ExpressionWalk._evaluate_sequence,
    ast.Set: ExpressionWalk._evaluate_sequence,
    ast.ListComp: ExpressionWalk._evaluate_comprehension,
    ast.SetComp: ExpressionWalk._evaluate_comprehension,
    ast.GeneratorExp: ExpressionWalk._evaluate_comprehension,
    ast.DictComp: ExpressionWalk._evaluate_comprehension,
    ast.Subscript: ExpressionWalk._evaluate_subscript,
    ast.NamedExpr: ExpressionWalk._evaluate_named,
    ast.Yield: ExpressionWalk._evaluate_yield,
    ast.YieldFrom: ExpressionWalk._evaluate_yield_from,
    ast.Constant: ExpressionWalk._evaluate_constant,
    ast.UnaryOp: ExpressionWalk._evaluate_parts,
    ast.JoinedStr: ExpressionWalk._evaluate_text,
    ast.FormattedValue: ExpressionWalk._evaluate_parts,
    ast.Starred: ExpressionWalk._evaluate_parts,
    ast.Slice: ExpressionWalk._evaluate_parts,
}
