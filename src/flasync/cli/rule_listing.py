"""What `flasync explain` prints."""

from __future__ import annotations

from collections.abc import Iterable

from rich.markdown import Markdown
from rich.table import Table

from flasync.toolkit.knowledge import load_knowledge
from flasync.toolkit.report.rule_pages import build_rule_page
from flasync.toolkit.report.terminal import Writer, build_console
from flasync.toolkit.rules import Rule


def print_rules(rules: Iterable[Rule]) -> None:
    """Print the code, the name and the purpose of each rule."""
    writer = Writer(build_console())
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column()
    for rule in rules:
        grid.add_row(
            writer.text((rule.code, "bold")), writer.text(rule.name), writer.text(rule.page.what)
        )
    writer.write_table(grid)
    writer.blank()
    writer.write("flasync explain CODE prints the page of one.")


def print_page(rule: Rule) -> None:
    """Print a rule's page: laid out on a terminal, as Markdown elsewhere."""
    page = build_rule_page(rule, load_knowledge())
    writer = Writer(build_console())
    if writer.console.is_terminal:
        writer.console.print(Markdown(writer.text(page).plain))
    else:
        writer.console.print(writer.text(page.rstrip("\n")), soft_wrap=True)
