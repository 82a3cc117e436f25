"""Statements in their order: what names stand for after each."""

import pytest

from .projects import Project

CODE = """
class Slow:
    def go(self): time.sleep(1)
class Free:
    def go(self): pass
class SlowError(Exception):
    def go(self): time.sleep(1)
slow, free = Slow(), Free()
"""


@pytest.mark.parametrize(
    ("view", "blocks"),
    [
        ("x = slow\nx.go()", True),
        ("x: Slow\nx.go()", True),
        ("x, y = free, slow\ny.go()", True),
        ("x, y = free, slow\nx.go()", False),
        ("x = free\nif app: x = slow\nx.go()", True),
        ("x = slow\nif app: x = free\nelse: x = free\nx.go()", False),
        ("x = slow\nif app: return ''\nelse: x = free\nx.go()", False),
        ("for x in [slow]: pass\nx.go()", True),
        ("for x in []: pass\nelse: slow.go()", True),
        ("while app: slow.go()", True),
        ("x = free\nwhile app: x = slow\nx.go()", True),
        ("try: x = slow\nexcept OSError: x = free\nx.go()", True),
        ("try: pass\nexcept SlowError as e: e.go()", True),
        ("try: pass\nexcept (OSError, SlowError) as e: e.go()", True),
        ("try: pass\nfinally: slow.go()", True),
        ("try: pass\nexcept* SlowError as e: slow.go()", True),
        ("with open('x') as f, slow as g: pass\nslow.go()", True),
        ("def f(): slow.go()", False),
        ("def f(): slow.go()\nf()", True),
        ("def f():\n    nonlocal x\n    x = slow\nx = free\nf()\nx.go()", True),
        ("class A:\n    x = slow\nA.x.go()", True),
        ("class A(Slow): pass\nA().go()", True),
        ("class A:\n    @property\n    def x(self): return slow\nA().x.go()", True),
        (
            "class A:\n    @classmethod\n    def x(c): return c()\n    def go(self): slow.go()\n"
            "A.x().go()",
            True,
        ),
        ("match app:\n    case Slow() as x: x.go()", True),
        ("match slow:\n    case x: x.go()", True),
        ("assert slow.go()", True),
        ("raise slow.go()", True),
        ("del slow.go().x", True),
        ("return slow.go()", True),
        ("x = slow\ndel x\nx = free\nx.go()", False),
    ],
)
def test_statements(project: Project, view: str, blocks: bool) -> None:
    """After each statement a name stands for what it may be there, and no more."""
    assert bool(project.scan_view(CODE, view).blocking) is blocks


def test_local_names_never_mean_outer_ones(project: Project) -> None:
    """A name that is assigned in a function is not the global of that name before it is."""
    assert project.scan_view(CODE, "slow.go()\nslow = free").blocking == []
