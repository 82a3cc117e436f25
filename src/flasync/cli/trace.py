"""`flasync trace`: what one request does, step by step."""

from __future__ import annotations

from pathlib import Path

import click

from flasync.cli.app_options import app_options, project_option
from flasync.cli.process_end import end_if_threads_stay
from flasync.cli.request_options import request_options
from flasync.toolkit.extras import require_packages

# Requests that may safely be sent again, as HTTP has it.
_SAFE_METHODS = frozenset({"GET", "HEAD"})


@click.command()
@project_option
@app_options
@request_options
@click.option(
    "--beside",
    type=click.IntRange(0, 1000),
    help="How many of the same are sent meanwhile.  [default: 1 for GET and HEAD, 0 for others]",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds after which the client leaves.",
)
@click.option(
    "--max-hold",
    "max_hold_ms",
    type=click.FloatRange(min=0),
    default=50.0,
    show_default=True,
    help="Milliseconds for which the request may hold the loop without a pause.",
)
@click.option("--no-variables", is_flag=True, help="Show no values of variables.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page for the browser to this file.",
)
@click.argument("method")
@click.argument("path")
def trace(  # noqa: PLR0917 (one argument an option of the command)
    import_path: str | None,
    headers: tuple[tuple[str, str], ...],
    data: str,
    beside: int | None,
    timeout_s: float,
    max_hold_ms: float,
    no_variables: bool,
    as_json: bool,
    html: Path | None,
    method: str,
    path: str,
) -> None:
    """Send one request and show what it does, step by step.

    The app runs in this process, without a server, and the request is real: a POST writes what it
    writes. Shown are the hooks, the view's coroutine, where it pauses and for what, and its local
    variables; what is named like a secret is masked. Exit code 1: a coroutine was never awaited,
    the loop was held, or the request failed; 3: the app did not start.
    """
    method = method.upper()
    if not method.isalpha():
        raise click.BadParameter(f"{method!r} is no HTTP method.", param_hint="METHOD")
    if not path.startswith("/"):
        raise click.BadParameter(
            f"{path!r} is not a path of the app. Begin it with a slash: /{path}",
            param_hint="PATH",
        )
    require_packages(("rich",), "flasync trace")
    from flasync.cli.trace_run import TraceRun  # noqa: PLC0415 (imports it)

    if beside is None:
        beside = 1 if method in _SAFE_METHODS else 0
    run = TraceRun(
        import_path=import_path,
        method=method,
        path=path,
        headers=headers,
        data=data,
        beside=beside,
        timeout_s=timeout_s,
        max_hold_ms=max_hold_ms,
        with_variables=not no_variables,
        as_json=as_json,
        html=html,
    )
    code = run.run()
    end_if_threads_stay(code)
    raise SystemExit(code)
