"""What an observed process records: planted waits are found where they are, and nowhere else.

A loaded machine makes everything longer, by any factor, and nothing shorter: a planted wait lasts
at least so long, and a planted computation takes at least so much CPU time. So what is found is
compared with what was planted, from below, and with other shares of the same run. Never is it
compared with the length of a request, most of which may be waiting for a CPU.
"""

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.toolkit.observing.projects import (
    LITTLE,
    MOST,
    TIMES,
    TIMES_SHORT,
    Project,
    get_chain,
    get_functions,
    get_kind,
    get_route,
    list_at,
    sum_cpu,
    sum_waited,
)

from flasync.toolkit.observing.observation import ObservedRoute

POSTGRES = os.environ.get("FLASYNC_TEST_POSTGRES_ADMIN", "postgresql://postgres@127.0.0.1:5432")

# A function that computes for so many seconds of CPU time.
BURN = """\
import time

def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
"""


@pytest.fixture
def locked(project: Project) -> Iterator[Path]:
    """A SQLite database that another connection holds the lock of."""
    path = project.root / "locked.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("BEGIN EXCLUSIVE")
    yield path
    connection.close()


# How long each request waits at the line marked `here` when `check_wait` is called.
PLANTED_MS = 200


def check_wait(project: Project, kind: str) -> ObservedRoute:
    """The route `/` waits there for most of that, for a kind, and elsewhere for little."""
    project.write_requests("/", times=TIMES)
    route = get_route(project.observe("-m", "pytest", "-q", "-p", "no:cacheprovider"), "/")
    line = project.find_line("here")
    assert route.requests == TIMES
    assert sum_waited(route, line) > MOST * TIMES * PLANTED_MS
    assert sum_waited(route, line) > MOST * route.waited_ms
    assert route.waited_ms < route.wall_ms
    assert sum_cpu(route, line) < LITTLE * sum_waited(route, line)
    assert get_kind(route, line) == kind
    return route


def test_sleep_in_a_helper(project: Project) -> None:
    """A pause is found in the helper, with the chain from the view to it."""
    project.write_view(
        "Shop().pause()",
        above="""\
        import time

        class Shop:
            def pause(self):
                time.sleep(0.2)  # here
        """,
    )
    route = check_wait(project, "sleep")
    assert get_chain(route, project.find_line("here")) == ["index", "Shop.pause"]


def test_sqlite(project: Project, locked: Path) -> None:
    """A locked SQLite database, for which no Python code waits."""
    project.write_view(
        f"""\
        connection = sqlite3.connect({str(locked)!r}, timeout=0.2)
        try:
            connection.execute("SELECT * FROM t")  # here
        except sqlite3.OperationalError:
            pass
        finally:
            connection.close()
        """,
        above="import sqlite3",
    )
    check_wait(project, "sleep")  # what SQLite's busy handler does


def test_psycopg2(project: Project) -> None:
    """A query of a driver in C."""
    psycopg2 = pytest.importorskip("psycopg2")
    try:
        psycopg2.connect(f"{POSTGRES}/postgres").close()
    except psycopg2.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"needs PostgreSQL: {error}")
    project.write_view(
        f"""\
        connection = psycopg2.connect("{POSTGRES}/postgres")
        connection.cursor().execute("SELECT pg_sleep(0.2)")  # here
        connection.close()
        """,
        above="import psycopg2",
    )
    check_wait(project, "network")


def test_subprocess(project: Project) -> None:
    """Another program that is waited for; the line is the project's, not subprocess's."""
    project.write_view('subprocess.run(["sleep", "0.2"])  # here', above="import subprocess")
    check_wait(project, "subprocess")


def test_slow_server(project: Project) -> None:
    """Reading from a socket whose other end takes its time."""
    project.write_view(
        """\
        near, far = socket.socketpair()
        with near, far:
            threading.Thread(target=answer, args=[far]).start()
            near.recv(4)  # here
        """,
        above="""\
        import socket
        import threading
        import time

        def answer(connection):
            time.sleep(0.2)
            connection.sendall(b"done")
        """,
    )
    check_wait(project, "network")


def test_lock(project: Project) -> None:
    """A lock of the app is no lock of the interpreter: to wait for it is the app's waiting."""
    project.write_view(
        "lock.acquire(timeout=0.2)  # here",
        above="import threading\nlock = threading.Lock()\nlock.acquire()",
    )
    check_wait(project, "lock")


def test_streamed_body(project: Project) -> None:
    """What a generator does while its response is sent belongs to the request."""
    project.write_view(
        above="""\
        import time

        def tick():
            for _ in range(2):
                time.sleep(0.1)  # here
                yield "tick"
        """,
        result="flask.Response(tick())",
    )
    check_wait(project, "sleep")


def test_template(project: Project) -> None:
    """A wait below a template is found with the template's own line in the chain."""
    project.write("templates/page.html", "{% if true %}\n\n{{ pause() }}\n{% endif %}")
    project.write_view(
        above="""\
        import time

        def pause():
            time.sleep(0.2)  # here
            return ""
        """,
        result="flask.render_template('page.html', pause=pause)",
    )
    route = check_wait(project, "sleep")
    (chain,) = {place.chain for place in list_at(route, project.find_line("here")) if place.waits}
    assert [(frame.file.rpartition("/")[2], frame.line) for frame in chain][1:] == [
        ("page.html", 3),
        ("app.py", project.find_line("here")),
    ]


def test_computing(project: Project) -> None:
    """A loop that computes has CPU time at its line and no waiting."""
    project.write_view("burn(0.1)", above=BURN)
    project.write_requests("/", times=TIMES_SHORT)
    route = get_route(project.observe("-m", "pytest", "-q"), "/")
    cpu_ms = sum(
        place.cpu_ms for place in route.places if get_functions(place) == ["index", "burn"]
    )
    assert cpu_ms > MOST * route.cpu_ms
    assert route.waited_ms < LITTLE * route.cpu_ms


def test_both_halves(project: Project) -> None:
    """A route that computes and waits has its time split between the two lines."""
    project.write_view("burn(0.1)\ntime.sleep(0.1)  # here", above=BURN)
    project.write_requests("/", times=TIMES_SHORT)
    route = get_route(project.observe("-m", "pytest", "-q"), "/")
    line = project.find_line("here")
    assert sum_waited(route, line) > MOST * TIMES_SHORT * 100
    assert sum_waited(route, line) > MOST * route.waited_ms
    assert sum_cpu(route, line) < LITTLE * route.cpu_ms


def test_threads_that_compute(project: Project) -> None:
    """Threads that wait for each other's computing do not count as waiting."""
    project.write_view(
        "all_here.wait()\nburn(0.1)",
        above=f"{BURN}\nimport threading\nall_here = threading.Barrier(3)",
    )
    project.write_visitors(*[["/"] * TIMES] * 3)
    route = get_route(project.observe("main.py"), "/")
    assert route.requests == 3 * TIMES
    # All three must pass each time before one may burn, and one at a time burns: in whichever order
    # they take turns, the second to end has waited for a burn at least, and the third for two.
    assert route.contended_ms > route.cpu_ms / 2
    burning = [place for place in route.places if get_functions(place) == ["index", "burn"]]
    assert sum(place.cpu_ms for place in burning) > MOST * route.cpu_ms
    assert sum(place.waited_ms for place in burning) < LITTLE * route.contended_ms


def test_two_routes_at_once(project: Project) -> None:
    """Requests in two threads at once each have their own waits."""
    project.write(
        "app.py",
        """\
        import time
        import flask

        app = flask.Flask(__name__)

        @app.get("/long")
        def long():
            time.sleep(0.2)  # long
            return ""

        @app.get("/short")
        def short():
            time.sleep(0.1)  # short
            return ""
        """,
    )
    project.write_visitors(["/long"] * TIMES, ["/short"] * TIMES_SHORT)
    observation = project.observe("main.py")
    for name, other, planted_ms in (
        ("long", "short", TIMES * 200),
        ("short", "long", TIMES_SHORT * 100),
    ):
        route = get_route(observation, f"/{name}")
        assert sum_waited(route, project.find_line(name)) > MOST * planted_ms
        assert sum_waited(route, project.find_line(other)) == 0


def test_unmatched_urls(project: Project) -> None:
    """Requests that no route matched are counted apart, under no rule."""
    project.write("app.py", "import flask\napp = flask.Flask(__name__)\n")
    project.write_requests("/no", "/not/this/either")
    assert get_route(project.observe("-m", "pytest", "-q"), "").requests == 2


def test_outside_of_requests(project: Project) -> None:
    """What tests do besides their requests is nobody's waiting."""
    project.write_view()
    project.write(
        "test_app.py",
        """\
        import time
        import app

        def test_index():
            client = app.app.test_client()
            for _ in range(5):
                client.get("/")
                time.sleep(0.05)
        """,
    )
    route = get_route(project.observe("-m", "pytest", "-q"), "/")
    assert route.requests == 5
    assert not [place for place in route.places if "sleep" in (place.kinds or {})]


ASYNC_APP = """\
    import asyncio
    import time
    import flask

    app = flask.Flask(__name__)

    @app.get("/awaits")
    async def awaits():
        await asyncio.sleep(0.2)  # awaits
        return ""

    @app.get("/blocks")
    async def blocks():
        await asyncio.sleep(0)
        time.sleep(0.2)  # blocks
        return ""
    """


@pytest.mark.parametrize("flask", ["flask", "flasync"])
def test_async_views_under_wsgi(project: Project, flask: str) -> None:
    """A blocking call of an async view is found in its loop's thread; awaiting is no wait."""
    project.write("app.py", ASYNC_APP.replace("import flask", f"import {flask} as flask"))
    project.write_requests("/awaits", "/blocks", times=TIMES)
    observation = project.observe("-m", "pytest", "-q")
    blocks, awaits = get_route(observation, "/blocks"), get_route(observation, "/awaits")
    assert sum_waited(blocks, project.find_line("blocks")) > MOST * TIMES * 200
    assert awaits.waited_ms < LITTLE * awaits.wall_ms
    assert blocks.waited_ms <= blocks.wall_ms


def test_reached_lines(project: Project) -> None:
    """Of the lines that are asked for, those are known that ran in a request."""
    path = project.write(
        "app.py",
        """\
        import flask

        app = flask.Flask(__name__)

        def helper(flag):
            if flag:
                return "never"  # never
            return "always"  # always

        def set_up():
            return helper(False) + "outside"  # outside

        @app.get("/")
        def index():
            return helper(False)  # view
        """,
    )
    project.write(
        "test_app.py",
        """\
        import app

        def test_requests():
            app.set_up()
            app.app.test_client().get("/")
        """,
    )
    marks = {name: project.find_line(name) for name in ("never", "always", "outside", "view")}
    observation = project.observe("-m", "pytest", "-q", lines={str(path): set(marks.values())})
    if sys.version_info >= (3, 12):
        assert observation.reached == {str(path): {marks["always"], marks["view"]}}
    else:
        assert observation.reached is None
        assert "Python 3.12" in " ".join(observation.notes)
