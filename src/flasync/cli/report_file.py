"""The files that reports are written to."""

from __future__ import annotations

from pathlib import Path

import click


def write_report(path: Path, text: str) -> None:
    """Write a report.

    Raises:
        click.FileError: The file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


def write_page(path: Path, page: str) -> None:
    """Write a report as a page for the browser, and say where it is.

    Raises:
        click.FileError: The file cannot be written.
    """
    write_report(path, page)
    click.echo(f"Wrote {path}: open it in a browser.", err=True)
