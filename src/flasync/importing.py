"""Do something as soon as a library is imported, and nothing before.

flasync imports Flask and greenlet alone. What it does for another library must wait until the app
imports that one; an import of our own would make every app pay for it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def when_imported(name: str, callback: Callable[[], None]) -> None:
    """Call `callback` once, right after the top-level package `name` was imported, or now.

    Runs in: any thread; the callback in the one that imports. Switches: never.
    """
    if name in sys.modules:
        callback()
    else:
        sys.meta_path.insert(0, _Watcher(name, callback))


class _Watcher(MetaPathFinder):
    """Finds one package as the other finders do, and has its loader call back at the end."""

    def __init__(self, name: str, callback: Callable[[], None]) -> None:
        self._name = name
        self._callback = callback

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)  # not installed: perhaps later
            return None
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # uncovers the class's own
            execute(module)
            self._callback()

        loader.exec_module = exec_module  # type: ignore[method-assign]  # on this one instance
        return spec
