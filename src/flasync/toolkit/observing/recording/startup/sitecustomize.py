"""What Python imports at the start of each observed process: waits for Flask, and gives way.

The folder of this file is put at the front of PYTHONPATH. The `sitecustomize` that it hides is
run in its place.
"""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OUTPUT_VARIABLE = "FLASYNC_OBSERVE"


class _FlaskWatcher:
    """A finder that finds Flask as the others do, and starts the recorder after its import."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "flask":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        loader, execute = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # uncovers the class's own
            execute(module)
            _load("_flasync_recorder", Path(__file__).parents[1] / "recorder.py").start(
                module, os.environ[OUTPUT_VARIABLE]
            )

        loader.exec_module = exec_module  # type: ignore[method-assign]  # on this one instance
        return spec


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # noqa: S101  the file is beside this one
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run_hidden() -> None:
    """Run the `sitecustomize` that the environment has besides this one, under its own name."""
    here = str(Path(__file__).parent)
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if path != here])
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if OUTPUT_VARIABLE in os.environ:
    sys.meta_path.insert(0, _FlaskWatcher)
    _run_hidden()
