"""The pages of the rules."""

from pathlib import Path

import pytest

from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.report.rule_folder import build_pages, find_differing, write_pages
from flasync.toolkit.report.rule_pages import build_index, build_page_name, build_rule_page
from flasync.toolkit.rules import load_rules


@pytest.mark.parametrize("code", list(load_rules()))
def test_page_has_every_section(code: str) -> None:
    """Each rule's page has its sections in Ruff's order."""
    page = build_rule_page(load_rules()[code], load_knowledge())
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert titles[:6] == [
        "## What it does",
        "## Why is this bad?",
        "## Example",
        "## Use instead",
        "## Fix safety",
        "## How to hide it",
    ]
    assert page.startswith(f"# {code} ")
    assert page.endswith("\n")


def test_blocking_rule_lists_what_is_known() -> None:
    """The page of a blocking rule has a row for each known call, with its twin."""
    page = build_rule_page(load_rules()["FSY101"], load_knowledge())
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows[0] == "| Library | Calls | Twin | Way | Recipe |"
    (row,) = [row for row in rows if "`time.sleep`" in row]
    assert row.startswith("| time | `time.sleep` | `asyncio.sleep` |")


def test_index_links_every_page() -> None:
    """The index has a link to the page of each rule."""
    index = build_index(load_rules().values())
    assert all(f"]({build_page_name(rule)})" in index for rule in load_rules().values())


def test_folder_is_written_and_checked(tmp_path: Path) -> None:
    """What is written differs in nothing; what is edited, missing or left over is named."""
    pages = build_pages()
    folder = tmp_path / "rules"
    write_pages(folder, pages)
    assert find_differing(folder, pages) == []
    edited, removed, *_ = sorted(pages)
    (folder / edited).write_text("other")
    (folder / removed).unlink()
    (folder / "FSY999-gone.md").write_text("old")
    assert find_differing(folder, pages) == sorted([edited, removed, "FSY999-gone.md"])
    write_pages(folder, pages)
    assert find_differing(folder, pages) == []
