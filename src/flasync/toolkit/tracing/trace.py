"""What a trace has seen of one request. Times are milliseconds since the request came."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Action(enum.StrEnum):
    """What happens in a step."""

    RECEIVED = "received"
    LANE = "lane"
    QUEUED = "queued"
    HOOK = "hook"
    CREATED = "created"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    RETURNING = "returning"
    RAISED = "raised"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    TASK_STARTED = "task started"
    TASK_ENDED = "task ended"
    THREAD_STARTED = "thread started"
    THREAD_ENDED = "thread ended"
    UNAWAITED = "never awaited"
    HELD = "held the loop"
    BUSY = "busy in a thread"
    SENT = "sent"
    LEFT = "left"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Variable:
    """How a local variable has changed since the step before.

    Attributes:
        name: Its name.
        value: Its value, shortened and masked; "" when it is gone.
        before: Its value until then; "" when it is new.
    """

    name: str
    value: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    Attributes:
        number: From 1.
        at_ms: When.
        action: What, for programs.
        text: What, for people; code stands between backticks.
        strand: The number of the strand in which it happened.
        place: Where in the code, as "shop/api.py:41"; "" if nowhere in it.
        source: The line of code there.
        state: Of the coroutine, as `inspect.getcoroutinestate` names it; without a coroutine
            "running", "waiting" or "finished" in a thread; else "".
        result: What came of it, for people.
        duration_ms: How long it took, or lasted; None: it has no duration.
        variables: The local variables that have changed.
        thread: The thread, if it is not the loop's.
        repeats: How often the same happened again at the same place, and is left out.
        warning: What is wrong here; "" if nothing.
    """

    number: int
    at_ms: float
    action: Action
    text: str
    strand: int = 0
    place: str = ""
    source: str = ""
    state: str = ""
    result: str = ""
    duration_ms: float | None = None
    variables: tuple[Variable, ...] = ()
    thread: str = ""
    repeats: int = 0
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Strand:
    """What runs by itself: the request, or a task that its code has made.

    Attributes:
        number: 0 is the request.
        name: As "fetch_price, Task-7".
        parent: The number of the strand that made it; None for the request.
        start_ms: Its first step.
        end_ms: Its end; None: it had not ended when the trace did.
    """

    number: int
    name: str
    parent: int | None
    start_ms: float
    end_ms: float | None


class Kind(enum.StrEnum):
    """What is wrong."""

    UNAWAITED = "never-awaited"
    HELD = "held-the-loop"
    FAILED = "failed"
    LEFT = "timed-out"


@dataclass(frozen=True, slots=True)
class TraceFinding:
    """Something that is wrong with the request.

    Attributes:
        kind: What.
        sentence: For people, with what to do next.
        place: Where, as "shop/api.py:41"; "" if nowhere in the code.
        step: The number of its step; 0: of none.
    """

    kind: Kind
    sentence: str
    place: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """One request, traced.

    Attributes:
        app: The name of the app.
        method: As sent.
        path: As sent, with its query, in which secrets are masked.
        lane: "loop" or "thread"; "" if the request did not come so far.
        status: None: there was no response.
        body_bytes: Of the response.
        duration_ms: From its coming to its end, teardown included.
        waited_ms: How long of that the request's own strand was paused.
        beside: How many other requests were sent meanwhile.
        python: The version of Python.
        strands: The request, and the tasks that its code made.
        steps: In the order of their times.
        findings: What is wrong.
    """

    app: str
    method: str
    path: str
    lane: str
    status: int | None
    body_bytes: int
    duration_ms: float
    waited_ms: float
    beside: int
    python: str
    strands: tuple[Strand, ...]
    steps: tuple[Step, ...]
    findings: tuple[TraceFinding, ...]
