"""Importing the apps of many projects in one process, one after another."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask

from flasync.serving.location import load_flask_app


@contextmanager
def imported_app(root: Path, import_path: str = "app") -> Iterator[flask.Flask]:
    """Give the app of a project; afterwards its modules are forgotten.

    Args:
        root: The project's folder, which is the current directory meanwhile.
        import_path: As `flask --app` takes it.
    """
    before = set(sys.modules)
    path, folder = list(sys.path), Path.cwd()
    # A project's modules may be named like one that another project has left behind.
    sys.path.insert(0, str(root))
    os.chdir(root)
    try:
        yield load_flask_app(import_path)
    finally:
        os.chdir(folder)
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if _is_below(sys.modules[name], root):
                del sys.modules[name]


def _is_below(module: object, root: Path) -> bool:
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return file is not None and Path(file).is_relative_to(root)
