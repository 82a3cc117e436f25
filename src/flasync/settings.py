"""flasync's settings in `app.config`, read once when serving begins.

    WORKER_THREADS        40    how many threads run sync views; 1 or more
    BODY_TIMEOUT          60    seconds that a client may stay silent in the middle of its body
    RESPONSE_TIMEOUT      None  seconds that the sending of a response may take
    CANCEL_ON_DISCONNECT  True  whether a waiting view is cancelled when its client leaves
    GRACEFUL_TIMEOUT      30    seconds that shutdown waits for requests under way
    STALL_WARNING         0.1   seconds that a request may hold the event loop before it is named

A time of None means no limit. `BODY_TIMEOUT` and `RESPONSE_TIMEOUT` are Quart's names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flasync.errors import SettingError
from flasync.workers import DEFAULT_THREADS


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one app, in the units of the module's table."""

    worker_threads: int = DEFAULT_THREADS
    body_timeout_s: float | None = 60.0
    response_timeout_s: float | None = None
    cancel_on_disconnect: bool = True
    graceful_timeout_s: float | None = 30.0
    stall_warning_s: float | None = 0.1


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Return the settings of an app's config, with defaults for those that are missing.

    Raises:
        SettingError: A value has the wrong type or is out of range.
    """
    default = Settings()
    threads = config.get("WORKER_THREADS", default.worker_threads)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise _bad_setting("WORKER_THREADS", threads, "a whole number from 1")
    cancel = config.get("CANCEL_ON_DISCONNECT", default.cancel_on_disconnect)
    if not isinstance(cancel, bool):
        raise _bad_setting("CANCEL_ON_DISCONNECT", cancel, "True or False")
    return Settings(
        worker_threads=threads,
        body_timeout_s=_read_time(config, "BODY_TIMEOUT", default.body_timeout_s),
        response_timeout_s=_read_time(config, "RESPONSE_TIMEOUT", default.response_timeout_s),
        cancel_on_disconnect=cancel,
        graceful_timeout_s=_read_time(config, "GRACEFUL_TIMEOUT", default.graceful_timeout_s),
        stall_warning_s=_read_time(config, "STALL_WARNING", default.stall_warning_s),
    )


def _read_time(config: Mapping[str, Any], name: str, default: float | None) -> float | None:
    value = config.get(name, default)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
        raise _bad_setting(name, value, "a number of seconds above 0, or None for no limit")
    return float(value)


def _bad_setting(name: str, value: Any, wanted: str) -> SettingError:
    return SettingError(
        f"app.config[{name!r}] is {value!r}. It must be {wanted}. Set it before serving begins."
    )
