"""The folder with the pages of all rules; `python -m` writes or checks it for `scripts/rules`."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.report.rule_pages import (
    INDEX_NAME,
    build_index,
    build_page_name,
    build_rule_page,
)
from flasync.toolkit.rules import load_rules


def build_pages() -> dict[str, str]:
    """Return the text of each page by its file name, the index included."""
    rules = load_rules().values()
    knowledge = load_knowledge()
    pages = {build_page_name(rule): build_rule_page(rule, knowledge) for rule in rules}
    return {INDEX_NAME: build_index(rules), **pages}


def write_pages(folder: Path, pages: dict[str, str]) -> None:
    """Write the pages into a folder, and remove other pages from it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _list_names(folder) - set(pages):
        (folder / name).unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def find_differing(folder: Path, pages: dict[str, str]) -> list[str]:
    """Return the names of the pages that are missing, left over or out of date."""
    names = _list_names(folder)
    outdated = {name for name in names & set(pages) if _read(folder / name) != pages[name]}
    return sorted((names ^ set(pages)) | outdated)


def _list_names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.md")}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def publish(pages: dict[str, str], folder: Path, options: Collection[str], script: str) -> str:
    """Write the pages, or with `--check` among the options return what is wrong with them.

    Args:
        pages: The text of each page by its file name.
        folder: Where they are.
        options: The options of the command line.
        script: The command that writes them.

    Returns:
        One line; "" when nothing is wrong.
    """
    if "--check" not in options:
        write_pages(folder, pages)
        return ""
    differing = find_differing(folder, pages)
    return f"Out of date: {', '.join(differing)}. Run {script}" if differing else ""


def main(folder: str, *options: str) -> str | None:
    """Write or check the pages; return what is wrong with them, or None."""
    return publish(build_pages(), Path(folder), options, "scripts/rules") or None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
