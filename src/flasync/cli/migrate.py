"""`flasync migrate`: routes onto the event loop, each proved by the app's own tests."""

from __future__ import annotations

from pathlib import Path

import click

from flasync.cli.app_options import app_options, project_option
from flasync.cli.process_end import end_if_threads_stay, terminated_by_exception
from flasync.toolkit.extras import require_packages


@click.command()
@project_option
@app_options
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="ROUTE",
    help="Only this route: its URL rule, endpoint or view. May be given several times.",
)
@click.option(
    "--blueprint",
    "blueprints",
    multiple=True,
    metavar="NAME",
    help="Only the routes of this blueprint. May be given several times.",
)
@click.option(
    "--all-ready",
    is_flag=True,
    help="Besides the routes that gain by it, those that wait for nothing: on the event loop they"
    " answer even while all threads are busy.",
)
@click.option("--write", is_flag=True, help="Change the files. Without it, nothing is changed.")
@click.option(
    "--test",
    metavar="COMMAND",
    default="",
    help='Run these tests before and after each step: "pytest -q". What turns one red is undone.',
)
@click.option(
    "--bisect",
    is_flag=True,
    help="Run the tests once for all steps, and look for a culprit by halves: fewer runs.",
)
@click.option(
    "--install", is_flag=True, help="Install what the new code needs, such as async drivers."
)
@click.option("--interactive", "-i", is_flag=True, help="Ask about each step.")
@click.option("--commit", is_flag=True, help="Make a git commit of each step.")
@click.option("--allow-dirty", is_flag=True, help="Go on although git could not take it back.")
@click.option("--unsafe", is_flag=True, help="Make the changes too that may alter the meaning.")
@click.option(
    "--http",
    type=click.Choice(["niquests", "httpx2", "httpx"]),
    help="The async HTTP client to write.  [default: one that the project has, else niquests]",
)
@click.option("--diff/--no-diff", default=None, help="Print the changes as a unified diff.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page for the browser to this file.",
)
@click.option("--verbose", "-v", is_flag=True, help="Leave nothing out.")
def migrate(  # noqa: PLR0917 (one argument an option of the command)
    import_path: str | None,
    routes: tuple[str, ...],
    blueprints: tuple[str, ...],
    all_ready: bool,
    write: bool,
    test: str,
    bisect: bool,
    install: bool,
    interactive: bool,
    commit: bool,
    allow_dirty: bool,
    unsafe: bool,
    http: str | None,
    diff: bool | None,
    as_json: bool,
    html: Path | None,
    verbose: bool,
) -> None:
    """Move the routes of a Flask app onto the event loop, where they wait without a thread.

    Prints the plan and the changes. With --write it makes them, step by step; with --test your own
    tests run before and after each, and what turns a test red is undone and tried again in a
    plainer shape. Exit code 1: a step could not be made because of a test; 3: the app did not
    start.
    """
    if all_ready and (routes or blueprints):
        raise click.UsageError(
            "--all-ready is about all routes: leave out --route and --blueprint."
        )
    for name, given in (
        ("--test", bool(test)),
        ("--commit", commit),
        ("--interactive", interactive),
    ):
        if given and not write:
            raise click.UsageError(f"{name} is about changes that are made: add --write.")
    if bisect and not test:
        raise click.UsageError('--bisect is about tests: add --test "pytest -q".')
    require_packages(("rich", "libcst"), "flasync migrate")
    from flasync.cli.migrate_run import MigrateRun  # noqa: PLC0415 (imports them)

    run = MigrateRun(
        import_path=import_path,
        root=Path.cwd(),
        routes=routes,
        all_ready=all_ready,
        blueprints=blueprints,
        write=write,
        test=test,
        bisect=bisect,
        install=install,
        interactive=interactive,
        commit=commit,
        allow_dirty=allow_dirty,
        unsafe=unsafe,
        http=http,
        diff=not write if diff is None else diff,
        as_json=as_json,
        html=html,
        verbose=verbose,
    )
    with terminated_by_exception():
        code = run.run()
    end_if_threads_stay(code)
    raise SystemExit(code)
