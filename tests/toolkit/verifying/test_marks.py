"""`verifying.marks`: the marks of a request, made of what happened to it."""

import pytest

from flasync.toolkit.verifying.marks import MOST_MARKS, Timeline
from flasync.toolkit.verifying.run import Mark, Phase
from flasync.toolkit.verifying.sights import Sight
from flasync.toolkit.verifying.stretches import Sample, Stretch

VIEW = Sight("app.py:3", "asyncio.sleep", "", 1)
OTHER = Sight("app.py:9", "asyncio.gather", "", 2)
BLOCK = Sight("app.py:5", "time.sleep", "", 1)

Row = tuple[str, float, float, str]


def list_rows(timeline: Timeline) -> list[Row]:
    """Of each mark its phase, start, end and place."""
    return [
        (mark.phase.value, round(mark.start_ms, 6), round(mark.end_ms, 6), mark.place)
        for mark in timeline.marks
    ]


class Story:
    """Tells a timeline what happens, in milliseconds."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.stretches: dict[int, Stretch] = {}

    def run(
        self, at: float, greenlet: int = 1, phase: Phase = Phase.LOOP, context: int = 0
    ) -> None:
        """A stretch begins."""
        self.stretches[greenlet] = Stretch(greenlet, context, phase, at / 1000, 0.0)
        self.timeline.begin(self.stretches[greenlet])

    def pause(self, at: float, sight: Sight | None = None, greenlet: int = 1) -> None:
        """It ends; without a sight, so does its greenlet."""
        stretch = self.stretches[greenlet]
        stretch.end = at / 1000
        self.timeline.finish(stretch, sight)

    def see(self, at: float, sight: Sight, cpu_ms: float | None = 0.0, greenlet: int = 1) -> None:
        """The sampler looks."""
        cpu = None if cpu_ms is None else cpu_ms / 1000
        self.stretches[greenlet].samples.append(Sample(at / 1000, cpu, sight))


@pytest.fixture
def story() -> Story:
    """A request."""
    return Story()


def test_a_wait_between_two_stretches(story: Story) -> None:
    """A request awaits from the end of one stretch to the beginning of the next."""
    story.run(0)
    story.pause(2, VIEW)
    story.run(100)
    story.pause(101)
    story.timeline.end(0.1011)
    assert list_rows(story.timeline) == [
        ("loop", 0, 2, ""),
        ("awaiting", 2, 100, "app.py:3"),
        ("loop", 100, 101, ""),
    ]
    assert story.timeline.marks[1].call == "asyncio.sleep"


def test_a_thread(story: Story) -> None:
    """A request queues for its thread until it runs there, and is sent after it."""
    story.timeline.queue(0.0)
    story.run(10, phase=Phase.THREAD)
    story.pause(30)
    story.timeline.send(0.030)
    story.timeline.sent(0.035)
    story.timeline.end(0.035)
    assert list_rows(story.timeline) == [
        ("queued", 0, 10, ""),
        ("thread", 10, 30, ""),
        ("sending", 30, 35, ""),
    ]


def test_children_that_overlap(story: Story) -> None:
    """A request awaits only while none of its greenlets runs; the last wait gives the place."""
    story.run(0, 1)
    story.pause(1, OTHER, 1)
    story.run(1, 2)
    story.pause(2, VIEW, 2)
    story.run(2, 3, Phase.THREAD)
    story.run(5, 2)
    story.pause(6, None, 2)
    story.pause(9, None, 3)
    story.run(12, 1)
    story.pause(13, None, 1)
    assert list_rows(story.timeline) == [
        ("loop", 0, 2, ""),
        ("loop", 5, 6, ""),
        ("thread", 2, 9, "app.py:9"),
        ("awaiting", 9, 12, "app.py:9"),
        ("loop", 12, 13, ""),
    ]


def test_functions_of_c_in_threads(story: Story) -> None:
    """A thread without a place has that of the greenlet that waits for it, by their Context."""
    story.run(0, 1, context=10)
    story.pause(1, OTHER, 1)
    story.run(1, 2, context=20)
    story.pause(2, VIEW, 2)
    story.run(2, 3, context=30)
    story.pause(3, Sight(), 3)
    story.run(3, 4, Phase.THREAD, context=20)
    story.pause(4, None, 4)
    story.run(4, 4, Phase.THREAD, context=30)
    story.pause(5, None, 4)
    assert list_rows(story.timeline)[-2:] == [
        ("thread", 3, 4, "app.py:3"),
        ("thread", 4, 5, "app.py:9"),
    ]


def test_a_wait_of_the_server(story: Story) -> None:
    """What a request awaits while the server takes its response is the sending."""
    story.run(0)
    story.timeline.send(0.001)
    story.pause(2, VIEW)
    story.run(50)
    story.timeline.sent(0.051)
    story.pause(52)
    assert list_rows(story.timeline) == [
        ("loop", 0, 2, ""),
        ("sending", 2, 50, ""),
        ("loop", 50, 52, ""),
    ]


def test_places_of_a_stretch(story: Story) -> None:
    """The time up to a sample belongs to what was seen, and the rest to the last one."""
    story.run(0)
    story.see(100, BLOCK, 1)
    story.see(200, BLOCK, 2)
    story.see(300, OTHER, 90)
    story.stretches[1].cpu_end = 0.1
    story.pause(330)
    assert list_rows(story.timeline) == [
        ("loop", 0, 200, "app.py:5"),
        ("loop", 200, 330, "app.py:9"),
    ]
    assert [round(mark.cpu_ms) for mark in story.timeline.marks] == [2, 98]


def test_a_loop_of_the_projects_code(story: Story) -> None:
    """The lines of one function that takes turns between them are one place: the longest."""
    story.run(0)
    for turn in range(20):
        story.see(turn * 10 + 6, BLOCK)
        story.see(turn * 10 + 10, VIEW)
    story.pause(201)
    assert list_rows(story.timeline) == [("loop", 0, 201, "app.py:5")]


def test_processor_time_that_is_not_told(story: Story) -> None:
    """Where a system does not tell a thread's clock, it is shared out by the time."""
    story.run(0)
    story.see(100, BLOCK, None)
    story.see(150, OTHER, None)
    story.stretches[1].cpu_end = 0.1
    story.pause(200)
    assert [round(mark.cpu_ms) for mark in story.timeline.marks] == [50, 50]


def test_samples_of_another_time(story: Story) -> None:
    """A sample that comes when its stretch is over, or was made before it, is passed over."""
    story.run(10)
    story.see(5, BLOCK)
    story.see(90, BLOCK)
    story.pause(80)
    assert list_rows(story.timeline) == [("loop", 10, 80, "")]


def test_totals_under_way(story: Story) -> None:
    """The sums count what is under way, up to the given moment."""
    story.run(0)
    story.pause(10, VIEW)
    story.run(30)
    totals = story.timeline.add_up(0.035)
    assert {phase.value: round(ms) for phase, ms in totals.items() if ms} == {
        "loop": 15,
        "awaiting": 20,
    }
    story.timeline.queue(0.035)
    story.pause(36, VIEW)
    assert round(story.timeline.add_up(0.040)[Phase.QUEUED]) == 4


def test_what_runs_on_after_the_end(story: Story) -> None:
    """A child task that outlives its request is part of it until its end."""
    story.run(0)
    story.timeline.end(0.005)
    assert list_rows(story.timeline) == [("loop", 0, 5, "")]


def test_threads_that_report_late(story: Story) -> None:
    """Times that come out of order, from two threads, give no mark that ends before it begins."""
    story.run(5)
    story.timeline.send(0.020)
    story.pause(19)
    story.timeline.sent(0.018)
    story.timeline.end(0.021)
    assert all(mark.end_ms >= mark.start_ms for mark in story.timeline.marks)


@pytest.mark.parametrize("places", [1, 3, 1000])
def test_marks_are_bounded(places: int, story: Story) -> None:
    """Thousands of waits leave few marks, with the same time in each phase and in all."""
    for turn in range(5000):
        story.run(turn * 10)
        story.pause(turn * 10 + 3, Sight(f"app.py:{turn % places}"))
    marks = story.timeline.marks
    assert len(marks) <= MOST_MARKS
    assert round(sum_up(marks, Phase.LOOP)) == 15_000
    assert round(sum_up(marks, Phase.AWAITING)) == 34_993
    assert marks[0].start_ms == 0
    assert round(max(mark.end_ms for mark in marks)) == 49_993


def sum_up(marks: list[Mark], phase: Phase) -> float:
    """The milliseconds of a phase."""
    return sum(mark.end_ms - mark.start_ms for mark in marks if mark.phase is phase)
