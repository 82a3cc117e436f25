"""The HTTP clients to choose from, and the module with the shared one that a project gets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import resources

from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.imports import Import
from flasync.toolkit.migration.plan import Safety, TextChange

SHARED_NAME = "http"
"""The name of the shared client in its module."""


@dataclass(frozen=True, slots=True)
class HttpClient:
    """An async HTTP client.

    Attributes:
        name: Its import name, which is what `--http` takes.
        requirement: What must be installed for it.
        template: The name of the text of its module.
        note: What the reader of a plan must know of it; "" for nothing.
    """

    name: str
    requirement: str
    template: str
    note: str = ""

    def build_module(self) -> str:
        """Return the text of the module that holds the shared client."""
        folder = resources.files("flasync.toolkit.migration") / "http_modules"
        text = (folder / f"{self.template}.py.txt").read_text(encoding="utf-8")
        return text.replace(self.template, self.name)


@dataclass(frozen=True, slots=True)
class HttpChoice:
    """The client that a project gets, and where.

    Attributes:
        client: The client.
        module: The dotted name of its module, such as "shop.http_client".
    """

    client: HttpClient
    module: str = "http_client"

    def build_change(self, file: str) -> TextChange:
        """Return the change that makes the module.

        Args:
            file: The new file, as in `Place`.
        """
        edit = Edit(file, (1, 1), (1, 1), self.client.build_module())
        reason = f"all calls share one {self.client.name} client, opened once and closed at the end"
        return TextChange(edit, Safety.SAFE, reason)


@dataclass(frozen=True, slots=True)
class HttpModule:
    """The module of the client that a project gets.

    Attributes:
        choice: The client, and the module's dotted name.
        file: Its file, as in `Place`.
    """

    choice: HttpChoice
    file: str

    @property
    def change(self) -> TextChange:
        """The change that makes it."""
        return self.choice.build_change(self.file)

    def is_imported(self, imports: Iterable[Import]) -> bool:
        """Return whether it is among the imports that new code needs."""
        return any(wanted.module == self.choice.module for wanted in imports)


NIQUESTS = HttpClient(
    "niquests",
    "niquests>=3.15",
    "niquests",
    "niquests brings urllib3-future, which takes the place of urllib3 in the environment: requests"
    " and every other library that uses urllib3 run on it from then on.",
)
HTTPX = HttpClient("httpx", "httpx>=0.28", "httpx")
HTTPX2 = HttpClient("httpx2", "httpx2>=2.16", "httpx")

HTTP_CLIENTS = {client.name: client for client in (NIQUESTS, HTTPX, HTTPX2)}
"""By name, those that keep more of the meaning of requests first."""


def choose_http_client(wanted: str | None, declared: Collection[str]) -> HttpClient:
    """Return the client that a project gets.

    Args:
        wanted: The name that the user gave; None: the one that the project depends on already,
            else the one that keeps most of the meaning of requests.
        declared: The distributions that the project depends on, in any spelling.

    Raises:
        ValueError: There is no such client.
    """
    if wanted is None:
        names = {name.lower().replace("_", "-") for name in declared}
        known = (client for name, client in HTTP_CLIENTS.items() if name in names)
        return next(known, NIQUESTS)
    if wanted not in HTTP_CLIENTS:
        raise ValueError(
            f"There is no HTTP client {wanted!r} to migrate to: its calls, responses and errors"
            " must have a counterpart for each of requests'. Choose one of"
            f" {', '.join(HTTP_CLIENTS)}."
        )
    return HTTP_CLIENTS[wanted]
