"""Verdicts on served apps with a planted cause each: `verdicts/` has them, with their labels.

The label ends an app's docstring: the outcome, the cause, and how many run at a time where
something lets in only some. The line `# here` is the one that the verdict must name.
"""

import re
from pathlib import Path

import pytest

from flasync.toolkit.verifying.run import Judgement, Outcome
from flasync.toolkit.verifying.verification import Order, verify

FOLDER = Path(__file__).parent / "verdicts"
APPS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "upstream")

REQUESTS = 12

_LABEL = re.compile(
    r"\. (?P<outcome>[a-z ]+)(: (?P<cause>[a-z]+)( (?P<count>\d+))?)?$", re.MULTILINE
)


def read_label(name: str) -> tuple[Outcome, str, int | None]:
    """The outcome, the cause and the count with which an app is labelled."""
    source = (FOLDER / f"{name}.py").read_text()
    label = _LABEL.search(source.splitlines()[0].strip('"'))
    assert label is not None, f"{name} has no label"
    count = label["count"] and int(label["count"])
    return Outcome(label["outcome"]), label["cause"] or "", count or None


def find_line(name: str) -> int | None:
    """The number of the line that the verdict must name."""
    lines = (FOLDER / f"{name}.py").read_text().splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.endswith("# here")), None)


def measure(name: str) -> Judgement:
    """The verdict on an app's only route."""
    run = verify(Order(f"{name}:app", (("GET", "/"),), requests=REQUESTS, root=FOLDER))
    return run.routes[0].measured[-1].judgement


@pytest.mark.parametrize("name", APPS)
def test_verdict(name: str) -> None:
    """The outcome and the cause are the planted ones, and the line is named."""
    outcome, cause, count = read_label(name)
    judgement = measure(name)
    assert (judgement.outcome, judgement.cause) == (outcome, cause), judgement.sentence
    line = find_line(name)
    if line is not None:
        assert f"{name}.py:{line}" in judgement.sentence
    if count is not None:
        assert f"to {count} by" in judgement.sentence


def test_the_set_is_broad() -> None:
    """At least twenty apps, each outcome among them."""
    assert len(APPS) >= 20
    assert {read_label(name)[0] for name in APPS} == set(Outcome)
