"""A verification from end to end: what is served, what is asked, and what it shows.

Two stacks are both up from the beginning, and their loads take turns, so that what else the machine
does meets both alike.
"""

from __future__ import annotations

import enum
import os
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flasync.errors import VerifyError
from flasync.toolkit.verifying.bystander import PATH as BYSTANDER_PATH
from flasync.toolkit.verifying.choosing import choose_routes
from flasync.toolkit.verifying.comparing import Answers, compare
from flasync.toolkit.verifying.costs import measure_client, measure_cost
from flasync.toolkit.verifying.evidence import AppEvidence
from flasync.toolkit.verifying.holds import find_holds
from flasync.toolkit.verifying.judging import judge
from flasync.toolkit.verifying.loads import (
    LoadOrder,
    Measurement,
    choose_measurement,
    run_load,
)
from flasync.toolkit.verifying.login import log_in
from flasync.toolkit.verifying.open_files import allow_connections
from flasync.toolkit.verifying.run import BrowserTimes, Measured, Route, Run, Sameness
from flasync.toolkit.verifying.sending import Question
from flasync.toolkit.verifying.stacks import Stack, serve_flasync, serve_revision, serve_stock

# What `Order.compare` says for stock Flask on a WSGI server.
STOCK = "stock"

# Loads of each stack, of which `choose_measurement` keeps one.
_ROUNDS = 3

# Seconds until a served app has said what its routes are.
_APP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a verification is asked for."""

    import_path: str | None = None
    """As `flask --app` takes it; None: found in `root`."""
    routes: tuple[tuple[str, str], ...] = ()
    """Methods and paths, a query included."""
    named: tuple[str, ...] = ()
    """More routes, as `choose_routes` takes them. Without any: all GET routes without arguments."""
    requests: int = 20
    """How many are sent at once."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """Sent with every request that is not a GET or HEAD."""
    login: Path | None = None
    """A script that gives more headers: see `login`."""
    server: str | None = None
    """As `flasync serve` takes it; None: the first that is installed."""
    url: str | None = None
    """Of a server that runs already; None: the app is served."""
    compare: str | None = None
    """`STOCK`, or a git revision; None: one stack alone is measured."""
    min_overlap: float | None = None
    """How many must run at a time; None: half of them."""
    timeout_s: float = 60.0
    """Seconds after which a request has failed."""
    bystander: str | None = BYSTANDER_PATH
    """The path that is pinged during the loads; None: none is."""
    browser: bool = False
    """Whether the GET routes are loaded from a real browser too."""
    root: Path = Path()
    """The project's folder."""
    command: str = ""
    """What was typed, for the report."""


class Step(enum.Enum):
    """What a verification is at."""

    STARTING = "starting"
    MEASURING_COST = "measuring the client"
    LOADING = "loading"
    BROWSING = "loading in a browser"
    ROUTE_DONE = "route done"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a verification is."""

    step: Step
    stack: str = ""
    method: str = ""
    path: str = ""
    loads_done: int = 0
    loads: int = 0
    """How many loads there are in all; 0: that is not known yet."""
    answered: int = 0
    """How many requests of the load that runs have ended."""
    route: Route | None = None
    """The route that is done, for `ROUTE_DONE`."""


Headers = tuple[tuple[str, str], ...]
Tell = Callable[[Progress], object]


def verify(order: Order, tell: Tell = lambda progress: None) -> Run:
    """Serve what the order names, measure its routes, and return what was seen.

    Args:
        order: What is served and asked.
        tell: Called at each step, and for each request of a load that has ended. It is called by
            the client that measures: it must be quick.

    Raises:
        AppNotFoundError: There is no such app.
        AppStartError: A server did not start, or has ended; its log is attached as a note.
        RepositoryError: There is no such revision.
        VerifyError: There is nothing to ask for, or the login script failed.
        MissingExtraError: There is no browser.
    """
    allow_connections(order.requests)
    with ExitStack() as stacks:
        targets = []
        for name, context in _list_stacks(order):
            tell(Progress(Step.STARTING, name))
            targets.append(_prepare(order, stacks.enter_context(context)))
        tell(Progress(Step.MEASURING_COST))
        client_ms = measure_client(order.requests, order.timeout_s)
        routes = _Verification(order, targets, tell).run()
    return Run(
        app=hide_password(order.url) if order.url else order.import_path or "",
        command=order.command,
        requests=order.requests,
        routes=routes,
        python=platform.python_version(),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 0,
        client_ms=client_ms,
    )


def hide_password(url: str) -> str:
    """Return a URL for a report: without the password that it may carry."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:***@{host}").geturl()


def _list_stacks(order: Order) -> list[tuple[str, AbstractContextManager[Stack]]]:
    """Return the name and the context of each stack, that in question last."""
    stacks: list[tuple[str, AbstractContextManager[Stack]]] = []
    if order.compare == STOCK:
        stacks.append(("stock Flask", serve_stock(order.import_path, order.root)))
    elif order.compare is not None:
        old = serve_revision(order.import_path, order.root, order.compare, order.server)
        stacks.append((f"revision {order.compare}", old))
    if order.url is not None:
        url = order.url.rstrip("/")
        name = hide_password(url)
        return [*stacks, (name, nullcontext(Stack(name, url)))]
    new = serve_flasync(order.import_path, order.root, order.server)
    return [*stacks, ("flasync", new)]


@dataclass(frozen=True, slots=True)
class _Target:
    """A stack with what is needed to ask it."""

    stack: Stack
    headers: Headers
    cost_ms: float
    """What a request costs besides the view."""
    bystander_url: str | None


def _prepare(order: Order, stack: Stack) -> _Target:
    headers = order.headers
    if order.login is not None:
        headers += log_in(order.login, stack.url)
    cost_ms = measure_cost(stack.url + BYSTANDER_PATH, order.requests, order.timeout_s, headers)
    return _Target(stack, headers, cost_ms, order.bystander and stack.url + order.bystander)


class _Verification:
    """The loads of all routes on all stacks."""

    def __init__(self, order: Order, targets: list[_Target], tell: Tell) -> None:
        self._order = order
        self._targets = targets
        self._tell = tell
        self._app = _read_app(targets[-1].stack)
        self._routes = _list_routes(order, self._app)
        self._rounds = _ROUNDS if len(targets) > 1 else 1
        self._done = 0

    def run(self) -> tuple[Route, ...]:
        """Return what each route has shown."""
        return tuple(self._verify(method, path) for method, path in self._routes)

    def _verify(self, method: str, path: str) -> Route:
        seen: list[list[Measurement]] = [[] for _ in self._targets]
        for _ in range(self._rounds):
            for target, measurements in zip(self._targets, seen, strict=True):
                measurements.append(self._load(target, method, path))
            if any(measurements[-1].has_failed for measurements in seen):
                break  # the others would tell the same, and may take long for it
        kept = list(map(choose_measurement, seen))
        measured = list(map(self._judge, self._targets, kept))
        if self._order.browser and method == "GET":
            measured = self._browse(path, measured)
        route = Route(
            method,
            path,
            kept[-1].lane or self._find_lane(method, path),
            tuple(measured),
            self._compare(seen) if len(seen) > 1 else None,
        )
        self._report(Step.ROUTE_DONE, method=method, path=path, route=route)
        return route

    def _load(self, target: _Target, method: str, path: str) -> Measurement:
        stack = target.stack

        def report(answered: int = 0) -> None:
            self._report(
                Step.LOADING, stack=stack.name, method=method, path=path, answered=answered
            )

        report()
        body = b"" if method in ("GET", "HEAD") else self._order.body
        question = Question(method, stack.url + path, target.headers, body)
        load_order = LoadOrder(
            question, self._order.requests, self._order.timeout_s, target.bystander_url
        )
        measurement = run_load(stack, load_order, report)
        self._done += 1
        return measurement

    def _judge(self, target: _Target, measurement: Measurement) -> Measured:
        holds = find_holds(measurement.load)
        judgement = judge(
            measurement.load,
            holds,
            client_ms=target.cost_ms,
            min_overlap=self._order.min_overlap,
        )
        return Measured(target.stack.name, measurement.load, holds, judgement)

    def _browse(self, path: str, measured: list[Measured]) -> list[Measured]:
        """Load the route in a browser, whose requests say who logged in at each stack."""
        # Playwright is needed by nothing else.
        from flasync.toolkit.verifying.browser import measure_in_browser  # noqa: PLC0415

        self._report(Step.BROWSING, method="GET", path=path)
        bystander = self._order.bystander or BYSTANDER_PATH
        groups: dict[Headers, dict[str, str]] = {}
        for target in self._targets:
            groups.setdefault(target.headers, {})[target.stack.name] = target.stack.url
        times: dict[str, BrowserTimes] = {}
        for headers, urls in groups.items():
            times |= measure_in_browser(
                urls,
                path,
                self._order.requests,
                bystander,
                headers=headers,
                timeout_s=self._order.timeout_s,
            )
        return [replace(each, browser=times.get(each.stack)) for each in measured]

    def _compare(self, seen: list[list[Measurement]]) -> Sameness:
        before, after = (
            Answers(target.stack.url, [answer for one in measurements for answer in one.answers])
            for target, measurements in zip(self._targets, seen, strict=True)
        )
        return compare(before, after)

    def _find_lane(self, method: str, path: str) -> str | None:
        if self._app is None:
            return None
        wanted = (method, path.partition("?")[0])
        lanes = (route.lane for route in self._app.routes if (route.method, route.path) == wanted)
        return next(lanes, None)

    def _report(self, step: Step, **details: Any) -> None:
        loads = len(self._routes) * len(self._targets) * self._rounds
        self._tell(Progress(step, loads_done=self._done, loads=loads, **details))


def _read_app(stack: Stack) -> AppEvidence | None:
    if stack.evidence is None:
        return None
    return stack.evidence.read_app(time.monotonic() + _APP_TIMEOUT_S)


def _list_routes(order: Order, app: AppEvidence | None) -> tuple[tuple[str, str], ...]:
    """Return what the order asks for; all GET routes without arguments where it names nothing.

    Raises:
        VerifyError: There are none, or nobody tells.
    """
    known = app.routes if app else ()
    if order.routes and not order.named:
        return order.routes
    if known and order.named:
        known = choose_routes(known, order.named)
    found = ((route.method, route.path) for route in known)
    routes = tuple(dict.fromkeys((*order.routes, *found)))
    if not known:
        server = order.url and f"The server at {hide_password(order.url)!r}"
        what = server or f"The app {order.import_path!r}"
        raise VerifyError(
            f"{what} names no GET route without arguments, which could be measured without being"
            " told how. Name a path: flasync verify /path"
        )
    return routes
