"""The report as people read it."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from flasync.toolkit.finding import Hit, Place, ScanReport, Severity, Step, Verdict
from flasync.toolkit.report.route_selection import select_routes
from flasync.toolkit.report.terminal import build_console
from flasync.toolkit.report.text import print_findings, print_report, print_routes
from toolkit.report.shop_report import (
    COMMIT,
    REQUEST,
    build_observed_report,
    build_shop_report,
)


def render(report: ScanReport, width: int = 100, encoding: str = "utf-8", **options: bool) -> str:
    """What is printed into a pipe of that encoding."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = build_console(file)
    console.width = width
    print_report(report, console, import_path="wsgi", **options)
    file.seek(0)
    return file.read()


def multiply(report: ScanReport, routes: int, findings: int) -> ScanReport:
    """The report with many routes, the first of which reaches many places alike."""
    many = [replace(COMMIT, place=Place(COMMIT.place.file, line)) for line in range(findings)]
    hits = tuple(Hit(finding, (Step("shop.f", finding.place, "commit()"),)) for finding in many)
    first = replace(report.routes[0], hits=hits)
    rest = [replace(first, id=f"GET /{number}", hits=()) for number in range(routes - 1)]
    return replace(report, routes=(first, *rest), findings=tuple(many))


def test_verdict_goes_before_evidence_before_advice() -> None:
    """The parts come in order: verdict, routes, findings, surroundings, next steps."""
    text = render(build_shop_report())
    marks = [
        "10 of the 11 routes of wsgi:app wait while they answer, for the network (3)",
        "Begin with GET /books/<slug>/availability. It waits for the network, a fixed time and the",
        "One kind of change reaches 4 places on 10 routes: Keep the code and change the client",
        "7  fixable  calls that wait can be awaited",
        "\nRoutes\n",
        "\nWhat the routes wait for\n",
        "FSY102 blocking-network  1 place, on the way of 3 routes",
        "\nExtensions and deployment\n",
        "FSY503 wsgi-only-server  Procfile:1",
        "\nWhat to do next\n",
        "flasync serve --app wsgi\n",
    ]
    found = [text.find(mark) for mark in marks]
    assert -1 not in found, marks[found.index(-1)]
    assert found == sorted(found)


def test_finding_shows_line_reason_advice_and_chain(tmp_path: Path) -> None:
    """A finding has its source line, why, what to do, the chain, and who else reaches it."""
    source = tmp_path / REQUEST.place.file
    source.parent.mkdir()
    source.write_text("\n" * (REQUEST.place.line - 1) + "    answer = requests.request(url)\n")
    text = render(build_shop_report(tmp_path))
    begin = text.index("FSY102 blocking-network")
    lines = [line.strip() for line in text[begin : text.index("FSY101")].splitlines()]
    assert lines[:12] == [
        "FSY102 blocking-network  1 place, on the way of 3 routes",
        "What to do: Await it instead: use httpx.AsyncClient and `await client.request(…)`.",
        "",
        "bookshop/supplier_client.py:49",
        "answer = requests.request(url)",
        "`requests.request` waits for the network: its thread serves nobody else meanwhile.",
        "The way there from GET /books/<slug>/availability:",
        "bookshop/catalogue/views.py:79  availability       supplier.stock(…)",
        "bookshop/supplier_client.py:24  Supplier.stock     self._request(…)",
        "bookshop/supplier_client.py:49  Supplier._request  requests.request(…)",
        "Also reached by GET /api/books/<isbn>/stock; POST /checkout",
        "",
    ]


def test_hooks_are_named_in_the_chain() -> None:
    """A chain that begins in a hook says so."""
    assert "in a before_request that runs for it:" in render(build_shop_report())


def test_observed_times_are_shown() -> None:
    """After a run, the table has the share of waiting, and findings what was seen."""
    text = " ".join(render(build_observed_report()).split())
    assert "5 94 % of 318 ms" in text
    assert "of its 318 ms it waited 94 %, which is the most that async can gain" in text
    assert "Observed: 12 requests waited 3.7 s and computed 30 ms." in text
    assert "--observe" not in text


def test_many_routes_and_places_are_cut() -> None:
    """Of many routes and places a few are shown, with the number of the others."""
    text = render(multiply(build_shop_report(), routes=36, findings=60))
    assert "… and 20 more routes: 20 fixable. --verbose shows all." in text
    assert "… and 55 more places: --verbose" in text
    assert text.count("\n") < 100


def test_settled_routes_give_way_to_others() -> None:
    """Of many routes, those that ask for nothing are counted and not shown."""
    report = build_shop_report()
    ready = [replace(report.routes[-1], id=f"GET /ready/{number}") for number in range(40)]
    text = render(replace(report, routes=(*ready, *report.routes)))
    assert "GET /ready/" not in text
    assert "GET /admin/orders.csv" in text
    assert "… and 42 more routes: 41 ready, 1 leave. --verbose shows all." in text
    text = render(replace(report, routes=tuple(ready)))
    assert text.count("GET /ready/") == 16


def test_verbose_leaves_nothing_out() -> None:
    """With --verbose each route, finding and unresolved call is there."""
    report = multiply(build_shop_report(), routes=36, findings=60)
    unresolved = ((Place("shop/odd.py", 7), "handlers[kind](…)"),)
    report = replace(report, routes=(replace(report.routes[0], unresolved=unresolved),))
    text = render(report, verbose=True)
    assert text.count("The way there from") == 60
    assert "shop/odd.py:7  handlers[kind](…)" in text
    assert "--verbose" not in text


def test_long_chains_are_cut_in_the_middle() -> None:
    """A long chain shows its beginning and its end, and --verbose all of it."""
    steps = tuple(Step(f"shop.f{number}", Place("a.py", number), "g()") for number in range(1, 21))
    report = build_shop_report()
    route = replace(report.routes[0], hits=(Hit(REQUEST, steps),))
    report = replace(report, routes=(route,), findings=(REQUEST,))
    assert "… 14 more calls …" in render(report)
    assert "a.py:10" not in render(report)
    assert "a.py:10" in render(report, verbose=True)
    for text in (render(report), render(report, width=50)):
        assert "a.py:1\n" in text.replace(" ", "") or "a.py:1 " in text
        assert "a.py:20" in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    """No line is wider than the terminal, but commands, which are to be copied whole."""
    lines = render(build_observed_report(), width=width).splitlines()
    long = [line for line in lines if len(line) > width]
    assert all(line.startswith("     flasync ") for line in long), long


@pytest.mark.parametrize("width", [40, 100])
def test_lines_end_without_blanks(width: int) -> None:
    """No line has blanks at its end, so that a saved report compares well."""
    lines = render(build_observed_report(), width=width).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_encoding_can_carry_it(encoding: str, tmp_path: Path) -> None:
    """Where the encoding lacks a character another one stands for it, in any width."""
    source = tmp_path / REQUEST.place.file
    source.parent.mkdir()
    source.write_text("\n" * (REQUEST.place.line - 1) + "requests.get('日本')\n", "utf-8")
    for width in (50, 100):
        text = render(build_shop_report(tmp_path), width, encoding)
        assert ("日本" in text) == (encoding == "utf-8")
        assert "self._request(" in text


def test_user_text_is_no_markup() -> None:
    """Brackets in source lines, rules and messages are printed as they are."""
    report = build_shop_report()
    finding = replace(REQUEST, message="`rows[bold]` [red]waits[/red]")
    route = replace(report.routes[0], id="GET /[bold]<a>[/bold]", hits=(Hit(finding, ()),))
    text = render(replace(report, routes=(route,), findings=(finding,)))
    assert "GET /[bold]<a>[/bold]" in text
    assert "`rows[bold]` [red]waits[/red]." in text


def test_errors_say_so_without_colours() -> None:
    """An error is named as such in its title, and the summary counts them."""
    report = build_shop_report()
    error = replace(REQUEST, severity=Severity.ERROR)
    text = render(replace(report, routes=(), findings=(error, COMMIT)))
    assert "1 finding is an error and does harm today, before any change." in text
    assert "FSY102 blocking-network (error)  1 place" in text
    assert "FSY103 blocking-database  1 place" in text
    assert text.index("FSY102") < text.index("FSY103")


def test_app_without_findings() -> None:
    """Where nothing blocks the report says so, and to serve the app."""
    report = build_shop_report()
    text = render(replace(report, routes=report.routes[-1:], findings=()))
    assert text.startswith("Nothing that blocks was found on the way of the 1 route of wsgi:app.")
    assert "GET /health: Nothing on its way blocks." in text.replace(" (bookshop/health.py:3)", "")
    assert "flasync serve --app wsgi" in text
    assert "--check" not in text


def test_app_without_routes() -> None:
    """An app without routes is no error."""
    text = render(replace(build_shop_report(), routes=(), findings=()))
    assert text.startswith("wsgi:app has no route")


def test_route_that_only_computes() -> None:
    """A route that only computes does not count as waiting."""
    report = build_shop_report()
    computing = [
        replace(
            route,
            verdict=Verdict.LEAVE,
            hits=tuple(hit for hit in route.hits if hit.finding.kind == "cpu"),
        )
        for route in report.routes
        if route.rule == "/account/login"
    ]
    text = render(replace(report, routes=tuple(computing)))
    assert text.startswith("Nothing that blocks was found")
    assert "flasync verify" not in text


def test_static_mode_says_so() -> None:
    """A scan of the source alone says so, and how to find more."""
    text = render(replace(build_shop_report(), mode="static", notes=("Decorators were not run.",)))
    assert "The app was not imported." in text
    assert "Decorators were not run." in text
    assert "Scan where the app can be imported" in text


def test_check_prints_findings_alone() -> None:
    """A check prints no summary, no routes and no next steps."""
    file = io.StringIO()
    print_findings(build_shop_report(), Console(file=file, width=100))
    assert "FSY102 blocking-network" in file.getvalue()
    assert "What to do next" not in file.getvalue()
    assert "Verdict" not in file.getvalue()


def test_terminal_gets_colours_and_a_pipe_none() -> None:
    """Escape sequences go to terminals alone."""
    assert "\x1b[" not in render(build_shop_report())
    file = io.StringIO()
    print_report(build_shop_report(), Console(file=file, force_terminal=True, width=100))
    assert "\x1b[" in file.getvalue()


def test_pipe_is_100_columns_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no terminal tells its width, COLUMNS does, and else it is 100."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert build_console(io.StringIO()).width == 100
    monkeypatch.setenv("COLUMNS", "70")
    assert build_console(io.StringIO()).width == 70


def test_chosen_routes_are_told_in_full() -> None:
    """A chosen route has its verdict, reason and view, and each finding with its chain."""
    file = io.StringIO()
    report = select_routes(build_observed_report(), "/books/<slug>/availability")
    print_routes(report, build_console(file), import_path="wsgi")
    text = file.getvalue()
    assert text.startswith("GET /books/<slug>/availability  fixable\n  Every call that waits")
    assert "View:      bookshop.catalogue.views.availability (bookshop/catalogue/" in text
    assert "Waited:    94 % of 318 ms, in 12 requests" in text
    assert text.count("The way there from") == 5
    assert "flasync verify --app wsgi /books/SLUG/availability" in text
    assert "Extensions and deployment" not in text
