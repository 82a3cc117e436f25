"""Unmodified Flask-SQLAlchemy over an async driver: only the database URL changes."""

import time

import pytest

from pains.servers import Served

APP = "pains.apps.library:app"

pytestmark = pytest.mark.usefixtures("postgres")


@pytest.mark.parametrize("lane", ["async", "sync"])
def test_lazy_loads_work(server: Served, lane: str) -> None:
    """`book.author.books` loads inside an async view and inside a sync one."""
    answers = server.get_at_once([f"/books/{lane}"] * 20)
    assert [answer.json() for answer in answers] == [["One", "Ada", "One", "Two"]] * 20


def test_lazy_loads_work_in_a_template(server: Served) -> None:
    """A template rendered by an async view may load lazily."""
    assert server.client.get("/books/async-template").text == "One by Ada: [One][Two]"


def test_lazy_loads_work_in_an_async_stream(server: Served) -> None:
    """An async generator under `stream_with_context` may load lazily at each step."""
    assert server.client.get("/books/async-stream").text == "One by Ada;Two by Ada;"


@pytest.mark.parametrize("lane", ["async", "sync"])
def test_slow_queries_overlap(server: Served, lane: str) -> None:
    """Ten slow queries at once take less than 70 % of ten times one."""
    path = f"/books/{lane}-sleep"
    server.get_at_once(["/books/async"] * 10)  # the pool is full
    started = time.perf_counter()
    assert server.client.get(path).status_code == 200
    one_s = time.perf_counter() - started
    started = time.perf_counter()
    answers = server.get_at_once([path] * 10)
    at_once_s = time.perf_counter() - started
    assert [answer.status_code for answer in answers] == [200] * 10
    assert at_once_s < 0.7 * 10 * one_s


@pytest.mark.parametrize("path", ["async", "sync", "async-sleep", "async-stream"])
def test_connections_return_to_the_pool(server: Served, path: str) -> None:
    """The session's teardown gives its connection back, in either lane."""
    server.get_at_once([f"/books/{path}"] * 20)
    server.wait_for("teardown", 20)
    server.wait_until(lambda: server.client.get("/checked-out").text == "0", "an idle pool")


def test_an_abandoned_query_gives_its_connection_back(server: Served) -> None:
    """A client that leaves during a query does not cost the pool a connection."""
    connections = [server.connect() for _ in range(10)]
    for connection in connections:
        connection.request("/books/async-sleep")
    server.wait_until(lambda: server.client.get("/checked-out").text == "10", "10 queries")
    for connection in connections:
        connection.leave(reset=True)
    server.wait_until(lambda: server.client.get("/checked-out").text == "0", "an idle pool")
    answers = server.get_at_once(["/books/async"] * 20)
    assert [answer.status_code for answer in answers] == [200] * 20


def test_lazy_loads_work_in_tasks_of_the_view(server: Served) -> None:
    """`create_task` and `gather` in an async view carry lazy loads as the view does."""
    assert server.client.get("/books/task").text == "Ada"
    assert server.client.get("/books/gathered").json() == ["Ada"] * 3


def test_where_it_cannot_work_the_message_names_the_fix(server: Served) -> None:
    """A loop callback has no task to suspend: `await_` there says what to do instead."""
    message = server.client.get("/books/await-in-callback").text
    assert message.startswith("flasync.errors.AwaitOnLoopError")
    assert "FSE101" in message
    assert "await" in message
    # A lazy load there is refused before flasync is asked, by SQLAlchemy's own error.
    assert "MissingGreenlet" in server.client.get("/books/callback").text
