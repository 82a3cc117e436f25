"""The report of a migration as text."""

import io

from rich.console import Console

from flasync.toolkit.migration.outcome import MigrationReport
from flasync.toolkit.report.migration_text import print_migration
from flasync.toolkit.report.terminal import build_console
from toolkit.report.migrated_shop import PLANNED, WRITTEN


def render(
    report: MigrationReport, width: int = 100, *, diff: bool = True, verbose: bool = False
) -> str:
    """The report as a pipe of a width gets it."""
    file = io.StringIO()
    console = build_console(file)
    console.width = width
    print_migration(report, console, import_path="wsgi", diff=diff, verbose=verbose)
    return file.getvalue()


def test_parts_in_order() -> None:
    """What moves comes first, then the steps, the diff, what stays, what is left to do."""
    text = render(PLANNED)
    titles = [
        "5 of 15 routes",
        "Steps",
        "Changes",
        "What stays, and why",
        "By hand",
        "What to do next",
    ]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert "+async def order(): # <b>\n" in text
    assert "flasync migrate --app wsgi --write" in text


def test_steps_are_short() -> None:
    """Routes of which only the view changes take a line each."""
    text = render(PLANNED, diff=False)
    assert "4 to 7. planned  Move 4 more routes, for which only the view changes\n" in text
    assert "     GET /cart: async def cart\n" in text
    assert "     GET /admin: @on_loop admin. `login_required` looks at its result.\n" in text
    assert "Flask awaits it" not in text


def test_verbose_tells_every_step() -> None:
    """With --verbose each step stands alone, with the number of changes made before."""
    text = render(PLANNED, diff=False, verbose=True)
    assert "4. planned  Move POST /pay onto the event loop\n" in text
    assert "     and 3 changes that earlier steps make\n" in text
    assert "GET /c6" in text
    assert "more (--verbose)" not in text


def test_left_routes_are_cropped() -> None:
    """Of many routes with one reason a few are named."""
    text = render(PLANNED, diff=False)
    assert "login_required hides it.\n" in text
    assert "    and 3 more (--verbose)\n" in text
    assert "    GET /a  shop/views.py:70\n" in text


def test_outcomes() -> None:
    """What was undone has its test and no changes, and what was left out is one block."""
    text = render(WRITTEN, diff=False)
    assert "1. proved  Make the app a flasync.Flask  0123456789\n" in text
    assert "It turned tests/test_a.py::test_a red: assert 1. So did 1 other test." in text
    assert "async def order" not in text
    assert "4 to 6. skipped  3 steps that you left out\n" in text


def test_narrow_terminal() -> None:
    """On a phone's width no line but commands and the diff is longer than it."""
    lines = render(PLANNED, 40, diff=False).splitlines()
    assert all(len(line) <= 40 or "flasync migrate" in line for line in lines)


def test_ascii_terminal() -> None:
    """An encoding without the report's characters gets others in their place."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    print_migration(PLANNED, Console(file=file, width=100, highlight=False, markup=False))
    file.flush()
    assert b"smtplib.SMTP(...)" in file.buffer.getvalue()
