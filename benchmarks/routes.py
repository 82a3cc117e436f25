"""What every stack under test answers: the requests that are sent and the answers that count."""

import json
from dataclasses import dataclass

WAIT_S = 1.0
"""Seconds that `/wait` awaits (or sleeps, in stacks that can only sleep)."""

ITEMS = [{"name": f"item <{n}>", "price": n * 1.5} for n in range(10)]
"""The rows of the template; the angle brackets make autoescaping work for its living."""


@dataclass(frozen=True)
class Route:
    """One kind of request, and how to know its right answer.

    Attributes:
        name: What the report calls it.
        method: HTTP method.
        target: Request target: path, and query after `?`.
        text: Part of the body of a right answer, or None when `data` says it.
        data: The decoded JSON of a right answer, or None when `text` says it.
        body: Request body, JSON, or None.
    """

    name: str
    method: str
    target: str
    text: str | None = None
    data: object = None
    body: bytes | None = None

    def accepts(self, answer: bytes) -> bool:
        """True when `answer` is the body of a right answer. JSON is compared decoded."""
        if self.text is not None:
            return self.text in answer.decode()
        return bool(json.loads(answer) == self.data)


HELLO = Route("`/`", "GET", "/", text="Hello, World!")
JSON = Route("`/json`", "GET", "/json", data={"hello": "world"})
USER = Route("`/user/<int>?q=`", "GET", "/user/42?q=ada", data={"id": 42, "q": "ada"})
ORDER = Route(
    "JSON POST",
    "POST",
    "/order",
    data={"name": "lamp", "total": 37.5},
    body=b'{"name": "lamp", "price": 12.5, "count": 3}',
)
PAGE = Route("template", "GET", "/page", text="<td>item &lt;9&gt;</td><td>13.5</td>")
WAIT = Route("wait", "GET", "/wait", text="done")

ROUTES = (HELLO, JSON, USER, ORDER, PAGE)
