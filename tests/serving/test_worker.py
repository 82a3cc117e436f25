"""The module that servers load in worker processes."""

import flask
import pytest

import flasync
from flasync.errors import ServeOptionError
from flasync.serving import worker
from flasync.serving.settings import TARGET_VARIABLE, Target


@pytest.fixture(autouse=True)
def fresh_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No app is prepared in this process."""
    monkeypatch.setattr(worker, "_prepared", [])


def test_plain_app_is_wrapped_and_flasync_app_is_not() -> None:
    """A flask.Flask is wrapped in ASGI; a flasync.Flask is what the server calls."""
    plain, ours = flask.Flask("plain"), flasync.Flask("ours")
    wrapped = worker.build_asgi_app(plain)
    assert isinstance(wrapped, flasync.ASGI)
    assert wrapped.app is plain
    assert worker.build_asgi_app(ours) is ours


def test_prepared_app_is_loaded() -> None:
    """In a process that has prepared its app, servers get that one."""
    app = worker.build_asgi_app(flask.Flask("app"))
    worker.prepare(app)
    assert worker.load() is app


def test_target_travels_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the parent publishes is what a worker process reads."""
    monkeypatch.setenv(TARGET_VARIABLE, "")
    target = Target("shop:create_app('x')", access_log=True)
    target.publish()
    assert Target.from_environ() == target


def test_worker_module_is_not_for_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded outside `flasync serve`, the module says how to start a server by hand."""
    monkeypatch.delenv(TARGET_VARIABLE, raising=False)
    with pytest.raises(ServeOptionError, match="uvicorn app:app"):
        worker.load()
