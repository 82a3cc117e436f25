"""`flasync verify`: prove on the served app that requests to a route overlap."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from flasync.cli.app_options import app_options, project_option
from flasync.cli.duration import Duration
from flasync.cli.process_end import terminated_by_exception
from flasync.cli.request_options import request_options
from flasync.cli.typed_command import describe_command
from flasync.errors import MissingExtraError
from flasync.serving import PREFERENCE
from flasync.toolkit.extras import require_packages
from flasync.toolkit.verifying.chromium import find_chromium

# Enough to tell N at a time from a pool of 5 or 10, and few enough for any machine.
DEFAULT_REQUESTS = 20


def _check_paths(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    for path in value:
        if not path.startswith("/"):
            raise click.BadParameter(
                f"{path!r} is not a path of the app. Begin it with a slash: /{path}", ctx, param
            )
    return value


def _check_bystander(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    _check_paths(ctx, param, () if value is None else (value,))
    return value


@click.command()
@project_option
@app_options
@click.argument("paths", nargs=-1, metavar="[PATH]...", callback=_check_paths)
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="ROUTE",
    help="This route, by its URL rule or endpoint. May be given several times.",
)
@click.option(
    "--method",
    default="GET",
    show_default=True,
    help="The method of the requests to PATH.",
)
@request_options
@click.option(
    "--requests",
    "-n",
    type=click.IntRange(2, 5000),
    default=DEFAULT_REQUESTS,
    show_default=True,
    help="How many are sent at once.",
)
@click.option(
    "--login",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Python file whose `login(url)` returns the headers of a session.",
)
@click.option("--url", help="Ask a server that runs already, as http://127.0.0.1:5000.")
@click.option(
    "--bystander",
    metavar="PATH",
    callback=_check_bystander,
    help="The route that is asked meanwhile, to see whether others wait.  [default: an own one]",
)
@click.option(
    "--compare",
    is_flag=True,
    help="Against the same app as stock Flask, on a threaded WSGI server.",
)
@click.option(
    "--compare-with", "revision", metavar="REVISION", help="Against this git revision of the app."
)
@click.option(
    "--min-overlap",
    type=click.FloatRange(min=1),
    help="How many must run at a time.  [default: half of what this machine allows]",
)
@click.option(
    "--max-p99", "max_p99_ms", type=Duration(), help="How long a request may take, as 300ms."
)
@click.option(
    "--max-bystander",
    "max_bystander_ms",
    type=Duration(),
    help="How much longer another route may wait meanwhile, as 50ms.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where --json goes.  [default: stdout]",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page for the browser to this file.",
)
@click.option(
    "--browser",
    is_flag=True,
    help="Load the GET routes from headless Chromium too, and measure what its user feels.",
)
@click.option("--server", type=click.Choice(PREFERENCE), help="As for `flasync serve`.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds after which a request counts as failed.",
)
@click.option("--verbose", "-v", is_flag=True, help="Leave nothing out.")
@click.pass_context
def verify(  # noqa: PLR0917 (one argument an option of the command)
    ctx: click.Context,
    import_path: str | None,
    paths: tuple[str, ...],
    routes: tuple[str, ...],
    method: str,
    data: str,
    requests: int,
    headers: tuple[tuple[str, str], ...],
    login: Path | None,
    url: str | None,
    bystander: str | None,
    compare: bool,
    revision: str | None,
    min_overlap: float | None,
    max_p99_ms: float | None,
    max_bystander_ms: float | None,
    as_json: bool,
    output: Path | None,
    html: Path | None,
    browser: bool,
    server: str | None,
    timeout_s: float,
    verbose: bool,
) -> None:
    """Send requests to each PATH at once and show whether they overlap, and where the time goes.

    Without PATH and --route, all GET routes that need no arguments are verified. The app is served
    in a process of its own on a free port. One request alone is measured first: requests that
    overlap take together as long as that one. Exit code 1: a route does not overlap, requests
    failed, or a threshold is broken; 3: the app did not start.
    """
    if min_overlap is not None and min_overlap > requests:
        raise click.BadParameter(
            f"{min_overlap:g} of {requests} requests cannot run at a time.",
            param_hint="--min-overlap",
        )
    if method.upper() != "GET" and not paths:
        raise click.UsageError(
            f"--method {method} needs a PATH: without one, GET routes are asked."
        )
    if data and method.upper() in {"GET", "HEAD"}:
        raise click.UsageError(f"--data needs a method that sends something, not {method}.")
    if output is not None and not as_json:
        raise click.UsageError("--output is for --json.")
    if compare and revision is not None:
        raise click.UsageError("--compare and --compare-with exclude each other.")
    if url is not None:
        _check_url(ctx, url, paths)
        import_path = None
        if browser and bystander is None:
            raise click.UsageError("--browser and --url need --bystander: a quick path to ask for.")
    require_packages(("aiohttp", "psutil", "rich"), "flasync verify")
    if browser:
        _check_browser()
    from flasync.cli.verify_run import VerifyRun  # noqa: PLC0415 (imports them)
    from flasync.toolkit.verifying.thresholds import Thresholds  # noqa: PLC0415 (as above)

    run = VerifyRun(
        import_path=import_path,
        root=Path.cwd(),
        paths=paths,
        routes=routes,
        method=method.upper(),
        data=data,
        requests=requests,
        headers=headers,
        login=login,
        url=url,
        bystander=bystander,
        compare="stock" if compare else revision,
        thresholds=Thresholds(min_overlap, max_p99_ms, max_bystander_ms),
        as_json=as_json,
        output=output,
        html=html,
        browser=browser,
        server=server,
        timeout_s=timeout_s,
        verbose=verbose,
        command=describe_command(sys.argv[1:], (data, *(content for _, content in headers))),
    )
    with terminated_by_exception():
        code = run.run()
    raise SystemExit(code)


def _check_browser() -> None:
    """Refuse before the app is started what would fail after it."""
    if importlib.util.find_spec("playwright") is None:
        raise MissingExtraError(
            "flasync verify --browser needs playwright: pip install 'flasync[browser]'"
        )
    find_chromium()


def _check_url(ctx: click.Context, url: str, paths: tuple[str, ...]) -> None:
    if not _is_address(url):
        address = "one such as http://127.0.0.1:5000" if "://" in url else f"http://{url}"
        raise click.BadParameter(f"{url!r} is no address. Write {address}", ctx, param_hint="--url")
    if not paths:
        raise click.UsageError("--url needs a PATH: only the app itself knows its routes.")
    alone = {
        "import_path": "--app",
        "routes": "--route",
        "compare": "--compare",
        "revision": "--compare-with",
        "server": "--server",
    }
    for name, option in alone.items():
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{option} and --url exclude each other: that server runs already."
            )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half a pair of brackets, or a port that is no number
        return False
