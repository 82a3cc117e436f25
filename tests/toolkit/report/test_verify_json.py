"""The run as machines read it, and as the toolkit reads it again."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasync.toolkit.report.verify_json import VERSION, build_json, parse_json
from flasync.toolkit.verifying.run import Run
from toolkit.verifying.sample_runs import RUNS, SERIAL

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_samples_come_back(run: Run) -> None:
    """A run that is written and read is the same run."""
    assert parse_json(build_json(run)) == run


@given(st.from_type(Run))
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_any_run_comes_back(run: Run) -> None:
    """So is a run of any numbers and texts."""
    assert parse_json(build_json(run)) == run


def test_keys() -> None:
    """The object has a version, the failed checks, and the verdict of each route and stack."""
    data = json.loads(build_json(SERIAL, ["GET /prices: too slow"]))
    assert (data["version"], data["failed"]) == (VERSION, ["GET /prices: too slow"])
    (route,) = data["routes"]
    assert (route["method"], route["path"], route["lane"]) == ("GET", "/prices", "loop")
    (measured,) = route["measured"]
    assert measured["judgement"]["outcome"] == "does not overlap"
    assert measured["load"]["requests"][0]["marks"][0]["phase"] == "loop"


def test_new_keys_are_ignored() -> None:
    """A later flasync may add keys without a new version."""
    data = json.loads(build_json(SERIAL))
    data["routes"][0]["new"] = 1
    assert parse_json(json.dumps(data)) == SERIAL


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"version": 0}',
        f'{{"version": {VERSION}}}',
        f'{{"version": {VERSION}, "routes": 3}}',
        "{",
        build_json(SERIAL).replace('"app": "shop"', '"app": 3'),
        build_json(SERIAL).replace('"loop"', '"elsewhere"'),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """What is no run, or one of another version, is a ValueError."""
    with pytest.raises(ValueError):
        parse_json(text)
