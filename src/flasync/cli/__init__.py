"""The `flasync` command. Only here is something printed, and the process ended.

Exit codes: 0 clean, 1 findings or a failed check, 2 wrong usage, 3 the app did not start.
"""

from __future__ import annotations

import os
from typing import IO, Any, NoReturn

import click

from flasync.cli.explain import explain
from flasync.cli.learn import learn
from flasync.cli.migrate import migrate
from flasync.cli.scan import scan
from flasync.cli.serve import serve
from flasync.cli.trace import trace
from flasync.cli.verify import verify
from flasync.errors import AddressError, AppStartError, FlasyncError

__all__ = ["main"]

_EXIT_USAGE = 2
_EXIT_NOT_STARTED = 3


class Refusal(click.ClickException):
    """An error of flasync, shown in one line below the log or traceback in its notes."""

    def __init__(self, error: FlasyncError) -> None:
        """Show `error`."""
        super().__init__(str(error))
        self.notes = getattr(error, "__notes__", [])
        not_started = isinstance(error, AppStartError | AddressError)
        self.exit_code = (  # type: ignore[misc] # click's subclasses set it on the class.
            _EXIT_NOT_STARTED if not_started else _EXIT_USAGE
        )

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error to stderr."""
        for note in self.notes:
            click.echo(note, file=file, err=True)
        super().show(file)


class CommandGroup(click.Group):
    """A group of commands in which an error of flasync is a refusal and no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FlasyncError as error:
            raise Refusal(error) from error


@click.group(cls=CommandGroup, context_settings={"max_content_width": 100})
@click.version_option(package_name="flasync")
def commands() -> None:
    """Takes a Flask app to asyncio without rewriting it."""
    # Makes an unguarded `app.run()` in the user's module a no-op, as the `flask` command does.
    os.environ["FLASK_RUN_FROM_CLI"] = "true"


commands.add_command(explain)
commands.add_command(learn)
commands.add_command(migrate)
commands.add_command(scan)
commands.add_command(serve)
commands.add_command(trace)
commands.add_command(verify)


def main() -> NoReturn:
    """Run the command that `sys.argv` names, and end the process."""
    commands.main(prog_name="flasync")
    raise AssertionError("click has returned")  # Standalone mode always exits.
