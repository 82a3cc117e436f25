"""The stacks that are compared: an application of `benchmarks.apps` on a server."""

from dataclasses import dataclass, replace

THREADS = 40
"""Threads of every threaded stack; flasync's default, given to the others too."""


@dataclass(frozen=True)
class Stack:
    """One row of the tables.

    Attributes:
        name: What `--only` takes.
        title: What the report says.
        module: Module of `benchmarks.apps` that holds `app`.
        server: Key of `benchmarks.servers.COMMANDS`.
        wsgi: True when `app` is a WSGI application, False for ASGI.
        slots: Requests that can wait at the same time, or None for no limit.
    """

    name: str
    title: str
    module: str
    server: str = "uvicorn"
    wsgi: bool = False
    slots: int | None = None


BARE = Stack("bare", "bare ASGI function, uvicorn", "bare")
STARLETTE = Stack("starlette", "Starlette, uvicorn", "starlette")
FASTAPI = Stack("fastapi", "FastAPI, uvicorn", "fastapi")
QUART = Stack("quart", "Quart, uvicorn", "quart")
FLASK = Stack(
    "flask", "Flask, gunicorn gthread", "flask_sync", server="gthread", wsgi=True, slots=THREADS
)
GEVENT = Stack("gevent", "Flask, gunicorn gevent", "flask_sync", server="gevent", wsgi=True)
A2WSGI = Stack("a2wsgi", "Flask in a2wsgi, uvicorn", "flask_a2wsgi", slots=THREADS)
FLASK_ASYNC = Stack(
    "flask-async",
    "Flask `async def`, gunicorn gthread",
    "flask_async",
    server="gthread",
    wsgi=True,
    slots=THREADS,
)
LOOP = Stack("flasync-loop", "**flasync** loop lane, uvicorn", "flasync_loop")
ON_LOOP = Stack("flasync-on-loop", "**flasync** `@on_loop` sync view, uvicorn", "flasync_on_loop")
THREAD = Stack(
    "flasync-thread", "**flasync** thread lane, uvicorn", "flasync_thread", slots=THREADS
)

STACKS = (
    BARE,
    STARLETTE,
    FASTAPI,
    LOOP,
    ON_LOOP,
    THREAD,
    QUART,
    FLASK,
    GEVENT,
    A2WSGI,
    FLASK_ASYNC,
)

IN_PROCESS = tuple(
    replace(stack, title=stack.title.removesuffix(f", {where}"))
    for stack, where in (
        (BARE, "uvicorn"),
        (STARLETTE, "uvicorn"),
        (FASTAPI, "uvicorn"),
        (FLASK, "gunicorn gthread"),
        (LOOP, "uvicorn"),
        (ON_LOOP, "uvicorn"),
        (THREAD, "uvicorn"),
        (QUART, "uvicorn"),
        (FLASK_ASYNC, "gunicorn gthread"),
    )
)
"""What is measured without a server."""

SERVER_CHOICE = tuple(
    replace(
        LOOP,
        name=LOOP.name if server == "uvicorn" else f"{LOOP.name}-{server}",
        title=title,
        server=server,
    )
    for server, title in (
        ("uvicorn", "uvicorn (httptools, uvloop)"),
        ("granian", "Granian (uvloop)"),
        ("gunicorn-asgi", "gunicorn's ASGI worker (uvloop)"),
        ("hypercorn", "Hypercorn (uvloop)"),
    )
)
"""flasync's loop lane on every server, for the choice of a default server."""
