"""Which code is the project's own."""

import functools
import json

from flasync.toolkit.interpreter import Evaluator
from flasync.toolkit.interpreter.values import Bound, Instance, Live, Named
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.sources import Sources

from .projects import Project


def test_own_functions_and_classes(project: Project) -> None:
    """A function or class is the project's own by its file, wrappers by what they wrap."""
    project.write("own.py", "class A:\n    def m(self): pass\ndef f(): pass\n")
    import own  # noqa: PLC0415 (written just now)

    ownership = Evaluator(Sources(project.root), Knowledge(())).ownership
    for function in (own.f, own.A().m, functools.lru_cache(own.f)):
        assert ownership.is_own_function(Live(function))
    assert ownership.leads_home(functools.partial(own.f))
    assert not ownership.is_own_function(Live(json.dumps))
    assert not ownership.is_own_function(Named("own.f"))
    assert ownership.is_own_function(Bound(Instance(int), "m", (Live(own.f),)))
    assert ownership.is_own_class(own.A)
    assert not ownership.is_own_class(json.JSONEncoder)


def test_circle_of_wrappers(project: Project) -> None:
    """Wrappers around one another lead nowhere, and come to an end."""

    def first() -> None: ...

    def second() -> None: ...

    first.__wrapped__, second.__wrapped__ = second, first  # type: ignore[attr-defined]
    ownership = Evaluator(Sources(project.root), Knowledge(())).ownership
    assert not ownership.leads_home(first)
