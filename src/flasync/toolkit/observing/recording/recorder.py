"""Puts the parts of the recorder together, in a process that has just imported Flask."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any


def start(flask: ModuleType, folder: str) -> None:
    """Record all requests of this process and of those that it forks.

    Args:
        flask: The module.
        folder: Holds `settings.json`, and gets a file for each process.
    """
    settings = json.loads(Path(folder, "settings.json").read_text(encoding="utf-8"))
    states = _load("thread_states").ThreadStates()
    stacks = _load("stacks").Stacks(settings["root"], settings["packages"])
    ledger = _load("ledger").Ledger()

    def write() -> None:
        ledger.write(folder, stacks, reach, are_known=states.are_known)

    in_flight = _load("in_flight").InFlight()
    reach = _load("reach").Reach(settings["lines"], in_flight.current)
    sampler = _load("sampler").Sampler(in_flight, stacks, states, ledger, write)
    in_flight.wake = sampler.wake
    stacks.set_anchors(_load("flask_hooks").install(flask, in_flight))
    reach.start()
    _follow_process(sampler, (in_flight, states, ledger, sampler))


def _follow_process(sampler: Any, parts: tuple[Any, ...]) -> None:
    """Stop at the end of the process, and begin anew in each one that it forks."""

    def forget() -> None:
        for part in parts:
            part.forget()

    os.register_at_fork(before=sampler.stop, after_in_child=forget)
    atexit.register(sampler.stop)
    leave = os._exit

    def exit_at_once(status: int) -> None:
        # How forked workers of `multiprocessing` and of pytest-xdist end.
        sampler.stop()
        leave(status)

    os._exit = exit_at_once  # type: ignore[assignment]  # it does not return either


def _load(name: str) -> ModuleType:
    """Import a module of this folder; flasync itself may not be there, or must not be imported."""
    full_name = f"_flasync_recording.{name}"
    spec = importlib.util.spec_from_file_location(full_name, Path(__file__).parent / f"{name}.py")
    assert spec is not None and spec.loader is not None  # noqa: S101  the file is beside this one
    # Not in sys.modules: tools that put off clocks look there for functions to replace.
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
