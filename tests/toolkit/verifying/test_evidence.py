"""`verifying.evidence`: what a served process has written is read as it comes."""

import json
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from flasync import in_thread, on_loop
from flasync.toolkit.verifying.bystander import add_bystander
from flasync.toolkit.verifying.evidence import AppEvidence, AppRoute, Evidence, RequestEvidence
from flasync.toolkit.verifying.evidence_file import EvidenceFile
from flasync.toolkit.verifying.evidence_rows import build_app_row, build_request_row
from flasync.toolkit.verifying.run import Mark, Phase

MARK = Mark(Phase.LOOP, 1.5, 2.25, "app.py:3", "time.sleep", 0.5, "lock")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An evidence file that is not there yet."""
    return tmp_path / "evidence"


def test_app(path: Path) -> None:
    """The GET routes that can be asked for as they stand are told, with their lanes."""
    app = Flask(__name__)
    app.config["WORKER_THREADS"] = 7
    app.register_blueprint(Blueprint("shop", __name__, static_folder=".", url_prefix="/shop"))

    async def view() -> str:
        return ""

    app.add_url_rule("/loop", "loop", view)
    app.add_url_rule("/thread", "thread", in_thread(lambda: ""))
    app.add_url_rule("/health", "health", on_loop(lambda: ""))
    app.add_url_rule("/books/<int:number>", "book", lambda number: "")
    app.add_url_rule("/order", "order", lambda: "", methods=["POST"])
    app.add_url_rule("/nobody", "nobody")
    add_bystander(app)
    path.write_text(build_app_row(app))
    found = Evidence(path).read_app(time.monotonic())
    assert found is not None
    assert found.worker_threads == 7
    assert found.routes == (
        AppRoute("GET", "/loop", "loop", "loop"),
        AppRoute("GET", "/thread", "thread", "thread"),
        AppRoute("GET", "/health", "health", "loop"),
    )


def test_request(path: Path) -> None:
    """A request comes back with its marks, once."""
    path.write_text(build_request_row("a", "loop", [MARK]) + build_request_row("b", "thread", []))
    evidence = Evidence(path)
    assert evidence.collect(["a"], 0) == {"a": RequestEvidence("loop", (MARK,))}
    assert evidence.collect(["a", "b"], 0) == {"b": RequestEvidence("thread", ())}


def test_nothing_in_time(path: Path) -> None:
    """What is not there when the time is over is left out."""
    evidence = Evidence(path)
    assert evidence.read_app(time.monotonic()) is None
    assert evidence.collect(["a"], 0) == {}


def test_half_a_line(path: Path) -> None:
    """A line counts when it is complete."""
    row = build_request_row("a", "loop", [MARK])
    path.write_text(row[:20])
    evidence = Evidence(path)
    assert evidence.collect(["a"], 0) == {}
    with path.open("a") as file:
        file.write(row[20:])
    assert list(evidence.collect(["a"], 0)) == ["a"]


def test_waiting_for_the_file(path: Path) -> None:
    """A reader gets what is written while it waits."""
    file = EvidenceFile(str(path))
    file.put(lambda: build_request_row("a", "loop", [MARK]))
    file.put(lambda: json.dumps({"kind": "app", "pid": 1, "worker_threads": 2, "routes": []}))
    file.put(lambda: "\n")
    timer = threading.Timer(0.05, file.write_all)
    timer.start()
    evidence = Evidence(path)
    assert list(evidence.collect(["a"], 60)) == ["a"]
    assert evidence.read_app(time.monotonic() + 60) == AppEvidence(1, 2, ())
    timer.join()


def test_a_few_lines_at_a_time(path: Path) -> None:
    """Many lines are written in several goes, so that none takes long; the last writes all."""
    file = EvidenceFile(str(path))
    identities = [str(number) for number in range(200)]
    for identity in identities:
        file.put(partial(build_request_row, identity, "loop", []))
    assert file.write_some()
    evidence = Evidence(path)
    first = evidence.collect(identities, 0)
    assert 0 < len(first) < len(identities)
    file.write_all()
    assert [*first, *evidence.collect(identities, 0)] == identities


def test_a_line_that_cannot_be_built(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told in the log, and the lines beside it are written."""
    path = tmp_path / "evidence"
    file = EvidenceFile(str(path))
    file.put(lambda: "one\n")
    file.put(lambda: f"{1 // 0}")
    file.put(lambda: "two\n")
    file.write_all()
    assert path.read_text() == "one\ntwo\n"
    assert "could not be built" in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_full_disk(caplog: pytest.LogCaptureFixture) -> None:
    """Lines that cannot be written are logged and given up; the app and its witness go on."""
    file = EvidenceFile("/dev/full")
    file.put(lambda: "a line\n")
    assert not file.write_some()
    assert "could not be written" in caplog.text
