"""Reports of migrations, made by hand."""

from dataclasses import replace

from flasync.toolkit.finding import Edit, Place
from flasync.toolkit.knowledge import Way
from flasync.toolkit.migration.outcome import MigrationReport, StageOutcome, Status
from flasync.toolkit.migration.plan import (
    CallChange,
    Change,
    Colour,
    FunctionChange,
    Left,
    Safety,
    Span,
    Stage,
    StageKind,
    TextChange,
)


def _span(file: str, line: int) -> Span:
    return Span(f"shop/{file}", (line, 5), (line, 9))


def _view(line: int, name: str, colour: Colour = Colour.ASYNC, reason: str = "") -> FunctionChange:
    reason = reason or "Flask awaits it"
    return FunctionChange(_span("views.py", line), f"shop.views.{name}", colour, reason, True)


def _call(span: Span, name: str, way: Way, recipe: str, reason: str) -> CallChange:
    return CallChange(span, name, way, recipe, Safety.SAFE, reason)


def build_route(route: str, *changes: Change, others: tuple[str, ...] = ()) -> Stage:
    """A stage that moves a route, and perhaps others."""
    title = f"Move {route} onto the event loop"
    needs = ("app", "database")
    routes = (route, *others)
    return Stage(f"route:{route}", StageKind.ROUTE, title, changes, needs, routes, ("flasync",))


HELPER = FunctionChange(
    _span("mail.py", 12),
    "shop.mail.send",
    Colour.ASYNC,
    "it awaits, and all who call it can await it",
)
SMTP = _call(
    _span("mail.py", 20), "shop.mail.deliver", Way.OFFLOAD, "", "it waits in `smtplib.SMTP(…)`"
)
SLEEP = _call(_span("mail.py", 14), "time.sleep", Way.REWRITE, "time-sleep", "it has an async twin")
AWAITED = _call(_span("views.py", 9), "shop.mail.send", Way.REWRITE, "", "it becomes async")
APP = Stage(
    "app",
    StageKind.APP,
    "Make the app a flasync.Flask",
    (
        TextChange(
            Edit("shop/__init__.py", (5, 1), (5, 6), "x"), Safety.SAFE, "the app is made here"
        ),
    ),
)
DATABASE = Stage("database", StageKind.DATABASE, "Give SQLAlchemy an async driver", ())
ORDER = build_route("GET, POST /order", HELPER, SLEEP, SMTP, _view(8, "order"), AWAITED)
PAY = build_route("POST /pay", HELPER, SLEEP, SMTP, _view(30, "pay"))
BOOK = build_route("GET /books/<int:id>", _view(40, "book"))
CART = build_route("GET /cart", _view(50, "cart"))
ADMIN = build_route(
    "GET /admin", _view(60, "admin", Colour.ON_LOOP, "`login_required` looks at its result")
)
DIFF = """\
--- a/shop/views.py
+++ b/shop/views.py
@@ -8,1 +8,1 @@
-def order(): # <b>
+async def order(): # <b>
--- a/requirements.txt
+++ b/requirements.txt
@@ -1,0 +1,1 @@
+flasync
"""
PLANNED = MigrationReport(
    app="wsgi",
    root="/srv/shop",
    is_written=False,
    outcomes=tuple(
        StageOutcome(stage, Status.PLANNED)
        for stage in (APP, DATABASE, ORDER, PAY, BOOK, CART, ADMIN)
    ),
    left=(
        Left("GET /a", "it takes `lock`", Place("shop/views.py", 70), "Move the lock."),
        Left("GET /b", "its view is no function"),
        *(Left(f"GET /c{number}", "login_required hides it") for number in range(7)),
    ),
    moved_before=("GET /moved",),
    by_hand=("Procfile:1: write asgi",),
    notes=("niquests brings urllib3-future",),
    diff=DIFF,
    duration_s=2.5,
)
WRITTEN = replace(
    PLANNED,
    is_written=True,
    outcomes=(
        StageOutcome(APP, Status.PROVED, commit="0123456789abcdef"),
        StageOutcome(
            ORDER,
            Status.UNDONE,
            "it turned tests/test_a.py::test_a red: assert 1",
            ("tests/test_a.py::test_a", "tests/test_a.py::test_b"),
        ),
        StageOutcome(PAY, Status.PROVED),
        StageOutcome(BOOK, Status.SKIPPED, "you left it out"),
        StageOutcome(CART, Status.SKIPPED, "you left it out"),
        StageOutcome(ADMIN, Status.SKIPPED, "you left it out"),
    ),
    tests_passed=12,
    tests_red_before=("tests/test_old.py::test_old",),
)
