"""Running a command so that every Python process of it records its requests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from flasync.errors import ObserveError
from flasync.toolkit.observing.observation import Observation, parse_observation
from flasync.toolkit.observing.recording.startup.sitecustomize import OUTPUT_VARIABLE

_STARTUP = Path(__file__).parent / "recording" / "startup"
# What a shell adds to the number of the signal that ended a command.
_SIGNALLED = 128


def run_observed(
    command: Sequence[str],
    root: Path,
    lines: Mapping[str, Collection[int]],
    packages: Sequence[Path] = (),
    *,
    stdout: int | None = None,
) -> tuple[int, Observation]:
    """Run a command to its end and return its exit code and what was seen of its requests.

    The command is the user's own and is not changed: its Python processes are told by their
    environment to record. Its input and output are the caller's. Ctrl-C is for the command.

    Args:
        command: The program and its arguments.
        root: The project's folder.
        lines: The lines of which it is to be known whether a request came to them, by the
            absolute and resolved name of their file.
        packages: Folders elsewhere that are the project's code too.
        stdout: The file descriptor for the command's standard output; None: the caller's own.

    Returns:
        The exit code, as a shell gives it, and the observation, whatever the exit code.

    Raises:
        ObserveError: The system is not Linux, the command cannot be started, or no request was
            seen.
    """
    if sys.platform != "linux":
        raise ObserveError(
            f"Observing is not possible on {sys.platform!r}: only Linux tells one thread what"
            " another one waits for. Run it on Linux, such as in a container or in CI"
        )
    with tempfile.TemporaryDirectory(prefix="flasync-") as name:
        folder = Path(name)
        settings = {
            "root": str(root.resolve()),
            "packages": [str(package.resolve()) for package in packages],
            "lines": {file: sorted(numbers) for file, numbers in lines.items()},
        }
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        exit_code = _run(command, _build_environment(folder), stdout)
        observation = parse_observation(_read_files(folder))
    if not observation.processes:
        raise ObserveError(
            f"The command {' '.join(command)!r} ended with exit code {exit_code}, and none of its"
            " Python processes served a request through Flask. Run tests that use the app's test"
            " client, or a server for it; it must not be Python with -I, -E or -S, which ignore"
            " the environment"
        )
    return exit_code, observation


def _build_environment(folder: Path) -> dict[str, str]:
    paths = [str(_STARTUP), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        OUTPUT_VARIABLE: str(folder),
    }


def _run(command: Sequence[str], environment: Mapping[str, str], stdout: int | None) -> int:
    with _pass_signals_on() as processes:
        try:
            process = subprocess.Popen(  # noqa: S603  the user's command
                command, env=environment, stdout=stdout
            )
        except OSError as error:
            raise ObserveError(
                f"The command {command[0]!r} cannot be started: {error.strerror}. Write it after"
                " the -- as you would type it in this folder, such as: -- python -m pytest"
            ) from error
        processes.append(process)
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


@contextmanager
def _pass_signals_on() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Outlive Ctrl-C, which the terminal sends to the command as well; hand SIGTERM on."""
    processes: list[subprocess.Popen[bytes]] = []
    if threading.current_thread() is not threading.main_thread():
        yield processes  # signals are the main thread's
        return

    def hand_on(number: int, frame: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    # Not SIG_IGN: the command would inherit it.
    previous: dict[int, Any] = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda number, frame: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, hand_on),
    }
    try:
        yield processes
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _read_files(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("[0-9]*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))
