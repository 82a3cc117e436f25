"""The verdict of a route, and which routes come first."""

import dataclasses

import pytest

from flasync.toolkit.finding import (
    Finding,
    Hit,
    Observed,
    Place,
    RouteReport,
    ScanReport,
    Severity,
    Verdict,
)
from flasync.toolkit.surface import Route
from flasync.toolkit.verdict import Times, judge_observed, judge_route, rank_route

ROUTE = Route("GET /books", ("GET",), "/books", "books", ())
PLACE = Place("shop.py", 7)

HTTP = ("network", "rewrite", "httpx.get")
QUERY = ("database", "bridge", "sqlalchemy.orm.Session.execute")
LDAP = ("network", "offload", "ldap3.Connection.search")
MAIL = ("network", "offload", "smtplib.SMTP.sendmail")
PAUSE = ("sleep", "rewrite", "time.sleep")
PROGRAM = ("subprocess", "rewrite", "subprocess.run")
FILE = ("disk", "offload", "builtins.open")
HASH = ("cpu", "offload", "hashlib.scrypt")
TINY = ("network", "leave", "logging.handlers.SysLogHandler.emit")


def build_hit(
    call: tuple[str, str, str],
    *,
    entry: str = "view",
    waited_ms: float | None = None,
    **rest: object,
) -> Hit:
    """A blocking call on the way of a route."""
    kind, way, subject = call
    observed = None if waited_ms is None else Observed(1, waited_ms, 0.0)
    finding = Finding(
        code="FSY102",
        rule="blocking-network",
        severity=Severity.WARNING,
        place=PLACE,
        message="",
        advice="",
        subject=subject,
        kind=kind,
        way=way,
        observed=observed,
    )
    return Hit(dataclasses.replace(finding, **rest), (), entry)


def judge(
    *calls: tuple[str, str, str],
    is_async: bool = False,
    unresolved: int = 0,
    resolved: int = 20,
    times: Times | None = None,
) -> tuple[Verdict, str]:
    """The verdict of a route that reaches those calls."""
    hits = [build_hit(call) for call in calls]
    missing = [(PLACE, "f(…)")] * unresolved
    total = resolved + unresolved
    return judge_route(ROUTE, hits, missing, is_async=is_async, calls=total, times=times)


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ([], Verdict.READY),
        ([HTTP], Verdict.FIXABLE),
        ([QUERY], Verdict.FIXABLE),
        ([HTTP, QUERY, PAUSE], Verdict.FIXABLE),
        ([LDAP], Verdict.OFFLOAD),
        ([LDAP, QUERY], Verdict.FIXABLE),
        ([HTTP, LDAP], Verdict.FIXABLE),
        ([PROGRAM, FILE], Verdict.FIXABLE),
        ([FILE], Verdict.LEAVE),
        ([HASH], Verdict.LEAVE),
        ([HASH, FILE], Verdict.LEAVE),
        ([HASH, QUERY], Verdict.FIXABLE),
        ([TINY], Verdict.READY),
    ],
)
def test_sync_routes(calls: list[tuple[str, str, str]], verdict: Verdict) -> None:
    """A sync route that waits is judged by whether any of it can be awaited."""
    assert judge(*calls)[0] is verdict


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        ([], Verdict.READY),
        ([FILE], Verdict.READY),
        ([HTTP], Verdict.FIXABLE),
        ([LDAP], Verdict.OFFLOAD),
        ([HASH], Verdict.OFFLOAD),
        ([HASH, QUERY], Verdict.FIXABLE),
    ],
)
def test_async_routes(calls: list[tuple[str, str, str]], verdict: Verdict) -> None:
    """An async route is ready when nothing on its way holds up the others for long."""
    assert judge(*calls, is_async=True)[0] is verdict


@pytest.mark.parametrize("disk", [1, 5])
@pytest.mark.parametrize("call", [HTTP, LDAP, QUERY, PAUSE])
def test_files_change_nothing(call: tuple[str, str, str], disk: int) -> None:
    """Reading files beside another wait does not change the verdict or its reason."""
    assert judge(call, *[FILE] * disk) == judge(call)


def test_reason_of_a_mixture() -> None:
    """Of a route that can gain, the call that must go to a thread is named."""
    verdict, reason = judge(HTTP, MAIL)
    assert verdict is Verdict.FIXABLE
    assert "the network (2 calls)" in reason
    assert "most of it can be awaited instead" in reason
    assert "`smtplib.SMTP.sendmail` called with `run_sync`" in reason
    assert "some of it can be awaited instead" in judge(LDAP, QUERY)[1]


def test_reason_lists_what_is_waited_for() -> None:
    """Each kind of wait is told once, the heaviest first: by name, or with how many there are."""
    _, reason = judge(QUERY, HTTP, QUERY, QUERY, PROGRAM)
    assert reason.startswith(
        "It waits for the network (`httpx.get`), other programs (`subprocess.run`)"
        " and the database (3 calls);"
    )


def test_reason_tells_hooks_apart() -> None:
    """A wait in a hook is said to be there: no change of the view frees it."""
    hook = build_hit(LDAP, entry="before_request")
    _, reason = judge_route(ROUTE, [hook], [], is_async=False, calls=9)
    assert reason.startswith("Not the view, but its hooks wait for the network")
    verdict, reason = judge_route(ROUTE, [hook, build_hit(QUERY)], [], is_async=False, calls=9)
    assert verdict is Verdict.FIXABLE
    assert "before or after the view for the network" in reason


def test_reason_says_who_waits() -> None:
    """That a wait holds up everybody is said where it does."""
    assert "every async request waits" not in judge(HTTP)[1]
    assert "every async request waits" in judge(HTTP, is_async=True)[1]


def test_bridge_needs_no_rewrite() -> None:
    """A route that waits only where a client can be changed needs no rewrite, and hears so."""
    assert "without a rewrite" in judge(QUERY)[1]
    assert "without a rewrite" not in judge(QUERY, HTTP)[1]


def test_mostly_unresolved() -> None:
    """A route of which much is not known is not called ready; the count is told."""
    verdict, reason = judge(unresolved=6, resolved=10)
    assert verdict is Verdict.UNKNOWN
    assert reason.startswith("6 of the calls")


def test_some_unresolved() -> None:
    """Where nothing was found to wait, one call that is not known leaves the route unknown."""
    assert judge(unresolved=1)[0] is Verdict.UNKNOWN
    assert "(one call could not be followed)" in judge(unresolved=1)[1]
    assert "(2 calls could not be followed)" in judge(FILE, unresolved=2)[1]


def test_known_waits_outweigh_the_unknown() -> None:
    """What is known to wait decides, however much is not known."""
    assert judge(HTTP, unresolved=30, resolved=1)[0] is Verdict.FIXABLE


def test_observed_work() -> None:
    """A route that was seen to work and not to wait is left alone, with the figure."""
    verdict, reason = judge(HTTP, QUERY, times=Times(3, 250.0, 0.1))
    assert verdict is Verdict.LEAVE
    assert "10% of its 250 ms" in reason


def test_observed_short_requests() -> None:
    """Short requests that hardly waited do not overrule the source: tests have stand-ins."""
    verdict, reason = judge(HTTP, times=Times(3, 8.0, 0.02))
    assert verdict is Verdict.FIXABLE
    assert "waited for 2% of 8 ms" in reason


def test_observed_waiting() -> None:
    """A route that was seen to wait is judged by its calls."""
    assert judge(QUERY, times=Times(3, 250.0, 0.9))[0] is Verdict.FIXABLE
    assert judge(LDAP, times=Times(3, 250.0, 0.9))[0] is Verdict.OFFLOAD


def test_observed_waiting_without_a_call() -> None:
    """A route that was seen to wait, nobody knows where, is unknown and not ready."""
    assert judge(times=Times(1, 50.0, 0.8))[0] is Verdict.UNKNOWN
    assert judge(HASH, times=Times(1, 50.0, 0.8))[0] is Verdict.UNKNOWN


def test_observed_waiting_of_an_async_route() -> None:
    """Waiting on the event loop is what it is for."""
    assert judge(is_async=True, times=Times(1, 50.0, 0.99))[0] is Verdict.READY
    assert judge(is_async=True, times=Times(1, 50.0, 0.01))[0] is Verdict.READY


def test_observed_waits_decide_which_is_heaviest() -> None:
    """The wait that took longest decides, whatever its kind usually takes."""
    long_query = build_hit(QUERY, waited_ms=80.0)
    short_search = build_hit(LDAP, waited_ms=2.0)
    verdict, reason = judge_route(ROUTE, [short_search, long_query], [], is_async=False, calls=9)
    assert verdict is Verdict.FIXABLE
    assert "the database" in reason


def test_observed_waits_decide_what_is_worth_it() -> None:
    """Where nearly all of the waiting stays in a thread, the route may stay there too."""
    long_search = build_hit(LDAP, waited_ms=80.0)
    short_query = build_hit(QUERY, waited_ms=2.0)
    verdict, reason = judge_route(ROUTE, [short_query, long_search], [], is_async=False, calls=9)
    assert verdict is Verdict.OFFLOAD
    assert "keep the view sync, in its thread" in reason


def test_observed_wait_of_an_unknown_kind() -> None:
    """A wait that only a run has shown counts, and is not said to have an async twin."""
    hit = build_hit(("", "", "driver.wait"), waited_ms=90.0, code="FSY199")
    times = Times(1, 100.0, 0.9)
    verdict, reason = judge_route(ROUTE, [hit], [], is_async=False, times=times)
    assert verdict is Verdict.OFFLOAD
    assert "what only the run has shown (`driver.wait`)" in reason
    assert "no async twin of `driver.wait` is known" in reason


def test_findings_of_other_rules_do_not_count() -> None:
    """Only blocking calls make a verdict, not what else is wrong on the way."""
    hit = build_hit(("", "", "asyncio.run"), code="FSY202")
    assert judge_route(ROUTE, [hit], [], is_async=False, calls=3)[0] is Verdict.READY


def test_observed_report() -> None:
    """Routes that a run has seen are judged anew and put in order; the others stay."""
    query, search = build_hit(QUERY), build_hit(HTTP)
    report = ScanReport(
        "shop",
        "/shop",
        "live",
        (
            build_report("works", Verdict.FIXABLE, search, requests=3, mean_ms=90, waiting_share=0),
            build_report("unseen", Verdict.FIXABLE, search),
            build_report("waits", Verdict.FIXABLE, query, requests=3, mean_ms=9, waiting_share=0.9),
        ),
        (),
    )
    judged = judge_observed(report).routes
    assert [(route.rule, route.verdict) for route in judged] == [
        ("waits", Verdict.FIXABLE),
        ("unseen", Verdict.FIXABLE),
        ("works", Verdict.LEAVE),
    ]
    assert judged[1] is report.routes[1]


def test_static_files() -> None:
    """Flask's own route for static files is left alone; a view of that name is not."""
    static = Route("GET /static/<path:filename>", ("GET",), "/static/<path:filename>", "static", ())
    hook = build_hit(QUERY, entry="before_request")
    assert judge_route(static, [hook], [], is_async=False, calls=0)[0] is Verdict.LEAVE
    own = dataclasses.replace(static, rule="/static")
    assert judge_route(own, [], [], is_async=False, calls=1)[0] is Verdict.READY


def build_report(name: str, verdict: Verdict, *hits: Hit, **rest: object) -> RouteReport:
    """A route's report."""
    report = RouteReport(name, ("GET",), name, name, name, PLACE, False, verdict, "", hits)
    return dataclasses.replace(report, **rest)


def sort(*reports: RouteReport) -> list[str]:
    """The names of reports, from either order, the first one first."""
    names = [report.rule for report in sorted(reports, key=rank_route)]
    assert names == [report.rule for report in sorted(reversed(reports), key=rank_route)]
    return names


def test_order_by_verdict() -> None:
    """Routes that can gain come first, those to be left alone last."""
    assert sort(
        build_report("leave", Verdict.LEAVE),
        build_report("ready", Verdict.READY),
        build_report("unknown", Verdict.UNKNOWN),
        build_report("offload", Verdict.OFFLOAD, build_hit(LDAP)),
        build_report("fixable", Verdict.FIXABLE, build_hit(HTTP)),
    ) == ["fixable", "offload", "unknown", "ready", "leave"]


def test_order_by_what_holds_up_others() -> None:
    """A route that stops the others comes before those that only could be better."""
    stalls = build_hit(FILE, severity=Severity.ERROR)
    assert sort(
        build_report("fixable", Verdict.FIXABLE, build_hit(HTTP)),
        build_report("stalls", Verdict.READY, stalls),
    ) == ["stalls", "fixable"]


def test_order_by_kind_and_count() -> None:
    """Without observed times, the waits of the heaviest kind count, then those of the next."""
    assert sort(
        build_report("https", Verdict.FIXABLE, build_hit(HTTP), build_hit(HTTP)),
        build_report("pause", Verdict.FIXABLE, build_hit(PAUSE)),
        build_report("queries", Verdict.FIXABLE, build_hit(QUERY), build_hit(QUERY)),
        build_report("query", Verdict.FIXABLE, build_hit(QUERY)),
        build_report("http", Verdict.FIXABLE, build_hit(HTTP)),
        build_report("http and queries", Verdict.FIXABLE, build_hit(HTTP), *[build_hit(QUERY)] * 9),
    ) == ["https", "http and queries", "http", "pause", "queries", "query"]


def test_order_by_the_views_own_waits() -> None:
    """What a hook waits for, for many routes alike, counts less than what the view waits for."""
    assert sort(
        build_report("hook", Verdict.FIXABLE, build_hit(HTTP, entry="before_request")),
        build_report("view", Verdict.FIXABLE, build_hit(QUERY)),
    ) == ["view", "hook"]


def test_order_by_observed_time() -> None:
    """The time that was seen to be waited counts before the kind."""
    assert sort(
        build_report("http", Verdict.FIXABLE, build_hit(HTTP)),
        build_report(
            "short", Verdict.FIXABLE, build_hit(HTTP), requests=2, mean_ms=9.0, waiting_share=0.5
        ),
        build_report(
            "long", Verdict.FIXABLE, build_hit(QUERY), requests=9, mean_ms=90.0, waiting_share=0.5
        ),
    ) == ["long", "short", "http"]
