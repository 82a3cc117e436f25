"""The recipes of `flasync migrate`, one a module, named for what it replaces."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from flasync.toolkit.migration.recipe import Recipe

__all__ = ["find_recipe", "load_recipes"]


@lru_cache(maxsize=1)
def load_recipes() -> dict[str, Recipe]:
    """Return every recipe by its name, in the order of the names."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    recipes = sorted(_list_concrete(Recipe.__subclasses__()), key=lambda recipe: recipe.name)
    return {recipe.name: recipe() for recipe in recipes}


def find_recipe(name: str) -> Recipe | None:
    """Return the recipe that is for a call.

    Args:
        name: What it calls, the dotted name that the knowledge knows. A recipe that names it counts
            before one whose `*` stands for its last segment.
    """
    owner, _, last = name.rpartition(".")
    named = _index_names()
    return named.get(name) or (named.get(f"{owner}.*") if not last.startswith("_") else None)


@lru_cache(maxsize=1)
def _index_names() -> dict[str, Recipe]:
    return {name: recipe for recipe in load_recipes().values() for name in recipe.names}


def _list_concrete(classes: list[type[Recipe]]) -> list[type[Recipe]]:
    found: list[type[Recipe]] = []
    for cls in classes:
        if "name" in vars(cls):
            found.append(cls)
        found.extend(_list_concrete(cls.__subclasses__()))
    return found
