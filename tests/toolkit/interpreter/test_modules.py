"""Imports inside functions, of modules that are imported already and of those that are not."""

import sys

import pytest

from .projects import Project


@pytest.mark.parametrize(
    "view",
    [
        "import late\nlate.slow()",
        "import late as other\nother.slow()",
        "from late import slow\nslow()",
        "from late import slow as other\nother()",
        "from package import inner\ninner.slow()",
        "from package.inner import slow\nslow()",
        "from package import again\nagain()",
    ],
)
def test_modules_that_are_not_imported(project: Project, view: str) -> None:
    """A module of the project that only a function imports is walked from its source, not run."""
    slow = "import time\nopen('ran', 'w').close()\ndef slow(): time.sleep(1)\n"
    project.write("late.py", slow)
    project.write("package/__init__.py", "from .inner import slow as again\n")
    project.write("package/inner.py", slow)
    assert project.scan_view("", view).blocking == ["time.sleep(…)"]
    assert not (project.root / "ran").exists()
    assert "late" not in sys.modules


def test_modules_that_import_one_another(project: Project) -> None:
    """A circle of imports among modules that are not imported comes to an end."""
    project.write("one.py", "from two import f\nfrom one import g\ndef g(): f()\n")
    project.write("two.py", "import one\nfrom two import *\ndef f(): one.g()\n")
    assert project.scan_view("", "import one\none.g()").blocking == []


@pytest.mark.parametrize(
    "text", [b"def (", b"\xff\xfe\0", b"# coding: nonsense\n", b"# coding: undefined\n", b"\0"]
)
def test_unreadable_module(project: Project, text: bytes) -> None:
    """A module that is no Python or no text is a problem at its file, and no more than that."""
    project.write("broken.py", text)
    view = project.scan_view("", "import broken\nbroken.f()\ntime.sleep(1)")
    assert view.blocking == ["time.sleep(…)"]
    assert [problem.place.file for problem in view.program.sources.problems] == ["broken.py"]


def test_odd_entries_of_sys_modules(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no module in `sys.modules` is passed over."""
    monkeypatch.setitem(sys.modules, "odd_number", 3)
    monkeypatch.setitem(sys.modules, "odd_none", None)
    view = (
        "import odd_number, odd_none\nodd_number.a()\nodd_none.b()\nfrom odd_number import c\nc()"
    )
    assert project.scan_view("", view).blocking == []
