"""`flasync explain`."""

import pytest
from click.testing import CliRunner

from flasync.cli import commands
from flasync.toolkit.rules import load_rules

USAGE = 2


@pytest.mark.parametrize("name", ["FSY101", "fsy101", "blocking-sleep"])
def test_page_of_a_rule(name: str) -> None:
    """A rule's page is printed for its code or its name, as Markdown where no terminal is."""
    result = CliRunner().invoke(commands, ["explain", name])
    assert result.exit_code == 0
    assert result.stdout.startswith("# FSY101 blocking-sleep\n\n## What it does\n")
    assert "await asyncio.sleep(" in result.stdout


def test_list_of_all_rules() -> None:
    """Without a code each rule is listed."""
    result = CliRunner().invoke(commands, ["explain"])
    lines = result.stdout.splitlines()
    assert [line[:6] for line in lines if line.startswith("FSY")] == list(load_rules())


@pytest.mark.parametrize(
    ("name", "hint"), [("FSY504x", "Did you mean FSY504?"), ("blocking-slep", "blocking-sleep?")]
)
def test_unknown_rule_is_refused(name: str, hint: str) -> None:
    """A code that no rule has is wrong usage, with the nearest one."""
    result = CliRunner().invoke(commands, ["explain", name])
    assert result.exit_code == USAGE
    assert f"{name!r} is no rule." in result.stderr
    assert hint in result.stderr
