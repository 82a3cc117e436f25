"""Which attributes templates read."""

from pathlib import Path

import flask
import pytest

from flasync.toolkit.finding import Place
from flasync.toolkit.knowledge import Knowledge
from flasync.toolkit.migration.template_texts import TemplateTexts
from flasync.toolkit.rules import Program
from flasync.toolkit.sources import Sources
from flasync.toolkit.surface import Surface


def find(root: Path, files: dict[str, str], app: flask.Flask | None = None) -> Place | None:
    """Where the templates of a project read an attribute `load`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = Program(Sources(root), Knowledge(()), Surface((), (), (), ()), app)
    return TemplateTexts(program).find_attribute("load")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/a.html", "\n{{ books.load() }}"),
        ("templates/a.html", "\n{% for book in shop.books.load %}{% endfor %}"),
        ("templates/a.html", "\n{{ books|map(attribute='load')|list }}"),
        ("templates/a.html", '\n{{ books["load"]() }}'),
        ("shop/mail/a.txt", "\nDear {{ user.load() }}"),
        ("shop/pages.py", "\nPAGE = '{{ books.load() }}'\n"),
    ],
)
def test_read(name: str, text: str, tmp_path: Path) -> None:
    """An attribute in the code of a template is found, in files and in texts."""
    assert find(tmp_path, {name: text}) == Place(name, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/a.html", "{{ load }}{{ load() }}"),
        ("templates/a.html", "<p>Do not .load this</p>{{ title }}"),
        ("templates/a.html", "{{ books.loaded }}"),
        ("static/a.html", "{{ books.load() }}"),
        ("node_modules/a.html", "{{ books.load() }}"),
        ("shop/pages.py", "books.load()\n"),
    ],
)
def test_not_read(name: str, text: str, tmp_path: Path) -> None:
    """Plain variables, prose, files of libraries and Python itself read none."""
    assert find(tmp_path, {name: text}) is None


def test_folder_elsewhere(tmp_path: Path) -> None:
    """The template folder of an app may lie outside of the project."""
    app = flask.Flask("shop", root_path=str(tmp_path), template_folder="pages")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_text("{{ books.load() }}")
    (tmp_path / "project").mkdir()
    assert find(tmp_path / "project", {}, app) is not None
