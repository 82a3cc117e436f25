"""The app's routes as its source alone says."""

import sys

import pytest

from flasync.toolkit.rules import Program

from .projects import Project, View


def build(project: Project, text: str) -> Program:
    project.write("app.py", text)
    return project.build_static()


def list_routes(program: Program) -> list[str]:
    return sorted(route.id for route in program.surface.routes if "static" not in route.id)


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("app = Flask(__name__)\n@app.route('/a', methods=['POST'])\ndef a(): ''", ["POST /a"]),
        ("app = Flask(__name__)\n@app.get('/a')\ndef a(): ''", ["GET /a"]),
        ("app = Flask(__name__)\ndef a(): ''\napp.add_url_rule('/a', view_func=a)", ["GET /a"]),
        (
            "app = Flask(__name__)\nb = Blueprint('b', __name__, url_prefix='/b')\n"
            "@b.get('/a')\ndef a(): ''\napp.register_blueprint(b, url_prefix='/c')",
            ["GET /c/a"],
        ),
        (
            "app = Flask(__name__)\no = Blueprint('o', __name__, url_prefix='/o')\n"
            "i = Blueprint('i', __name__, url_prefix='/i')\n@i.get('/a')\ndef a(): ''\n"
            "o.register_blueprint(i)\napp.register_blueprint(o)",
            ["GET /o/i/a"],
        ),
        (
            "def create_app():\n    app = Flask(__name__)\n    @app.get('/a')\n    def a(): ''\n"
            "    return app",
            ["GET /a"],
        ),
        (
            "app = Flask(__name__)\nclass A(MethodView):\n    def get(self): ''\n"
            "    def post(self): ''\napp.add_url_rule('/a', view_func=A.as_view('a'))",
            ["GET /a", "POST /a"],
        ),
        ("b = Blueprint('b', __name__)\n@b.get('/a')\ndef a(): ''", ["GET /a"]),
    ],
)
def test_routes(project: Project, text: str, routes: list[str]) -> None:
    """Routes, prefixes, nested blueprints, factories, and class views are found."""
    header = "from flask import Blueprint, Flask\nfrom flask.views import MethodView\n"
    assert list_routes(build(project, header + text)) == routes


def test_imports_nothing(project: Project) -> None:
    """An app that would raise, or write a file, when it is imported is read all the same."""
    text = """
    import time
    import flask
    import helper
    open("ran", "w").close()
    app = flask.Flask(__name__)
    @app.get("/")
    def index(): helper.slow()
    raise SystemExit("SECRET_KEY is not set")
    """
    project.write("helper.py", "import time\nopen('ran', 'w')\ndef slow(): time.sleep(1)\n")
    program = build(project, text)
    assert View(program, "GET /").blocking == ["time.sleep(…)"]
    assert not (project.root / "ran").exists()
    assert {"app", "helper"}.isdisjoint(sys.modules)


def test_hooks_and_handlers(project: Project) -> None:
    """Hooks run for the routes of the app; error handlers are walked too."""
    program = build(
        project,
        """
        import time, flask
        app = flask.Flask(__name__)
        @app.before_request
        def before(): time.sleep(1)
        @app.errorhandler(404)
        def missing(error): time.sleep(2)
        @app.get("/")
        def index(): return ""
        """,
    )
    assert View(program, "GET /").blocking == ["time.sleep(…)"]
    assert "error handler" in {kind for kind, _ in program.others}


def test_notes(project: Project) -> None:
    """What static mode loses is said: no app, a computed URL, an unregistered blueprint."""
    text = "import flask\nb = flask.Blueprint('b', __name__)\n@b.get(flask.x())\ndef a(): ''"
    project.write("broken.py", "def (")
    program = build(project, text)
    notes = " ".join(program.notes)
    for part in ("No Flask app was found", "worked out at run time", "Only the source was read"):
        assert part in notes
    assert [problem.place.file for problem in program.sources.problems] == ["broken.py"]
