"""A migration from end to end: what is written, proved, undone, and tried again."""

import shlex
import sys
from pathlib import Path

import pytest

from flasync.errors import FileChangedError, SuiteError
from flasync.toolkit.migration.migrating import Manner, Migration
from flasync.toolkit.migration.outcome import MigrationReport, Status, list_lost
from flasync.toolkit.migration.plan import Stage
from flasync.toolkit.migration.planning import Wish
from toolkit.migration.planners import LOADING, describe, opened_planner

APP = (
    LOADING
    + """\
@app.get("/b")
def b():
    time.sleep(0.01)
    return "b"
"""
)
CHECK = f"{shlex.quote(sys.executable)} check.py"


def migrate(
    root: Path,
    check: str = "",
    files: dict[str, str] | None = None,
    wish: Wish | None = None,
    **manner: object,
) -> MigrationReport:
    """Write the changes into a project whose test is a line about the text of `app.py`."""
    given = {"app.py": APP, "check.py": f"text = open('app.py').read()\n{check}\n", **(files or {})}
    with opened_planner(root, given) as planner:
        how = Manner(write=True, test=CHECK if check else "", **manner)  # type: ignore[arg-type]
        return Migration(planner, root.resolve(), "app", how).run(wish or Wish())


SHARED = APP.replace('    time.sleep(0.01)\n    return "b"', '    return load("b")')


def test_one_route_and_then_the_others(tmp_path: Path) -> None:
    """A route moves although an earlier migration has freed all that it waits for."""
    first = migrate(tmp_path, files={"app.py": SHARED}, wish=Wish(frozenset({"GET /a"})))
    assert first.moved == ("GET /a",)
    text = (tmp_path / "app.py").read_text()
    assert "await_(asyncio.sleep(0.01))" in text
    assert "\ndef b():" in text
    second = migrate(tmp_path, files={"app.py": text})
    assert (second.moved_before, second.moved) == (("GET /a",), ("GET /b",))
    text = (tmp_path / "app.py").read_text()
    assert "\nasync def b():" in text
    assert migrate(tmp_path, files={"app.py": text}).outcomes == ()


def list_statuses(report: MigrationReport) -> list[tuple[str, str]]:
    """What became of which stage, in order."""
    return [(outcome.stage.id, outcome.status.value) for outcome in report.outcomes]


def test_all_is_written(tmp_path: Path) -> None:
    """Without tests every stage is applied, and the text is that of the diff."""
    report = migrate(tmp_path)
    assert {status for _, status in list_statuses(report)} == {"applied"}
    assert report.moved == ("GET /a", "GET /b")
    assert report.tests_passed is None
    text = (tmp_path / "app.py").read_text()
    added = [line[1:] for line in report.diff.splitlines() if line[:1] == "+" and line[:2] != "++"]
    assert all(line in text.splitlines() for line in added)


def test_helper_comes_back_plain_first(tmp_path: Path) -> None:
    """What turned red with an async helper is tried with a plain one, before the view is."""
    report = migrate(tmp_path, "assert '\\ndef load' in text")
    assert list_statuses(report)[:4] == [
        ("app", "proved"),
        ("route:GET /a", "undone"),
        ("route:GET /a", "proved"),
        ("route:GET /b", "proved"),
    ]
    assert describe(report.outcomes[2].stage) == ["rewrite time.sleep", "async a"]
    assert list_lost(report) == ()
    assert "async def a():\n    return load" in (tmp_path / "app.py").read_text()


def test_view_comes_back_plain_then(tmp_path: Path) -> None:
    """When the helper was not it, the view is marked in place of becoming async."""
    report = migrate(tmp_path, "assert '\\ndef a' in text")
    shapes = [describe(item.stage) for item in report.outcomes if item.stage.routes == ("GET /a",)]
    assert [[line for line in shape if line.endswith(" a")] for shape in shapes] == [
        ["async a"],
        ["async a"],
        ["on_loop a"],
    ]
    assert list_lost(report) == ()


def test_undone_for_good(tmp_path: Path) -> None:
    """What turns red in every shape stays as it was, byte for byte, and says which test."""
    report = migrate(tmp_path, "assert 'def b():\\n    time.sleep(0.01)' in text")
    (lost, *_) = list_lost(report)
    assert lost.stage.id == "route:GET /b"
    assert [shlex.split(test) for test in lost.tests] == [shlex.split(CHECK)]
    (left,) = (left for left in report.left if left.route == "GET /b")
    assert left.reason.startswith("It turned ")
    start = APP.index('@app.get("/b")')
    assert (tmp_path / "app.py").read_text().endswith(APP[start:])
    assert report.moved == ("GET /a",)


def test_original_bytes(tmp_path: Path) -> None:
    """When nothing may change, every file is in the end what it was, line ends included."""
    crlf = APP.replace("\n", "\r\n")
    (tmp_path / "app.py").write_bytes(crlf.encode())
    check = "assert 'flasync' not in text"
    with opened_planner(
        tmp_path, {"check.py": f"text = open('app.py').read()\n{check}\n"}
    ) as planner:
        how = Manner(write=True, test=CHECK)
        report = Migration(planner, tmp_path.resolve(), "app", how).run(Wish())
    assert [outcome.status for outcome in report.outcomes] == [Status.UNDONE]
    assert (tmp_path / "app.py").read_bytes() == crlf.encode()


def test_refused_stage(tmp_path: Path) -> None:
    """A stage that is declined is left out, with what builds upon it; the others are made."""

    def accept(stage: Stage, diff: str) -> bool:
        assert diff.startswith("--- a/")
        return stage.id != "route:GET /a"

    report = migrate(tmp_path, accept=accept)
    assert ("route:GET /a", "skipped") in list_statuses(report)
    assert report.moved == ("GET /b",)
    (left,) = (left for left in report.left if left.route == "GET /a")
    assert left.reason == "You left it out"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError])
def test_exception_within_a_stage(kind: type[BaseException], tmp_path: Path) -> None:
    """Whatever ends the migration, the stage under way is taken back, and those before it stand."""

    def tell(text: str, done: int, count: int) -> None:
        if "GET /b" in text:
            raise kind

    with pytest.raises(kind):
        migrate(tmp_path, tell=tell)
    text = (tmp_path / "app.py").read_text()
    assert "async def a" in text
    assert "async def b" not in text


def test_file_that_somebody_else_changes(tmp_path: Path) -> None:
    """A file that was changed meanwhile is not overwritten."""

    def tell(text: str, done: int, count: int) -> None:
        if "GET /b" in text:
            (tmp_path / "app.py").write_text("mine = True\n")

    with pytest.raises(FileChangedError):
        migrate(tmp_path, tell=tell)
    assert (tmp_path / "app.py").read_text() == "mine = True\n"


def test_tests_that_are_red_before(tmp_path: Path) -> None:
    """A command that fails before anything is changed is refused: it could prove nothing."""
    with pytest.raises(SuiteError, match="No test passes"):
        migrate(tmp_path, "assert 'flasync' in text")
    assert (tmp_path / "app.py").read_text() == APP


def test_what_is_missing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage whose distributions are not installed is left, with the option that installs them."""
    monkeypatch.setattr(
        "flasync.toolkit.migration.migrating.find_missing", lambda texts: tuple({*texts})
    )  # as if flasync itself were not there
    report = migrate(tmp_path)
    assert report.moved == ()
    assert (tmp_path / "app.py").read_text() == APP
    assert any("(--install)" in left.reason for left in report.left)


def test_deployment_is_not_proved(tmp_path: Path) -> None:
    """The lines that start the server are written, and nobody claims that a test has tried them."""
    files = {"app.py": APP, "check.py": "", "Procfile": "web: gunicorn app:app\n"}
    with opened_planner(tmp_path, files) as planner:
        how = Manner(write=True, test=CHECK)
        wish = Wish(allow_unsafe=True)
        report = Migration(planner, tmp_path.resolve(), "app", how).run(wish)
    statuses = dict(list_statuses(report))
    assert statuses["deployment"] == "applied"
    assert statuses["route:GET /b"] == "proved"
    assert (tmp_path / "Procfile").read_text() != "web: gunicorn app:app\n"
