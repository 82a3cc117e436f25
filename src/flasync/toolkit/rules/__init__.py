"""The rules of `flasync scan`, one a module, named for the pattern that it finds."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from flasync.toolkit.rules.rule import Case, Page, Program, Rule

__all__ = ["Case", "Page", "Program", "Rule", "load_rules"]


@lru_cache(maxsize=1)
def load_rules() -> dict[str, Rule]:
    """Return every rule by its code, in the order of the codes."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    rules = sorted(_list_concrete(Rule.__subclasses__()), key=lambda rule: rule.code)
    return {rule.code: rule() for rule in rules}


def _list_concrete(classes: list[type[Rule]]) -> list[type[Rule]]:
    found: list[type[Rule]] = []
    for cls in classes:
        if "code" in vars(cls):
            found.append(cls)
        found.extend(_list_concrete(cls.__subclasses__()))
    return found
