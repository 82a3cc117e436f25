"""Operations without a call in the text run the methods that they stand for."""

import pytest

from .projects import Project

NOISY = """
class Noisy:
    def __iter__(self): time.sleep(1); yield self
    def __enter__(self): time.sleep(2); return self
    def __exit__(self, *args): time.sleep(3)
    def __contains__(self, item): time.sleep(4)
    def __getitem__(self, key): time.sleep(5); return self
    def __setitem__(self, key, value): time.sleep(6)
    def __len__(self): time.sleep(7)
    def __add__(self, other): time.sleep(8)
noisy = Noisy()
many, named = [noisy], {"a": noisy}
def find(): return noisy
from werkzeug.local import LocalProxy
proxy = LocalProxy(find)
"""


@pytest.mark.parametrize(
    ("view", "lines"),
    [
        ("for a in noisy: pass", ["time.sleep(1)"]),
        ("[a for a in Noisy()]", ["time.sleep(1)"]),
        ("with noisy: pass", ["time.sleep(2)", "time.sleep(3)"]),
        ("1 in noisy", ["time.sleep(4)"]),
        ("noisy[0]", ["time.sleep(5)"]),
        ("noisy[0] = 1", ["time.sleep(6)"]),
        ("len(noisy)", ["time.sleep(7)"]),
        ("noisy + 1", ["time.sleep(8)"]),
        ("many[0] + 1", ["time.sleep(8)"]),
        ("many[-1] + 1", ["time.sleep(8)"]),
        ("named['a'] + 1", ["time.sleep(8)"]),
        ("for a in many: a + 1", ["time.sleep(8)"]),
        ("a, = many\na + 1", ["time.sleep(8)"]),
        ("with noisy as a: a + 1", ["time.sleep(2)", "time.sleep(3)", "time.sleep(8)"]),
        ("proxy + 1", ["time.sleep(8)"]),
        ("many; named; noisy; proxy", []),
        ("noisy == 1; not noisy; noisy is None", []),
        ("many[3]; named['b']", []),
    ],
)
def test_runs(project: Project, view: str, lines: list[str]) -> None:
    """Each operation runs its method, on a live object, an item of a container, through a proxy."""
    found = project.scan_view(NOISY, view)
    source = found.program.sources.list_files()[0].lines
    blocking = [site for site in found.sites if site.blocking is not None]
    texts = [source[site.place.line - 1].split(": ", 1)[1].split(";")[0] for site in blocking]
    assert sorted(texts) == lines
    assert project.ran == []
