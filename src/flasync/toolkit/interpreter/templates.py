"""Following what Jinja templates run: the queries they iterate over, the methods they call.

A template is walked like a function, with the names that `render_template` is given and those of
the app's context processors. Templates that extend, include or import others lead to them; macros
are walked where they are called. Templates are read through Jinja's own loaders; one that a
function of the app would have to fetch is left out.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask
import jinja2
from flask.templating import DispatchingJinjaLoader
from jinja2 import nodes
from jinja2.filters import FILTERS

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite, FunctionNode, Where
from flasync.toolkit.interpreter.template_walk import Names, TemplateWalk
from flasync.toolkit.interpreter.values import (
    Arguments,
    Live,
    Record,
    Values,
    widen,
)
from flasync.toolkit.sources import Sources

if TYPE_CHECKING:
    from flasync.toolkit.interpreter.evaluator import Evaluator

# Loaders that read files and run nothing of the app.
_PLAIN_LOADERS = (
    DispatchingJinjaLoader,
    jinja2.ChoiceLoader,
    jinja2.DictLoader,
    jinja2.FileSystemLoader,
    jinja2.PackageLoader,
    jinja2.PrefixLoader,
)

_MISSING: Any = object()


class Templates:
    """The templates of an app, each walked once for each kind of context.

    Args:
        evaluator: What resolves attributes and calls.
        app: The live app.
        sources: The project's files.
    """

    def __init__(self, evaluator: Evaluator, app: flask.Flask, sources: Sources) -> None:
        self.evaluator = evaluator
        self._app = app
        self._sources = sources
        self._walked: dict[Any, FunctionNode | None] = {}
        self._parsed: dict[str, tuple[nodes.Template, Place] | None] = {}
        self._shared: dict[str, Values] | None = None

    @property
    def environment(self) -> jinja2.Environment:
        """The app's Jinja environment."""
        return self._app.jinja_env

    def render(self, templates: Values, context: Mapping[str, Values], site: CallSite) -> None:
        """Note at a call site the templates that it renders."""
        for value in templates:
            if isinstance(value, Live) and type(value.obj) is str:
                if "{" in value.obj:
                    self.enter_text(value.obj, context, site)
                else:
                    self.enter(value.obj, context, site)

    def enter(
        self,
        name: str,
        context: Mapping[str, Values],
        site: CallSite,
        overridden: frozenset[str] = frozenset(),
    ) -> None:
        """Walk a template by its name and make it a target of a call site."""
        context = {key: widen(values) for key, values in context.items()}
        key = (name, tuple(sorted(context.items(), key=lambda item: item[0])), overridden)
        if key not in self._walked:
            self._walked[key] = None
            parsed = self.parse(name)
            if parsed is not None:
                tree, place = parsed
                self._walked[key] = node = self._build_node(name, place)
                self._walk(tree, node, context, overridden)
        found = self._walked[key]
        if found is not None:
            site.targets.append((found, Where.HERE))

    def enter_text(self, text: str, context: Mapping[str, Values], site: CallSite) -> None:
        """Walk a template that stands in the code as a string."""
        try:
            tree = self.environment.parse(text)
        except jinja2.TemplateError:
            return
        node = self._build_node("in a string", site.place)
        self._walk(tree, node, context, frozenset())
        site.targets.append((node, Where.HERE))

    def parse(self, name: str) -> tuple[nodes.Template, Place] | None:
        """Return the tree of a template and where its file begins, if it can be read."""
        if name not in self._parsed:
            self._parsed[name] = self._read(name)
        return self._parsed[name]

    def get_shared_names(self) -> Mapping[str, Values]:
        """Return what the project's context processors add to every template."""
        if self._shared is None:
            self._shared = {}
            site = CallSite(ast.Pass(), Place("", 1), "")
            for processors in self._app.template_context_processors.values():
                for processor in processors:
                    given = self.evaluator.calls.call(Live(processor), Arguments(), site)
                    for value in given:
                        if isinstance(value, Record):
                            self._shared.update(value.keys)
        return self._shared

    def find_global(self, name: str) -> Values:
        """Return what a name means that a template is not given."""
        shared = self.get_shared_names()
        if name in shared:
            return shared[name]
        known = self.environment.globals.get(name, _MISSING)
        if known is not _MISSING:
            return (Live(known),)
        return self.evaluator.known.find_objects(name)

    def find_filter(self, name: str) -> Callable[..., Any] | None:
        """Return a filter that is not Jinja's own."""
        found = self.environment.filters.get(name)
        return None if found is FILTERS.get(name) else found

    def _read(self, name: str) -> tuple[nodes.Template, Place] | None:
        loader = self.environment.loader
        scaffolds = (self._app, *self._app.iter_blueprints())
        if not all(map(_is_plain, (loader, *(it.jinja_loader for it in scaffolds)))):
            return None
        try:
            text, filename, _ = loader.get_source(self.environment, name)  # type: ignore[union-attr]  # its type is in _PLAIN_LOADERS
            tree = self.environment.parse(text, name, filename)
        except (jinja2.TemplateError, OSError, UnicodeDecodeError):
            return None
        path = self._sources.name(Path(filename).resolve()) if filename else name
        return tree, Place(path, 1)

    def _build_node(self, name: str, place: Place) -> FunctionNode:
        node = FunctionNode(f"template {name}", None, None, place)
        self.evaluator.walked.append(node)
        return node

    def _walk(
        self,
        tree: nodes.Template,
        node: FunctionNode,
        context: Mapping[str, Values],
        overridden: frozenset[str],
    ) -> None:
        names: Names = ChainMap({}, dict(context))
        TemplateWalk(self, node, overridden, _list_blocks(tree)).walk_all(tree.body, names)


def _is_plain(loader: Any) -> bool:
    """Return whether a loader, with all that it asks, runs nothing of the app."""
    if type(loader) is jinja2.ChoiceLoader:
        return all(map(_is_plain, loader.loaders))
    if type(loader) is jinja2.PrefixLoader:
        return all(map(_is_plain, loader.mapping.values()))
    return loader is None or type(loader) in _PLAIN_LOADERS


def _list_blocks(tree: nodes.Template) -> frozenset[str]:
    """Return the blocks of a template that do not show the block that they replace as well."""
    return frozenset(
        block.name
        for block in tree.find_all(nodes.Block)
        if not any(name.name == "super" for name in block.find_all(nodes.Name))
    )
