"""bridged(): async clients under sync code, against real services."""

import asyncio
import email
import http.server
import sqlite3
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import aiofiles
import aiohttp
import aiosmtplib
import aiosqlite
import asyncpg
import httpx
import niquests
import pytest
import redis.asyncio
from aiosmtpd.smtp import SMTP, Envelope, Session

import flasync
from data.conftest import DEADLINE_S, NAME
from flasync import bridged, portal

pytestmark = pytest.mark.usefixtures("background_loop")


class Places:
    """Runs sync code in every place where it may use a bridged client."""

    def __init__(self, app: Any, serving: Any, call: Any) -> None:
        self._app = app
        self._serving = serving
        self._call = call

    def everywhere(self, work: Callable[[], Any]) -> None:
        """In the main thread, in the three lanes, at once and one by one, and under WSGI."""
        results: list[Any] = [work()]

        def view() -> str:
            results.append(work())
            return "done"

        async def async_view() -> str:
            return view()

        self._app.add_url_rule("/async", "async", async_view)
        self._app.add_url_rule("/sync", "sync", view)
        self._app.add_url_rule("/on-loop", "on-loop", flasync.on_loop(partial(view)))

        async def main() -> None:
            async with self._serving(self._app) as asgi:
                for path in ("/async", "/sync", "/on-loop"):
                    assert (await self._call(asgi, path).start().finish()).body == b"done"

        asyncio.run(main())
        for path in ("/async", "/sync"):
            assert self._app.test_client().get(path).text == "done"
        assert results == [results[0]] * 6


@pytest.fixture
def places(app: Any, serving: Any, call: Any) -> Places:
    """Where sync code runs."""
    return Places(app, serving, call)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"one\ntwo\n"
        self.send_response(418 if self.path == "/teapot" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append(body)  # type: ignore[attr-defined]  # set by the fixture
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def http_server() -> Generator[Any]:
    """A real HTTP server in a thread."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.posted = []  # type: ignore[attr-defined]  # what has been POSTed
    server.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]  # for tests
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


# --- Redis -------------------------------------------------------------------------------------

KEY = f"{NAME}:key"


@pytest.fixture
def client(redis_server: str) -> Any:
    """A bridged Redis client, made for each loop."""
    return bridged(partial(redis.asyncio.from_url, redis_server, decode_responses=True))


def test_redis_commands_and_errors(client: Any, places: Places) -> None:
    """Commands return values, and fail with the library's own errors."""

    def work() -> Any:
        client.set(KEY, "1")
        client.incr(KEY)
        with pytest.raises(redis.ResponseError):
            client.lpush(KEY, "x")
        return client.get(KEY), client.exists(KEY)

    places.everywhere(work)


def test_redis_pipeline(client: Any, places: Places) -> None:
    """A pipeline chains, executes, and is left by `with`."""

    def work() -> Any:
        with client.pipeline(transaction=True) as pipe:
            assert isinstance(pipe, redis.asyncio.client.Pipeline)
            return pipe.set(KEY, "7").get(KEY).execute(), len(pipe)

    places.everywhere(work)


def test_redis_scan_iter(client: Any, places: Places) -> None:
    """An async generator is a plain iterator, which may be given up half-way."""

    def work() -> Any:
        client.mset({f"{KEY}:{number}": number for number in range(30)})
        for key in client.scan_iter(f"{KEY}:*", count=5):
            assert key.startswith(KEY)
            break
        return len(set(client.scan_iter(f"{KEY}:*", count=5)))

    places.everywhere(work)


def test_redis_lock(client: Any, places: Places) -> None:
    """A distributed lock is a context manager, and held meanwhile."""

    def work() -> Any:
        with client.lock(KEY, timeout=DEADLINE_S):
            held = client.lock(KEY, timeout=DEADLINE_S, blocking=False).acquire()
        return held, client.exists(KEY)

    places.everywhere(work)


def test_redis_pubsub(client: Any, places: Places) -> None:
    """Messages are iterated over, or asked for."""

    def work() -> Any:
        with client.pubsub() as pubsub:
            pubsub.subscribe(f"{NAME}:channel")
            client.publish(f"{NAME}:channel", "hello")
            kinds = []
            for message in pubsub.listen():
                kinds.append((message["type"], message["data"]))
                if message["type"] == "message":
                    break
            return kinds, pubsub.get_message(timeout=0.01)

    places.everywhere(work)


def test_redis_script(client: Any, places: Places) -> None:
    """An object that is called asynchronously is called."""
    places.everywhere(lambda: client.register_script("return ARGV[1]")(args=["said"]))


def test_a_client_that_is_made_already(redis_server: str, places: Places) -> None:
    """A client object at module level serves one loop; here it is used first while serving."""
    made = bridged(redis.asyncio.from_url(redis_server))
    assert isinstance(made, redis.asyncio.Redis)
    assert repr(made).startswith("<bridged <redis.asyncio.client.Redis")
    made.set(KEY, b"x")
    assert made.get(KEY) == b"x"
    made.aclose()


def test_close_is_the_sync_name_of_aclose(redis_server: str) -> None:
    """`close` closes a client by its `aclose`, without the warning of a deprecated alias."""
    made = bridged(redis.asyncio.from_url(redis_server))
    assert made.ping()
    pool = made.__wrapped__.connection_pool
    made.close()
    assert not any(connection.is_connected for connection in pool._available_connections)


# --- databases ---------------------------------------------------------------------------------


def test_asyncpg_pool(postgres: str, places: Places) -> None:
    """Pools, their connections, transactions and cursors."""
    pool = bridged(partial(asyncpg.create_pool, postgres, min_size=1, max_size=3))

    def work() -> Any:
        with pool.acquire() as connection, connection.transaction():
            series = "SELECT n FROM generate_series(1, 5) AS n"
            rows = [row["n"] for row in connection.cursor(series)]
            some = [row["n"] for row in connection.cursor(series).fetch(2)]
        by_hand = pool.acquire()
        try:
            value = by_hand.fetchval("SELECT $1::int", 4)
        finally:
            pool.release(by_hand)
        with pytest.raises(asyncpg.UndefinedTableError):
            pool.execute("SELECT * FROM nothing")
        return rows, some, value, pool.get_size() - pool.get_idle_size()

    places.everywhere(work)


def test_asyncpg_pool_is_made_once(postgres: str) -> None:
    """Threads that come first all at once get one and the same pool."""
    made = []

    async def make() -> Any:
        made.append(pool := await asyncpg.create_pool(postgres, min_size=1, max_size=2))
        return pool

    pool = bridged(make)
    threads = [threading.Thread(target=lambda: pool.fetchval("SELECT 1")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    portal.stop_background()
    assert made[0].is_closing(), "what a factory made is closed with its loop"


def test_aiosqlite(places: Places, tmp_path: Path) -> None:
    """A connection as sqlite3's: results that nobody looks at have been awaited, too."""

    def work() -> Any:
        db = bridged(aiosqlite).connect(tmp_path / "test.db")
        db.row_factory = sqlite3.Row
        db.execute("CREATE TABLE IF NOT EXISTS t (a UNIQUE)")
        db.execute("DELETE FROM t")
        db.execute("INSERT INTO t VALUES (?)", (1,))
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO t VALUES (?)", (1,))
        db.commit()
        with db.execute("SELECT a FROM t") as cursor:
            rows = [row["a"] for row in cursor]
        first = db.execute("SELECT a FROM t").fetchone()["a"]
        changes = db.total_changes > 0
        db.close()
        return rows, first, changes

    places.everywhere(work)


def test_errors_as_attributes_of_a_connection(tmp_path: Path) -> None:
    """A connection has its library's errors, as PEP 249 lets sync connections have them."""
    with bridged(aiosqlite.connect(tmp_path / "test.db")) as db:
        db.execute("CREATE TABLE t (a UNIQUE)")
        db.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(db.IntegrityError) as caught:
            db.execute("INSERT INTO t VALUES (1)")
        assert type(caught.value) is sqlite3.IntegrityError is db.IntegrityError
        with pytest.raises(AttributeError, match="DataError"):
            _ = db.DataError  # aiosqlite has no name for it
    with pytest.raises(AttributeError, match="IntegrityError"):
        _ = bridged(aiofiles).IntegrityError  # it has none


def test_a_closed_connection(tmp_path: Path) -> None:
    """What is asked of a closed connection raises the error of the sync driver."""
    db = bridged(aiosqlite).connect(tmp_path / "test.db")
    db.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        db.execute("SELECT 1")
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        db.commit()


def test_an_awaitable_is_awaited_at_first_use(tmp_path: Path) -> None:
    """What can be awaited may be bridged, and is entered by `with` as well."""
    with bridged(aiosqlite.connect(tmp_path / "test.db")) as db:
        assert db.execute("SELECT 3").fetchone() == (3,)
    db = bridged(aiosqlite.connect(tmp_path / "test.db"))
    assert db.execute("SELECT 3").fetchone() == (3,)
    db.close()


# --- HTTP --------------------------------------------------------------------------------------


def test_aiohttp(http_server: Any, places: Places) -> None:
    """Requests as calls and as context managers; the session is made on the loop."""
    client = bridged(aiohttp.ClientSession)

    def work() -> Any:
        text = client.get(http_server.url).text()
        with client.get(f"{http_server.url}/teapot") as response:
            assert isinstance(response, aiohttp.ClientResponse)
            lines = list(response.content)
        client.post(http_server.url, data=b"thrown away")
        return text, response.status, lines, http_server.posted.pop()

    places.everywhere(work)


def test_httpx(http_server: Any, places: Places) -> None:
    """Requests, a stream, and an error."""
    client = bridged(httpx.AsyncClient)

    def work() -> Any:
        with client.stream("GET", http_server.url) as response:
            lines = list(response.aiter_lines())
        with pytest.raises(httpx.HTTPStatusError):
            client.get(f"{http_server.url}/teapot").raise_for_status()
        return client.get(http_server.url).text, lines

    places.everywhere(work)


def test_niquests(http_server: Any, places: Places) -> None:
    """Requests's async successor."""
    client = bridged(niquests.AsyncSession)
    places.everywhere(lambda: client.get(http_server.url).text)


# --- mail --------------------------------------------------------------------------------------


class MailServer:
    """An SMTP server for everybody but nobody@example.com."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    async def handle_RCPT(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address == "nobody@example.com":
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.subjects.append(email.message_from_bytes(envelope.content)["Subject"])
        return "250 OK"

    async def serve(self, started: "Future[MailServer]") -> None:
        """Serve until `stop` is called."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self.stop = partial(loop.call_soon_threadsafe, ended.set)
        build_protocol = partial(SMTP, self, hostname="localhost", loop=loop)
        async with await loop.create_server(build_protocol, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            started.set_result(self)
            await ended.wait()


@pytest.fixture
def mail_server() -> Generator[MailServer]:
    """A real SMTP server in a thread."""
    started: Future[MailServer] = Future()
    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(lambda: asyncio.run(MailServer().serve(started)))
        server = started.result(timeout=DEADLINE_S)
        yield server
        server.stop()
        serving.result(timeout=DEADLINE_S)


def build_mail(subject: str, to: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
    mail.set_content("Thank you for your order.")
    return mail


def test_aiosmtplib(mail_server: MailServer, places: Places) -> None:
    """Mails by one function; several over one connection; a refusal is the library's own error."""
    address = {"hostname": "127.0.0.1", "port": mail_server.port}

    def work() -> Any:
        mail_server.subjects.clear()
        refused, answer = bridged(aiosmtplib.send)(build_mail("one", "ann@example.com"), **address)
        with bridged(aiosmtplib.SMTP(**address)) as smtp:
            smtp.send_message(build_mail("two", "ann@example.com"))
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused, match="no such user"):
                smtp.send_message(build_mail("three", "nobody@example.com"))
            smtp.send_message(build_mail("four", "bob@example.com"))
            connected = smtp.is_connected
        return mail_server.subjects.copy(), refused, answer, connected, smtp.is_connected

    places.everywhere(work)
    assert mail_server.subjects == ["one", "two", "four"]


# --- files, functions, and what a face is ------------------------------------------------------


def test_aiofiles(places: Places, tmp_path: Path) -> None:
    """Files are read by line, and closed."""
    path = tmp_path / "file"

    def work() -> Any:
        with bridged(aiofiles).open(path, "w") as file:
            file.write("one\ntwo\n")
        with bridged(aiofiles).open(path) as file:
            lines = list(file)
        return lines, file.closed

    places.everywhere(work)


def test_a_function(places: Places) -> None:
    """A coroutine function becomes a function, with its error as it is."""

    async def halve(number: int) -> int:
        await asyncio.sleep(0)
        if number % 2:
            raise ValueError(number)
        return number // 2

    def work() -> Any:
        with pytest.raises(ValueError, match="3"):
            bridged(halve)(3)
        return bridged(halve)(4)

    places.everywhere(work)


class Plain:
    """A value that has nothing async."""


class Client:
    """An async client with all that a face has to tell apart."""

    def __init__(self) -> None:
        self.plain = Plain()
        self.child: Client | None = None
        self.items = [1, 2]

    async def ask(self, value: Any = None) -> Any:
        return value

    def sync(self) -> str:
        return "sync"

    def me(self) -> "Client":
        return self

    async def make(self) -> "Client":
        return Client()

    async def is_same(self, other: Any) -> bool:
        return type(other) is Client

    async def are_same(self, others: list[Any], *, last: Any) -> bool:
        return all(type(other) is Client for other in [*others, last])

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: int) -> int:
        return self.items[key]

    def __contains__(self, key: int) -> bool:
        return key in self.items


def test_what_gets_a_face() -> None:
    """Async objects of the same library, the target as the same face, and nothing else."""
    target = Client()
    face = bridged(target)
    assert face.__wrapped__ is target
    assert bridged(face) is face
    assert isinstance(face, Client)
    assert face.me() is face
    assert face.plain is target.plain
    assert type(face.ask(Plain())) is Plain
    assert face.make().ask(1) == 1
    assert face.make().__wrapped__ is not target
    face.child = face.make()
    assert type(target.child) is Client
    assert face.child.ask(2) == 2
    assert face.is_same(face)
    assert face.are_same([face, face.make()], last=face)
    del face.child
    assert not hasattr(face, "child")


def test_special_methods() -> None:
    """They pass through where the target has them, and are missing where it has not."""
    target = Client()
    face = bridged(target)
    assert (len(face), face[1], 1 in face, bool(face)) == (2, 2, True, True)
    assert face == target == face
    assert face != bridged(Client())
    assert hash(face) == hash(target)
    assert "ask" in dir(face)
    assert face.sync.__name__ == "sync"
    assert not callable(face)
    with pytest.raises(TypeError):
        iter(bridged(asyncio.Event()))
    with pytest.raises(AttributeError, match="nothing"):
        face.nothing  # noqa: B018  looking it up is the test
