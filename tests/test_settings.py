"""`flasync.settings`: what `app.config` may say, and what it means when it is silent."""

import re
from typing import Any

import flask
import pytest

from flasync import settings as module
from flasync.errors import SettingError
from flasync.settings import Settings, read_settings

TIMES = {
    "BODY_TIMEOUT": "body_timeout_s",
    "RESPONSE_TIMEOUT": "response_timeout_s",
    "GRACEFUL_TIMEOUT": "graceful_timeout_s",
}


def test_defaults() -> None:
    """A silent config gives the documented defaults."""
    assert read_settings({}) == Settings()
    assert Settings().worker_threads == module.DEFAULT_THREADS == 40
    assert Settings().body_timeout_s == 60
    assert Settings().response_timeout_s is None
    assert Settings().cancel_on_disconnect is True
    assert Settings().graceful_timeout_s == 30


def test_flasks_own_config_says_nothing_about_us() -> None:
    """A fresh Flask object's config gives the defaults."""
    assert read_settings(flask.Flask("example").config) == Settings()


@pytest.mark.parametrize(("name", "attribute"), TIMES.items())
@pytest.mark.parametrize("value", [1, 0.5, None])
def test_times(name: str, attribute: str, value: float | None) -> None:
    """A time is a number of seconds, or None for no limit."""
    assert getattr(read_settings({name: value}), attribute) == value


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("value", [0, -1, "1", True, float("nan"), [1]])
def test_bad_times(name: str, value: Any) -> None:
    """Anything else is refused, with the name and the value."""
    with pytest.raises(SettingError) as info:
        read_settings({name: value})
    assert repr(name) in str(info.value)
    assert repr(value) in str(info.value)


def test_threads_and_cancel() -> None:
    """The number of threads and the switch are taken as they are."""
    settings = read_settings({"WORKER_THREADS": 1, "CANCEL_ON_DISCONNECT": False})
    assert (settings.worker_threads, settings.cancel_on_disconnect) == (1, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_THREADS", 0),
        ("WORKER_THREADS", 1.5),
        ("WORKER_THREADS", True),
        ("WORKER_THREADS", "4"),
        ("WORKER_THREADS", None),
        ("CANCEL_ON_DISCONNECT", 1),
        ("CANCEL_ON_DISCONNECT", "yes"),
        ("CANCEL_ON_DISCONNECT", None),
    ],
)
def test_bad_values(name: str, value: Any) -> None:
    """A wrong type or a number out of range is refused before anything is served."""
    with pytest.raises(SettingError, match=re.escape(repr(value))):
        read_settings({name: value})


def test_the_table_names_every_setting() -> None:
    """The module's table and the code speak of the same settings."""
    assert module.__doc__ is not None
    named = set(re.findall(r"^    ([A-Z_]+) ", module.__doc__, re.MULTILINE))
    assert {name.removesuffix("_s").upper() for name in Settings.__slots__} == {
        name.removesuffix("_S") for name in named
    }
