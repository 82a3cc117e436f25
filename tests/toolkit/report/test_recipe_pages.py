"""The pages of the recipes."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.recipes import load_recipes
from flasync.toolkit.report.recipe_folder import build_pages, main
from flasync.toolkit.report.recipe_pages import (
    build_page_name,
    build_recipe_index,
    build_recipe_page,
)


@pytest.mark.parametrize("name", list(load_recipes()))
def test_page_has_every_section(name: str) -> None:
    """Each recipe's page tells what it does, and shows every case of its tests."""
    recipe = load_recipes()[name]
    page = build_recipe_page(recipe)
    assert page.startswith(f"# {name}\n")
    assert page.endswith("\n")
    for title in ("What it does", "What it is for", "What stays the same", "Safety"):
        assert f"\n## {title}\n" in page
    assert page.count("```diff\n") == len(recipe.changed)
    assert page.count("```python\n") == len(recipe.left)
    assert all(f"`{one}`" in page for one in recipe.names)


def test_changed_lines_are_marked() -> None:
    """A case of changed code is shown as the lines that go and those that come."""
    page = build_recipe_page(load_recipes()["time-sleep"])
    assert "\n-    time.sleep(0.5)  # seconds\n+    await asyncio.sleep(0.5)  # seconds\n" in page


def test_index_links_every_page() -> None:
    """The index has a link to the page of each recipe."""
    recipes = load_recipes().values()
    index = build_recipe_index(recipes)
    assert all(f"]({build_page_name(recipe)})" in index for recipe in recipes)


def test_folder_is_written_and_checked(tmp_path: Path) -> None:
    """What is written differs in nothing; what is edited, missing or left over is named."""
    folder = tmp_path / "recipes"
    assert main(str(folder)) is None
    assert main(str(folder), "--check") is None
    edited, removed, *_ = sorted(build_pages())
    (folder / edited).write_text("other")
    (folder / removed).unlink()
    (folder / "gone.md").write_text("old")
    message = main(str(folder), "--check")
    assert message is not None
    assert all(name in message for name in (edited, removed, "gone.md", "scripts/recipes"))
