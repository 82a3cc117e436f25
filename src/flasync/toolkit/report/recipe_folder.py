"""The folder with the pages of all recipes; `python -m` writes or checks it."""

from __future__ import annotations

import sys
from pathlib import Path

from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.report.recipe_pages import (
    build_page_name,
    build_recipe_index,
    build_recipe_page,
)
from flasync.toolkit.report.rule_folder import publish
from flasync.toolkit.report.rule_pages import INDEX_NAME


def build_pages() -> dict[str, str]:
    """Return the text of each page by its file name, the index included."""
    recipes = load_recipes().values()
    pages = {build_page_name(recipe): build_recipe_page(recipe) for recipe in recipes}
    return {INDEX_NAME: build_recipe_index(recipes), **pages}


def main(folder: str, *options: str) -> str | None:
    """Write or check the pages; return what is wrong with them, or None."""
    return publish(build_pages(), Path(folder), options, "scripts/recipes") or None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
