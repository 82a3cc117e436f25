"""The files that a migration may change: the project's own source, its tests left out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property

import libcst as cst

from flasync.toolkit.migration.parsed_file import ParsedFile
from flasync.toolkit.migration.suite_reading import Suite
from flasync.toolkit.sources import Sources


class ProjectFiles:
    """The source files of a project as LibCST reads them, each read once.

    Args:
        sources: The project's files.
        suite: Its tests, which stay as they are.

    Attributes:
        unreadable: Files that LibCST cannot read, each with its reason.
    """

    def __init__(self, sources: Sources, suite: Suite) -> None:
        self.unreadable: dict[str, str] = {}
        self._texts = {
            source.name: (source.text, source.path)
            for source in sources.list_files()
            if source.path.resolve().is_relative_to(sources.root) and source.name not in suite.files
        }
        self._sources = sources
        self._parsed: dict[str, ParsedFile | None] = {}

    def get(self, name: str) -> ParsedFile | None:
        """Return a file by its name, or None when it is not one to change."""
        if name not in self._parsed:
            self._parsed[name] = self._parse(name)
        return self._parsed[name]

    @cached_property
    def exported(self) -> frozenset[str]:
        """The names that files of the project, tests included, import from its own modules."""
        return frozenset(
            alias.name
            for source in self._sources.list_files()
            for node in ast.walk(source.tree)
            if isinstance(node, ast.ImportFrom) and self._is_own(node)
            for alias in node.names
        )

    def name_module(self, name: str) -> str:
        """Return the dotted name by which the project imports one of these files."""
        return self._sources.name_module(self._texts[name][1])

    def __iter__(self) -> Iterator[ParsedFile]:
        """Yield every file, in the order of their names."""
        yield from filter(None, map(self.get, self._texts))

    def place_beside(self, package: str, module: str) -> tuple[str, str]:
        """Return the dotted name and the file of a new module in the app's package.

        Args:
            package: The import name of the app: a package, or a module, whose neighbour it gets.
            module: The new module's own name.
        """
        home = self._sources.find_module(package)
        if home is None:
            return module, f"{module}.py"
        folder = self._sources.name(home.resolve().parent)
        file = f"{module}.py" if folder == "." else f"{folder}/{module}.py"
        return self._sources.name_module(home.parent / f"{module}.py"), file

    def list_mentioning(self, word: str) -> Iterator[ParsedFile]:
        """Yield the files whose text has a word, in the order of their names."""
        for name, (text, _) in self._texts.items():
            parsed = self.get(name) if word in text else None
            if parsed is not None:
                yield parsed

    def _is_own(self, node: ast.ImportFrom) -> bool:
        return node.level > 0 or self._sources.find_module(node.module or "") is not None

    def _parse(self, name: str) -> ParsedFile | None:
        if name not in self._texts:
            return None
        try:
            return ParsedFile(name, self._texts[name][0])
        except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError) as error:
            self.unreadable[name] = str(error)
            return None


def list_mentioning(files: Iterable[ParsedFile], word: str) -> Iterator[ParsedFile]:
    """Yield the files whose text has a word: of a whole project, no other is parsed."""
    if isinstance(files, ProjectFiles):
        yield from files.list_mentioning(word)
    else:
        yield from (file for file in files if word in file.text)
