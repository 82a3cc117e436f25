"""Commands of the conformance run, and what is said when one fails."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class CommandFailedError(Exception):
    """A command that prepares a suite failed; the message is its own output."""


def run_command(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
) -> str:
    """The command's standard output.

    Raises:
        CommandFailedError: when it ends with another code than 0.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandFailedError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def run_logged(
    command: Sequence[str], log: Path, *, cwd: Path, env: Mapping[str, str], timeout_s: float
) -> int:
    """The command's exit code; -9 when it took longer than ``timeout_s`` and was killed.

    Its output goes to ``log``. The command leads a process group of its own, so that servers which
    a test suite starts and forgets are ended with it.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return -9
        finally:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass  # Nothing of the group is left: the usual case.
    process.wait()
