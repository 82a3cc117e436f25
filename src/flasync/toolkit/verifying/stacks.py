"""What is asked: the app on flasync, as stock Flask, at another revision, or at a URL."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from flasync.instruments import VARIABLE as WATCHER_VARIABLE
from flasync.serving.servers import choose_server
from flasync.toolkit.served_app import Program, ServedApp, run_program, serve_app
from flasync.toolkit.verifying import wsgi_target
from flasync.toolkit.verifying.evidence import Evidence
from flasync.toolkit.verifying.evidence_rows import VARIABLE as EVIDENCE_VARIABLE
from flasync.toolkit.verifying.revision import check_out

_WATCHER = "flasync.toolkit.verifying.witness:watch"


@dataclass(frozen=True, slots=True)
class Stack:
    """A server that answers."""

    name: str
    """As `run.Measured.stack`."""
    url: str
    """Without a slash at the end."""
    app: ServedApp | None = None
    """None: somebody else runs it."""
    evidence: Evidence | None = None
    """What a witness inside writes; None: there is none."""

    def check_alive(self) -> None:
        """Return if the server still runs, as far as we run it.

        Raises:
            AppStartError: It has ended; its log is attached as a note.
        """
        if self.app is not None:
            self.app.check_alive()

    def read_cpu_ms(self) -> float | None:
        """Return the processor time that the server's processes have used; None: not known."""
        if self.app is None:
            return None
        try:
            parent = psutil.Process(self.app.process.pid)
            return 1000 * sum(map(_sum_times, (parent, *parent.children(recursive=True))))
        except psutil.Error:
            return None


def _sum_times(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def serve_flasync(
    import_path: str | None,
    root: Path,
    server: str | None = None,
    *,
    name: str = "",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Serve an app by `flasync serve`, with a witness inside, until the block ends.

    Args:
        import_path: As `flask --app` takes it; None: found in the folder.
        root: The project's folder.
        server: As `flasync serve` takes it; None: the first that is installed.
        name: What the stack is called; "": by its server.
        environ: Variables, besides those of this process.

    Raises:
        AppNotFoundError: There is no such app.
        AppStartError: The app did not start; the server's log is attached as a note.
    """
    arguments = ["--server", server] if server else []
    with tempfile.TemporaryDirectory(prefix="flasync-evidence-") as folder:
        path = Path(folder, "evidence.jsonl")
        variables = {WATCHER_VARIABLE: _WATCHER, EVIDENCE_VARIABLE: str(path), **(environ or {})}
        with serve_app(import_path, arguments, environ=variables, folder=root) as app:
            name = name or f"flasync on {choose_server(server).name}"
            yield Stack(name, app.url, app, Evidence(path))


@contextmanager
def serve_stock(import_path: str | None, root: Path) -> Iterator[Stack]:
    """Serve an app as stock Flask on a threaded WSGI server until the block ends.

    Args:
        import_path: As `flask --app` takes it; None: found in the folder.
        root: The project's folder.

    Raises:
        AppNotFoundError: There is no such app.
        AppStartError: The app did not start; the server's log is attached as a note.
    """
    command = [sys.executable, "-m", wsgi_target.__name__]
    command += [] if import_path is None else [import_path]
    with run_program(Program(command, folder=root, to_start_alone="flask run")) as app:
        yield Stack(wsgi_target.name_stack(), app.url, app)


@contextmanager
def serve_revision(
    import_path: str | None, root: Path, revision: str, server: str | None = None
) -> Iterator[Stack]:
    """Serve an app as it was at a git revision, by `flasync serve`, until the block ends.

    Args:
        import_path: As `flask --app` takes it; None: found in the folder.
        root: The project's folder of today.
        revision: As git takes it.
        server: As `flasync serve` takes it; None: the first that is installed.

    Raises:
        RepositoryError: git is not installed, or has no such revision.
        AppNotFoundError: There is no such app at the revision.
        AppStartError: The app did not start; the server's log is attached as a note.
    """
    with (
        check_out(root, revision) as there,
        serve_flasync(
            import_path,
            there.root,
            server,
            name=f"flasync at {there.name}",
            environ=there.environ,
        ) as stack,
    ):
        yield stack
