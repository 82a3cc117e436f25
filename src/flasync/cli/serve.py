"""`flasync serve`: run a Flask app, unchanged, on an ASGI server."""

from __future__ import annotations

from typing import Any

import click
from flask.helpers import get_debug_flag

from flasync.cli.app_options import app_options
from flasync.serving import PREFERENCE, Launch, launch
from flasync.serving.settings import DEFAULT_HOST, DEFAULT_PORT


@click.command()
@app_options
@click.option(
    "--server",
    type=click.Choice(PREFERENCE),
    help=f"The ASGI server.  [default: the first installed of {', '.join(PREFERENCE)}]",
)
@click.option("--workers", "-w", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--host", "-h", envvar="FLASK_RUN_HOST", default=DEFAULT_HOST, show_default=True)
@click.option(
    "--port",
    "-p",
    envvar="FLASK_RUN_PORT",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 takes any free port.",
)
@click.option(
    "--reload/--no-reload",
    default=None,
    help="Restart when a file changes.  [default: in debug mode, with one worker]",
)
@click.option(
    "--debugger/--no-debugger",
    default=None,
    help="Werkzeug's interactive debugger.  [default: in debug mode, with one worker]",
)
@click.option("--http2", is_flag=True, help="Demand HTTP/2; refused by a server without it.")
@click.option("--cert", metavar="FILE", help="The TLS certificate, a PEM file, or 'adhoc'.")
@click.option("--key", metavar="FILE", help="The key of --cert, a PEM file.")
@click.option(
    "--access-log/--no-access-log",
    default=None,
    help="Print a line for each request.  [default: in debug mode and with --reload]",
)
def serve(import_path: str | None, **options: Any) -> None:
    """Serve a Flask app on an ASGI server.

    The app is found as the `flask` command finds it and needs no edit: a plain `flask.Flask` is
    wrapped. With --debug, the reloader and the debugger are on, as with `flask run`.
    """
    launch(_build_order(import_path, **options), announce=lambda line: click.echo(line, err=True))


def _build_order(
    import_path: str | None,
    *,
    server: str | None,
    workers: int,
    host: str,
    port: int,
    reload: bool | None,
    debugger: bool | None,
    http2: bool,
    cert: str | None,
    key: str | None,
    access_log: bool | None,
) -> Launch:
    development = get_debug_flag() and workers == 1
    use_reloader = development if reload is None else reload
    use_debugger = development if debugger is None else debugger
    return Launch(
        import_path=import_path,
        server=server,
        host=host,
        port=port,
        workers=workers,
        use_reloader=use_reloader,
        use_debugger=use_debugger,
        http2=http2,
        ssl_context=_pair_certificate(cert, key),
        access_log=(use_reloader or get_debug_flag()) if access_log is None else access_log,
    )


def _pair_certificate(cert: str | None, key: str | None) -> str | tuple[str, str] | None:
    if cert == "adhoc" and key is None:
        return cert
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together, or --cert adhoc alone.")
    return (cert, key) if cert is not None and key is not None else None
