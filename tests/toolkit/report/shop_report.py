"""A report as a scan of the example bookshop gives it, made by hand."""

from dataclasses import replace
from pathlib import Path

from flasync.toolkit.finding import (
    Evidence,
    Finding,
    Hit,
    Observed,
    Place,
    RouteReport,
    ScanReport,
    Severity,
    Step,
    Verdict,
)

ROOT = Path(__file__).resolve().parents[3] / "examples" / "bookshop"

_WAITS = ": its thread serves nobody else meanwhile"
_DATABASE_ADVICE = (
    "Keep the code and change the client: give SQLAlchemy the URL of an async driver,"
    " such as postgresql+asyncpg://."
)


def _blocking(rule: str, kind: str, place: Place, subject: str, function: str) -> Finding:
    code, _, name = rule.partition(" ")
    advice = {
        "database": _DATABASE_ADVICE,
        "network": "Await it instead: use httpx.AsyncClient and `await client.request(…)`.",
        "sleep": "Await it instead: await asyncio.sleep(seconds) in an async view.",
        "cpu": "Leave it as it is: hashing a password is meant to take long.",
        "disk": "Keep it in a thread: await flasync.run_sync(os.remove, path).",
    }[kind]
    verb = {"sleep": "sleeps", "cpu": "computes"}.get(kind, f"waits for the {kind}")
    return Finding(
        code=code,
        rule=name,
        severity=Severity.NOTE if kind == "cpu" else Severity.WARNING,
        place=place,
        message=f"`{subject}` {verb}{_WAITS}",
        advice=advice,
        subject=subject,
        function=function,
        kind=kind,
    )


def _database(file: str, line: int, subject: str, function: str) -> Finding:
    place = Place(f"bookshop/{file}", line, 12)
    return _blocking("FSY103 blocking-database", "database", place, subject, function)


LOAD_USER = _database("models.py", 60, "sqlalchemy.orm.Session.get", "bookshop.models.load_user")
COMMIT = _database("hooks.py", 27, "sqlalchemy.orm.Session.commit", "bookshop.hooks.note_last_seen")
GET_BOOK = _database(
    "catalogue/views.py",
    35,
    "flask_sqlalchemy.query.Query.first_or_404",
    "bookshop.catalogue.views.get_book",
)
PLACE_ORDER = _database(
    "cart/ordering.py", 23, "sqlalchemy.orm.Session.commit", "bookshop.cart.ordering.place_order"
)
REQUEST = _blocking(
    "FSY102 blocking-network",
    "network",
    Place("bookshop/supplier_client.py", 49, 28),
    "requests.request",
    "bookshop.supplier_client.Supplier._request",
)
BACKOFF = _blocking(
    "FSY101 blocking-sleep",
    "sleep",
    Place("bookshop/supplier_client.py", 64, 17),
    "time.sleep",
    "bookshop.supplier_client.Supplier._request",
)
CHECK_PASSWORD = _blocking(
    "FSY108 cpu-bound-call",
    "cpu",
    Place("bookshop/models.py", 51, 16),
    "werkzeug.security.check_password_hash",
    "bookshop.models.User.check_password",
)
REMOVE_COVER = _blocking(
    "FSY104 blocking-disk",
    "disk",
    Place("bookshop/covers.py", 33, 13),
    "os.remove",
    "bookshop.covers.delete_cover",
)
EXTENSION = Finding(
    code="FSY401",
    rule="extension-status",
    severity=Severity.NOTE,
    place=Place("requirements.txt", 2),
    message="Flask-Caching 2.3.1 works: its own test suite passes through flasync",
    advice="Nothing to do.",
    subject="Flask-Caching",
)
WSGI_ONLY = Finding(
    code="FSY503",
    rule="wsgi-only-server",
    severity=Severity.WARNING,
    place=Place("Procfile", 1),
    message="gunicorn's worker class 'gthread' serves WSGI alone: async views gain nothing there",
    advice="Serve with an ASGI worker: gunicorn -k asgi wsgi:app.",
    subject="gunicorn",
)


def _step(function: str, file: str, line: int, call: str) -> Step:
    return Step(f"bookshop.{function}", Place(f"bookshop/{file}", line, 5), call)


_USER_STEPS = (_step("hooks.note_last_seen", "hooks.py", 22, "current_user"),)
HOOKS = (
    Hit(
        LOAD_USER,
        (*_USER_STEPS, _step("models.load_user", "models.py", 60, "db.session.get(…)")),
        "before_request",
    ),
    Hit(
        COMMIT,
        (_step("hooks.note_last_seen", "hooks.py", 27, "db.session.commit()"),),
        "before_request",
    ),
)


def _supplier_hits(first: Step, method: str, line: int) -> tuple[Hit, ...]:
    client = "supplier_client.py"
    way = (first, _step(f"supplier_client.Supplier.{method}", client, line, "self._request(…)"))
    own = "supplier_client.Supplier._request"
    return (
        Hit(REQUEST, (*way, _step(own, client, 49, "requests.request(…)"))),
        Hit(BACKOFF, (*way, _step(own, client, 64, "time.sleep(…)"))),
    )


def _route(
    method: str, rule: str, view: str, where: str, verdict: Verdict, *hits: Hit
) -> RouteReport:
    file, _, line = where.partition(":")
    reason = {
        Verdict.READY: "Nothing on its way blocks",
        Verdict.FIXABLE: "Every call that waits on its way can be awaited instead",
        Verdict.OFFLOAD: "It waits in calls that have no async replacement",
        Verdict.LEAVE: "It computes; async gains nothing",
        Verdict.UNKNOWN: "3 calls on its way could not be resolved",
    }[verdict]
    return RouteReport(
        id=f"{method} {rule}",
        methods=(method,),
        rule=rule,
        endpoint=".".join(view.split(".")[-2:]),
        view=f"bookshop.{view}",
        place=Place(f"bookshop/{file}", int(line)),
        is_async=False,
        verdict=verdict,
        reason=reason,
        hits=hits,
    )


def build_shop_report(root: Path = ROOT) -> ScanReport:
    """A dozen of the bookshop's routes, with findings of many kinds."""
    views = "catalogue/views.py"
    book = Hit(
        GET_BOOK,
        (
            _step("catalogue.views.availability", views, 76, "get_book(…)"),
            _step("catalogue.views.get_book", views, 35, "Book.query.filter_by(…).first_or_404(…)"),
        ),
    )
    from_availability = _supplier_hits(
        _step("catalogue.views.availability", views, 79, "supplier.stock(…)"), "stock", 24
    )
    from_stock = _supplier_hits(
        _step("api.views.StockAPI.get", "api/views.py", 159, "supplier.stock(…)"), "stock", 24
    )
    from_checkout = _supplier_hits(
        _step("cart.ordering.reserve_copies", "cart/ordering.py", 36, "supplier.reserve(…)"),
        "reserve",
        42,
    )
    order = Hit(PLACE_ORDER, (_step("cart.views.checkout", "cart/views.py", 71, "place_order(…)"),))
    password = Hit(
        CHECK_PASSWORD,
        (
            _step("accounts.views.login", "accounts/views.py", 55, "user.check_password(…)"),
            _step("models.User.check_password", "models.py", 51, "check_password_hash(…)"),
        ),
    )
    cover = Hit(
        REMOVE_COVER,
        (
            _step("admin.views.delete_book", "admin/views.py", 220, "delete_cover(…)"),
            _step("covers.delete_cover", "covers.py", 33, "os.remove(…)"),
        ),
    )
    fixable, leave = Verdict.FIXABLE, Verdict.LEAVE
    routes = (
        _route("GET", "/books/<slug>/availability", "catalogue.views.availability", f"{views}:73",
               fixable, *from_availability, book, *HOOKS),
        _route("GET", "/api/books/<isbn>/stock", "api.views.StockAPI.get", "api/views.py:157",
               fixable, *from_stock, *HOOKS),
        _route("POST", "/checkout", "cart.views.checkout", "cart/views.py:63",
               fixable, *from_checkout, order, *HOOKS),
        _route("GET", "/books/<slug>", "catalogue.views.book", f"{views}:63",
               fixable, book, *HOOKS),
        _route("GET", "/", "catalogue.views.home", f"{views}:38", fixable, *HOOKS),
        _route("GET", "/cart", "cart.views.show", "cart/views.py:36", fixable, *HOOKS),
        _route("POST", "/account/login", "accounts.views.login", "accounts/views.py:49",
               fixable, *HOOKS, password),
        _route("POST", "/admin/books/<int:book_id>/delete", "admin.views.delete_book",
               "admin/views.py:209", Verdict.OFFLOAD, *HOOKS, cover),
        _route("GET", "/admin/reports/forecast", "admin.views.forecast_report",
               "admin/views.py:69", leave, *HOOKS),
        replace(
            _route("GET", "/admin/orders.csv", "admin.views.export_orders", "admin/views.py:90",
                   Verdict.UNKNOWN, *HOOKS),
            unresolved=((Place("bookshop/admin/views.py", 104), "writer.writerow(…)"),),
        ),
        _route("GET", "/health", "health", "health.py:3", Verdict.READY),
    )  # fmt: skip
    reached = {hit.finding for route in routes for hit in route.hits}
    findings = [
        replace(finding, routes=_list_routes(routes, finding))
        for finding in (*reached, EXTENSION, WSGI_ONLY)
    ]
    by_place = {(finding.place, finding.subject): finding for finding in findings}
    return ScanReport(
        app="wsgi:app",
        root=str(root),
        mode="live",
        routes=tuple(
            replace(
                route,
                hits=tuple(
                    replace(hit, finding=by_place[hit.finding.place, hit.finding.subject])
                    for hit in route.hits
                ),
            )
            for route in routes
        ),
        findings=tuple(sorted(findings, key=lambda finding: finding.place)),
        files=32,
        lines=2315,
        duration_s=1.24,
        import_s=0.81,
    )


def build_observed_report(root: Path = ROOT) -> ScanReport:
    """The same after a run with `--observe`."""
    report = build_shop_report(root)
    seen = {
        REQUEST.subject: Observed(12, 3741.0, 30.0),
        GET_BOOK.subject: Observed(40, 80.0, 21.0),
    }

    def add(finding: Finding) -> Finding:
        observed = seen.get(finding.subject)
        if observed is not None:
            return replace(finding, evidence=Evidence.CONFIRMED, observed=observed)
        return replace(finding, evidence=Evidence.UNREACHED) if finding.kind else finding

    shares = {report.routes[0].id: (12, 318.0, 0.94), report.routes[3].id: (40, 12.0, 0.31)}

    def add_times(route: RouteReport) -> RouteReport:
        hits = tuple(replace(hit, finding=add(hit.finding)) for hit in route.hits)
        requests, mean_ms, share = shares.get(route.id, (0, None, None))
        return replace(route, hits=hits, requests=requests, mean_ms=mean_ms, waiting_share=share)

    return replace(
        report,
        routes=tuple(map(add_times, report.routes)),
        findings=tuple(map(add, report.findings)),
    )


def _list_routes(routes: tuple[RouteReport, ...], finding: Finding) -> tuple[str, ...]:
    return tuple(route.id for route in routes if any(hit.finding == finding for hit in route.hits))
