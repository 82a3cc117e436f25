"""`flasync learn`: the whole migration of a small app, step by step, in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from flasync.cli.process_end import terminated_by_exception
from flasync.toolkit.extras import require_packages


@click.command()
@click.argument(
    "folder", default="flasync-lesson", type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--restart", is_flag=True, help="Begin anew, in the same folder.")
def learn(folder: Path, restart: bool) -> None:
    """Learn by doing: find what waits, move a route, trace it, measure it, serve it.

    Makes a small app in FOLDER (flasync-lesson), asks for a prediction before each step and runs
    the step for real. Ten minutes, no network. Run it again to go on where you left it.
    """
    require_packages(("rich", "libcst", "aiohttp", "psutil"), "flasync learn")
    from flasync.cli.learn_run import Course  # noqa: PLC0415 (imports them)

    course = Course(folder, restart=restart)
    with terminated_by_exception():  # a lesson serves the app, or has it edited for a moment
        course.run()
