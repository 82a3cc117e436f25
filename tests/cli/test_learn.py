"""`flasync learn`: the course runs for real, can be left, skipped and begun anew."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flasync.cli import commands
from flasync.toolkit.lessons.lesson import load_lessons, read_app

LESSONS = load_lessons()
ANSWERS = {lesson.name: str(lesson.answer) for lesson in LESSONS if lesson.command}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the course is made."""
    return tmp_path / "lesson"


def learn(folder: Path, *lines: str, restart: bool = False) -> Result:
    """Run the command and answer its questions, each with a line."""
    arguments = ["learn", str(folder), *(["--restart"] if restart else [])]
    return CliRunner().invoke(commands, arguments, input="".join(f"{line}\n" for line in lines))


def test_the_whole_course(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each step runs its command for real, and its output is what the lesson says."""
    result = learn(folder, *ANSWERS.values(), "")
    assert result.exit_code == 0, result.output
    assert result.output.count("As you predicted") == len(ANSWERS)
    assert "It runs at http://127.0.0.1:" in result.output
    output = " ".join(capfd.readouterr().out.split())
    for words in (
        "app.py:12 ask_station time.sleep(…)",  # scan
        "overlap only in part",  # verify, in threads
        "1 of 1 route of app moved onto the event loop",
        "CORO_SUSPENDED",  # trace
        "The requests overlap: 100 at once",
        "`time.sleep` at app.py:12 held the event loop",
    ):
        assert words in output
    assert "async def forecast" in (folder / "app.py").read_text()
    assert "time.sleep" not in (folder / "app.py").read_text()
    assert "done all 7 lessons" in learn(folder).output


def test_a_wrong_prediction(folder: Path) -> None:
    """The right answer is told, not only that another one was wrong."""
    lesson = LESSONS[0]
    wrong = next(n for n in range(1, len(lesson.choices) + 1) if n != lesson.answer)
    result = learn(folder, str(wrong), "q")
    assert f"Not as you predicted: {lesson.choices[lesson.answer - 1]}" in result.output


def test_leave_and_go_on(folder: Path) -> None:
    """A course goes on where it was left, also when the input just ends."""
    assert f"Go on with: flasync learn {folder}" in " ".join(learn(folder, "s", "q").output.split())
    result = learn(folder, "s")
    assert f"2 of 7 · {LESSONS[1].title}" in result.output
    assert LESSONS[0].title not in result.output
    assert result.exit_code == 0


def test_a_skipped_change_is_made(folder: Path) -> None:
    """The lesson that moves the route is skipped, and the next ones find it moved."""
    learn(folder, "s", "s", "s", "q")
    assert "async def forecast" in (folder / "app.py").read_text()


def test_begin_anew(folder: Path) -> None:
    """`--restart` brings back the first lesson, and the app as it was."""
    learn(folder, "s", "s", "s", "q")
    result = learn(folder, "q", restart=True)
    assert f"1 of 7 · {LESSONS[0].title}" in result.output
    assert (folder / "app.py").read_text() == read_app()


def test_a_folder_with_other_files(tmp_path: Path) -> None:
    """Somebody's own files are left alone: exit code 2."""
    (tmp_path / "app.py").write_text("mine")
    result = learn(tmp_path, "q")
    assert result.exit_code == 2
    assert "holds other files" in result.output
    assert (tmp_path / "app.py").read_text() == "mine"


def test_a_step_that_fails(folder: Path) -> None:
    """A command that cannot do its work ends the course, which goes on there the next time."""
    learn(folder, "s", "q")
    (folder / "app.py").write_text("1 / 0\n")
    result = learn(folder, "2")
    assert "failed with exit code 3" in result.output
    assert "As you predicted" not in result.output
    assert f"2 of 7 · {LESSONS[1].title}" in learn(folder, "q").output
