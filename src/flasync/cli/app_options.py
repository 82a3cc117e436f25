"""The options by which every command finds the app: those of the `flask` command."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from flask.cli import load_dotenv
from flask.helpers import get_load_dotenv

F = TypeVar("F", bound=Callable[..., Any])


def app_options(command: F) -> F:
    """Add `--app`, `--env-file` and `--debug` to a command, which gets `import_path` alone."""
    for option in (_DEBUG, _APP, _ENV_FILE):
        command = option(command)
    return command


def project_option(command: F) -> F:
    """Add `--project` to a command, which then runs in that folder."""
    return _PROJECT(command)


def _enter_project(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        os.chdir(value)


def _load_env_files(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        # flask.cli.load_dotenv would ignore its absence.
        if importlib.util.find_spec("dotenv") is None:
            raise click.BadParameter(
                "--env-file needs python-dotenv: pip install python-dotenv", ctx, param
            )
    if value is not None or get_load_dotenv(True):
        load_dotenv(value, load_defaults=get_load_dotenv(True))


def _set_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    # Only if given: `FLASK_DEBUG` counts otherwise. By the environment, as factories read it
    # and worker processes inherit it.
    if ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
        os.environ["FLASK_DEBUG"] = "1" if value else "0"


# Eager, and handled in this order, so that `FLASK_APP` may stand in an env file.
_ENV_FILE = click.option(
    "--env-file",
    "-e",
    type=click.Path(exists=True, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=_load_env_files,
    help="Load environment variables from this file. It goes before .env and .flaskenv.",
)
_APP = click.option(
    "--app",
    "-A",
    "import_path",
    metavar="IMPORT",
    envvar="FLASK_APP",
    help="The Flask app or factory, as 'module:name' or \"module:factory('arg')\". Without it:"
    " FLASK_APP, wsgi.py, app.py.",
)
_DEBUG = click.option(
    "--debug/--no-debug",
    is_eager=True,
    expose_value=False,
    callback=_set_debug,
    help="Set debug mode, as FLASK_DEBUG does.",
)
_PROJECT = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False),
    is_eager=True,
    expose_value=False,
    callback=_enter_project,
    help="Work in this folder, as if the command had been started there.",
)
