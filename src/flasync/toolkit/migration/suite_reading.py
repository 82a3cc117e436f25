"""The project's tests as text: what they put in the place of something else, and what they name.

A call that a test replaces must go on being looked up under the same name when it runs, or the
test would meet the real thing. Nobody can be sure from the source what a patch reaches, so a doubt
counts as a patch. The tests are read and never imported.
"""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from flasync.toolkit.finding import Place
from flasync.toolkit.migration.patches import Call, Patch, find_patches, list_imports
from flasync.toolkit.sources import Problem, SourceFile, Sources
from flasync.toolkit.syntax import walk_nodes

_FOLDERS = frozenset({"test", "testing", "tests"})
_FILE = re.compile(r"(test_.*|.*_tests?|tests?|conftest)\.py")
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
# Modules that only tests import at their top; a quick look, then a sure one.
_MAY_TEST = re.compile(rb"^\s*(?:import|from)\s+(?:mock|pytest|unittest)\b", re.MULTILINE)
_TEST_MODULES = frozenset({"mock", "pytest", "unittest"})


@dataclass(frozen=True, slots=True)
class _Library:
    """A library by which tests replace another one as a whole; see `patching_libraries.toml`."""

    imports: frozenset[str]
    fixtures: frozenset[str]
    marks: frozenset[str]
    patches: tuple[tuple[str, ...], ...]


class Suite:
    """The tests of a project.

    Args:
        files: Their files.
        problems: Those of them that could not be read: what they replace is not known.

    Attributes:
        problems: As given.
    """

    def __init__(self, files: Iterable[SourceFile], problems: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self._files = [_TestFile(file) for file in files]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The names of the files, as in `Place`."""
        return tuple(file.source.name for file in self._files)

    def find_patch(self, name: str, module: str, text: str) -> Place | None:
        """Return where the tests replace a call, or something by which it is made.

        Args:
            name: The dotted name of what is called, such as "requests.Session.get".
            module: The dotted name of the project's module in which the call stands.
            text: The call as written, such as "session.get(…)".
        """
        call = Call(name, module, text)
        for patch in self._patches:
            if patch.reaches(call):
                return patch.place
        return self._find_library(call)

    def find_mention(self, identifier: str) -> Place | None:
        """Return the first place where the tests name something, whatever they mean by it.

        Names, attributes, imports and the paths of patches count; other texts, such as URLs and
        endpoints, do not.
        """
        places = (file.mentions.get(identifier) for file in self._files)
        found = next((place for place in places if place is not None), None)
        return found or self._find_patched_name(identifier)

    def find_use(self, identifier: str, module: str) -> Place | None:
        """Return the first place where the tests name what they have imported from a module.

        For names that tests use for things of their own: a helper `login(client)` is not the view
        `login`. Attributes count where they are read from the module, or from one above it.

        Args:
            identifier: The name.
            module: The dotted name of the module.
        """
        path = tuple(module.split("."))
        for file in self._files:
            for owner, place in file.uses.get(identifier, ()):
                if _may_be_module(owner, path):
                    return place
        return self._find_patched_name(identifier)

    def _find_patched_name(self, identifier: str) -> Place | None:
        for patch in self._patches:
            if identifier in patch.path and (patch.is_stated or patch.path[-1] == identifier):
                return patch.place
        return None

    @cached_property
    def _patches(self) -> list[Patch]:
        """The patches, those that are known best first."""
        found = [patch for file in self._files for patch in file.patches]
        if any(file.is_loose for file in self._files):
            # Some patch is of what nobody knows: it may be any text that looks like a path.
            found = [replace(patch, is_stated=True) for patch in found]
        return sorted(found, key=lambda patch: (not patch.is_stated, not patch.is_whole))

    def _find_library(self, call: Call) -> Place | None:
        for file in self._files:
            for library, place in file.libraries:
                if any(call.name[: len(path)] == path for path in library.patches):
                    return place
        return None


class _TestFile:
    """One file of tests.

    Args:
        source: The file.

    Attributes:
        mentions: The first place of each identifier.
        uses: For each that is imported, or read from what is: from where, as far as that is
            written, and the place.
        libraries: The libraries that replace others as a whole, each with where it is named.
    """

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.mentions: dict[str, Place] = {}
        self.uses: dict[str, list[tuple[tuple[str, ...], Place]]] = {}
        self.libraries: list[tuple[_Library, Place]] = []
        self.patches, self.is_loose = find_patches(source)
        self._imports = list_imports(source.tree)
        for node in sorted(walk_nodes(source.tree), key=_get_position):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name):
                self._mention(name, node)
                if "*" in self._imports:
                    self._use(name, node, ())
            case ast.Attribute(value=owner, attr=name):
                self._mention(name, node)
                path = self._resolve(owner)
                if path is not None:
                    self._use(name, node, path)
                if _find_last(owner) == "mark":
                    self._note_library("marks", name, node)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self._note_import(node, names)
            case ast.arg(arg=name):
                self._note_library("fixtures", name, node)
            case ast.Call(func=ast.Attribute(attr="usefixtures"), args=fixtures):
                for fixture in fixtures:
                    if isinstance(fixture, ast.Constant):
                        self._note_library("fixtures", str(fixture.value), node)

    def _mention(self, name: str, node: ast.AST) -> None:
        self.mentions.setdefault(name, self.source.locate(node))

    def _use(self, name: str, node: ast.AST, owner: tuple[str, ...]) -> None:
        self.uses.setdefault(name, []).append((owner, self.source.locate(node)))

    def _resolve(self, node: ast.expr) -> tuple[str, ...] | None:
        """Return the path of what is read from an import; None for all else."""
        if isinstance(node, ast.Attribute):
            path = self._resolve(node.value)
            return (*path, node.attr) if path is not None else None
        return self._imports.get(node.id) if isinstance(node, ast.Name) else None

    def _note_import(self, node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> None:
        modules = [alias.name for alias in names]
        if isinstance(node, ast.ImportFrom):
            modules = [node.module] if node.module and not node.level else []
            for alias in names:
                self._mention(alias.name, node)
                self._use(alias.name, node, tuple((node.module or "").split(".")))
        for module in modules:
            self._note_library("imports", module.partition(".")[0], node)

    def _note_library(self, kind: str, name: str, node: ast.AST) -> None:
        for library in _index_libraries().get((kind, name), ()):
            self.libraries.append((library, self.source.locate(node)))


def read_suite(root: Path, exclude: tuple[str, ...] = ()) -> Suite:
    """Return the tests below a folder.

    Those are the files that are named as pytest and unittest expect it, all files in folders that
    are called `tests`, and files that import a test framework at their top.

    Args:
        root: The project's folder.
        exclude: Globs of files that are not read.
    """
    sources = Sources(root.resolve(), exclude=exclude)
    files = [sources.get(path) for path in _list_paths(sources.root) if _may_test(path, sources)]
    found = [file for file in files if file is not None and _tests(file)]
    return Suite(found, sources.problems)


def _list_paths(root: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name[0] != "."
            and name not in _SKIPPED_FOLDERS
            and not os.path.exists(os.path.join(current, name, "pyvenv.cfg"))
        )
        yield from (Path(current, name) for name in sorted(names) if name.endswith(".py"))


def _may_test(path: Path, sources: Sources) -> bool:
    """Return whether a file may be one of tests, before it is parsed."""
    if _is_named_so(path, sources.root):
        return True
    try:
        return _MAY_TEST.search(path.read_bytes()) is not None
    except OSError:
        return False


def _is_named_so(path: Path, root: Path) -> bool:
    folders = path.relative_to(root).parts[:-1]
    return _FILE.fullmatch(path.name) is not None or not _FOLDERS.isdisjoint(folders)


def _tests(file: SourceFile) -> bool:
    """Return whether a file is named as one of tests, or imports a test framework at its top.

    A command that runs the tests imports one inside of a function.
    """
    if _FILE.fullmatch(file.path.name) or not _FOLDERS.isdisjoint(file.name.split("/")[:-1]):
        return True
    for statement in file.tree.body:
        if isinstance(statement, ast.Import):
            modules = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            modules = [statement.module or ""]
        else:
            continue
        if not _TEST_MODULES.isdisjoint(module.partition(".")[0] for module in modules):
            return True
    return False


@cache
def _index_libraries() -> dict[tuple[str, str], list[_Library]]:
    """Return the libraries that replace others, by the kind of what names them and that name."""
    text = (Path(__file__).parent / "patching_libraries.toml").read_text(encoding="utf-8")
    found: dict[tuple[str, str], list[_Library]] = {}
    for table in tomllib.loads(text)["library"]:
        names = {kind: frozenset(table.get(kind, ())) for kind in ("imports", "fixtures", "marks")}
        paths = tuple(tuple(name.split(".")) for name in table["patches"])
        library = _Library(**names, patches=paths)
        for kind, known in names.items():
            for name in known:
                found.setdefault((kind, name), []).append(library)
    return found


def _may_be_module(path: tuple[str, ...], module: tuple[str, ...]) -> bool:
    """Return whether a path may lead to a module, or to a package that passes on what is in it."""
    return path in {(), ("",)} or path[-1] == module[-1] or module[: len(path)] == path


def _find_last(node: ast.expr) -> str | None:
    """Return the last name of an expression of names."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def _get_position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
