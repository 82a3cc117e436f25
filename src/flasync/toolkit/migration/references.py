"""Who mentions a function of the project: whether it may become `async def`, and if not, why.

A coroutine function gives its result only to who awaits it. So a helper becomes one only when every
mention of it is known: an import, or a call in a function that is async itself, at a place where
`await` may stand. Mentions are found by the identifier alone, in all files of the project; one that
cannot be told counts against it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite, FunctionNode, Usage, Where
from flasync.toolkit.migration.class_relations import ClassRelations
from flasync.toolkit.migration.mentions import Definition, Mention, MentionFile
from flasync.toolkit.migration.namesakes import LiveNames, Target
from flasync.toolkit.migration.suite_reading import Suite
from flasync.toolkit.migration.template_texts import TemplateTexts
from flasync.toolkit.rules import Program
from flasync.toolkit.sources import FunctionTree, SourceFile, Sources
from flasync.toolkit.statements import walk_own

Awaiting = Callable[[SourceFile, Definition], bool]

# Calls that register a view without calling it, by the last name of what is called.
_REGISTERING = frozenset(
    {"add_url_rule", "delete", "endpoint", "get", "patch", "post", "put", "route"}
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a function stays as it is.

    Attributes:
        reason: The end of a sentence that begins "it stays a plain function, because".
        place: What shows it.
    """

    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Caller:
    """A call that can be awaited once the function around it is async."""

    source: SourceFile
    tree: Definition
    place: Place


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the mentions of a function come to: an obstacle, or the calls that all of them are."""

    obstacle: Obstacle | None
    callers: tuple[_Caller, ...] = ()


class References:
    """The mentions of functions in a project.

    Args:
        program: The project as scanned.
        suite: Its tests.
    """

    def __init__(self, program: Program, suite: Suite) -> None:
        self._program = program
        self._suite = suite
        self._standings: dict[FunctionTree, _Standing] = {}
        self._mentions: dict[str, list[Mention]] = {}
        self._views: dict[FunctionTree, Obstacle | None] = {}
        self._templates = TemplateTexts(program)
        self._live = LiveNames()

    def find_obstacle(self, function: FunctionNode, awaiting: Awaiting) -> Obstacle | None:
        """Return why a helper cannot become async; None when it can.

        Args:
            function: The helper.
            awaiting: Whether a function is async, or becomes so.
        """
        tree = function.tree
        if not isinstance(tree, Definition) or function.source is None:
            return Obstacle("it is no function with a name", function.place)
        if tree not in self._standings:
            home = self._get_file(function.source)
            obstacle = self._find_fixed(function, tree, home)
            standing = _Standing(obstacle) if obstacle is not None else self._weigh(tree, home)
            self._standings[tree] = standing
        standing = self._standings[tree]
        if standing.obstacle is not None:
            return standing.obstacle
        for caller in standing.callers:
            # What calls itself becomes async together with itself.
            if caller.tree is not tree and not awaiting(caller.source, caller.tree):
                reason = f"`{caller.tree.name}` calls it and stays a plain function"
                return Obstacle(reason, caller.place)
        return None

    def find_view_obstacle(self, function: FunctionNode) -> Obstacle | None:
        """Return who calls a view, or hands it on, as a plain function; None when Flask alone does.

        Registering it is neither, and the decorators above it are not asked about.
        """
        tree = function.tree
        if not isinstance(tree, Definition) or function.source is None:
            return Obstacle("it is no function with a name", function.place)
        if tree not in self._views:
            obstacles = self._list_view_obstacles(tree, self._get_file(function.source))
            self._views[tree] = next(obstacles, None)
        return self._views[tree]

    # What is known without looking at the callers

    def _find_fixed(
        self, function: FunctionNode, tree: Definition, home: MentionFile
    ) -> Obstacle | None:
        reason = _describe_kind(tree) or self._find_caller_by_name(function, tree, home)
        if reason:
            return Obstacle(reason, home.source.locate(tree))
        place = self._suite.find_mention(tree.name)
        if place is not None:
            return Obstacle("the tests mention it", place)
        place = self._templates.find_attribute(tree.name)
        if place is not None:
            return Obstacle("a template mentions it", place)
        for problem in (*self._suite.problems, *self._everything.problems):
            if self._may_mention(problem.place.file, tree.name):
                reason = f"{problem.place.file} mentions it and cannot be read"
                return Obstacle(reason, problem.place)
        return None

    def _find_caller_by_name(
        self, function: FunctionNode, tree: Definition, home: MentionFile
    ) -> str:
        """Return who may call a function by a name that is not written there; "" when nobody."""
        owner = home.find_class(tree)
        if owner is not None:
            return self._classes.find(owner, tree.name, function.namespace)
        if re.search(r"\bglobals\(\)", home.source.text):
            return "its module looks up functions by name"
        return ""

    def _may_mention(self, name: str, identifier: str) -> bool:
        try:
            text = (self._program.sources.root / name).read_bytes()
        except OSError:
            return True
        return identifier.encode() in text

    # Mentions

    def _weigh(self, tree: Definition, home: MentionFile) -> _Standing:
        """Return what all mentions of a function come to."""
        callers: list[_Caller] = []
        for mention in self._list_mentions(tree, home):
            found = self._judge(mention, tree)
            if isinstance(found, Obstacle):
                return _Standing(found)
            if found is not None:
                callers.append(found)
        for _, site in self._calls_to.get(tree, ()):
            if _find_callee(site.node) != tree.name:
                return _Standing(Obstacle(f"`{site.text}` runs it", site.place))
        return _Standing(None, tuple(callers))

    def _list_mentions(self, tree: Definition, home: MentionFile) -> Iterator[Mention]:
        """Yield the mentions that may be of a function, itself left out."""
        target = Target(tree, home, self._live)
        if tree.name not in self._mentions:
            found = [mention for file in self._files for mention in file.find_all(tree.name)]
            self._mentions[tree.name] = found
        for mention in self._mentions[tree.name]:
            if not self._is_elsewhere(mention, tree) and target.may_be(mention):
                yield mention

    def _is_elsewhere(self, mention: Mention, tree: Definition) -> bool:
        """Return whether the call graph knows that a call is one of something else."""
        sites = self._sites.get(mention.call, []) if mention.call is not None else []
        return bool(sites) and all(
            site.names and not any(node.tree is tree for node, _ in site.targets) for site in sites
        )

    def _judge(self, mention: Mention, tree: Definition) -> Obstacle | _Caller | None:
        """Return what a mention of a helper comes to; None for an import."""
        node = mention.node
        if isinstance(node, ast.alias):
            if node.asname in {None, node.name}:
                return None
            return Obstacle(f"it is imported as `{node.asname}`", mention.place)
        if isinstance(node, Definition | ast.ClassDef):
            return Obstacle("it is defined more than once", mention.place)
        if isinstance(node, ast.Constant):
            return None if _is_export(mention) else Obstacle("a text names it", mention.place)
        if mention.call is None:
            return Obstacle("it is passed on or looked at without a call", mention.place)
        return self._judge_call(mention, mention.call, tree)

    def _judge_call(self, mention: Mention, call: ast.Call, tree: Definition) -> Obstacle | _Caller:
        caller = _find_caller(mention.file, call)
        if isinstance(caller, str):
            return Obstacle(caller, mention.place)
        sites = self._sites.get(call, [])
        targets = [pair for site in sites for pair in site.targets]
        is_alone = all(node.tree is tree and where is Where.HERE for node, where in targets)
        if not targets or not is_alone or not all(site.targets for site in sites):
            return Obstacle("it is not known whether it is what is called here", mention.place)
        if any(site.usage is Usage.AWAITED for site in sites):
            return Obstacle("what it returns is awaited", mention.place)
        return _Caller(mention.file.source, caller, mention.place)

    # Views

    def _list_view_obstacles(self, tree: Definition, home: MentionFile) -> Iterator[Obstacle]:
        owner = home.find_class(tree)
        name = tree.name if owner is None else owner.name
        module = self._program.sources.name_module(home.source.path)
        place = self._suite.find_use(name, module)
        if place is not None:
            yield Obstacle(f"the tests mention `{name}`", place)
        for caller, site in self._calls_to.get(tree, ()):
            if self._is_by_name(caller, site, tree.name):
                yield Obstacle(f"`{site.text}` calls it as a plain function", site.place)
        for mention in self._list_mentions(tree, home):
            if owner is not None and not _is_of_class(mention, owner):
                continue
            if isinstance(mention.node, ast.Name | ast.Attribute) and not _is_registered(mention):
                done = "calls it" if mention.call is not None else "hands it on"
                yield Obstacle(f"the project {done} as a plain function", mention.place)

    def _is_by_name(self, caller: FunctionNode, site: CallSite, name: str) -> bool:
        """Return whether a call is one of a function as such, and not that of its decorator."""
        callee = site.node.func if isinstance(site.node, ast.Call) else None
        if isinstance(callee, ast.Name) and caller.source is not None:
            file = self._get_file(caller.source)
            return isinstance(file.find_binder(callee, callee.id), ast.Module)
        return isinstance(callee, ast.Attribute) and callee.attr == name

    # What is looked up

    @cached_property
    def _everything(self) -> Sources:
        """All files of the project, also those that a scan leaves out."""
        sources = Sources(self._program.sources.root, self._program.sources.packages)
        sources.list_files()
        return sources

    @cached_property
    def _files(self) -> list[MentionFile]:
        """The files of the project, without those of its tests."""
        known = {source.path: source for source in self._program.sources.list_files()}
        files = [known.get(source.path, source) for source in self._everything.list_files()]
        return [MentionFile(file) for file in files if file.name not in self._suite.files]

    @cached_property
    def _classes(self) -> ClassRelations:
        return ClassRelations(self._program.sources, [file.source for file in self._files])

    @cached_property
    def _homes(self) -> dict[SourceFile, MentionFile]:
        return {file.source: file for file in self._files}

    def _get_file(self, source: SourceFile) -> MentionFile:
        if source not in self._homes:
            self._homes[source] = MentionFile(source)
        return self._homes[source]

    @cached_property
    def _all_sites(self) -> list[tuple[FunctionNode, CallSite]]:
        functions = dict.fromkeys((*self._program.functions, *self._program.outside))
        return [(function, site) for function in functions for site in function.sites]

    @cached_property
    def _sites(self) -> dict[ast.AST, list[CallSite]]:
        """The sites at each node: one for each kind of arguments of the function around it."""
        found: dict[ast.AST, list[CallSite]] = {}
        for _, site in self._all_sites:
            found.setdefault(site.node, []).append(site)
        return found

    @cached_property
    def _calls_to(self) -> dict[FunctionTree, list[tuple[FunctionNode, CallSite]]]:
        """The sites that run each function, with the functions that they are in."""
        found: dict[FunctionTree, list[tuple[FunctionNode, CallSite]]] = {}
        for function, site in self._all_sites:
            for target, _ in site.targets:
                if target.tree is not None:
                    found.setdefault(target.tree, []).append((function, site))
        return found


def _describe_kind(tree: Definition) -> str:
    """Return why a function cannot become async by what it is itself; "" when it can."""
    if isinstance(tree, ast.AsyncFunctionDef):
        return "it is async already"
    if tree.decorator_list:
        return f"it is decorated (`@{ast.unparse(tree.decorator_list[0])}`)"
    if tree.name.startswith("__") and tree.name.endswith("__"):
        return "Python calls it by its name"
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in walk_own(tree)):
        return "it is a generator"
    return ""


def _find_caller(file: MentionFile, call: ast.Call) -> Definition | str:
    """Return the function in which a call can be awaited, or why it can be in none."""
    for above, below in file.climb(call):
        if isinstance(above, Definition) and below in above.body:
            if above.name.startswith("__") and above.name.endswith("__"):
                return f"`{above.name}` calls it, which cannot wait"
            return above
        if isinstance(above, ast.Lambda):
            return "a lambda calls it"
        if isinstance(above, ast.GeneratorExp):
            return "a generator expression calls it"
        if isinstance(above, Definition | ast.ClassDef | ast.arguments):
            return "it is called while something is defined"
    return "it is called while its module is imported"


def _find_callee(node: ast.AST) -> str | None:
    """Return the last name of what a node calls; None when it is no call of a name."""
    callee = node.func if isinstance(node, ast.Call) else None
    return callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", None)


def _is_export(mention: Mention) -> bool:
    """Return whether a text stands in `__all__`."""
    return any(
        isinstance(above, ast.Assign | ast.AugAssign | ast.AnnAssign)
        and "__all__"
        in ast.unparse(getattr(above, "targets", [getattr(above, "target", above)])[0])
        for above, _ in mention.file.climb(mention.node)
        if isinstance(above, ast.stmt)
    )


def _is_of_class(mention: Mention, owner: ast.ClassDef) -> bool:
    """Return whether a mention of a method's name is by way of `self`, `super()` or its class."""
    node = mention.node
    if not isinstance(node, ast.Attribute):
        return False
    root = ast.unparse(node.value)
    return root in {"self", "cls", "super()", owner.name} or root.endswith(f".{owner.name}")


def _is_registered(mention: Mention) -> bool:
    """Return whether a view is mentioned to be registered with Flask, or for an attribute of it."""
    parent = mention.parent
    if isinstance(parent, ast.keyword):
        return parent.arg == "view_func"
    if isinstance(parent, ast.Attribute):
        return True
    if isinstance(parent, ast.Assign):
        return all("view_functions" in ast.unparse(target) for target in parent.targets)
    if not isinstance(parent, ast.Call) or mention.call is not None:
        return False
    callee = parent.func.func if isinstance(parent.func, ast.Call) else parent.func
    return isinstance(callee, ast.Attribute) and callee.attr in _REGISTERING
