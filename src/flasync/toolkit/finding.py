"""What a scan says: places, chains, findings, evidence and the verdict of each route.

Frozen values without behaviour of their own, so that rules make them, the observer adds to them
and reports print them without knowing one another. `to_json` is the shape of `--json`.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any


class Verdict(enum.StrEnum):
    """What to do with a route."""

    READY = "ready"
    """Nothing on its way blocks: it may become `async def`, or run on the loop, as it is."""
    FIXABLE = "fixable"
    """Blocking calls on its way can be awaited instead, by a rewrite or by an async driver."""
    OFFLOAD = "offload"
    """It waits in calls without an async twin: they belong in a thread."""
    LEAVE = "leave"
    """Nothing to gain: it computes, or waits for nothing worth the change."""
    UNKNOWN = "unknown"
    """Too much on its way could not be resolved to say."""


class Evidence(enum.StrEnum):
    """How a finding is known."""

    STATIC = "static"
    """By its chain of calls; nothing was observed."""
    CONFIRMED = "confirmed"
    """By its chain, and seen to block at run time."""
    OBSERVED = "observed"
    """Seen to block at run time; the chain was not found in the source."""
    UNREACHED = "unreached"
    """By its chain; the observed run never came to its line."""


class Severity(enum.StrEnum):
    """How much a finding counts for the exit code and for annotations."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a source file.

    Attributes:
        file: Relative to the project's root with forward slashes, or absolute if outside of it.
        line: From 1.
        column: From 1, in characters.
    """

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """Return `file:line`, which terminals and editors turn into a link."""
        return f"{self.file}:{self.line}"


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One call on the way from a route to a finding.

    Attributes:
        function: The qualified name of the function in which the call stands.
        place: Where it stands; for the first step of a hook or view, where that is defined.
        call: What is called there, as written, such as "supplier.stock(…)".
    """

    function: str
    place: Place
    call: str


@dataclasses.dataclass(frozen=True, slots=True)
class Observed:
    """What a run with `--observe` saw at one place.

    Attributes:
        count: How many requests blocked there.
        waited_ms: Off the CPU, in all of them together.
        cpu_ms: On the CPU, in all of them together.
    """

    count: int
    waited_ms: float
    cpu_ms: float


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file: the characters from `start` to `end` become `text`.

    Attributes:
        file: As in `Place`.
        start: Line and column, both from 1.
        end: Line and column of the first character that stays.
        text: What stands there afterwards.
    """

    file: str
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing found at one place, whichever routes it is reached from.

    Attributes:
        code: The rule's code, such as "FSY101".
        rule: The rule's name, such as "blocking-sleep".
        severity: What it counts for.
        place: Where.
        message: One sentence: what happens there and why it matters.
        advice: One line: what to do.
        subject: What it is about, for the baseline: the qualified name of the blocking callable,
            of the extension, or of the object. It does not change when lines move.
        function: The qualified name of the function it stands in; "" at module level.
        kind: What a blocking call waits for (`knowledge.Kind`); "" for other rules.
        way: How a blocking call is freed (`knowledge.Way`); "" for other rules.
        routes: The ids of the routes from which it is reached, in their order.
        evidence: How it is known.
        observed: What was seen at run time, if anything.
        fix: The edits that mend it; empty where a person must decide.
    """

    code: str
    rule: str
    severity: Severity
    place: Place
    message: str
    advice: str
    subject: str
    function: str = ""
    kind: str = ""
    way: str = ""
    routes: tuple[str, ...] = ()
    evidence: Evidence = Evidence.STATIC
    observed: Observed | None = None
    fix: tuple[Edit, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A finding as one route reaches it.

    Attributes:
        finding: What is reached.
        chain: The calls from the route's hook or view to it, outermost first.
        entry: Where the chain begins: "view", "before_request", "teardown_request",
            "context processor", "error handler"…
    """

    finding: Finding
    chain: tuple[Step, ...]
    entry: str = "view"


@dataclasses.dataclass(frozen=True, slots=True)
class RouteReport:
    """One route of the app: a URL rule with the methods that one view function serves.

    Attributes:
        id: Methods and rule, such as "GET /books/<slug>".
        methods: Without HEAD and OPTIONS unless they are all, sorted.
        rule: The URL rule.
        endpoint: Flask's name of it.
        view: The qualified name of the view function or of the class's method.
        place: Where the view is defined; None for a view that is not the project's code.
        is_async: Whether the view runs on the event loop.
        verdict: What to do with it.
        reason: One sentence: why that verdict.
        hits: What it reaches, the most promising first.
        unresolved: Calls on its way whose target is not known, each with its place.
        requests: How many requests for it an observed run saw; 0 without one.
        mean_ms: Their mean duration, or None without an observed request.
        waiting_share: The share of its time, 0 to 1, that it waited: the most that async can
            gain. None when nothing was observed.
    """

    id: str
    methods: tuple[str, ...]
    rule: str
    endpoint: str
    view: str
    place: Place | None
    is_async: bool
    verdict: Verdict
    reason: str
    hits: tuple[Hit, ...] = ()
    unresolved: tuple[tuple[Place, str], ...] = ()
    requests: int = 0
    mean_ms: float | None = None
    waiting_share: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ScanReport:
    """Everything that one scan says.

    Attributes:
        app: How the app was named or found, such as "shop:create_app()".
        root: The project's folder, absolute.
        mode: "live" when the app was imported, "static" when only the source was read.
        routes: Sorted by what is to gain, the best first.
        findings: Every finding once, sorted by place.
        notes: What the reader must know: what was lost, what could not be read.
        files: How many source files were read.
        lines: How many lines they have.
        duration_s: How long the scan took, the import of the app included.
        import_s: How long the import of the app took; 0 in static mode.
        suppressed: How many findings `noqa` comments, settings and the baseline hide.
    """

    app: str
    root: str
    mode: str
    routes: tuple[RouteReport, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    files: int = 0
    lines: int = 0
    duration_s: float = 0.0
    import_s: float = 0.0
    suppressed: int = 0


def to_json(value: Any) -> Any:
    """Return a value of this module as JSON has it: objects, lists, strings and numbers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return value
