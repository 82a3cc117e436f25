"""Serve a migrated copy of the shop on a slow database and ask each moved route at once.

usage: python -m conformance.moved_routes FOLDER

One line a route on stdout. Exit code 1: one of them does not overlap, or nobody asks it.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from conformance.moved_routes import database
from conformance.moved_routes.measuring import REQUESTS, Visitors, load, measure
from conformance.moved_routes.moved import find_route, list_moved
from conformance.moved_routes.questions import ASKS, Ask
from conformance.moved_routes.slow_proxy import slow_down
from flasync.cli.process_end import terminated_by_exception
from flasync.toolkit.served_app import serve_app
from flasync.toolkit.verifying.stacks import Stack, serve_flasync

_APP = "conformance.moved_routes.shop"
_ROOT = Path(__file__).parents[2]

# So long takes each answer of the database: that of one in another building. Enough for the waits
# to be most of a request, also on a machine that is busy.
_DELAY_MS = 30


def main(folder: Path) -> int:
    """Return the exit code."""
    try:
        with terminated_by_exception(), database.make_database():
            return _check(folder)
    except database.NoServerError as error:
        print(f"NOT CHECKED whether the moved routes overlap. {error}", file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else 0


def _check(folder: Path) -> int:
    # The copy's `bookshop` and `supplier`, here and in the processes that are started.
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{_ROOT}"
    os.environ["DATABASE_URL"] = database.build_url()
    facts = database.fill(_APP, folder)
    app: Flask = importlib.import_module(_APP).app
    print(
        f"{REQUESTS} requests at once to each moved route; {_DELAY_MS} ms an answer of PostgreSQL"
    )
    with _serve(folder) as stack:
        visitors = Visitors(stack.url, facts)
        # It fills the pool of connections, and tells nothing else.
        load(stack, ASKS[0], facts, ())
        shown = [_show(app, stack, visitors, facts, ask) for ask in ASKS]
    forgotten = list_moved(app) - {find_route(app, ask, facts) for ask in ASKS}
    for method, rule in sorted(forgotten):
        print(f"FAILED  {method} {rule}: it has moved, and questions.py does not ask it")
    print(f"{sum(shown)} of {len(shown) + len(forgotten)} overlap.")
    return 0 if all(shown) and not forgotten else 1


@contextmanager
def _serve(folder: Path) -> Iterator[Stack]:
    server = urlsplit(database.SERVER)
    with (
        slow_down(server.hostname or "127.0.0.1", server.port or 5432, _DELAY_MS) as port,
        serve_app("supplier", folder=folder) as supplier,
        serve_flasync(
            _APP,
            folder,
            environ={"DATABASE_URL": database.build_url(port), "SUPPLIER_URL": supplier.url},
        ) as stack,
    ):
        yield stack


def _show(app: Flask, stack: Stack, visitors: Visitors, facts: database.Facts, ask: Ask) -> bool:
    """Measure a route and print what it has shown; return whether that is what is wanted."""
    shown = measure(stack, ask, facts, visitors.get_headers(ask.visitor))
    fault = shown.find_fault(ask)
    method, rule = find_route(app, ask, facts)
    words = f"FAILED: {fault}" if fault else ask.note
    print(
        f"{shown.overlap:4.1f}  {ask.status}  {method:<6} {rule:<32} {words}".rstrip(), flush=True
    )
    return not fault


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
