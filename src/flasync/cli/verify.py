"""`flasync verify`: prove on the served app that requests to a route overlap."""

from __future__ import annotations

import signal
from types import FrameType

import click

from flasync.cli.app_options import app_options
from flasync.serving import PREFERENCE
from flasync.toolkit.extras import require_packages

# Enough to tell N at a time from a pool of 5 or 10, and few enough for any machine.
DEFAULT_REQUESTS = 20


@click.command()
@app_options
@click.argument("path")
@click.option(
    "--requests",
    "-n",
    type=click.IntRange(2, 1000),
    default=DEFAULT_REQUESTS,
    show_default=True,
    help="How many are sent at once.",
)
@click.option(
    "--min-overlap",
    type=click.FloatRange(min=1),
    help="How many must run at a time.  [default: half of --requests]",
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
def verify(  # noqa: PLR0917 (one argument an option of the command)
    import_path: str | None,
    path: str,
    requests: int,
    min_overlap: float | None,
    server: str | None,
    timeout_s: float,
) -> None:
    """Send requests to PATH at once and show whether they overlap.

    The app is served in a process of its own on a free port. One request alone is measured first:
    requests that overlap take together as long as that one. Exit code 1: they did not overlap, or
    some failed.
    """
    _check_usage(path, requests, min_overlap)
    require_packages(("httpx", "rich"), "flasync verify")
    from flasync.cli.verification import Verification  # noqa: PLC0415 (imports those two)

    signal.signal(signal.SIGTERM, _end)
    run = Verification(import_path, path, requests, min_overlap, server, timeout_s).run
    raise SystemExit(run())


def _end(number: int, frame: FrameType | None) -> None:
    """Leave through every `finally`, so that the served app is ended too."""
    raise SystemExit(128 + number)


def _check_usage(path: str, requests: int, min_overlap: float | None) -> None:
    if not path.startswith("/"):
        raise click.BadParameter(
            f"{path!r} is not a path of the app. Begin it with a slash: /{path}",
            param_hint="PATH",
        )
    if min_overlap is not None and min_overlap > requests:
        raise click.BadParameter(
            f"{min_overlap:g} of {requests} requests cannot run at a time.",
            param_hint="--min-overlap",
        )
