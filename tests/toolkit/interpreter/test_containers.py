"""What the methods of lists and dicts give."""

import pytest

from .projects import Project

CLIENT = """
class Client:
    def fetch(self): time.sleep(1)
class Free:
    def fetch(self): pass
clients, free = {"a": Client()}, {"a": Free()}
rows = [Client()]
"""


@pytest.mark.parametrize(
    ("view", "count"),
    [
        ("clients.get('a').fetch()", 1),
        ("for c in clients.values(): c.fetch()", 1),
        ("for k, c in clients.items(): c.fetch()", 1),
        ("for i, c in enumerate(rows): c.fetch()", 1),
        ("for f, c in zip(free.values(), rows): c.fetch()", 1),
        ("for f, c in zip(free.values(), rows): f.fetch()", 0),
        ("held = {'a': Client(), 'b': Free()}\nheld['a'].fetch()", 1),
        ("held = {'a': Client(), 'b': Free()}\nheld['b'].fetch()", 0),
        ("held = {}\nheld['a'] = Client()\nheld.get('a').fetch()", 1),
        ("rows.copy()[0].fetch()", 1),
        ("free.get('a').fetch()", 0),
    ],
)
def test_items(project: Project, view: str, count: int) -> None:
    """Items are followed through the containers that hold them, each at its key or place."""
    assert len(project.scan_view(CLIENT, view).blocking) == count
