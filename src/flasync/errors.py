"""Every exception that flasync raises on purpose.

    FlasyncError
    ├── RuntimeMisuse
    │   ├── AwaitOnLoopError       FSE101  await_() on the event loop, outside a request greenlet
    │   ├── NoRequestError         FSE102  run_sync() where no event loop serves a request
    │   └── LifespanMisuse         FSE103  a serving hook registered after serving began
    ├── WireError
    │   ├── BodyDisconnected       FSE201  the client left inside its body (also a 400)
    │   ├── BodyTimeout            FSE202  the client fell silent in its body (also a 408)
    │   └── ClientGone             FSE203  a write to a client that has left (a ConnectionError)
    ├── ApplicationError
    │   ├── StartResponseError     FSE301  the WSGI application broke the start_response contract
    │   └── UnsupportedScopeError  FSE302  an ASGI scope that flasync does not serve
    └── SetupError
        ├── MissingExtraError      FSE401  a feature needs a package that is not installed
        ├── AppNotFoundError       FSE402  no Flask application where it was looked for
        ├── AppStartError          FSE403  the application failed while it was imported or started
        ├── ServeOptionError       FSE404  an option that the chosen server cannot honour
        ├── AddressError           FSE405  the host and port cannot be bound
        ├── SettingError           FSE406  a setting in app.config has a wrong value
        ├── KnowledgeError         FSE407  a knowledge file of `flasync scan` is wrong
        ├── ProjectSettingError    FSE408  `[tool.flasync]` in pyproject.toml is wrong
        ├── ObserveError           FSE409  a command cannot be observed, or served no request
        ├── MigrationError
        │   ├── FileChangedError   FSE410  somebody else changed a file during the migration
        │   ├── FileWriteError     FSE411  a file cannot be read or written
        │   ├── SuiteError         FSE412  the app's tests cannot be run
        │   ├── RepositoryError    FSE413  git is missing, or refuses what is asked
        │   ├── DirtyProjectError  FSE414  git has changes that are not committed
        │   └── InstallError       FSE415  what the new code needs cannot be installed
        └── VerifyError            FSE416  nothing that could be verified, or no login

Every message has three parts: what happened, where or why, and what to do next.
Every class has an `error_code`, under which `docs/errors.md` explains it at length.
"""

from __future__ import annotations

from typing import ClassVar

from werkzeug.exceptions import ClientDisconnected, RequestTimeout


class FlasyncError(Exception):
    """The root of every exception of flasync; `docs/errors.md` explains each `error_code`."""

    error_code: ClassVar[str] = "FSE000"

    def __str__(self) -> str:
        """Return the message followed by the code, so that a log line can be looked up."""
        message = self.args[0] if self.args else getattr(self, "description", None)
        return f"{message or type(self).__name__} [{self.error_code}]"


class RuntimeMisuse(FlasyncError):
    """A call of flasync's own API at a place where it cannot work."""


class AwaitOnLoopError(RuntimeMisuse):
    """`await_()` was called on the event loop by code that no request greenlet carries."""

    error_code = "FSE101"


class NoRequestError(RuntimeMisuse):
    """`run_sync()` was called where no request and no loop of flasync is at hand."""

    error_code = "FSE102"


class LifespanMisuse(RuntimeMisuse):
    """A serving hook was registered after serving began, or does not have the right shape."""

    error_code = "FSE103"


class WireError(FlasyncError):
    """The other end of the connection did something that ends the request."""


class BodyDisconnected(WireError, ClientDisconnected):
    """The client left before its request body was complete; Flask answers 400 to nobody."""

    error_code = "FSE201"


class BodyTimeout(WireError, RequestTimeout):
    """The client sent nothing for `BODY_TIMEOUT` seconds in the middle of its body."""

    error_code = "FSE202"


class ClientGone(WireError, ConnectionError):
    """Response data was written after the client had left."""

    error_code = "FSE203"


class ApplicationError(FlasyncError):
    """The wrapped application, or what was put around it, broke its side of a protocol."""


class StartResponseError(ApplicationError):
    """The WSGI application returned without, or called wrongly, `start_response`."""

    error_code = "FSE301"


class UnsupportedScopeError(ApplicationError):
    """The ASGI server opened a scope of a type that flasync does not serve."""

    error_code = "FSE302"


class SetupError(FlasyncError):
    """The environment lacks something that the call needs."""


class MissingExtraError(SetupError):
    """A feature needs a package of one of flasync's extras."""

    error_code = "FSE401"


class AppNotFoundError(SetupError):
    """No Flask application was found where `--app`, `FLASK_APP` or the directory points."""

    error_code = "FSE402"


class AppStartError(SetupError):
    """The application was found, and failed while it was imported, built or started."""

    error_code = "FSE403"


class ServeOptionError(SetupError):
    """An option, or a combination of options, that the chosen server cannot honour."""

    error_code = "FSE404"


class AddressError(SetupError):
    """The host and port to serve on cannot be bound."""

    error_code = "FSE405"


class SettingError(SetupError, ValueError):
    """A setting in `app.config` has the wrong type or is out of range."""

    error_code = "FSE406"


class KnowledgeError(SetupError):
    """A file that says what blocks cannot be read, or is not as the format wants it."""

    error_code = "FSE407"


class ProjectSettingError(SetupError):
    """A setting of a project for the toolkit, a rule's code or the baseline file is wrong."""

    error_code = "FSE408"


class ObserveError(SetupError):
    """A command cannot be run under observation, or no request to a Flask app was seen in it."""

    error_code = "FSE409"


class MigrationError(SetupError):
    """Something around the code keeps `flasync migrate` from changing or proving it."""


class FileChangedError(MigrationError):
    """Somebody else changed, made or deleted a file that the migration wants to change."""

    error_code = "FSE410"


class FileWriteError(MigrationError):
    """A file that the migration wants to change cannot be read or written."""

    error_code = "FSE411"


class SuiteError(MigrationError):
    """The command that runs the app's tests cannot be started, or none of them passes."""

    error_code = "FSE412"


class RepositoryError(MigrationError):
    """git is not installed, there is no repository, or git refuses a commit."""

    error_code = "FSE413"


class DirtyProjectError(MigrationError):
    """git could not take back what is to change: it is not committed, or not even tracked."""

    error_code = "FSE414"


class InstallError(MigrationError):
    """What the new code needs cannot be installed."""

    error_code = "FSE415"


class VerifyError(SetupError):
    """There is no route that `flasync verify` could measure, or its login script failed."""

    error_code = "FSE416"
