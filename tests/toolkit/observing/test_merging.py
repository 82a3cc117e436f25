"""Merging observations, made by hand, into the scan of a small app."""

import dataclasses

import flask
import pytest
from tests.toolkit.observing.projects import Project

from flasync.toolkit.finding import Evidence, Finding, ScanReport
from flasync.toolkit.observing.merging import list_lines, merge
from flasync.toolkit.observing.observation import Frame, Observation, ObservedPlace, ObservedRoute
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.rules import Program
from flasync.toolkit.scanning import build_program, build_report

APP = """\
    import time
    import subprocess
    from hashlib import pbkdf2_hmac
    from importlib import import_module
    import flask

    app = flask.Flask("shop")

    def load():
        vendor = import_module("vendor")
        return vendor.fetch(1)  # vendor

    @app.get("/nap")
    def nap():
        time.sleep(0.1); subprocess.run(["true"])  # both
        return load()

    @app.route("/hash", methods=["GET", "POST"])
    def hash():
        return pbkdf2_hmac("sha256", b"", b"", 1).hex()  # hash

    @app.get("/chain")
    def chain():
        return (
            subprocess
            .Popen(["true"])  # popen
            .communicate()[0]  # communicate
        )
    """


@dataclasses.dataclass
class Shop:
    """The app as scanned, and making observations of it."""

    project: Project
    program: Program
    report: ScanReport

    def frame(self, mark: str, call: str, function: str = "nap") -> Frame:
        """A frame at a call as written at a marked line."""
        line = self.project.find_line(mark)
        text = (self.project.root / "app.py").read_text().splitlines()[line - 1]
        column = text.index(call)
        file = str(self.project.root / "app.py")
        return Frame(file, function, "app", line, line, column, column + len(call))

    def merge(
        self,
        *places: ObservedPlace,
        rule: str = "/nap",
        method: str = "GET",
        reached: dict[str, frozenset[int]] | None = None,
    ) -> ScanReport:
        """Merge one observed route."""
        route = ObservedRoute("shop", method, rule, rule.strip("/"), 4, 400.0, 40.0, 0.0, places)
        return merge(self.report, Observation((route,), reached, 1, ("Mind.",)), self.program)


@pytest.fixture
def shop(project: Project) -> Shop:
    """The app, scanned."""
    path = project.write("app.py", APP)
    namespace = {"__name__": "app", "__file__": str(path)}
    exec(compile(path.read_text(), path, "exec"), namespace)
    app = namespace["app"]
    assert isinstance(app, flask.Flask)
    program = build_program(app, project.root)
    return Shop(project, program, build_report(program, ProjectSettings()))


def wait(*chain: Frame, called: Frame | None = None, waited_ms: float = 300.0) -> ObservedPlace:
    """A wait of three requests for the network."""
    innermost = called or chain[-1]
    return ObservedPlace(chain, called, innermost, 3, 1, waited_ms, 0.5, {"network": waited_ms})


def get(report: ScanReport, subject: str) -> Finding:
    """The one finding about a callable."""
    (finding,) = [finding for finding in report.findings if finding.subject == subject]
    return finding


def test_confirmed(shop: Shop) -> None:
    """A finding is confirmed by waits at its call; the other call of its line is not."""
    report = shop.merge(wait(shop.frame("both", "time.sleep(0.1)")))
    confirmed = get(report, "time.sleep")
    assert confirmed.evidence is Evidence.CONFIRMED
    assert confirmed.observed is not None
    assert (confirmed.observed.count, confirmed.observed.waited_ms) == (3, 300.0)
    assert get(report, "subprocess.run").evidence is Evidence.STATIC
    assert not [finding for finding in report.findings if finding.code == "FSY199"]


def test_hits_have_the_evidence(shop: Shop) -> None:
    """The hits of a route are the findings of the report."""
    report = shop.merge(wait(shop.frame("both", "time.sleep(0.1)")))
    (route,) = [route for route in report.routes if route.rule == "/nap"]
    assert route.hits
    assert all(hit.finding in report.findings for hit in route.hits)


def test_waits_add_up(shop: Shop) -> None:
    """Places at one call are one finding's evidence."""
    frame = shop.frame("both", 'subprocess.run(["true"])')
    library = Frame("/lib/subprocess.py", "run", "subprocess", 5, 5)
    report = shop.merge(wait(frame, waited_ms=10), wait(frame, called=library, waited_ms=20))
    observed = get(report, "subprocess.run").observed
    assert observed is not None
    assert observed.waited_ms == 30


def test_call_over_several_lines(shop: Shop) -> None:
    """An instruction of a method call that spans lines begins at the method's name."""
    report = shop.merge(wait(shop.frame("communicate", "communicate", "chain")), rule="/chain")
    assert get(report, "subprocess.Popen.communicate").evidence is Evidence.CONFIRMED
    assert len(report.findings) == len(shop.report.findings)


def test_computing(shop: Shop) -> None:
    """A finding about computing is confirmed by CPU time, and not by waits."""
    frame = shop.frame("hash", 'pbkdf2_hmac("sha256", b"", b"", 1)', "hash")
    place = dataclasses.replace(wait(frame), waits=0, computes=3, waited_ms=0.0, cpu_ms=120.0)
    report = shop.merge(place, rule="/hash", method="POST")
    assert get(report, "hashlib.pbkdf2_hmac").evidence is Evidence.CONFIRMED
    report = shop.merge(wait(frame), rule="/hash")
    assert get(report, "hashlib.pbkdf2_hmac").evidence is Evidence.STATIC


def test_seen_only_at_run_time(shop: Shop) -> None:
    """A wait without a finding becomes one, with its chain, its kind and the library's function."""
    view = shop.frame("both", "time")
    view = dataclasses.replace(view, line=view.line + 1, end_line=view.line + 1, column=11)
    view = dataclasses.replace(view, end_column=17)
    library = Frame("/lib/vendor.py", "Client.fetch", "vendor", 7, 7)
    frame = shop.frame("vendor", "vendor.fetch(1)", "load")
    report = shop.merge(wait(view, frame, called=library))
    finding = get(report, "vendor.Client.fetch")
    assert (finding.code, finding.evidence) == ("FSY199", Evidence.OBSERVED)
    assert finding.place.line == shop.project.find_line("vendor")
    assert finding.place.column == frame.column + 1 if frame.column else False
    assert finding.kind == "network"
    assert finding.function == "app.load"
    assert "vendor.fetch(…)" in finding.message
    assert "100 ms a request, in 3 requests" in finding.message
    (route,) = [route for route in report.routes if route.rule == "/nap"]
    assert finding.routes == (route.id,)
    (hit,) = [hit for hit in route.hits if hit.finding is finding]
    assert [step.function for step in hit.chain] == ["app.nap", "app.load"]
    assert hit.entry == "view"


def test_too_little_to_tell(shop: Shop) -> None:
    """A wait that nobody would notice is no finding."""
    report = shop.merge(wait(shop.frame("vendor", "vendor.fetch(1)"), waited_ms=1.0))
    assert len(report.findings) == len(shop.report.findings)


def test_code_that_is_not_the_projects(shop: Shop) -> None:
    """Waits of libraries alone are the route's time and nobody's finding."""
    library = Frame("/lib/session.py", "open", "session", 7, 7)
    report = shop.merge(ObservedPlace((), None, library, 4, 0, 360.0, 0.0, {"network": 360.0}))
    assert len(report.findings) == len(shop.report.findings)
    (route,) = [route for route in report.routes if route.rule == "/nap"]
    assert route.waiting_share == 0.9


def test_unreached(shop: Shop) -> None:
    """Findings whose lines did not run are unreached; those that ran too quickly stay static."""
    file, both = str(shop.project.root / "app.py"), shop.project.find_line("both")
    report = shop.merge(reached={file: frozenset({both})})
    assert get(report, "subprocess.run").evidence is Evidence.STATIC
    assert get(report, "hashlib.pbkdf2_hmac").evidence is Evidence.UNREACHED


def test_reach_not_known(shop: Shop) -> None:
    """Where it is not known what ran, nothing is called unreached."""
    report = shop.merge(reached=None)
    assert {finding.evidence for finding in report.findings} == {Evidence.STATIC}


def test_routes(shop: Shop) -> None:
    """Routes get their requests, mean duration and share of waiting; others have none."""
    report = shop.merge(wait(shop.frame("both", "time.sleep(0.1)")))
    routes = {route.rule: route for route in report.routes}
    nap, others = routes.pop("/nap"), routes.values()
    assert (nap.requests, nap.mean_ms, nap.waiting_share) == (4, 100.0, 0.75)
    assert {(route.requests, route.mean_ms, route.waiting_share) for route in others} == {
        (0, None, None)
    }
    assert report.notes == (*shop.report.notes, "Mind.")


@pytest.mark.parametrize(
    ("app", "method", "requests"),
    [("shop", "HEAD", 4), ("__main__", "GET", 4), ("shop", "OPTIONS", 0)],
)
def test_whose_requests(shop: Shop, app: str, method: str, requests: int) -> None:
    """HEAD is GET's; an app run as a program has another name; OPTIONS is answered by Flask."""
    route = ObservedRoute(app, method, "/nap", "nap", 4, 400.0)
    report = merge(shop.report, Observation((route,), None, 1), shop.program)
    assert sum(route.requests for route in report.routes) == requests


def test_other_app(shop: Shop) -> None:
    """Another app's route of the same rule and endpoint does not count, when both were seen."""
    routes = (
        ObservedRoute("shop", "GET", "/nap", "nap", 4, 400.0),
        ObservedRoute("supplier", "GET", "/nap", "nap", 9, 900.0),
    )
    report = merge(shop.report, Observation(routes, None, 1), shop.program)
    assert sum(route.requests for route in report.routes) == 4


def test_list_lines(shop: Shop) -> None:
    """The lines that a run is asked for are those of the findings."""
    lines = list_lines(shop.report)
    assert lines.keys() == {str(shop.project.root / "app.py")}
    assert shop.project.find_line("both") in lines[str(shop.project.root / "app.py")]


def test_merging_changes_nothing(shop: Shop) -> None:
    """The report that went in stays as it was."""
    before = repr(shop.report)
    shop.merge(wait(shop.frame("both", "time.sleep(0.1)")))
    assert repr(shop.report) == before


def test_from_end_to_end(shop: Shop) -> None:
    """A real run of the app confirms, discovers and leaves alone."""
    shop.project.write(
        "vendor.py", "import time\n\ndef fetch(n):\n    time.sleep(0.05)\n    return ''\n"
    )
    shop.project.write_requests("/nap", "/chain", times=2)
    lines = list_lines(shop.report)
    observation = shop.project.observe("-m", "pytest", "-q", lines=lines)
    report = merge(shop.report, observation, shop.program)
    assert get(report, "time.sleep").evidence is Evidence.CONFIRMED
    assert get(report, "hashlib.pbkdf2_hmac").evidence in (Evidence.UNREACHED, Evidence.STATIC)
    (new,) = [finding for finding in report.findings if finding.place.file == "vendor.py"]
    assert (new.code, new.kind) == ("FSY199", "sleep")
