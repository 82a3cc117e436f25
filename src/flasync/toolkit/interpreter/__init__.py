"""Following code without running it; `evaluator.py` says how."""

from flasync.toolkit.interpreter.evaluator import Evaluator
from flasync.toolkit.interpreter.static_app import StaticApp, import_known_libraries

__all__ = ["Evaluator", "StaticApp", "import_known_libraries"]
