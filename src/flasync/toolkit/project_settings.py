"""The settings of a project: the table `[tool.flasync]` of its `pyproject.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasync.errors import ProjectSettingError

FILE_NAME = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What a project wants of the toolkit.

    Attributes:
        select: Codes, or the beginnings of codes, that count; empty: all.
        ignore: Codes, or the beginnings of codes, that do not. The longer match wins over
            `select`, as in Ruff.
        per_file_ignores: Pairs of a glob and the codes that do not count in files it matches.
        exclude: Globs of files that are not read.
        knowledge: Absolute paths of the project's own knowledge files.
        baseline: The absolute path of the baseline; None when there is none.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    knowledge: tuple[Path, ...] = ()
    baseline: Path | None = None


def load_project_settings(root: Path) -> ProjectSettings:
    """Return the settings of the project in a folder; without a table for flasync, the defaults.

    Raises:
        ProjectSettingError: The file is no TOML, or a key or a value of the table is wrong.
    """
    path = root / FILE_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ProjectSettings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectSettingError(
            f"{str(path)!r} cannot be read: {error}. Correct the file"
        ) from error
    tool = data.get("tool", {})
    table = tool.get("flasync", {}) if isinstance(tool, Mapping) else {}
    if not isinstance(table, Mapping):
        raise _build_error(path, f"it is {table!r} and not a table")
    return _parse_table(table, path)


def check_codes(codes: Iterable[str], known: Iterable[str], where: str) -> None:
    """Check that each of `codes` is the beginning of a rule's code.

    Args:
        codes: Such as "FSY1" or "FSY101".
        known: The codes of all rules.
        where: What names them, for the message, such as "--select".

    Raises:
        ProjectSettingError: No rule has such a code.
    """
    rules = tuple(known)
    for code in codes:
        if not code or not any(rule.startswith(code) for rule in rules):
            raise ProjectSettingError(
                f"{where} names {code!r}, and no rule's code is or begins like that."
                " `flasync explain` lists the rules"
            )


def _parse_table(table: Mapping[str, Any], path: Path) -> ProjectSettings:
    known = ("select", "ignore", "per-file-ignores", "exclude", "knowledge", "baseline")
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise _build_error(
            path, f"unknown key {unknown[0]!r}", f"The keys are {', '.join(map(repr, known))}"
        )
    baseline = table.get("baseline")
    if baseline is not None and not isinstance(baseline, str):
        raise _build_error(path, f"baseline = {baseline!r} is not a string", "Give a file's path")
    return ProjectSettings(
        select=_take_strings(table, "select", path),
        ignore=_take_strings(table, "ignore", path),
        per_file_ignores=_take_per_file_ignores(table, path),
        exclude=_take_strings(table, "exclude", path),
        knowledge=tuple(path.parent / name for name in _take_strings(table, "knowledge", path)),
        baseline=path.parent / baseline if baseline is not None else None,
    )


def _take_strings(table: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _build_error(path, f"{key} = {value!r} is not a list of strings")
    return tuple(value)


def _take_per_file_ignores(
    table: Mapping[str, Any], path: Path
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    key = "per-file-ignores"
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise _build_error(path, f"{key} = {value!r} is not a table of globs and lists of codes")
    return tuple((glob, _take_strings(value, glob, path)) for glob in value)


def _build_error(path: Path, problem: str, advice: str = "Correct it") -> ProjectSettingError:
    return ProjectSettingError(f"[tool.flasync] in {str(path)!r}: {problem}. {advice}")
