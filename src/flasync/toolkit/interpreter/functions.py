"""Walking a function once for each kind of arguments that it is called with."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.interpreter.annotations import read_annotation
from flasync.toolkit.interpreter.body import Walk
from flasync.toolkit.interpreter.live_functions import read_closure, read_defaults
from flasync.toolkit.interpreter.members import is_a
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.trees import read_facts
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Instance,
    Live,
    Record,
    Row,
    Scope,
    Value,
    Values,
    build_row,
    widen,
)
from flasync.toolkit.sources import FunctionTree, SourceFile

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator

# Kinds of arguments that a function is walked with, before all others count as unknown.
MAX_VARIANTS = 12
# Calls in calls, after which a chain is given up as unresolved.
MAX_DEPTH = 80


@dataclass(slots=True, eq=False)
class Summary:
    """What walking a function with certain arguments has shown."""

    node: FunctionNode
    returns: Values = UNKNOWN
    yields: Values = UNKNOWN


class Functions(Part):
    """Walks functions and keeps what that has shown."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._summaries: dict[Any, Summary] = {}
        self._variants: Counter[Any] = Counter()
        self._depth = 0

    def walk_live(
        self,
        target: FunctionType,
        source: SourceFile,
        tree: FunctionTree,
        receiver: Value | None,
        arguments: Arguments,
    ) -> Summary | None:
        """Walk a live function with these arguments; None when it was given up."""
        namespace = target.__globals__
        key = target if target.__closure__ else None
        values = self.bind(tree, receiver, arguments, namespace, read_defaults(target))
        known = self._summaries.get((tree, key, tuple(values.items())))
        if known is not None:  # as every other time
            return known
        closure = read_closure(target)
        outer = Scope({name: (Live(value),) for name, value in closure.items()})
        outer.namespace = namespace
        outer.module = namespace.get("__name__", "")
        owner = None
        if "__class__" in closure:  # `super()` also works where a wrapper passes `self` on
            first = receiver or next(iter(next(iter(values.values()), ())), None)
            owner = (first or Instance(closure["__class__"]), closure["__class__"])
        name = f"{target.__module__}.{target.__code__.co_qualname}".replace(".<locals>", "")
        return self.walk(tree, source, name, outer, (key,), values, owner)

    def walk(
        self,
        tree: FunctionTree,
        source: SourceFile,
        name: str,
        outer: Scope,
        key: tuple[object, ...],
        values: dict[str, Values],
        owner: tuple[Any, Any] | None,
    ) -> Summary | None:
        """Walk a function with these parameters, or return what that showed before."""
        # The objects themselves and not their ids, which become those of others in time.
        variants = (tree, *key)
        full = (*variants, tuple(values.items()))
        summary = self._summaries.get(full)
        if summary is not None:
            return summary
        self._variants[variants] += 1
        if self._variants[variants] > MAX_VARIANTS:
            kept = self._keep_deciding(values, is_method=owner is not None)
            full = (*variants, tuple(kept.items()))
            values = {parameter: kept.get(parameter, UNKNOWN) for parameter in values}
            summary = self._summaries.get(full)
            if summary is not None:
                return summary
        node = FunctionNode(name, source, tree, source.locate(tree), namespace=outer.namespace)
        self._summaries[full] = summary = Summary(node)
        if self._depth >= MAX_DEPTH:
            node.unresolved.append((node.place, f"{name} (too many calls in calls)"))
            return summary
        self._evaluator.walked.append(node)
        scope = Scope(
            dict(values), read_facts(tree).local_names, outer, outer.namespace, outer.module
        )
        walk = Walk(self._evaluator, node, source, scope, owner)
        self._depth += 1
        try:
            if isinstance(tree, ast.Lambda):
                summary.returns = walk.evaluate(tree.body)
            else:
                walk.walk_block(tree.body)
                summary.returns = walk.returns
                if not summary.returns and tree.returns is not None:
                    self_values = next(iter(values.values()), UNKNOWN) if owner else UNKNOWN
                    summary.returns = read_annotation(tree.returns, outer.namespace, self_values)
        finally:
            self._depth -= 1
        summary.yields = walk.yields
        return summary

    def _keep_deciding(self, values: dict[str, Values], *, is_method: bool) -> dict[str, Values]:
        """Return the parameters that say which code runs, of which there are finitely many."""
        kept: dict[str, Values] = {}
        for position, (name, given) in enumerate(values.items()):
            first = given[0] if len(given) == 1 else None
            if position == 0 and (is_method or name == "self"):
                kept[name] = given
            elif isinstance(first, Row):
                kept[name] = (build_row(first.places[:1]),)  # the receiver, behind `*args`
            elif _decides(given):
                kept[name] = given
        return kept

    def bind(
        self,
        tree: FunctionTree,
        receiver: Value | None,
        arguments: Arguments,
        namespace: Mapping[str, Any],
        defaults: Mapping[str, Any],
    ) -> dict[str, Values]:
        """Return what the parameters of a function stand for in a call."""
        parameters = [*tree.args.posonlyargs, *tree.args.args]
        given = [*arguments.positional]
        if receiver is not None:
            given.insert(0, (receiver,))
        values: dict[str, Values] = {}
        # A text that may name a template or an attribute must stay the text that it is.
        keep = read_facts(tree).keeps_texts
        for position, parameter in enumerate(parameters):
            name = parameter.arg
            known = given[position] if position < len(given) else arguments.keywords.get(name)
            values[name] = known if keep and known else widen(known or UNKNOWN)
        for parameter in tree.args.kwonlyargs:
            values[parameter.arg] = widen(arguments.keywords.get(parameter.arg, UNKNOWN))
        for parameter in (*parameters, *tree.args.kwonlyargs):
            name = parameter.arg
            if not values[name] and parameter.annotation is not None:
                values[name] = read_annotation(parameter.annotation, namespace)
            if not values[name] and defaults.get(name) is not None:
                values[name] = widen((Live(defaults[name]),))
        if tree.args.vararg is not None:
            rest = map(widen, given[len(parameters) :])
            values[tree.args.vararg.arg] = (build_row(rest),)
        if tree.args.kwarg is not None:
            others = tuple(
                (name, widen(given_values))
                for name, given_values in arguments.keywords.items()
                if name not in values
            )
            values[tree.args.kwarg.arg] = (Record(others),)
        return values


def _decides(values: Values) -> bool:
    """Return whether values say which code runs, and are not made anew by each walk."""
    first = values[0] if values else None
    return isinstance(first, Live) and is_a(first.obj, FunctionType, MethodType)
