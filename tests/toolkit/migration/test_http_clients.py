"""The choice of the HTTP client, and the module that is written for it, wherever it may run."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.toolkit.migration.recipes.upstream import (
    Upstream,
    run_upstream,
    shared_client,
    write_certificate,
)

import flasync
from conftest import Call, Serving
from flasync import await_
from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.http_clients import (
    HTTP_CLIENTS,
    HTTPX,
    HTTPX2,
    NIQUESTS,
    HttpChoice,
    HttpClient,
    choose_http_client,
)
from flasync.toolkit.migration.plan import Safety

# Requests under way at once, more than any client's usual pool.
MANY = 60


@pytest.mark.parametrize(
    ("declared", "client"),
    [
        ((), NIQUESTS),
        (("Flask", "requests"), NIQUESTS),
        (("requests", "HTTPX"), HTTPX),
        (("httpx2",), HTTPX2),
        (("httpx", "niquests"), NIQUESTS),
        (("httpx_ws", "aiohttp"), NIQUESTS),
    ],
)
def test_chooses_what_is_there(declared: tuple[str, ...], client: HttpClient) -> None:
    """A client that the project depends on is taken, else the one that keeps most meaning."""
    assert choose_http_client(None, declared) is client


@pytest.mark.parametrize("name", HTTP_CLIENTS)
def test_takes_what_is_wanted(name: str) -> None:
    """The client that the user names is taken."""
    assert choose_http_client(name, ("httpx", "niquests")).name == name


def test_refuses_unknown_client() -> None:
    """A client without counterparts of requests is refused with those that have them."""
    with pytest.raises(ValueError, match=r"'aiohttp'.* one of niquests, httpx, httpx2"):
        choose_http_client("aiohttp", ())


@pytest.mark.parametrize("client", HTTP_CLIENTS.values(), ids=HTTP_CLIENTS)
def test_module_is_of_its_client(client: HttpClient) -> None:
    """The module is Python, imports its client, and names no other."""
    text = client.build_module()
    compile(text, "http_client.py", "exec")
    others = HTTP_CLIENTS.keys() - {client.name}
    assert f"\nimport {client.name}\n" in text
    assert not [name for name in others if f" {name}\n" in text or f" {name}." in text]


def test_change_makes_the_module() -> None:
    """The change of a plan is a new file with the module."""
    change = HttpChoice(HTTPX, "shop.http_client").build_change("shop/http_client.py")
    assert change.edit == Edit("shop/http_client.py", (1, 1), (1, 1), HTTPX.build_module())
    assert change.safety is Safety.SAFE


# --- the module itself -------------------------------------------------------------------------


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """The server that is asked."""
    with run_upstream() as server:
        yield server


@pytest.fixture(params=[NIQUESTS, HTTPX], ids=lambda client: client.name)
def http(request: pytest.FixtureRequest, tmp_path: Path, background_loop: None) -> Iterator[Any]:
    """The shared client of a module that was just written."""
    with shared_client(request.param, tmp_path) as module:
        yield module.http


def list_cookies(response: Any) -> str | None:
    """The cookies that a request came with."""
    cookies: str | None = response.json()["headers"].get("Cookie")
    return cookies


async def test_shares_connections(http, upstream, serving: Serving) -> None:
    """Calls of async and sync views go through the same connection."""
    app = flasync.Flask("example")
    address = f"{upstream.url}/json"

    @app.get("/async")
    async def view_async() -> str:
        return (await http.get(address)).text

    @app.get("/sync")
    def view_sync() -> str:
        return await_(http.get(address)).text

    async with serving(app) as asgi:
        for path in ("/async", "/sync", "/async"):
            assert (await Call(asgi, path).start().finish()).status == 200
    assert upstream.connections == 1


def test_shares_no_cookies(http, upstream) -> None:
    """What one call was told to keep, the next one does not send: it may be another user's."""
    assert len(await_(http.get(f"{upstream.url}/cookies")).cookies) == 2
    await_(http.get(f"{upstream.url}/redirect"))
    assert list_cookies(await_(http.get(f"{upstream.url}/echo"))) is None


async def test_keeps_cookies_through_redirects(http, upstream, serving: Serving) -> None:
    """Each of many calls at once sends the cookies of its own redirects, and no others."""
    is_httpx = hasattr(sys.modules["http_client"], "httpx")
    follow = {"follow_redirects": True} if is_httpx else {}
    app = flasync.Flask("example")

    @app.get("/")
    async def view() -> list[str | None]:
        calls = [http.get(f"{upstream.url}/redirect", **follow) for _ in range(5)]
        calls += [http.get(f"{upstream.url}/echo") for _ in range(5)]
        return [list_cookies(response) for response in await asyncio.gather(*calls)]

    async with serving(app) as asgi:
        answer = await Call(asgi, "/").start().finish()
    assert json.loads(answer.body) == ["hop=1"] * 5 + [None] * 5


async def test_has_room_for_many(http, upstream, serving: Serving) -> None:
    """Many calls are under way at once: no pool makes one wait for another."""
    app = flasync.Flask("example")

    @app.get("/")
    async def view() -> str:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(http.get(f"{upstream.url}/together")) for _ in range(MANY)]
        return str({task.result().status_code for task in tasks})

    upstream.expect_together(MANY)
    async with serving(app) as asgi:
        assert (await Call(asgi, "/").start().finish()).body == b"{200}"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_trusts_no_connection_of_another(http, tmp_path) -> None:
    """A connection made without a look at the certificate serves no call that wants one."""
    with run_upstream(write_certificate(tmp_path / "certificate.pem")) as private:
        for _ in range(2):
            assert await_(http.get(f"{private.url}/json", verify=False)).status_code == 200
            with pytest.raises(Exception, match="certificate verify failed"):
                await_(http.get(f"{private.url}/json"))


def test_works_under_wsgi(http, upstream) -> None:
    """The app's own test client, which speaks WSGI, is served as well."""
    app = flasync.Flask("example")

    @app.get("/async")
    async def view_async() -> str:
        responses = await asyncio.gather(*(http.get(f"{upstream.url}/json") for _ in range(3)))
        return str([response.status_code for response in responses])

    @app.get("/sync")
    def view_sync() -> str:
        return str(await_(http.post(f"{upstream.url}/echo", json={})).status_code)

    client = app.test_client()
    assert [client.get("/async").text, client.get("/sync").text] == ["[200, 200, 200]", "200"]


def test_works_on_other_loops(http, upstream) -> None:
    """Below `asyncio.run`, before and after other calls, it works too."""

    async def ask() -> int:
        status: int = (await http.head(f"{upstream.url}/redirect")).status_code
        return status

    assert [asyncio.run(ask()), await_(ask()), asyncio.run(ask())] == [302, 302, 302]


@pytest.mark.parametrize("client", [NIQUESTS, HTTPX], ids=lambda client: client.name)
def test_closes_at_the_end(client, upstream, tmp_path) -> None:
    """A process that ends leaves no connection open, and warns of none."""
    with shared_client(client, tmp_path):
        script = (
            "from flasync import await_\nfrom http_client import http\n"
            f"print(await_(http.get({upstream.url + '/json'!r})).status_code)\n"
        )
        command = [sys.executable, "-W", "error", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "200", "")
