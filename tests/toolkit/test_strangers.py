"""Packages of which nothing is known keep a route from being called ready."""

import importlib
import sys
from pathlib import Path

import pytest

from flasync.toolkit.finding import RouteReport, Verdict
from flasync.toolkit.project_settings import ProjectSettings
from flasync.toolkit.scanning import build_program, build_report
from flasync.toolkit.strangers import load_computing_packages

APP = """
import json

import flask
import markupsafe
import pluggy

app = flask.Flask(__name__)


@app.get("/plain")
def plain():
    return json.dumps({"name": markupsafe.escape("<a>")})


@app.get("/strange")
def strange():
    return str(pluggy.PluginManager("shop").get_plugins())
"""


@pytest.fixture
def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, RouteReport]:
    """The routes of an app that uses a package which no knowledge file describes."""
    (tmp_path / "strange_shop.py").write_text(APP)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("strange_shop")
    try:
        report = build_report(build_program(module.app, tmp_path), ProjectSettings())
    finally:
        del sys.modules["strange_shop"]
    return {route.rule: route for route in report.routes}


def test_known_packages(routes: dict[str, RouteReport]) -> None:
    """A route that calls Python's own modules and packages that compute is ready."""
    assert routes["/plain"].verdict is Verdict.READY


def test_stranger(routes: dict[str, RouteReport]) -> None:
    """A route that calls a package of which nothing is known is unknown, by its name."""
    assert routes["/strange"].verdict is Verdict.UNKNOWN
    assert "pluggy" in routes["/strange"].reason


def test_computing_packages() -> None:
    """The list of packages that compute is sorted and has names of packages."""
    names = load_computing_packages()
    assert all(name.isidentifier() for name in names)
