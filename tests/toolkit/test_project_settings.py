"""The table `[tool.flasync]` of `pyproject.toml`."""

from pathlib import Path

import pytest

from flasync.errors import ProjectSettingError
from flasync.toolkit.project_settings import ProjectSettings, check_codes, load_project_settings

WHOLE = """
[tool.flasync]
select = ["FSY1", "FSY201"]
ignore = ["FSY109"]
exclude = ["legacy/**"]
knowledge = ["deploy/oracle.toml"]
baseline = "ci/known.json"

[tool.flasync.per-file-ignores]
"tests/**" = ["FSY"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_every_key_is_read(tmp_path: Path) -> None:
    """Each key of the table has its place, and paths are relative to the file."""
    assert load_project_settings(write(tmp_path, WHOLE)) == ProjectSettings(
        select=("FSY1", "FSY201"),
        ignore=("FSY109",),
        per_file_ignores=(("tests/**", ("FSY",)),),
        exclude=("legacy/**",),
        knowledge=(tmp_path / "deploy/oracle.toml",),
        baseline=tmp_path / "ci/known.json",
    )


@pytest.mark.parametrize("text", ["", "[project]\nname = 'shop'\n", "[tool.ruff]\n"])
def test_no_table_means_the_defaults(tmp_path: Path, text: str) -> None:
    """A file without the table sets nothing."""
    assert load_project_settings(write(tmp_path, text)) == ProjectSettings()


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    """A project without a pyproject.toml sets nothing."""
    assert load_project_settings(tmp_path) == ProjectSettings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.flasync]\nselct = []", ["unknown key 'selct'", "'select', 'ignore'"]),
        ("[tool.flasync]\nselect = 'FSY1'", ["select = 'FSY1' is not a list of strings"]),
        ("[tool.flasync]\nignore = [1]", ["ignore = [1] is not a list of strings"]),
        ("[tool.flasync]\nbaseline = true", ["baseline = True is not a string"]),
        ("[tool.flasync]\nper-file-ignores = []", ["per-file-ignores = [] is not a table"]),
        ("[tool.flasync.per-file-ignores]\n'a.py' = 'FSY1'", ["a.py = 'FSY1' is not a list"]),
        ("[tool]\nflasync = 3", ["it is 3 and not a table"]),
        ("[tool.flasync\n", ["cannot be read", "line 1"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    """A wrong key or value is refused with its name, its value and the file's path."""
    with pytest.raises(ProjectSettingError) as caught:
        load_project_settings(write(tmp_path, text))
    for word in [*words, str(tmp_path / "pyproject.toml")]:
        assert word in str(caught.value)


def test_codes_may_be_beginnings() -> None:
    """A code, and the beginning of one, are known."""
    check_codes(["FSY1", "FSY101", "F"], ["FSY101"], "--select")


@pytest.mark.parametrize("code", ["FSY9", "E501", "", "fsy101", "FSY1011"])
def test_unknown_codes_are_refused(code: str) -> None:
    """A code that no rule has is an error that names where it stands."""
    with pytest.raises(ProjectSettingError, match="--select names"):
        check_codes([code], ["FSY101"], "--select")
