"""The files that reports are written to."""

from pathlib import Path

import click
import pytest

from flasync.cli.report_file import write_page, write_report


def test_a_report(tmp_path: Path) -> None:
    """The text is written as UTF-8, over what was there."""
    path = tmp_path / "report"
    for text in ("longer before", "größer"):
        write_report(path, text)
    assert path.read_bytes() == "größer".encode()


def test_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the page is goes to stderr, as stdout may be a report of its own."""
    path = tmp_path / "page.html"
    write_page(path, "<p>")
    assert path.read_text() == "<p>"
    assert capsys.readouterr() == ("", f"Wrote {path}: open it in a browser.\n")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be written is an error of the command, which names it and says why."""
    path = tmp_path / "absent" / "report"
    with pytest.raises(click.FileError, match="No such file or directory") as raised:
        write_report(path, "")
    assert raised.value.ui_filename == str(path)
