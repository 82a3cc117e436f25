"""Walking the body of one function: what its names stand for, and what it calls.

Statements are taken in their order. Where ways part, both are walked, and after them a name stands
for what it may be on either. A loop's body is walked once: what it assigns is known after it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import Usage
from flasync.toolkit.interpreter.annotations import read_annotation
from flasync.toolkit.interpreter.expressions import ExpressionWalk
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Function,
    Scope,
    SourceClass,
    Values,
    join,
)
from flasync.toolkit.sources import SourceFile

if TYPE_CHECKING:
    pass


class Walk(ExpressionWalk):
    """One walk through a function or a module; the arguments are those of `ExpressionWalk`."""

    def walk_block(self, statements: Sequence[ast.stmt]) -> None:
        """Walk statements in their order."""
        for statement in statements:
            walk = _STATEMENTS.get(type(statement))
            if walk is not None:
                walk(self, statement)

    # Statements

    def _walk_expr(self, node: ast.Expr) -> None:
        self.evaluate(node.value)
        value = node.value
        if isinstance(value, ast.Call) and id(value) in self._sites:
            self._sites[id(value)].usage = Usage.DISCARDED

    def _walk_assign(self, node: ast.Assign) -> None:
        values = self.evaluate(node.value)
        for target in node.targets:
            self._assign(target, values, node.value)

    def _walk_ann_assign(self, node: ast.AnnAssign) -> None:
        values = self.evaluate(node.value) if node.value is not None else UNKNOWN
        self._assign(node.target, values or self._read_annotation(node.annotation), node.value)

    def _walk_aug_assign(self, node: ast.AugAssign) -> None:
        self.evaluate(node.value)
        if isinstance(node.target, ast.Attribute | ast.Subscript):
            self.evaluate(node.target.value)

    def _walk_return(self, node: ast.Return) -> None:
        self.returns = join(self.returns, self.evaluate(node.value))

    def _walk_for(self, node: ast.For | ast.AsyncFor) -> None:
        items = self._iterate(node.iter)
        before = dict(self._scope.names)
        self._assign(node.target, items, None)
        self.walk_block(node.body)
        self._merge(before)
        self.walk_block(node.orelse)

    def _walk_while(self, node: ast.While) -> None:
        self.evaluate(node.test)
        before = dict(self._scope.names)
        self.walk_block(node.body)
        self._merge(before)
        self.walk_block(node.orelse)

    def _walk_if(self, node: ast.If) -> None:
        self.evaluate(node.test)
        before = dict(self._scope.names)
        self._narrow(node.test)
        self.walk_block(node.body)
        after_body = self._scope.names
        self._scope.names = before
        self.walk_block(node.orelse)
        if not _always_leaves(node.body):
            if _always_leaves(node.orelse):
                self._scope.names = after_body
            else:
                self._merge(after_body)

    def _walk_with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            managers = self.evaluate(item.context_expr)
            entered = self._evaluator.operations.enter(managers, self._spot(item.context_expr))
            if item.optional_vars is not None:
                self._assign(item.optional_vars, entered, None)
        self.walk_block(node.body)

    def _walk_try(self, node: ast.Try | ast.TryStar) -> None:
        before = dict(self._scope.names)
        self.walk_block(node.body)
        self.walk_block(node.orelse)
        self._merge(before)
        after = self._scope.names
        for handler in node.handlers:
            self._scope.names = dict(after)
            classes = self.evaluate(handler.type)
            if handler.name:
                caught = self._evaluator.operations.instantiate(classes)
                self._scope.names[handler.name] = caught
            self.walk_block(handler.body)
            self._merge(after)
            after = self._scope.names
        self.walk_block(node.finalbody)

    def _walk_match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        before = dict(self._scope.names)
        merged = dict(before)
        for case in node.cases:
            self._scope.names = dict(before)
            self._bind_pattern(case.pattern, subject)
            self.evaluate(case.guard)
            self.walk_block(case.body)
            self._merge(merged)
            merged = self._scope.names

    def _bind_pattern(self, pattern: ast.pattern, subject: Values) -> None:
        if isinstance(pattern, ast.MatchAs) and pattern.name:
            inner = pattern.pattern
            if isinstance(inner, ast.MatchClass):
                subject = (
                    self._evaluator.operations.instantiate(self.evaluate(inner.cls)) or subject
                )
            self._scope.names[pattern.name] = subject
        for child in ast.iter_child_nodes(pattern):
            if isinstance(child, ast.pattern):
                self._bind_pattern(child, subject if isinstance(pattern, ast.MatchOr) else UNKNOWN)

    def _walk_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        name = f"{self._function.name}.{node.name}"
        function: Values = (Function(node, self._source, self._scope, name),)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.evaluate(default)
        for decorator in reversed(node.decorator_list):
            decorators = self.evaluate(decorator)
            self._evaluator.defining = node.name
            function = self._decorate(decorators, function, decorator)
            self._evaluator.defining = ""
        self._scope.names[node.name] = function

    def _decorate(self, decorators: Values, function: Values, node: ast.expr) -> Values:
        if not decorators:
            return function
        return self._evaluator.calls.decorate(decorators, function, self._spot(node)) or function

    def _walk_class(self, node: ast.ClassDef) -> None:
        bases = tuple(self.evaluate(base) for base in node.bases)
        name = f"{self._function.name}.{node.name}"
        inner = Scope({}, frozenset(), self._scope, self._scope.namespace, self._scope.module)
        body = Walk(self._evaluator, self._function, self._source, inner)
        body._sites = self._sites
        cls = SourceClass(node, self._scope, bases, inner.names, name)
        body.walk_block(node.body)
        for member, values in list(inner.names.items()):
            # A method's free names are those around the class, not those of its body.
            inner.names[member] = tuple(
                Function(value.tree, value.source, self._scope, f"{name}.{member}", cls)
                if isinstance(value, Function) and value.scope is inner
                else value
                for value in values
            )
        self._scope.names[node.name] = (cls,)

    def _walk_import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            bound = alias.asname or name
            self._scope.names[bound] = self._evaluator.modules.import_module(name)

    def _walk_import_from(self, node: ast.ImportFrom) -> None:
        module = _resolve_relative(node, self._scope.module, self._source)
        for alias in node.names:
            if alias.name == "*":
                self._scope.names.update(self._evaluator.modules.import_all(module))
                continue
            found = self._evaluator.modules.import_name(module, alias.name)
            self._scope.names[alias.asname or alias.name] = found

    def _walk_value(self, node: ast.Raise | ast.Assert | ast.Delete) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)

    def _narrow(self, test: ast.expr) -> None:
        """Believe `isinstance(name, cls)` in the branch where it holds."""
        match test:
            case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name() as subject, cls]):
                if not self._scope.names.get(subject.id) and subject.id in self._scope.local_names:
                    found = self._evaluator.operations.instantiate(self.evaluate(cls))
                    self._scope.names[subject.id] = found

    def _merge(self, other: dict[str, Values]) -> None:
        names = self._scope.names
        for name, values in other.items():
            known = names.get(name)
            if known is None:
                names[name] = values
            elif known is not values and known != values:
                names[name] = join(known, values)

    def _read_annotation(self, annotation: ast.expr) -> Values:
        return read_annotation(annotation, self._scope.namespace)


def _always_leaves(statements: Sequence[ast.stmt]) -> bool:
    last = statements[-1] if statements else None
    return isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break)


def _resolve_relative(node: ast.ImportFrom, module: str, source: SourceFile) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if source.path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


_STATEMENTS: dict[type[ast.AST], Any] = {
    ast.Expr: Walk._walk_expr,
    ast.Assign: Walk._walk_assign,
    ast.AnnAssign: Walk._walk_ann_assign,
    ast.AugAssign: Walk._walk_aug_assign,
    ast.Return: Walk._walk_return,
    ast.For: Walk._walk_for,
    ast.AsyncFor: Walk._walk_for,
    ast.While: Walk._walk_while,
    ast.If: Walk._walk_if,
    ast.With: Walk._walk_with,
    ast.AsyncWith: Walk._walk_with,
    ast.Try: Walk._walk_try,
    ast.TryStar: Walk._walk_try,
    ast.Match: Walk._walk_match,
    ast.FunctionDef: Walk._walk_function,
    ast.AsyncFunctionDef: Walk._walk_function,
    ast.ClassDef: Walk._walk_class,
    ast.Import: Walk._walk_import,
    ast.ImportFrom: Walk._walk_import_from,
    ast.Raise: Walk._walk_value,
    ast.Assert: Walk._walk_value,
    ast.Delete: Walk._walk_value,
}
