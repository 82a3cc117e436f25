"""`docs/verify.md` says what the command does."""

import re
from pathlib import Path

import click

from flasync.cli.verify import verify
from flasync.toolkit.report.verify_waterfall import LOOKS
from flasync.toolkit.report.verify_words import OUTCOMES

PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text()


def test_every_option_is_told() -> None:
    """The page names each long option of the command, and no other."""
    options = {
        name
        for option in verify.params
        if isinstance(option, click.Option)
        for name in option.opts
        if name.startswith("--")
    }
    rows = re.findall(r"^\| (`--.*?) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"--[a-z][a-z0-9-]*", " ".join(rows))) == options


def test_every_verdict_is_told() -> None:
    """The page gives each verdict the meaning that the reports give it."""
    for outcome, meaning in OUTCOMES.items():
        assert f"| `{outcome.value}` | {meaning} |" in PAGE


def test_every_character_is_told() -> None:
    """The page explains what the bars are made of, as the legend does."""
    for look in LOOKS.values():
        assert f"| `{look.character}` | `{look.ascii}` | {look.meaning} |" in PAGE


def test_examples_compile() -> None:
    """The Python on the page is Python."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        compile(block, "verify.md", "exec")
