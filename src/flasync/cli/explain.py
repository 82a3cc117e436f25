"""`flasync explain`: what a rule finds, why it matters and how it is mended."""

from __future__ import annotations

import difflib

import click

from flasync.toolkit.extras import require_packages
from flasync.toolkit.rules import Rule, load_rules


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Print the page of the rule CODE, such as FSY101 or blocking-sleep; without it, the list."""
    require_packages(("rich",), "flasync explain")
    from flasync.cli import rule_listing  # noqa: PLC0415 (imports it)

    if code is None:
        rule_listing.print_rules(load_rules().values())
    else:
        rule_listing.print_page(_find_rule(code))


def _find_rule(code: str) -> Rule:
    rules = load_rules()
    wanted = code.strip().lower()
    for rule in rules.values():
        if wanted in (rule.code.lower(), rule.name):
            return rule
    names = {name.lower(): name for rule in rules.values() for name in (rule.code, rule.name)}
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f" Did you mean {names[close[0]]}?" if close else ""
    raise click.BadParameter(
        f"{code!r} is no rule.{hint} `flasync explain` lists them.", param_hint="CODE"
    )
