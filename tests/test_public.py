"""The public names: what `__all__` lists, and nothing else."""

import importlib.resources
import inspect

import flask

import flasync


def test_public_names() -> None:
    """The list is short, and a change of it is a decision."""
    assert flasync.__all__ == [
        "ASGI",
        "Flask",
        "await_",
        "bridged",
        "call_in_thread",
        "in_thread",
        "on_loop",
        "run_sync",
    ]


def test_every_public_name_is_there_and_documented() -> None:
    """Each name exists and says what the caller gets."""
    for name in flasync.__all__:
        assert inspect.getdoc(getattr(flasync, name)), name


def test_flask_is_a_flask() -> None:
    """The drop-in is a `flask.Flask`, by `isinstance` and by its signature."""
    assert issubclass(flasync.Flask, flask.Flask)
    app = flasync.Flask("example", static_folder=None, instance_relative_config=True)
    assert isinstance(app, flask.Flask)


def test_package_is_typed() -> None:
    """Type checkers read flasync's annotations."""
    assert importlib.resources.files("flasync").joinpath("py.typed").is_file()
