"""`verifying.witness` inside real servers: where the time of a request went, and at which line."""

import contextlib
import http.client
import os
import shutil
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flasync.instruments import VARIABLE as WATCHER
from flasync.toolkit.served_app import ServedApp, serve_app
from flasync.toolkit.verifying.bystander import PATH as BYSTANDER
from flasync.toolkit.verifying.evidence import Evidence, RequestEvidence
from flasync.toolkit.verifying.evidence_rows import IDENTITY_HEADER
from flasync.toolkit.verifying.evidence_rows import VARIABLE as EVIDENCE
from flasync.toolkit.verifying.marks import MOST_MARKS
from flasync.toolkit.verifying.run import Mark, Phase
from flasync.toolkit.verifying.server_timing import parse_server_timing

SOURCE = Path(__file__).with_name("watched_app.py")

# Seconds in which something must have come; nothing is expected to take them.
DEADLINE_S = 60.0


class Watched:
    """A served app with the witness inside."""

    def __init__(self, served: ServedApp, evidence: Path) -> None:
        self._served = served
        address = urlsplit(served.url)
        self.host, self.port = address.hostname or "", address.port or 0
        self.evidence = Evidence(evidence)
        self._numbers = count()

    def ask(self, path: str) -> tuple[http.client.HTTPResponse, RequestEvidence]:
        """The response to a GET, and what the witness tells of it."""
        identity = f"request {next(self._numbers)}"
        connection = http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={IDENTITY_HEADER: identity})
            response = connection.getresponse()
            response.read()
        return response, self.collect(identity)

    def collect(self, identity: str) -> RequestEvidence:
        """What the witness tells of a request."""
        found = self.evidence.collect([identity], DEADLINE_S)
        assert identity in found, self._served.read_log()
        return found[identity]

    def open(self, path: str, identity: str) -> socket.socket:
        """A connection on which a GET was sent."""
        connection = socket.create_connection((self.host, self.port), timeout=DEADLINE_S)
        head = f"GET {path} HTTP/1.1\r\nHost: app\r\n{IDENTITY_HEADER}: {identity}\r\n\r\n"
        connection.sendall(head.encode())
        return connection


@contextmanager
def watch(folder: Path, *arguments: str) -> Generator[Watched]:
    """Serve the app from a folder of its own, watched."""
    shutil.copy(SOURCE, folder)
    evidence = folder / "evidence"
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("FLASK_")]:
            patch.delenv(variable)
        patch.setenv(WATCHER, "flasync.toolkit.verifying.witness:watch")
        patch.setenv(EVIDENCE, str(evidence))
        patch.chdir(folder)
        with serve_app(SOURCE.stem, arguments) as app:
            yield Watched(app, evidence)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Generator[Watched]:
    """The app on the default server."""
    with watch(tmp_path_factory.mktemp("app")) as app:
        yield app


def find_place(name: str) -> str:
    """The place of a line that is marked with a name."""
    lines = SOURCE.read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.endswith(f"# at {name}"))
    return f"{SOURCE.name}:{number}"


def get_length(mark: Mark) -> float:
    """The milliseconds of a mark."""
    return mark.end_ms - mark.start_ms


def find_longest(evidence: RequestEvidence, phase: Phase) -> Mark:
    """The longest mark of a phase."""
    return max((mark for mark in evidence.marks if mark.phase is phase), key=get_length)


def sum_up(evidence: RequestEvidence, phase: Phase) -> float:
    """The milliseconds of a phase."""
    return sum(get_length(mark) for mark in evidence.marks if mark.phase is phase)


def measure_span(evidence: RequestEvidence) -> float:
    """The milliseconds from the first mark's start to the last one's end."""
    marks = evidence.marks
    return max(mark.end_ms for mark in marks) - min(mark.start_ms for mark in marks)


PLACES = [
    ("/sleep", Phase.LOOP, "sleep", "time.sleep", ""),
    ("/await", Phase.AWAITING, "await", "asyncio.sleep", ""),
    ("/sync", Phase.THREAD, "sync", "time.sleep", ""),
    ("/sync", Phase.AWAITING, "bridged", "asyncio.sleep", ""),
    ("/run-sync", Phase.THREAD, "run-sync", "time.sleep", ""),
    ("/sync-stream", Phase.THREAD, "sync-stream", "time.sleep", ""),
    ("/gather", Phase.AWAITING, "gather", "asyncio.sleep", ""),
]
MORE_PLACES = [
    ("/requests", Phase.LOOP, "requests", "requests.get", ""),
    ("/lock", Phase.LOOP, "lock", "threading.Lock.acquire", "lock"),
    ("/with-lock", Phase.LOOP, "with-lock", "threading.Lock", "lock"),
    ("/semaphore", Phase.THREAD, "semaphore", "threading.Semaphore.acquire", "semaphore"),
    ("/hash", Phase.LOOP, "hash", "hashlib.pbkdf2_hmac", ""),
    ("/sqlite?path=busy", Phase.LOOP, "sqlite", "sqlite3.Connection.execute", ""),
    ("/odd", Phase.LOOP, "odd", "time.sleep", ""),
    ("/nested", Phase.LOOP, "nested", "time.sleep", ""),
]


def check_place(watched: Watched, path: str, phase: Phase, *expected: str) -> None:
    """One place has most of a phase, and the request is in that phase for long."""
    _, evidence = watched.ask(path)
    mark = find_longest(evidence, phase)
    name, *rest = expected
    assert [mark.place, mark.call, mark.limit] == [find_place(name), *rest], evidence.marks
    assert get_length(mark) > 0.3 * sum_up(evidence, phase)
    assert sum_up(evidence, phase) > 0.3 * measure_span(evidence)


@pytest.mark.parametrize("case", [*PLACES, *MORE_PLACES], ids=lambda case: case[0][1:])
def test_places(case: tuple[str, Phase, str, str, str], watched: Watched) -> None:
    """A request's time is told with its phase, the project's line, and what that calls."""
    check_place(watched, *case)


def test_a_call_that_keeps_the_interpreter_lock(watched: Watched) -> None:
    """Nobody can look during such a call, only at its end; a busy machine may be late for that."""
    seen = []
    for _ in range(6):
        _, evidence = watched.ask("/json")
        mark = find_longest(evidence, Phase.LOOP)
        assert mark.place in {find_place("json"), ""}
        seen.append((mark.place, mark.call))
    assert (find_place("json"), "json.dumps") in seen


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_servers(server: str, tmp_path: Path) -> None:
    """Other servers, and their worker processes, tell the same."""
    with watch(tmp_path, "--server", server) as watched:
        for case in PLACES:
            check_place(watched, *case)
        response, evidence = watched.ask("/stream")
        assert response.status == 200
        assert sum_up(evidence, Phase.AWAITING) > 0.3 * measure_span(evidence)
        assert watched.ask("/fail")[0].status == 500


def test_computing(watched: Watched) -> None:
    """Code of the project that computes is one mark, with its processor time."""
    _, evidence = watched.ask("/compute")
    mark = find_longest(evidence, Phase.LOOP)
    assert mark.place.startswith(f"{SOURCE.name}:")
    assert get_length(mark) > 0.5 * measure_span(evidence)
    _, waiting = watched.ask("/sleep")
    assert mark.cpu_ms > 5 * find_longest(waiting, Phase.LOOP).cpu_ms


def test_awaiting_while_none_runs(watched: Watched) -> None:
    """The parts of `gather` overlap, and the request awaits only what is left of the time."""
    _, evidence = watched.ask("/gather")
    threads = [mark for mark in evidence.marks if mark.phase is Phase.THREAD]
    waits = [mark for mark in evidence.marks if mark.phase is Phase.AWAITING]
    assert threads and waits
    for wait in waits:
        for thread in threads:
            assert wait.end_ms <= thread.start_ms or wait.start_ms >= thread.end_ms


def test_nested_stretches(watched: Watched) -> None:
    """A stretch inside another one is not counted twice."""
    _, evidence = watched.ask("/nested")
    assert sum_up(evidence, Phase.LOOP) <= measure_span(evidence) + 0.01


def test_marks_of_the_same_clock(watched: Watched) -> None:
    """The marks are on the clock of the process that reads them."""
    before_ms = time.perf_counter() * 1000
    _, evidence = watched.ask("/await")
    assert before_ms < evidence.marks[0].start_ms < time.perf_counter() * 1000


def test_queue_for_threads(watched: Watched) -> None:
    """More requests than threads: the later ones are queued for as long as the others run."""
    identities = [f"held {number}" for number in range(4)]
    with ExitStack() as stack:
        for identity in identities:
            stack.enter_context(watched.open("/hold", identity))
        watched.ask("/await")
        watched.ask("/let-go")
        held = [watched.collect(identity) for identity in identities]
    shares = sorted(sum_up(evidence, Phase.QUEUED) / measure_span(evidence) for evidence in held)
    assert shares[1] < 0.5 < shares[2]
    assert {evidence.lane for evidence in held} == {"thread"}


def test_turns_of_a_semaphore(watched: Watched) -> None:
    """Who waits for its turn at an `asyncio.Semaphore` does so at its `async with`."""
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(watched.ask, ["/turns"] * 3))
    waits = [
        mark
        for _, evidence in answers
        for mark in evidence.marks
        if mark.place == find_place("turns")
    ]
    assert {(mark.phase, mark.call, mark.limit) for mark in waits} == {
        (Phase.AWAITING, "asyncio.Semaphore", "semaphore")
    }


def test_server_timing(watched: Watched) -> None:
    """The response tells the phases up to its start, behind what the app tells itself."""
    response, evidence = watched.ask("/timed")
    headers = response.headers.get_all("Server-Timing") or []
    assert len(headers) == 1
    header = headers[0]
    assert header.startswith('db;dur=3;desc="a, b", ')
    totals = parse_server_timing(header)
    assert 0.5 < totals[Phase.LOOP] / sum_up(evidence, Phase.LOOP) <= 1.01


def test_stream(watched: Watched) -> None:
    """The marks go on to the end of a stream, the header tells of its first piece."""
    response, evidence = watched.ask("/stream")
    told = parse_server_timing(response.headers["Server-Timing"])
    assert told[Phase.AWAITING] < 0.7 * sum_up(evidence, Phase.AWAITING)


def test_failure(watched: Watched) -> None:
    """A request that fails has its marks all the same."""
    response, evidence = watched.ask("/fail")
    assert response.status == 500
    assert find_longest(evidence, Phase.AWAITING).call == "asyncio.sleep"


def test_departure(watched: Watched) -> None:
    """A request whose client leaves is written, up to its end."""
    with watched.open("/forever", "left"):
        watched.ask("/await")
    mark = find_longest(watched.collect("left"), Phase.AWAITING)
    assert mark.place == find_place("forever")


def test_child_that_outlives_its_request(watched: Watched) -> None:
    """A request ends with its response, whatever it has left running."""
    _, evidence = watched.ask("/outlived")
    _, waiting = watched.ask("/await")
    assert measure_span(evidence) < measure_span(waiting)


def test_many_waits(watched: Watched) -> None:
    """Thousands of waits leave few marks."""
    _, evidence = watched.ask("/many")
    assert len(evidence.marks) <= MOST_MARKS
    assert find_longest(evidence, Phase.AWAITING).call == "asyncio.sleep"


def test_bystander(watched: Watched) -> None:
    """There is a route that does nothing, on the loop; it answers while every thread is busy."""
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(watched.ask, "/semaphore") for _ in range(2)]
        response, evidence = watched.ask(BYSTANDER)
        assert all(future.result() for future in busy)
    assert (response.status, evidence.lane) == (204, "loop")


def test_app(watched: Watched) -> None:
    """The app's line comes first: its threads and routes."""
    app = watched.evidence.read_app(time.monotonic() + DEADLINE_S)
    assert app is not None
    assert app.worker_threads == 2
    lanes = {route.path: route.lane for route in app.routes}
    assert (lanes["/await"], lanes["/sync"]) == ("loop", "thread")
    assert BYSTANDER not in lanes


def test_requests_of_others(watched: Watched) -> None:
    """A request without an identity gets the header and leaves no line."""
    connection = http.client.HTTPConnection(watched.host, watched.port, timeout=DEADLINE_S)
    with contextlib.closing(connection):
        connection.request("GET", "/await")
        response = connection.getresponse()
        response.read()
    assert Phase.AWAITING in parse_server_timing(response.headers["Server-Timing"])
    watched.ask("/await")
    assert watched.evidence.collect([""], 0) == {}
