"""What the knowledge says that calls do is done."""

import pytest

from .projects import Project

SLOW = "def slow(*args): time.sleep(1)\n"


@pytest.mark.parametrize(
    "view",
    [
        "import threading\nthreading.Thread(target=slow).start()",
        "import atexit\natexit.register(slow)",
        "import concurrent.futures as f\nf.ThreadPoolExecutor().submit(slow)",
        "import asyncio\nasync def g(): await asyncio.to_thread(slow)\nasyncio.run(g())",
    ],
)
def test_runs_elsewhere(project: Project, view: str) -> None:
    """What runs in another thread or later is not in the request's time."""
    assert "time.sleep(…)" not in project.scan_view(SLOW, view).blocking


@pytest.mark.parametrize(
    "view", ["sorted([1], key=slow)", "list(map(slow, [1]))", "list(filter(slow, [1]))"]
)
def test_runs_here(project: Project, view: str) -> None:
    """A callback that a known callable calls runs in the request."""
    assert project.scan_view(SLOW, view).blocking == ["time.sleep(…)"]


def test_returns(project: Project) -> None:
    """What a known call gives has the methods of its class."""
    view = project.scan_view("import sqlite3", "sqlite3.connect('x').cursor().execute('y')")
    assert view.blocking[-1].endswith("execute(…)")
    assert view.unresolved == []


def test_wrapper_of_a_known_decorator(project: Project) -> None:
    """What a known decorator's wrapper does before the view is done at the view."""
    code = """
    from flask_login import LoginManager, login_required
    manager = LoginManager(app)
    @manager.user_loader
    def load(name): time.sleep(1)
    @app.get("/own")
    @login_required
    def own(): return ""
    """
    project.write_app(code, "pass")
    program = project.build()
    from .projects import View  # noqa: PLC0415 (only here is another route asked about)

    assert View(program, "GET /own").blocking == ["time.sleep(…)"]
