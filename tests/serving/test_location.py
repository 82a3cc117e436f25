"""Finding the app as the `flask` command does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.cli import ScriptInfo

from flasync.errors import AppNotFoundError, AppStartError
from flasync.serving.location import find_place, load_flask_app

PACKAGE = {
    "located/__init__.py": "",
    "located/site.py": "import flask\nshop = flask.Flask('shop')\napp = flask.Flask('site')\n"
    "def create_app(name='plain', *, debug=False):\n    return flask.Flask(f'{name}-{debug}')\n"
    "def fail():\n    return int('x')\n",
    "located/factories.py": "import flask\ndef make_app():\n    return flask.Flask('made')\n",
    "located/deep.py": "import json\n\ndef load():\n    return json.loads('{')\n\nload()\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory, with the package `located` in it."""
    (tmp_path / "located").mkdir()
    for name, text in PACKAGE.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "located"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("import_path", "name"),
    [
        ("located.site", "site"),
        ("located.site:shop", "shop"),
        ("located/site.py", "site"),
        ("located/site.py:shop", "shop"),
        ("located.site:create_app", "plain-False"),
        ("located.site:create_app('x', debug=True)", "x-True"),
        ("located.factories", "made"),
    ],
)
def test_same_app_as_flask_finds(folder: Path, import_path: str, name: str) -> None:
    """Every form of `--app` gives the app that the `flask` command would run."""
    assert load_flask_app(import_path).name == name
    assert ScriptInfo(app_import_path=import_path).load_app().name == name


def test_debug_flag_of_the_environment_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`FLASK_DEBUG` reaches the app, as with the `flask` command."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert load_flask_app("located.site").debug is True


def test_place_is_the_users_line_and_not_the_librarys(folder: Path) -> None:
    """An error that arises in the standard library is placed at the user's call of it."""
    with pytest.raises(AppStartError, match=r"\(located/deep\.py:4\)"):
        load_flask_app("located.deep")


def test_place_in_a_factory(folder: Path) -> None:
    """An error of a factory is placed in the factory."""
    with pytest.raises(AppStartError, match=r"ValueError: .* \(located/site\.py:7\)"):
        load_flask_app("located.site:fail()")


def test_cause_is_kept(folder: Path) -> None:
    """The app's own exception is the cause of flasync's."""
    with pytest.raises(AppStartError) as caught:
        load_flask_app("located.site:fail()")
    assert isinstance(caught.value.__cause__, ValueError)


def test_missing_module_is_not_a_failing_import(folder: Path) -> None:
    """A module that is not there is told from one whose import fails."""
    with pytest.raises(AppNotFoundError, match=r"Could not import 'located\.absent'"):
        load_flask_app("located.absent")


def test_place_of_an_error_without_a_traceback() -> None:
    """An exception that was never raised has no place, and that is said."""
    assert find_place(ValueError()) == "no line known"
