"""What reading through a descriptor runs and gives."""

import pytest

from .projects import Project


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    @property\n    def x(self): time.sleep(1)",
        "class A:\n    @functools.cached_property\n    def x(self): time.sleep(1)",
        "import werkzeug.utils\nclass A:\n    @werkzeug.utils.cached_property\n"
        "    def x(self): time.sleep(1)",
        "class D:\n    def __get__(self, obj, cls=None): time.sleep(1)\nclass A:\n    x = D()",
    ],
)
def test_reading_runs_the_function(project: Project, code: str) -> None:
    """Reading a property, or a descriptor of the project, runs its function at that place."""
    view = project.scan_view(code, "A().x")
    assert view.blocking == ["time.sleep(…)"]
    assert "A().x" in [site.text for site in view.sites]


def test_writing_runs_the_setter(project: Project) -> None:
    """Assigning to a property runs its setter and not its getter."""
    code = """
    class A:
        @property
        def x(self): return open("read")
        @x.setter
        def x(self, value): time.sleep(1)
    """
    assert project.scan_view(code, "A().x = 1").blocking == ["time.sleep(…)"]


def test_descriptor_of_another_library(project: Project) -> None:
    """The return annotation of a foreign `__get__` says what is read."""
    view = project.scan_view("", "flask.request.headers.get('a')")
    assert (view.blocking, view.unresolved) == ([], [])
