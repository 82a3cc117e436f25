"""Packages that a route calls and of which nothing is known: who can say that they do not wait?"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from flasync.toolkit.graph import FunctionNode
from flasync.toolkit.rules.rule import Program


class Strangers:
    """Tells the packages that are neither the project's, nor Python's, nor known.

    Args:
        program: The program whose routes are asked about.
    """

    def __init__(self, program: Program) -> None:
        libraries = (library.name for library in program.knowledge.libraries)
        self._known = {name.partition(".")[0] for name in libraries} | load_computing_packages()
        self._sources = program.sources
        self._called: dict[FunctionNode, set[str]] = {}
        self._named: dict[tuple[str, ...], set[str]] = {}

    def list(self, functions: Iterable[FunctionNode]) -> tuple[str, ...]:
        """Return the unknown packages that functions call, in the order of their names."""
        found: set[str] = set()
        for function in functions:
            called = self._called.get(function)
            if called is None:  # many routes may run it
                called = self._called[function] = set()
                for site in function.sites:
                    if site.names and not site.targets and site.blocking is None:
                        called |= self._name_strangers(site.names)
            found |= called
        return tuple(sorted(found))

    def _name_strangers(self, names: tuple[str, ...]) -> set[str]:
        found = self._named.get(names)
        if found is None:
            packages = {name.partition(".")[0] for name in names if "." in name}
            found = self._named[names] = {name for name in packages if self._is_stranger(name)}
        return found

    def _is_stranger(self, package: str) -> bool:
        if package in sys.stdlib_module_names or package in self._known:
            return False
        module = sys.modules.get(package)
        filename = getattr(module, "__file__", None)
        # Without a file it is a namespace, or no module at all.
        return filename is not None and not self._sources.is_own(filename)


@cache
def load_computing_packages() -> frozenset[str]:
    """Return the packages that are known to wait for nothing by themselves."""
    text = (Path(__file__).parent / "computing.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)["packages"])
