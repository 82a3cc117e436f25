"""Stretches of a request on the loop, from its marks."""

from flasync.toolkit.verifying.loop_holds import find_loop_holds
from flasync.toolkit.verifying.run import Mark, Phase


def test_one_stretch_is_one_hold() -> None:
    """Marks that follow one another without a pause are added up; the longest has the place."""
    marks = [
        Mark(Phase.LOOP, 0, 20, "shop.py:3"),
        Mark(Phase.LOOP, 20.005, 80, "shop.py:4", "time.sleep"),
        Mark(Phase.LOOP, 80, 90, "shop.py:5"),
    ]
    (hold,) = find_loop_holds("GET /books", marks, 85)
    assert (hold.held_ms, hold.place, hold.call) == (90, "shop.py:4", "time.sleep")
    assert str(hold).startswith(
        "GET /books held the event loop for 90 ms, 60 ms of it at shop.py:4 `time.sleep`."
    )
    assert not list(find_loop_holds("GET /books", marks, 90))


def test_pause_ends_a_stretch() -> None:
    """Time before and after an await is not added up."""
    marks = [
        Mark(Phase.LOOP, 110, 170),
        Mark(Phase.AWAITING, 60, 110, "shop.py:4", "asyncio.sleep"),
        Mark(Phase.LOOP, 0, 60),
    ]
    assert not list(find_loop_holds("GET /", marks, 61))
    assert len(list(find_loop_holds("GET /", marks, 59))) == 2


def test_threads_hold_nothing() -> None:
    """A view in a worker thread may block for as long as it likes."""
    assert not list(find_loop_holds("GET /", [Mark(Phase.THREAD, 0, 900, "shop.py:4")], 1))


def test_unknown_place() -> None:
    """Where the place is not known, the sentence does without."""
    (hold,) = find_loop_holds("GET /", [Mark(Phase.LOOP, 0, 70)], 50)
    assert str(hold).startswith("GET / held the event loop for 70 ms. Every other request waited.")
