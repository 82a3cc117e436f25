"""Loops that may compute for long: nested, over a number that is not written there."""

from pathlib import Path

import pytest

from flasync.toolkit.migration.computing_loops import find_computing_loop
from toolkit.migration.planners import HEAD, opened_program

VIEW = """\
@app.get("/")
def index(rounds=3):
    return str(compute(rounds))
"""
COMPUTING = {
    "nested": """\
def compute(rounds):
    total = 0
    for row in range(rounds):
        for column in range(rounds):
            total += row * column
    return total
""",
    "comprehension": """\
def compute(rounds):
    return sum(row * column for row in range(rounds) for column in range(rounds))
""",
    "called in a loop": """\
def step(rounds):
    return sum(number for number in range(rounds))


def compute(rounds):
    total = 0
    while total < 5:
        total += 1
    for _ in "abc":
        total += step(rounds)
    return total
""",
}
SHORT = {
    "one loop": """\
def compute(rounds):
    return sum(number for number in range(rounds))
""",
    "a written number": """\
def compute(rounds):
    return sum(row * column for row in range(30) for column in range(30))
""",
    "over what is shown": """\
def compute(rounds):
    return [[cell for cell in row] for row in ["ab", "cd"]]
""",
    "it waits in the loop": """\
def compute(rounds):
    for row in "ab":
        for attempt in range(rounds):
            time.sleep(0.01)
    return 1
""",
}


@pytest.mark.parametrize("text", COMPUTING.values(), ids=COMPUTING.keys())
def test_computing(text: str, tmp_path: Path) -> None:
    """It is found, with its place."""
    with opened_program(tmp_path, {"app.py": f"{HEAD}{text}\n\n{VIEW}"}) as program:
        found = find_computing_loop(program.entries["GET /"])
    assert found is not None
    assert found.reason.startswith("it computes in nested loops, at app.py:")


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT.keys())
def test_short(text: str, tmp_path: Path) -> None:
    """What is short, or waits, is no obstacle."""
    with opened_program(tmp_path, {"app.py": f"{HEAD}{text}\n\n{VIEW}"}) as program:
        assert find_computing_loop(program.entries["GET /"]) is None
