"""How template code is shown, and where."""

import jinja2
import pytest
from jinja2 import nodes

from flasync.toolkit.interpreter.template_walk import describe

from .projects import Project


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("book.authors", "book.authors"),
        ("book['a']", "book[…]"),
        ("book.go()", "book.go()"),
        ("book.go(1)", "book.go(…)"),
        ("book.a|first", "book.a|first"),
        ("1 + 2", "…"),
    ],
)
def test_described(text: str, shown: str) -> None:
    """A template's expression is shown as one would say it."""
    [output] = jinja2.Environment(autoescape=True).parse(f"{{{{ {text} }}}}").body
    assert isinstance(output, nodes.Output)
    assert describe(output.nodes[0]) == shown


def test_places(project: Project) -> None:
    """A call in a template stands at its line of the template's file."""
    project.write("templates/page.html", "one\n\n{{ slow() }}\n")
    view = project.scan_view(
        "def slow(): time.sleep(1)", "flask.render_template('page.html', slow=slow)"
    )
    [site] = [site for site in view.sites if site.text == "slow()"]
    assert str(site.place) == "templates/page.html:3"
