"""The fixtures for users' own tests, in suites of their own that pytest runs in a subprocess."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from serving.processes import finish

CONFTEST = """
import pytest

pytest_plugins = ["flasync.pytest_plugin"]
"""
APP_FIXTURE = """
@pytest.fixture
def app():
    import shop
    return shop.app
"""
SHOP = """
import asyncio
import threading
import time

import flask

app = flask.Flask(__name__)
app.config["TESTING"] = True
lock = threading.Semaphore(2)

@app.get("/weather")
async def weather():
    await asyncio.sleep(0.1)
    return "fine"

@app.get("/blocking")
async def blocking():
    time.sleep(0.1)
    return "late"

@app.get("/sync")
def sync():
    time.sleep(0.1)
    return "done"

@app.get("/pooled")
def pooled():
    with lock:
        time.sleep(0.1)
    return "done"

@app.get("/fast")
async def fast():
    return "done"

@app.get("/private")
async def private():
    await asyncio.sleep(0.1)
    return flask.jsonify(key=flask.request.headers["X-Key"])

@app.post("/echo")
async def echo():
    await asyncio.sleep(0)
    response = flask.make_response(flask.request.get_data(), 201)
    response.set_cookie("seen", flask.request.cookies.get("seen", "") + "x")
    return response

@app.get("/path/<name>")
async def path(name):
    return name + flask.request.args["q"]

@app.get("/broken")
async def broken():
    raise ValueError("broken")
"""
TESTS = """
import pytest

def test_overlapping(assert_overlaps):
    verdict = assert_overlaps("/weather", n=8, min_overlap=2)
    assert verdict.overlap >= 2

def test_threads(assert_overlaps):
    assert_overlaps("/sync", n=8, min_overlap=2)

def test_blocking(assert_overlaps):
    assert_overlaps("/blocking", n=6)

def test_limited(assert_overlaps):
    assert_overlaps("/pooled", n=8)

def test_nothing_to_see(assert_overlaps):
    assert_overlaps("/fast", n=50, min_overlap=50)

def test_absent(assert_overlaps):
    assert_overlaps("/absent", n=2)

def test_broken(assert_overlaps):
    assert_overlaps("/broken", n=2)

def test_headers(assert_overlaps):
    assert_overlaps("/private", n=4, min_overlap=1, headers={"X-Key": "k"})

def test_wrong_number(assert_overlaps):
    with pytest.raises(ValueError, match="9 of 4 requests"):
        assert_overlaps("/weather", n=4, min_overlap=9)
    with pytest.raises(ValueError, match="0 of 4 requests"):
        assert_overlaps("/weather", n=4, min_overlap=0)

def test_no_stall(assert_no_stall):
    with assert_no_stall(threshold_ms=5000) as client:
        assert client.get("/weather").text == "fine"
        assert client.get("/sync").text == "done"

def test_stall(assert_no_stall):
    with assert_no_stall() as client:
        assert client.get("/blocking").text == "late"

def test_stall_of_a_load(assert_no_stall, assert_overlaps):
    with assert_no_stall(threshold_ms=5000):
        assert_overlaps("/weather", n=4, min_overlap=1)
    with assert_no_stall():
        pytest.raises(pytest.fail.Exception, assert_overlaps, "/blocking", n=4)

def test_failure_of_the_block(assert_no_stall):
    with assert_no_stall() as client:
        client.get("/blocking")
        assert 1 == 2, "mine"

def test_client(assert_no_stall):
    with assert_no_stall(threshold_ms=5000) as client:
        answer = client.post("/echo", json={"a": 1})
        assert (answer.status_code, answer.json, answer.mimetype) == (201, None, "text/html")
        assert answer.data == b'{"a": 1}'
        client.post("/echo", data=b"")
        assert client.get_cookie("seen").value == "xx"
        assert client.get("/path/%C3%A9 a%3Fb", query_string={"q": "1&2"}).text == "\\xe9 a?b1&2"
        assert client.get("/absent").status_code == 404

def test_error_of_the_app(assert_no_stall):
    with assert_no_stall() as client:
        pytest.raises(ValueError, client.get, "/broken")
"""
FAILING = {
    "test_blocking": "GET /blocking: The requests do not overlap: 6 at once took",
    "test_limited": "GET /pooled: The requests overlap only in part: 8 at once took",
    "test_nothing_to_see": "GET /fast: Not enough data: ",
    "test_absent": "GET /absent: No verdict: ",
    "test_broken": "GET /broken: No verdict: ",
    "test_stall": "GET /blocking held the event loop for ",
    "test_stall_of_a_load": "GET /blocking held the event loop for ",
    "test_failure_of_the_block": "mine",
}

# What the repository's own tests load is none of the user's.
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error"]


class Suite:
    """The outcome of a suite: of each test its message, "" if it has passed."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        command = [*PYTEST, "--junitxml=junit.xml", "-o", "junit_logging=out-err", *arguments]
        self.ended: subprocess.CompletedProcess[str] = finish(command, folder, **variables)
        self.messages: dict[str, str] = {}
        self.printed: dict[str, str] = {}
        for case in ElementTree.parse(folder / "junit.xml").iter("testcase"):
            parts = [*case.iter("failure"), *case.iter("error")]
            name = case.get("name") or ""
            self.messages[name] = "".join(f"{part.get('message')}\n{part.text}" for part in parts)
            self.printed[name] = "".join(part.text or "" for part in case.iter("system-out"))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """The tests above, run once."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "conftest.py").write_text(CONFTEST + APP_FIXTURE)
    (folder / "shop.py").write_text(SHOP)
    (folder / "test_shop.py").write_text(TESTS)
    return Suite(folder)


def test_all_tests_ran(suite: Suite) -> None:
    """The suite has the tests that are judged here, and no warning made one fail."""
    assert len(suite.messages) == TESTS.count("def test_"), suite.ended.stdout
    failed = {name for name, message in suite.messages.items() if message}
    assert failed == FAILING.keys(), suite.ended.stdout


@pytest.mark.parametrize(("name", "words"), FAILING.items())
def test_failure_says_why(suite: Suite, name: str, words: str) -> None:
    """What is wrong stands in the failure itself."""
    assert words in suite.messages[name]


def test_failure_names_the_line(suite: Suite) -> None:
    """The call that held the loop is named with its line, with and without a load."""
    line = SHOP.splitlines().index("    time.sleep(0.1)") + 1
    assert f"`time.sleep` at shop.py:{line}" in suite.messages["test_blocking"]
    assert f"at shop.py:{line} `time.sleep`" in suite.messages["test_stall"]
    assert suite.messages["test_stall_of_a_load"].count(f"shop.py:{line}") >= 4


def test_failure_shows_the_waterfall(suite: Suite) -> None:
    """The report of `flasync verify` is shown with a failure, and with nothing else."""
    printed = suite.printed["test_blocking"]
    assert sum(line.endswith(" 200") for line in printed.splitlines()) == 6
    assert "Where the time went" in printed
    assert "200" not in suite.printed["test_overlapping"]


def test_app_of_the_environment(tmp_path: Path) -> None:
    """Without a fixture `app`, that of FLASK_APP is tested; its hooks run around each test."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "served.py").write_text(
        "import flasync\n"
        "app = flasync.Flask(__name__)\n"
        "events = []\n"
        "app.before_serving(lambda: events.append('begun'))\n"
        "app.after_serving(lambda: events.append('ended'))\n"
        "@app.get('/')\n"
        "def index(): return str(events)\n"
    )
    (tmp_path / "test_served.py").write_text(
        "def test_first(assert_no_stall):\n"
        "    with assert_no_stall(5000) as client:\n"
        "        assert client.get('/').text == \"['begun']\"\n"
        "def test_second(assert_no_stall):\n"
        "    with assert_no_stall(5000) as client:\n"
        "        assert client.get('/').text == \"['begun', 'ended', 'begun']\"\n"
    )
    suite = Suite(tmp_path, FLASK_APP="served:app")
    assert suite.messages == {"test_first": "", "test_second": ""}, suite.ended.stdout


def test_no_app(tmp_path: Path) -> None:
    """Where there is no app, the test ends in an error that says so."""
    cases = {
        "none": ("", "Could not locate a Flask application"),
        "other": ("app(): return 'app'", "which is no flask.Flask object"),
        "absent": ("app(absent): return 'app'", "fixture 'absent' not found"),
    }
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name, (app, _) in cases.items():
        fixture = f"@pytest.fixture\ndef {app}\n" if app else ""
        test = f"def test_{name}(assert_overlaps): assert_overlaps('/')\n"
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{fixture}{test}")
    messages = Suite(tmp_path).messages
    assert messages.keys() == {f"test_{name}" for name in cases}
    for name, (_, words) in cases.items():
        assert words in messages[f"test_{name}"]


def test_nothing_is_loaded_early() -> None:
    """A suite that names the plugin and uses none of it imports nothing of the toolkit."""
    script = (
        "import sys, flasync.pytest_plugin\n"
        "print([name for name in sys.modules if name.startswith('flasync.toolkit')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
