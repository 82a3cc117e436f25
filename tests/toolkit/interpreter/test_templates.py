"""Which templates a call renders, and which of them can be read."""

import pytest

from .projects import Project

CODE = """
class Slow:
    def go(self): time.sleep(1)
    def __iter__(self): time.sleep(2); yield self
slow = Slow()
"""


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("{{ x.go() }}", True),
        ("{% for a in x %}{% endfor %}", True),
        ("{% if x.go() %}{% endif %}", True),
        ("{% set y = x %}{{ y.go() }}", True),
        ("{% with y = x %}{{ y.go() }}{% endwith %}", True),
        ("{% macro m(a) %}{{ a.go() }}{% endmacro %}{{ m(x) }}", True),
        ("{% macro m(a) %}{{ a.go() }}{% endmacro %}", False),
        ("{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(x) }}", False),
        ("{{ x|list }}", True),
        ("{% include 'other.html' %}", True),
        ("{% extends 'other.html' %}", True),
        ("{% from 'macros.html' import show %}{{ show(x) }}", True),
        ("{% import 'macros.html' as m %}{{ m.show(x) }}", True),
        ("{{ x }}", False),
        ("{{ y.go() }}", False),
        ("{% for x in [] %}{{ x.go() }}{% endfor %}", False),
    ],
)
def test_walked(project: Project, text: str, blocks: bool) -> None:
    """What a template calls or iterates over runs in the request, through includes and macros."""
    project.write("templates/page.html", text)
    project.write("templates/other.html", "{{ x.go() }}")
    project.write("templates/macros.html", "{% macro show(a) %}{{ a.go() }}{% endmacro %}")
    view = project.scan_view(CODE, "flask.render_template('page.html', x=slow)")
    assert bool(view.blocking) is blocks


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in %}",
        "{{ x",
        "{{ x | no_such_filter }}{% if x is no_such_test %}{% endif %}",
        "{% include 'page.html' %}",
        "{% extends 'page.html' %}",
        "{% import 'page.html' as m %}{{ m.f() }}",
        "{% include ['absent.html', x] ignore missing %}{% extends x %}",
        b"\xff\xfe\0",
    ],
)
def test_survives(project: Project, text: str | bytes) -> None:
    """A template that is wrong, missing, binary or leads to itself is left where it ends."""
    project.write("templates/page.html", text)
    calls = "flask.render_template('page.html')\nflask.render_template('absent.html')"
    view = project.scan_view("", f"{calls}\nflask.render_template_string('{{{{ x')\ntime.sleep(1)")
    assert view.blocking == ["time.sleep(…)"]


def test_loaders_of_the_app(project: Project) -> None:
    """Templates that a loader of the app would have to fetch are left alone, wherever it is."""
    code = """
    import jinja2
    class Own(jinja2.BaseLoader):
        def get_source(self, environment, name): note("loader"); return "", None, None
    def load(name): note("function"); return ""
    app.jinja_loader = jinja2.ChoiceLoader(
        [jinja2.FunctionLoader(load), jinja2.PrefixLoader({"a": Own()}), Own()]
    )
    """
    view = project.scan_view(code, "flask.render_template('a/page.html')\ntime.sleep(1)")
    assert (project.ran, view.blocking) == ([], ["time.sleep(…)"])
