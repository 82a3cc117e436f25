"""`docs/scan.md` says what the command does."""

import re
from pathlib import Path

import click

from flasync.cli.scan import scan
from flasync.toolkit.finding import Verdict
from flasync.toolkit.project_settings import load_project_settings
from flasync.toolkit.report.wording import VERDICTS

PAGE = (Path(__file__).parents[2] / "docs" / "scan.md").read_text()


def test_every_option_is_told() -> None:
    """The page names each long option of the command, and no other."""
    options = {
        name
        for option in scan.params
        if isinstance(option, click.Option)
        for name in option.opts
        if name.startswith("--")
    }
    rows = re.findall(r"^\| (`--.*?) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"--[a-z][a-z-]*", " ".join(rows))) == options


def test_every_verdict_is_told() -> None:
    """The page gives each verdict the meaning that the report gives it."""
    for verdict in Verdict:
        assert f"| `{verdict}` | {VERDICTS[verdict]} |" in PAGE


def test_settings_of_the_page_are_read(tmp_path: Path) -> None:
    """The table of settings on the page is one that is accepted, with every key set."""
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(block)
    settings = load_project_settings(tmp_path)
    assert all([settings.select, settings.ignore, settings.per_file_ignores])
    assert all([settings.exclude, settings.knowledge, settings.baseline])
