"""A spot becomes a call site only when it is asked for one."""

import ast

from flasync.toolkit.finding import Place
from flasync.toolkit.graph import CallSite
from flasync.toolkit.interpreter.spots import Spot


def test_site_on_demand() -> None:
    """No site is made before it is asked for."""
    made: list[CallSite] = []

    def make() -> CallSite:
        made.append(CallSite(ast.Pass(), Place("a.py", 1), ""))
        return made[-1]

    spot = Spot(make)
    assert made == []
    assert spot.site is made[0]
