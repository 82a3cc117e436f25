"""Attributes of values, looked up as Python looks them up."""

import pytest

from .projects import Project

CLIENT = """
class Client:
    def fetch(self): time.sleep(1)
"""


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("class A:\n    client = Client()\na = A()", "a.client.fetch()"),
        ("class A:\n    client = Client()", "A.client.fetch()"),
        ("class A:\n    def __init__(self): self.client = Client()\na = A()", "a.client.fetch()"),
        ("class A:\n    def __init__(self): self.client = Client()", "A().client.fetch()"),
        ("class A:\n    client: Client", "A().client.fetch()"),
        ("class A:\n    @property\n    def client(self): return Client()", "A().client.fetch()"),
        ("class A:\n    @staticmethod\n    def make(): return Client()", "A.make().fetch()"),
        ("class A:\n    @classmethod\n    def make(cls): return Client()", "A.make().fetch()"),
        ("class A(Client):\n    def fetch(self): super().fetch()", "A().fetch()"),
        ("class A:\n    def __getattr__(self, name): return Client()", "A().any.fetch()"),
        ("class A:\n    fetch = Client.fetch", "A().fetch()"),
        ("import sys\nme = sys.modules[__name__]", "me.Client().fetch()"),
        (
            "import typing\nclass A(typing.NamedTuple):\n    c: Client\na = A(Client())",
            "a.c.fetch()",
        ),
    ],
)
def test_found(project: Project, code: str, view: str) -> None:
    """The method is found through a class, an object, a property, `super()`, a module."""
    assert project.scan_view(CLIENT + code, view).blocking == ["time.sleep(…)"]


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("class A:\n    def fetch(self): pass\n    client = Client()", "A().fetch()"),
        ("class A(Client):\n    def fetch(self): pass", "A().fetch()"),
        ("class A(Client):\n    fetch = None", "A.fetch"),
        ("class A:\n    client = Client()\na = A()\na.client = None", "a.client"),
    ],
)
def test_hidden(project: Project, code: str, view: str) -> None:
    """What a class or object has itself hides what its bases or class have."""
    assert project.scan_view(CLIENT + code, view).blocking == []


def test_own_value_hides_the_class(project: Project) -> None:
    """A value of the object itself goes before one of its class."""
    code = (
        "class Free:\n    def fetch(self): pass\nclass A:\n    c = Client()\na = A()\na.c = Free()"
    )
    assert project.scan_view(CLIENT + code, "a.c.fetch()").blocking == []
