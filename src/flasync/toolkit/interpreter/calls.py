"""Calls: which functions a call may run, and what it gives."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from types import FunctionType, GeneratorType, MethodType
from typing import TYPE_CHECKING, Any

from flasync.toolkit.graph import CallSite, FunctionNode, Where
from flasync.toolkit.identity_memo import IdentityMemo
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.annotations import read_annotation
from flasync.toolkit.interpreter.containers import call_builtin, call_method
from flasync.toolkit.interpreter.functions import Summary
from flasync.toolkit.interpreter.live_functions import (
    is_coroutine_function,
    list_wrapped,
    read_closure,
    unwrap,
)
from flasync.toolkit.interpreter.members import is_a, name_class
from flasync.toolkit.interpreter.part import Part
from flasync.toolkit.interpreter.spots import Spot
from flasync.toolkit.interpreter.trees import leaves_to_subclasses, read_facts
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Function,
    Instance,
    Live,
    Named,
    Partial,
    SourceClass,
    Value,
    Values,
    is_constant,
    join,
)
from flasync.toolkit.sources import FunctionTree

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator


# Subclasses of an abstract class whose methods are followed; further ones are many of a kind.
MAX_OVERRIDES = 12


class Calls(Part):
    """Resolves calls and notes at their sites what they run."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._annotations = IdentityMemo(_find_return_annotation)

    def call(
        self, callee: Value, arguments: Arguments, site: CallSite, where: Where = Where.HERE
    ) -> Values:
        """Return what a call gives, and note at its site what it runs."""
        if self._evaluator.intercept is not None:
            made = self._evaluator.intercept(callee, arguments, site)
            if made is not None:
                return made
        if isinstance(callee, Partial):
            return self._call_partial(callee, arguments, site, where)
        if isinstance(callee, Live) and is_a(callee.obj, functools.partial, MethodType):
            if is_a(callee.obj, functools.partial):
                return self._call_live_partial(callee.obj, arguments, site, where)
            method = callee.obj
            receiver = Live(method.__self__)
            name = members.get_name(method.__func__)
            return self.call(
                Bound(receiver, name, (Live(method.__func__),)), arguments, site, where
            )
        get_items = self._evaluator.operations.get_items
        if isinstance(callee, Bound):
            given = call_method(callee.receiver, callee.name, arguments, get_items)
            if given is not None:
                return given
        passed = _pass_function_on(callee, arguments)
        if passed is not None:
            return passed
        known = self._evaluator.known.find(callee)
        if known is not None:
            name, entry = known
            site.add_names(name)
            if entry.decorator is not None and arguments.positional:
                return arguments.positional[0]  # what it wraps; calling that is another site
            if entry.blocking or entry.runs or entry.template or entry.returns:
                found = self._evaluator.effects.apply(name, entry, callee, arguments, site, where)
                return call_builtin(callee, arguments, get_items) or found
        return self._call_unknown(callee, arguments, site, where)

    def _call_unknown(
        self, callee: Value, arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        """Call something of which the knowledge says nothing."""
        match callee:
            case Bound(receiver, name, functions):
                if not functions:
                    site.add_names(f"{name_class(receiver)}.{name}")
                functions = join(functions, self._find_overrides(receiver, name, functions))
                found = [
                    self.call_function(function, receiver, arguments, site, where)
                    for function in functions
                ]
                return join(*found)
            case Live(obj=obj) if is_a(obj, type):
                return self._evaluator.construction.construct(callee, arguments, site, where)
            case SourceClass():
                return self._evaluator.construction.construct(callee, arguments, site, where)
            case Live(obj=obj) if is_a(obj, FunctionType):
                return self.call_function(callee, None, arguments, site, where)
            case Function():
                return self.call_function(callee, None, arguments, site, where)
            case Live(obj=obj):
                site.add_names(*self._evaluator.knowledge.list_names(obj))
                return self._call_object(callee, arguments, site, where)
            case Instance():
                return self._call_object(callee, arguments, site, where)
            case Named(name):
                site.add_names(name)
                self.run_callbacks(arguments, site)
                return (Instance(callee),) if name.rpartition(".")[2][:1].isupper() else UNKNOWN
            case _:
                return UNKNOWN

    def _find_overrides(self, receiver: Value, name: str, functions: Values) -> Values:
        """Return what subclasses do for a method that the class of an object leaves to them."""
        cls = receiver.cls if isinstance(receiver, Instance) and not receiver.is_new else None
        if not isinstance(cls, type) or not any(map(self._is_abstract, functions)):
            return UNKNOWN
        found: list[Value] = []
        waiting: list[type] = type.__subclasses__(cls)
        while waiting and len(found) < MAX_OVERRIDES:
            subclass = waiting.pop(0)
            waiting += type.__subclasses__(subclass)
            member = members.get_members(subclass).get(name)
            if is_a(member, FunctionType) and self._evaluator.ownership.is_own_class(subclass):
                found.append(Live(member))
        return tuple(found)

    def _is_abstract(self, function: Value) -> bool:
        if not isinstance(function, Live) or not is_a(function.obj, FunctionType):
            return False
        _, tree = self._evaluator.ownership.find_source(function.obj)
        return tree is not None and leaves_to_subclasses(tree)

    def _call_object(
        self, callee: Value, arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        """Call an object through the `__call__` of its class."""
        cls = members.get_class(callee)
        found = members.find_in_class(cls, "__call__") if cls is not None else None
        if found is None or not isinstance(found[0], FunctionType | tuple):
            return self._call_opaque(callee, arguments, site, where)
        functions = members.to_values(found[0])
        return self.call(Bound(callee, "__call__", functions), arguments, site, where)

    def _call_opaque(
        self, callee: Value, arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        """Call an object whose `__call__` is not Python: what it wraps runs."""
        wrapped = list(list_wrapped(callee.obj)) if isinstance(callee, Live) else []
        own = [inner for inner in wrapped if self._evaluator.ownership.leads_home(inner)]
        if own:
            return join(*(self.call(Live(inner), arguments, site, where) for inner in own))
        self.run_callbacks(arguments, site)
        # Libraries that make their classes at run time are known by the object called: boto3's
        # `resource.Bucket(name)` is another of its kind.
        return (callee,) if isinstance(callee, Instance) else UNKNOWN

    def call_function(
        self,
        function: Value,
        receiver: Value | None,
        arguments: Arguments,
        site: CallSite,
        where: Where,
    ) -> Values:
        """Call a function, a method's function with its receiver included."""
        if isinstance(function, Function):
            return self._call_source(function, receiver, arguments, site, where)
        if not isinstance(function, Live):
            return self.call(function, arguments, site, where)
        target = function.obj
        if not is_a(target, FunctionType):
            site.add_names(*self._evaluator.knowledge.list_names(target))
            if receiver is not None and not callable(target):
                return UNKNOWN
            if receiver is not None and is_a(target, MethodType):
                return self.call(function, arguments, site, where)
            if is_a(target, type) or not hasattr(type(target), "__get__"):
                return self.call(function, arguments, site, where)
            return self.read_returns(target, receiver)
        site.add_names(*self._evaluator.knowledge.list_names(target)[-1:])
        source, tree = self._evaluator.ownership.find_source(target)
        if source is None or tree is None:
            return self._call_foreign(target, receiver, arguments, site, where)
        summary = self._evaluator.functions.walk_live(target, source, tree, receiver, arguments)
        if summary is None:
            return UNKNOWN
        site.targets.append((summary.node, where))
        return _get_result(tree, summary)

    def _call_source(
        self,
        function: Function,
        receiver: Value | None,
        arguments: Arguments,
        site: CallSite,
        where: Where,
    ) -> Values:
        owner = (receiver, function.owner) if receiver is not None and function.owner else None
        summary = self._evaluator.functions.walk(
            function.tree,
            function.source,
            function.name,
            function.scope,
            (function.scope, function.owner),
            self._evaluator.functions.bind(
                function.tree, receiver, arguments, function.scope.namespace, {}
            ),
            owner,
        )
        if summary is None:
            return UNKNOWN
        site.targets.append((summary.node, where))
        return _get_result(function.tree, summary)

    def _call_foreign(
        self,
        target: FunctionType,
        receiver: Value | None,
        arguments: Arguments,
        site: CallSite,
        where: Where,
    ) -> Values:
        """Call a function of other code: what it wraps runs, and what it is handed may."""
        wrapped = list(list_wrapped(target))
        own = [inner for inner in wrapped if self._evaluator.ownership.leads_home(inner)]
        if own:
            site = self._enter_wrapper(target, own, site, where)
            if receiver is not None:
                found = [
                    self.call_function(Live(inner), receiver, arguments, site, where)
                    for inner in own
                ]
            else:
                found = [self.call(Live(inner), arguments, site, where) for inner in own]
            return join(*found)
        self.run_callbacks(arguments, site)
        return self.read_returns(target, receiver)

    def _enter_wrapper(
        self, wrapper: FunctionType, wrapped: list[Any], site: CallSite, where: Where
    ) -> CallSite:
        """Return where to note what a wrapper runs: a node of its own, if it does more than that.

        What a known decorator does stands at its line, above the function. Calling a plain
        function around a coroutine function gives no coroutine, so it is not the same call.
        """
        known = self._evaluator.knowledge.find_decorator(wrapper)
        waits = any(map(is_coroutine_function, wrapped)) and not is_coroutine_function(wrapper)
        if known is None and not waits:
            return site
        # Of an object that decorates by being called, the name is that of its class.
        name = known[0].removesuffix(".__call__").rpartition(".")[2] if known is not None else ""
        place = self._evaluator.ownership.find_decorator_place(wrapped[0], name) or site.place
        node = FunctionNode(name_function(wrapper), None, None, place)
        inner = CallSite(site.node, place, f"@{name}" if name else site.text)
        node.sites.append(inner)
        site.targets.append((node, where))
        if known is not None:
            self._evaluator.effects.decorate(known[1], inner, read_closure(wrapper))
        return inner

    def _call_partial(
        self, partial: Partial, arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        merged = Arguments(
            [*partial.positional, *arguments.positional],
            {**dict(partial.keywords), **arguments.keywords},
            arguments.is_partial,
        )
        return self.call(partial.function, merged, site, where)

    def _call_live_partial(
        self, partial: functools.partial[Any], arguments: Arguments, site: CallSite, where: Where
    ) -> Values:
        merged = Arguments(
            [*((Live(value),) for value in partial.args), *arguments.positional],
            {**{k: (Live(v),) for k, v in partial.keywords.items()}, **arguments.keywords},
            arguments.is_partial,
        )
        return self.call(Live(partial.func), merged, site, where)

    def decorate(self, decorators: Values, function: Values, spot: Spot) -> Values:
        """Return what decorators make of a function; what is not known leaves it as it is."""
        found: list[Values] = []
        for decorator in decorators:
            made = None
            if self._evaluator.intercept is not None:
                made = self._evaluator.intercept(decorator, Arguments([function]), spot.site)
            known = self._evaluator.known.find(decorator)
            runs = known is not None and known[1].runs is not None
            if made is None and (runs or self._evaluator.ownership.is_own_function(decorator)):
                made = self.call(decorator, Arguments([function]), spot.site)
            found.append(made or function)
        return join(*found)

    def run_callbacks(self, arguments: Arguments, site: CallSite) -> None:
        """Take it that other code calls the project's functions that it is handed."""
        for values in (*arguments.positional, *arguments.keywords.values()):
            for value in values:
                if isinstance(value, Function) or (
                    isinstance(value, Bound | Live)
                    and self._evaluator.ownership.is_own_function(value)
                ):
                    self.call(value, Arguments(is_partial=True), site)

    def read_returns(self, target: Any, receiver: Value | None) -> Values:
        """Return what a function of other code gives, by its annotation."""
        annotation, namespace = self._annotations.get(target)
        if annotation is None:
            return UNKNOWN
        own = (receiver,) if receiver is not None else UNKNOWN
        if receiver is not None and members.to_class(receiver) is not None:
            own = self._evaluator.operations.instantiate(own)
        return read_annotation(annotation, namespace, own)


def _find_return_annotation(function: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return what a function is annotated to return, or None, and the globals of its names."""
    function = unwrap(function)
    annotation = members.get_annotations(function).get("return")
    return annotation, function.__globals__ if is_a(function, FunctionType) else {}


def _pass_function_on(callee: Value, arguments: Arguments) -> Values | None:
    """Return the function that `functools.cache` and the like give back; None of other calls."""
    if isinstance(callee, Partial) and _is_cache(callee.function) and arguments.positional:
        return arguments.positional[0]
    if not _is_cache(callee):
        return None
    given = arguments.positional[0] if arguments.positional else UNKNOWN
    if given and not is_constant(given[0]):
        return given
    return (Partial(callee, (), ()),)  # `lru_cache(maxsize=16)`, which is yet to be given one


def _is_cache(value: Value) -> bool:
    return type(value) is Live and (
        value.obj is functools.lru_cache or value.obj is functools.cache
    )


def _get_result(tree: FunctionTree, summary: Summary) -> Values:
    if summary.yields or (not isinstance(tree, ast.Lambda) and read_facts(tree).is_generator):
        return (Instance(GeneratorType, summary.yields),)
    return summary.returns


def name_function(function: Any) -> str:
    """Return the dotted name of a callable."""
    named = function if members.get_name(function) else type(function)
    if is_a(named, type):
        return f"{members.get_module(named)}.{members.get_name(named, '__qualname__')}"
    return f"{named.__module__}.{members.get_name(named, '__qualname__')}"
