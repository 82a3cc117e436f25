"""Finding the Flask app as the `flask` command does, and saying clearly why it cannot be loaded."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from types import TracebackType

import flask
from flask.cli import NoAppException, ScriptInfo
from flask.helpers import get_debug_flag

from flasync.errors import AppNotFoundError, AppStartError

# Frames below these folders are not the user's own code: the standard library, installed packages.
_FOREIGN_PATHS = tuple(
    os.path.join(os.path.realpath(path), "")
    for path in {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    if path
)


def load_flask_app(import_path: str | None) -> flask.Flask:
    """Return the app that `flask --app import_path` would run.

    Args:
        import_path: `module`, `module:name` or `module:factory(args)`, where a module may also be
            a file path; None: `wsgi.py` or `app.py` in the current directory.

    Raises:
        AppNotFoundError: Nothing is there, or what is there is no Flask app.
        AppStartError: The module or the factory raised; in debug mode the traceback
            is attached as a note.
    """
    info = ScriptInfo(app_import_path=import_path)
    try:
        return info.load_app()
    except NoAppException as error:
        cause = error.__context__
        if isinstance(cause, ImportError) and _was_raised_inside(cause):
            raise _build_start_error(import_path, cause) from cause
        raise AppNotFoundError(_describe_missing_app(error)) from error
    except (Exception, SystemExit) as error:
        # SystemExit: modules that end with `sys.exit("SECRET_KEY is not set")`.
        raise _build_start_error(import_path, error) from error


def _was_raised_inside(error: ImportError) -> bool:
    # As flask.cli.locate_app tells the two apart: a module that does not exist leaves one frame.
    return error.__traceback__ is not None and error.__traceback__.tb_next is not None


def _describe_missing_app(error: NoAppException) -> str:
    reason = " ".join(error.format_message().replace("'flask --app'", "'--app'").split())
    return f"{reason} Searched from {os.getcwd()!r}; name the app: --app module:name"


def _build_start_error(import_path: str | None, error: BaseException) -> AppStartError:
    name = repr(import_path) if import_path else "of this directory"
    message = " ".join(f"{type(error).__name__}: {error}".split())
    started = AppStartError(
        f"The app {name} did not start: {message} ({find_place(error)})."
        " Correct that; --debug shows the whole traceback"
    )
    if get_debug_flag():
        # A note, because it is shown, and reaches other processes, with the error.
        started.add_note("".join(traceback.format_exception(error)))
    return started


def find_place(error: BaseException) -> str:
    """Return `file:line` of the user's own line at which `error` arose, innermost first."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shorten(error.filename)}:{error.lineno}"
    frames = traceback.extract_tb(_skip_importers(error.__traceback__))
    own = [frame for frame in frames if _is_own_code(frame.filename)]
    place = (own or frames)[-1:]
    return f"{_shorten(place[0].filename)}:{place[0].lineno}" if place else "no line known"


def _skip_importers(tb: TracebackType | None) -> TracebackType | None:
    """Return the part of the traceback below this module and flask.cli, if there is one."""
    importers = {__file__, sys.modules["flask.cli"].__file__}
    while tb is not None and tb.tb_frame.f_code.co_filename in importers:
        tb = tb.tb_next
    return tb


def _is_own_code(filename: str) -> bool:
    return not filename.startswith("<") and not os.path.realpath(filename).startswith(
        _FOREIGN_PATHS
    )


def _shorten(filename: str) -> str:
    relative = os.path.relpath(filename)
    return filename if relative.startswith(os.pardir) else relative
