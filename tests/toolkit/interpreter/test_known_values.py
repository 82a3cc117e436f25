"""Which entry of the knowledge belongs to a value."""

import pytest

from .projects import Project


@pytest.mark.parametrize(
    ("code", "view", "names"),
    [
        ("", "time.sleep(1)", {"time.sleep"}),
        ("from time import sleep as nap", "nap(1)", {"time.sleep"}),
        ("import requests", "requests.get('x')", {"requests.get"}),
        ("import requests\ns = requests.Session()", "s.get('x')", {"requests.Session.get"}),
        (
            "import requests\nclass S(requests.Session): pass",
            "S().get('x')",
            {"requests.Session.get"},
        ),
        (
            "import requests\nclass S(requests.Session):\n    def get(self, url): pass",
            "S().get('x')",
            set(),
        ),
        ("def sleep(seconds): pass", "sleep(1)", set()),
        ("", "time = flask\ntime.sleep(1)", set()),
    ],
)
def test_names(project: Project, code: str, view: str, names: set[str]) -> None:
    """A callable is known by its library's name, through aliases and subclasses."""
    found = project.scan_view(code, view)
    assert {site.blocking.name for site in found.sites if site.blocking is not None} == names


@pytest.mark.parametrize(
    ("view", "count"),
    [
        ("lock.acquire()", 1),
        ("lock.acquire(False)", 0),
        ("lock.acquire(blocking=False)", 0),
        ("lock.acquire(blocking=flask.request.args)", 1),
    ],
)
def test_excuses(project: Project, view: str, count: int) -> None:
    """A call that is made in a way in which it does not wait is left alone."""
    found = project.scan_view("import threading\nlock = threading.Lock()", view)
    assert len(found.blocking) == count
