"""Following the app's code from what Flask calls to what blocks, without running it.

An abstract interpretation on the live objects of the imported app: a name in a function means what
the function's own globals and closure hold; an attribute is looked up along the real classes; what
only exists at run time is an `Instance` of its class. The project's own functions are walked, once
for each kind of arguments that they are called with. Of other code only the signatures count, and
what the knowledge files say. What is still not known is noted as unresolved and never guessed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import flask

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite, FunctionNode
from flasync.toolkit.interpreter import members
from flasync.toolkit.interpreter.attributes import Attributes
from flasync.toolkit.interpreter.calls import Calls, name_function
from flasync.toolkit.interpreter.construction import Construction
from flasync.toolkit.interpreter.descriptors import Descriptors
from flasync.toolkit.interpreter.functions import Functions
from flasync.toolkit.interpreter.known_effects import KnownEffects
from flasync.toolkit.interpreter.known_values import KnownValues
from flasync.toolkit.interpreter.modules import Modules
from flasync.toolkit.interpreter.operations import Operations
from flasync.toolkit.interpreter.ownership import Ownership
from flasync.toolkit.interpreter.stored_attributes import StoredAttributes
from flasync.toolkit.interpreter.templates import Templates
from flasync.toolkit.interpreter.type_expressions import TypeReader
from flasync.toolkit.interpreter.values import (
    UNKNOWN,
    Arguments,
    Bound,
    Instance,
    Live,
    Value,
    Values,
)
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.sources import Sources


class Evaluator:
    """The parts of the interpreter and what they share.

    Args:
        sources: The project's files.
        knowledge: What other code does; bound to the imported modules.
        app: The live app; None in static mode.

    Attributes:
        walked: Every function that was walked, in the order of the walk.
        defining: The name of the function whose decorators are being applied; "" elsewhere.
        intercept: Asked about each call first; static mode answers for Flask's own.
        types: Reads the type expressions of the knowledge.
        templates: The app's templates; None in static mode until there is an app.
    """

    def __init__(
        self, sources: Sources, knowledge: Knowledge, app: flask.Flask | None = None
    ) -> None:
        self.sources = sources
        self.knowledge = knowledge
        self.app = app
        self.walked: list[FunctionNode] = []
        self.defining = ""
        self.intercept: Callable[[Value, Arguments, CallSite], Values | None] | None = None
        self.types = TypeReader(app)
        self.ownership = Ownership(self)
        self.known = KnownValues(self)
        self.effects = KnownEffects(self)
        self.stored = StoredAttributes(self)
        self.descriptors = Descriptors(self)
        self.attributes = Attributes(self)
        self.operations = Operations(self)
        self.functions = Functions(self)
        self.construction = Construction(self)
        self.calls = Calls(self)
        self.modules = Modules(self)
        self.templates = Templates(self, app, sources) if app is not None else None

    def enter_from(
        self, function: Callable[..., Any], receiver: type | None = None, given: Values = UNKNOWN
    ) -> FunctionNode | None:
        """Walk what Flask calls; return its node, or None when nothing of the project runs.

        Args:
            function: As registered, wrappers included.
            receiver: For a method: the class on whose instance it is called.
            given: What Flask calls it with; without any, its parameters are unknown.
        """
        node, site = self._begin(function)
        callee = self._find_callee(function, receiver)
        positional = [given] if given else []
        self.calls.call(callee, Arguments(positional, is_partial=True), site)
        return _finish(node, site)

    def enter_decorated(
        self,
        decorator: Callable[..., Any],
        function: Callable[..., Any],
        receiver: type | None = None,
    ) -> FunctionNode | None:
        """Walk a decorator that is applied to a function for each request, and what it makes."""
        node, site = self._begin(decorator)
        decorated = self._find_callee(function, receiver)
        for made in self.calls.call(Live(decorator), Arguments([(decorated,)]), site):
            self.calls.call(made, Arguments(is_partial=True), site)
        return _finish(node, site)

    def _begin(self, function: Callable[..., Any]) -> tuple[FunctionNode, CallSite]:
        node = FunctionNode(name_function(function), None, None, self._home)
        return node, CallSite(ast.Pass(), node.place, node.name)

    def _find_callee(self, function: Callable[..., Any], receiver: type | None) -> Value:
        static = members.get_own(function).get("static_value")
        callee: Value = static if static is not None else Live(function)
        if receiver is None:
            return callee
        cls = members.get_own(receiver).get("static_value", receiver)
        return Bound(Instance(cls), members.get_name(function), (callee,))

    @cached_property
    def _home(self) -> Place:
        """Where the app's own module begins, for what extensions do by themselves."""
        module = sys.modules.get(self.app.import_name) if self.app is not None else None
        filename = getattr(module, "__file__", None)
        return Place(self.sources.name(Path(filename).resolve()) if filename else "", 1)

    def use_templates_of(self, app: flask.Flask) -> None:
        """Read templates as an app does that was made from the source."""
        self.templates = Templates(self, app, self.sources)


def _finish(node: FunctionNode, site: CallSite) -> FunctionNode | None:
    """Return the function that an entry leads to, or its own node if there is more to say."""
    if len(site.targets) == 1 and site.blocking is None:
        return site.targets[0][0]
    if not site.targets and site.blocking is None:
        return None
    node.sites.append(site)
    return node
