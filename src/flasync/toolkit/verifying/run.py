"""What one run of `flasync verify` has seen and concluded: JSON in and out, and the reports' input.

Times are milliseconds. Those of a `Request` count from the moment at which the first request of
its load was sent; the server's marks are moved onto the same clock where both ran on one machine.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Phase(enum.Enum):
    """What a request is at, on the server."""

    QUEUED = "queued"
    """It waits for a worker thread."""
    LOOP = "loop"
    """It runs on the event loop, which serves nobody else meanwhile."""
    THREAD = "thread"
    """It runs in a worker thread; also while the code in it blocks."""
    AWAITING = "awaiting"
    """It is switched away and waits."""
    SENDING = "sending"
    """The server takes its response."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a request's life on the server."""

    phase: Phase
    start_ms: float
    end_ms: float
    place: str = ""
    """Where, as "shop/api.py:41": the innermost frame of the project's own code; "" if unknown."""
    call: str = ""
    """What was called or awaited there, as "requests.get"; "" if unknown."""
    cpu_ms: float = 0.0
    """How much of it was spent computing."""
    limit: str = ""
    """The kind of thing that lets only some in at a time and is waited for: see `limits`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the client saw it, with the server's marks where it gave any."""

    start_ms: float
    connected_ms: float | None
    """When the connection was made; None: it was there before, or none could be made."""
    sent_ms: float | None
    first_byte_ms: float | None
    end_ms: float
    """When the body was complete, or the request had failed."""
    status: int | None
    """None: there was no response."""
    failure: str | None = None
    """Why there was no response."""
    body_bytes: int = 0
    digest: str = ""
    """A hash of the body."""
    marks: tuple[Mark, ...] = ()
    connect_ms: float | None = None
    """What the making of its connection took, where that was done before it was sent."""

    @property
    def duration_ms(self) -> float:
        """Milliseconds from sending to the end of the body."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Ping:
    """One request to the bystander, while the load ran (or before it)."""

    start_ms: float
    end_ms: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement of one route on one stack."""

    baseline: tuple[Request, ...]
    """Requests sent one after another."""
    requests: tuple[Request, ...]
    """Requests sent at once."""
    calm: tuple[Ping, ...]
    """The bystander, while nothing else was asked for."""
    pings: tuple[Ping, ...]
    """The bystander during the load."""
    cpu_ms: float | None
    """Processor time that the server's processes used during the load; None: not known."""
    wall_ms: float
    """From the first request sent at once to the end of the last."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Where the requests of a load held something, or waited for it, longest first in a `Route`."""

    phase: Phase
    place: str
    call: str
    total_ms: float
    """Of all requests together."""
    longest_ms: float
    requests: int
    cpu_ms: float = 0.0
    """How much of it was spent computing, where that is known."""
    limit: str = ""
    """As a `Mark` has it."""


class Outcome(enum.Enum):
    """What a measurement has shown."""

    OVERLAPS = "overlaps"
    LIMITED = "limited"
    """It overlaps, up to a number that something sets: a pool, a semaphore, threads."""
    SERIAL = "does not overlap"
    CPU_BOUND = "nothing to gain"
    UNDECIDED = "not enough data"
    FAILED = "requests failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its evidence in numbers."""

    outcome: Outcome
    sentence: str
    """For people, one sentence, with what to do next where something is wrong."""
    overlap: float
    """How many requests ran at a time: N x the time of one alone / wall time."""
    p50_ms: float
    p99_ms: float
    bystander_ms: float
    """The slowest answer of the bystander during the load, less its median before."""
    cause: str = ""
    """What holds the requests up: "loop", "cpu", "threads", "lock", "semaphore", "pool", "service";
    "" if nothing does, or nobody knows."""


@dataclass(frozen=True, slots=True)
class BrowserTimes:
    """The same requests as windows of a real browser saw them, and what its user felt."""

    windows: int
    """How many windows the fetches came from."""
    fetches_ms: tuple[float, ...]
    """Each from the call of `fetch` to the end of the body."""
    held_back_ms: tuple[float, ...]
    """How long each of them waited inside the browser, for a connection."""
    server_ms: tuple[float, ...]
    """What the server says that each took, where it sent `Server-Timing`."""
    failed: int
    """How many had no answer, or one that says failure."""
    wall_ms: float
    calm_input_ms: float
    """The median time from a press to its effect on the screen, before the load."""
    inputs_ms: tuple[float, ...]
    """The same for each press during the load."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A load on one stack, judged."""

    stack: str
    """As "flasync on uvicorn", "Flask on gunicorn, 20 threads", "flasync at 1a2b3c4"."""
    load: Load
    holds: tuple[Hold, ...]
    judgement: Judgement
    browser: BrowserTimes | None = None
    """None: no browser was asked."""


@dataclass(frozen=True, slots=True)
class Sameness:
    """Whether two stacks gave the same answer: "" for what is the same."""

    status: str = ""
    headers: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A route with what each stack made of it; the stack in question is the last one."""

    method: str
    path: str
    lane: str | None
    """Either "loop" or "thread"; None: not known."""
    measured: tuple[Measured, ...]
    sameness: Sameness | None = None
    """None: one stack alone was measured."""


@dataclass(frozen=True, slots=True)
class Run:
    """All of a run."""

    app: str
    command: str
    """What was typed."""
    requests: int
    """How many were sent at once."""
    routes: tuple[Route, ...]
    python: str = ""
    cores: int = 0
    client_ms: float = 0.0
    """What the client itself adds to a latency, measured against an empty answer."""
