"""`flasync scan`: which routes block, where, why, and what to do."""

from __future__ import annotations

from pathlib import Path

import click

from flasync.cli.app_options import app_options, project_option
from flasync.cli.process_end import end_if_threads_stay
from flasync.toolkit.extras import require_packages


def _split_codes(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    return tuple(code.strip() for part in value for code in part.split(",") if code.strip())


@click.command()
@project_option
@app_options
@click.option(
    "--static",
    is_flag=True,
    help="Read the source alone, for an app that cannot be imported. Finds less.",
)
@click.option("--route", metavar="ROUTE", help="Only this route: its URL rule, endpoint or view.")
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    callback=_split_codes,
    help="Only these rules: FSY101, or FSY1 for all that begin so; separated by commas.",
)
@click.option(
    "--ignore", multiple=True, metavar="CODES", callback=_split_codes, help="Not these rules."
)
@click.option(
    "--check", is_flag=True, help="Exit code 1 for findings that are not in the baseline."
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of known findings.  [default: that of pyproject.toml, flasync-baseline.json]",
)
@click.option(
    "--write-baseline", is_flag=True, help="Write the findings of today into the baseline."
)
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--sarif", "form", flag_value="sarif", help="Print SARIF 2.1.0, for code scanning.")
@click.option("--github", "form", flag_value="github", help="Print annotations for GitHub Actions.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page for the browser to this file.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where --json, --sarif or --github goes.  [default: stdout]",
)
@click.option(
    "--observe",
    is_flag=True,
    help="Run COMMAND, such as your tests, and see which routes really wait, and how long.",
)
@click.option("--verbose", "-v", is_flag=True, help="Leave nothing out.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def scan(  # noqa: PLR0917 (one argument an option of the command)
    import_path: str | None,
    static: bool,
    route: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    check: bool,
    baseline: Path | None,
    write_baseline: bool,
    form: str | None,
    html: Path | None,
    output: Path | None,
    observe: bool,
    verbose: bool,
    command: tuple[str, ...],
) -> None:
    """Show which routes of a Flask app wait, for what, and what to do about it.

    The app is imported as the `flask` command does it, and its code is read; no view is run.
    With `--observe -- COMMAND` the command is run, and what really waited is measured. Exit code
    1: --check has found something new; 3: the app did not start.
    """
    if observe != bool(command):
        raise click.UsageError(
            "--observe and a command go together: flasync scan --observe -- pytest"
        )
    if write_baseline and (route or select or ignore or check):
        raise click.UsageError(
            "--write-baseline takes all findings: leave out --route, --select, --ignore, --check."
        )
    if output is not None and form is None:
        raise click.UsageError("--output is for --json, --sarif and --github.")
    require_packages(("rich",), "flasync scan")
    from flasync.cli.scan_run import ScanRun  # noqa: PLC0415 (imports it)

    run = ScanRun(
        import_path=import_path,
        root=Path.cwd(),
        static=static,
        route=route,
        select=select,
        ignore=ignore,
        check=check,
        baseline=baseline,
        form=form,
        html=html,
        output=output,
        observe=command or None,
        verbose=verbose,
    )
    code = run.write_baseline() if write_baseline else run.run()
    end_if_threads_stay(code)
    raise SystemExit(code)
