"""No framework: one ASGI function. The limit that the server sets."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader

from benchmarks.apps import TEMPLATES
from benchmarks.routes import ITEMS, WAIT_S

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("page.html")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the benchmark's requests; refuses anything but HTTP."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    content_type, body = await answer(scope, receive)
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer(scope: Scope, receive: Receive) -> tuple[bytes, bytes]:
    """The content type and the body for one request."""
    path = scope["path"]
    if path == "/":
        return b"text/plain", b"Hello, World!"
    if path == "/json":
        return b"application/json", json.dumps({"hello": "world"}).encode()
    if path.startswith("/user/"):
        query = parse_qs(scope["query_string"].decode())
        user = {"id": int(path[6:]), "q": query["q"][0]}
        return b"application/json", json.dumps(user).encode()
    if path == "/order":
        order = json.loads(await read_body(receive))
        total = {"name": order["name"], "total": order["price"] * order["count"]}
        return b"application/json", json.dumps(total).encode()
    if path == "/page":
        return b"text/html", page.render(title="Items", items=ITEMS).encode()
    await asyncio.sleep(WAIT_S)
    return b"text/plain", b"done"


async def read_body(receive: Receive) -> bytes:
    """The whole request body."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
