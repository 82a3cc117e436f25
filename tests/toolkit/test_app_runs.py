"""Finding where a Python file starts Flask's own server."""

from pathlib import Path

import pytest

from flasync.toolkit.app_runs import AppRun, find_app_runs
from flasync.toolkit.sources import SourceFile


def find(text: str) -> list[AppRun]:
    """The starts in a file."""
    return list(find_app_runs(SourceFile(Path("app.py"), "app.py", text)))


@pytest.mark.parametrize(
    "text",
    [
        "app = Flask(__name__)\napp.run()",
        "site = flask.Flask(__name__)\nsite.run()",
        "site = create_app()\nsite.run()",
        "make_app('test').run()",
        "from shop import app\napp.run()",
        "from shop import site as application\napplication.run()",
        "def main():\n    app = Flask(__name__)\n    app.run()",
        "if True:\n    Flask(__name__).run()",
    ],
)
def test_apps(text: str) -> None:
    """An app is known by the class or factory that makes it, or by its usual name."""
    assert len(find(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\nasyncio.run(main(), debug=True)",
        "import subprocess\nsubprocess.run(['flask'])",
        "from flasync import Flask\napp = Flask(__name__)\napp.run()",
        "app = flasync.Flask(__name__)\napp.run()",
        "report = Report()\nreport.run()",
        "app = Flask(__name__)\napp.run",
        "runner = create_runner()\nrunner.run()",
    ],
)
def test_others(text: str) -> None:
    """The `run` of other things, and of flasync's own app, is left out."""
    assert find(text) == []


@pytest.mark.parametrize(
    ("call", "debug"),
    [
        ("app.run(debug=True)", True),
        ("app.run(port=80, debug=True)", True),
        ("app.run()", False),
        ("app.run(debug=False)", False),
        ("app.run(debug=DEBUG)", False),
    ],
)
def test_debug(call: str, debug: bool) -> None:
    """Only a literal `debug=True` certainly turns debug mode on."""
    (run,) = find(f"app = Flask(__name__)\n{call}")
    assert run.debug is debug


def test_at_import() -> None:
    """A start outside of functions and conditions runs when the file is imported."""
    text = """\
app = Flask(__name__)
if __name__ == "__main__":
    app.run()
def main():
    app.run()
app.run()
"""
    assert sorted((run.place.line, run.at_import) for run in find(text)) == [
        (3, False),
        (5, False),
        (6, True),
    ]
