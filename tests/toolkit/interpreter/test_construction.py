"""Which constructors making an object runs."""

import pytest

from .projects import Project


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self): time.sleep(1)",
        "class A:\n    def __new__(cls): time.sleep(1); return object.__new__(cls)",
        "class B:\n    def __init__(self): time.sleep(1)\nclass A(B): pass",
        "class B:\n    def __init__(self): time.sleep(1)\nclass A(B):\n"
        "    def __init__(self): super().__init__()",
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n"
        "    def __post_init__(self): time.sleep(1)",
    ],
)
def test_runs(project: Project, code: str) -> None:
    """The project's `__init__`, `__new__` and `__post_init__` run, inherited ones too."""
    assert project.scan_view(code, "A()").blocking == ["time.sleep(…)"]


def test_overridden_constructor(project: Project) -> None:
    """A constructor that a class replaces does not run."""
    code = "class B:\n    def __init__(self): time.sleep(1)\nclass A(B):\n    def __init__(self): 1"
    assert project.scan_view(code, "A()").blocking == []


def test_class_in_a_function(project: Project) -> None:
    """A class that is defined inside a function is made as any other."""
    view = "class A:\n    def __init__(self): time.sleep(1)\n    def m(self): return self\nA().m()"
    assert project.scan_view("", view).blocking == ["time.sleep(…)"]


def test_known_class(project: Project) -> None:
    """An object of a library's class has the methods of that class."""
    view = project.scan_view("import requests", "requests.Session().get('x')")
    assert len(view.blocking) == 1
