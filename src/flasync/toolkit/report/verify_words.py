"""What the page of a verification says in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flasync.toolkit.report.verify_chart import Chart
from flasync.toolkit.report.wording import count, format_share, join
from flasync.toolkit.verifying.judging import format_ms, measure_alone
from flasync.toolkit.verifying.run import (
    Hold,
    Judgement,
    Mark,
    Measured,
    Outcome,
    Phase,
    Request,
    Run,
    Sameness,
)

OUTCOMES = {
    Outcome.OVERLAPS: "most of the requests ran at the same time",
    Outcome.LIMITED: "some ran at a time: something lets in no more",
    Outcome.SERIAL: "one ran after the other",
    Outcome.CPU_BOUND: "it computes; async gives back waiting, and there is none",
    Outcome.UNDECIDED: "too fast, or too unsteady, to be told from outside",
    Outcome.FAILED: "errors say nothing about speed",
}

PHASES = {
    Phase.QUEUED: ("Queued", "waits for a worker thread"),
    Phase.LOOP: ("On the loop", "runs on the event loop, which serves nobody else meanwhile"),
    Phase.THREAD: ("In a thread", "runs, or blocks, in a worker thread"),
    Phase.AWAITING: ("Awaiting", "is switched away and waits; others are served meanwhile"),
    Phase.SENDING: ("Sending", "the server takes its response"),
}

OTHER_SHAPES = {
    "connecting": ("Connecting", "connecting and sending, as the client saw it"),
    "unseen": ("At the server", "or on its way, as the client saw it; no mark says more"),
    "receiving": ("Receiving", "the body arrives at the client"),
    "failed": ("Failed", "no answer came"),
    "turn": ("Waiting its turn", "waits for a connection, a lock or the like that others have"),
}

METHOD = (
    "First the requests of a route are sent one after another, then all at once, while another"
    " route, the bystander, is asked again and again. Stacks take turns, several rounds each; the"
    " round with the median time is shown, or one in which requests failed.",
    "`At a time` is the overlap factor: the number of requests times the shortest time of one"
    " alone, divided by the time from the first one sent to the last one answered. It is 1 when"
    " each waits for the one before, and the number of requests when none waits for another.",
    "`Server blocking` is the slowest answer of the bystander during the load, less its median"
    " before it. Whoever holds the event loop for 400 ms delays every other user by 400 ms.",
    "The waterfalls join what client and server have seen: connecting, sending, first byte and end"
    " are the client's; the phases between are what the server itself noted.",
)

LIMITS = (
    "One burst is not your traffic. It shows whether requests run at the same time; how many a"
    " second a server takes in the long run, it does not.",
    "All requests of a route are alike: the same URL, the same user, warm caches.",
    "Client and server shared the machine and its cores. On a server of its own the latencies"
    " are lower; what holds the loop here holds it there as well.",
    "A route that takes hardly longer than what the client adds cannot be told from outside; it"
    " is “not enough data”, not good.",
    "The places of calls that hold the loop or a thread are found by looking every few"
    " milliseconds. Shorter calls are summed up where they were seen.",
    "A server without flasync's marks (stock Flask, or one at a URL that sends no Server-Timing) is"
    " seen from outside alone: its bars say how long, not where.",
)


def build_verify_headline(run: Run) -> str:
    """Return the verdict on the whole run, in a sentence or two."""
    if not run.routes:
        return "No route was measured."
    if len(run.routes) == 1:
        return run.routes[0].measured[-1].judgement.sentence
    text = f"{_count_overlapping(run, -1) or 'None'} of {count(len(run.routes), 'route')}"
    text += f" overlap on {_name_stack(run, -1)}"
    if _is_compared(run):
        text += f"; before, on {_name_stack(run, 0)}: {_count_overlapping(run, 0) or 'none'}"
    return text + "."


def list_outcomes(run: Run) -> list[tuple[Outcome, int, str]]:
    """Return each outcome of the stack in question with its number of routes and its meaning."""
    numbers = Counter(route.measured[-1].judgement.outcome for route in run.routes)
    return [(each, numbers[each], meaning) for each, meaning in OUTCOMES.items() if numbers[each]]


def list_findings(run: Run) -> Iterator[str]:
    """Yield what else there is to say before any figure: the time of all, and the answers."""
    if not _is_compared(run):
        return
    before = sum(route.measured[0].load.wall_ms for route in run.routes)
    after = sum(route.measured[-1].load.wall_ms for route in run.routes)
    what = "The burst" if len(run.routes) == 1 else f"{len(run.routes)} bursts"
    yield (
        f"{what} of {run.requests} requests took {format_ms(after)} instead of {format_ms(before)}."
    )
    before_ms, after_ms = (_find_latest(run, stack) for stack in (0, -1))
    if before_ms is not None and after_ms is not None:
        yield (
            f"Another route, asked meanwhile, had to wait {format_ms(after_ms)} longer at worst"
            f" instead of {format_ms(before_ms)}."
        )
    unlike = [route for route in run.routes if describe_sameness(route.sameness)]
    if not unlike:
        yield "Both gave the same answers: status, headers and body."
        return
    names = [f"`{route.method} {route.path}`" for route in unlike[:3]]
    more = [f"{len(unlike) - 3} more"] if len(unlike) > 3 else []  # noqa: PLR2004  as above
    yield f"The answers of {join([*names, *more])} are not the same on both."


def _find_latest(run: Run, stack: int) -> float | None:
    """Return by how much one stack delayed the bystander at worst; None: it was not asked."""
    loads = [route.measured[stack] for route in run.routes]
    return max((each.judgement.bystander_ms for each in loads if each.load.pings), default=None)


def describe_sameness(sameness: Sameness | None) -> str:
    """Return in what two stacks' answers differ; "" for in nothing, or if there is one stack."""
    if sameness is None:
        return ""
    parts = [("status", sameness.status), ("headers", sameness.headers), ("body", sameness.body)]
    return "; ".join(f"{name}: {difference}" for name, difference in parts if difference)


def describe_blocking(measured: Measured) -> str:
    """Return by how much the load delayed the bystander."""
    if not measured.load.pings:
        return "not measured"
    return f"{format_ms(measured.judgement.bystander_ms)} at worst"


def explain_blocking(measured: Measured) -> str:
    """Return what that figure was taken from."""
    pings = measured.load.pings
    failed = sum(ping.failed for ping in pings)
    return f"{count(len(pings), 'ping')} to another route" + (
        f", {failed} failed" if failed else ""
    )


def describe_concurrency(measured: Measured) -> str:
    """Return how many requests ran at a time."""
    return f"{measured.judgement.overlap:.1f} of {len(measured.load.requests)} at a time"


def explain_concurrency(measured: Measured) -> str:
    """Return the computation of that figure."""
    load = measured.load
    work = f"{len(load.requests)} \N{MULTIPLICATION SIGN} {format_ms(measure_alone(load))} alone"
    return f"{work} ÷ {format_ms(load.wall_ms)} together"


def list_overlaps(judgements: list[Judgement]) -> list[str]:
    """Return the overlap factors, as a table shows them."""
    return [f"{judgement.overlap:.1f}" for judgement in judgements]


def describe_latency(measured: Measured) -> str:
    """Return how long half of the requests took, and nearly all."""
    judgement = measured.judgement
    return f"{format_ms(judgement.p50_ms)} median, {format_ms(judgement.p99_ms)} p99"


def explain_latency(measured: Measured) -> str:
    """Return how long all requests took together."""
    return f"all answered after {format_ms(measured.load.wall_ms)}"


def describe_cpu(measured: Measured) -> str:
    """Return how much processor time a load took."""
    load = measured.load
    if load.cpu_ms is None:
        return "not known"
    return format_ms(load.cpu_ms)


def explain_cpu(measured: Measured) -> str:
    """Return how busy that is."""
    load = measured.load
    if load.cpu_ms is None:
        return ""
    return f"{format_share(load.cpu_ms / load.wall_ms)} of one core"


def describe_scope(run: Run) -> str:
    """Return what was run, in a line."""
    parts = [f"{run.requests} requests at once", run.python and f"Python {run.python}"]
    parts.append(count(run.cores, "core") if run.cores else "")
    parts.append(f"the client adds {format_ms(run.client_ms)} to a request")
    return ", ".join(filter(None, parts)) + "."


def describe_shape(kind: str) -> tuple[str, str]:
    """Return the name and the meaning of a kind of shape in a waterfall."""
    return OTHER_SHAPES[kind] if kind in OTHER_SHAPES else PHASES[Phase(kind)]


def describe_chart(chart: Chart, measured: Measured) -> str:
    """Return what a waterfall shows, in a line."""
    load = measured.load
    shown = count(len(load.requests), "request")
    if chart.left_out:
        shown = f"{len(chart.rows)} of {shown}, evenly thinned out, the slowest kept"
    text = f"{shown}; the last answered after {format_ms(load.wall_ms)}"
    if load.pings:
        text += f"; the bystander up to {describe_blocking(measured)}".removesuffix(" at worst")
        text += " late"
    return text


def list_facts(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what was run, and on what: a name and a value each."""
    yield "Command", f"`{run.command}`"
    yield "App", run.app
    yield "Requests", f"{run.requests} of each route at once, each on a connection of its own"
    for number, stack in enumerate(_list_stacks(run)):
        yield ("Stacks" if number == 0 else "", stack)
    if run.python:
        yield "Python", run.python
    if run.cores:
        yield "Processors", f"{count(run.cores, 'core')}, shared by client and server"
    yield (
        "Client",
        (
            f"adds {format_ms(run.client_ms)} to a request, measured against an empty answer from"
            " another process"
        ),
    )


def describe_answer(request: Request) -> str:
    """Return what came back, such as "200, 1,204 bytes"."""
    if request.failure is not None:
        return request.failure
    return f"{request.status}, {count(request.body_bytes, 'byte')}"


def name_mark(mark: Mark | Hold) -> str:
    """Return what a request is at in a mark, such as "requests.get (shop/api.py:41)"."""
    if mark.call and mark.place:
        return f"{mark.call} ({mark.place})"
    return mark.call or mark.place


def _is_compared(run: Run) -> bool:
    return any(len(route.measured) > 1 for route in run.routes)


def _count_overlapping(run: Run, index: int) -> int:
    measured = (route.measured[index] for route in run.routes)
    return sum(each.judgement.outcome is Outcome.OVERLAPS for each in measured)


def _name_stack(run: Run, index: int) -> str:
    return run.routes[0].measured[index].stack


def _list_stacks(run: Run) -> list[str]:
    return list(dict.fromkeys(each.stack for route in run.routes for each in route.measured))
