"""What the project's code assigns to attributes, wherever it does."""

import pytest

from .projects import Project

CLIENT = "class Client:\n    def fetch(self): time.sleep(1)\n"


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self): self.c = Client()",
        "class A:\n    def open(self): self.c = Client()",
        "class A:\n    def __init__(self, c=None): self.c = c or Client()",
        "class B:\n    def __init__(self): self.c = Client()\nclass A(B): pass",
        "class A:\n    def __init__(self): self.open()\n    def open(self): self.c = self.make()\n"
        "    def make(self): return Client()",
    ],
)
def test_assigned_in_any_method(project: Project, code: str) -> None:
    """An attribute given in any method of the class or a base is known in all of them."""
    assert project.scan_view(CLIENT + code, "A().c.fetch()").blocking == ["time.sleep(…)"]


def test_finding_assignments_is_not_a_call(project: Project) -> None:
    """A method that was only read for what it assigns does not count as run."""
    code = "class A:\n    def open(self):\n        time.sleep(2)\n        self.c = Client()"
    view = project.scan_view(CLIENT + code, "A().c")
    assert (view.blocking, view.targets) == ([], set())


def test_classes_do_not_mix(project: Project) -> None:
    """What one class is given is not another's."""
    code = "class A:\n    def __init__(self): self.c = Client()\nclass B: pass"
    assert project.scan_view(CLIENT + code, "B().c.fetch()").blocking == []
