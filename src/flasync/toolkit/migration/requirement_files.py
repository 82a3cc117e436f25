"""Adding what new code needs to where the project says what must be installed."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flasync.toolkit.finding import Edit
from flasync.toolkit.migration.plan import Safety, TextChange
from flasync.toolkit.migration.requirement_places import (
    Entry,
    RequirementList,
    is_pinned,
    read_requirement_lists,
    reread,
)

_LOCKS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
    "pylock.toml": "pip lock",
}
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement)[\s=]+(\S+)", re.MULTILINE)
_LIST_REST = re.compile(r"(?P<comma>[^\S\n]*,)?(?P<comment>[^\S\n]*#[^\n\r]*)?(?P<end>\r?\n)?")
# Between entries: an empty line, or one with only a comment.
_PARTING = re.compile(r"\n[^\S\n]*(?:#|\n)")
# Before an entry: that the line above has only a comment.
_COMMENTED = re.compile(r"^[^\S\n]*#[^\n]*\n[^\S\n]*\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RequirementPlan:
    """What to add to the project's requirements.

    Attributes:
        changes: The edits.
        notes: What a person must do besides, one line each: lock files, generated files.
    """

    changes: tuple[TextChange, ...]
    notes: tuple[str, ...]


def declared_distributions(root: Path) -> frozenset[str]:
    """Return the normalised names of what a project declares anywhere, groups and extras included.

    Lock files do not count: they hold what others need, too.
    """
    return frozenset().union(*(place.names for place in read_requirement_lists(root)))


def plan_requirements(root: Path, distributions: Sequence[str]) -> RequirementPlan:
    """Return how requirements are added to a project.

    They go to each list that has Flask; where none has, to those with packages that are named after
    it, or to the first list there is. Sorted lists stay sorted, pinned ones pinned.

    Args:
        root: The project's folder.
        distributions: Requirements such as "aiosqlite" or "redis[hiredis]".
    """
    wanted = [Requirement(text) for text in dict.fromkeys(distributions)]
    if not wanted:
        return RequirementPlan((), ())
    lists = list(read_requirement_lists(root))
    chosen = _choose(lists)
    names = " ".join(f"'{item}'" if str(item) != item.name else item.name for item in wanted)
    if not chosen:
        return RequirementPlan(
            (), (f"No file says what must be installed; the new code needs: pip install {names}",)
        )
    changes: list[TextChange] = []
    notes: list[str] = []
    for place in chosen:
        new = [item for item in wanted if canonicalize_name(item.name) not in place.names]
        notes += _note_extras(place, wanted)
        obstacle = _find_obstacle(place, lists) if new else ""
        if obstacle:
            notes.append(f"{place.text.name} {obstacle}; it needs {', '.join(map(str, new))}")
        elif new:
            edits = _add(place, new)
            if edits is None:
                notes.append(f"{place.text.name} could not be edited; add {names} to {place.where}")
            else:
                reason = f"The new code needs it; {place.where} has the project's requirements"
                changes += [TextChange(edit, Safety.SAFE, reason) for edit in edits]
    if changes:
        notes += _note_locks(root)
    return RequirementPlan(tuple(changes), tuple(dict.fromkeys(notes)))


def _choose(lists: Sequence[RequirementList]) -> list[RequirementList]:
    """Return the lists that new requirements belong into."""
    chosen = [place for place in lists if "flask" in place.names]
    if not chosen:
        chosen = [place for place in lists if any("flask" in name for name in place.names)]
    if not chosen:
        chosen = [place for place in lists if place.entries][:1]
    files = {place.text.name for place in chosen}
    return [place for place in chosen if not files & set(_list_included(place))]


def _list_included(place: RequirementList) -> Iterator[str]:
    """Yield the requirements files that a requirements file includes."""
    if place.form == "lines":
        folder = PurePosixPath(place.text.name).parent
        for match in _INCLUDE.finditer(place.text.contents):
            yield (folder / match[1]).as_posix()


def _find_obstacle(place: RequirementList, lists: Sequence[RequirementList]) -> str:
    """Return why a list must not be edited, as the end of a sentence; "" when it may be."""
    source = str(PurePosixPath(place.text.name).with_suffix(".in"))
    sources = {other.text.name for other in lists}
    if place.text.name.endswith(".txt") and source in sources:
        return f"is made from {source}: make it anew"
    if place.is_generated:
        return "is generated: make it anew"
    if place.has_hashes:
        return "has hashes, which nobody can add by hand: add them with pip-compile or uv"
    return ""


def _note_extras(place: RequirementList, wanted: Iterable[Requirement]) -> Iterator[str]:
    """Yield a note for each requirement that is there without the extras that it needs."""
    for requirement in wanted:
        for entry in place.entries:
            if entry.name != canonicalize_name(requirement.name):
                continue
            if any(extra not in entry.written for extra in requirement.extras):
                extras = ",".join(sorted(requirement.extras))
                yield f"{place.text.name} has {entry.name}, and it needs the extra [{extras}]"


def _note_locks(root: Path) -> Iterator[str]:
    for name, command in _LOCKS.items():
        if (root / name).is_file():
            yield f"{name} does not have the new requirements yet: run `{command}`"


def _add(place: RequirementList, new: Sequence[Requirement]) -> list[Edit] | None:
    """Return the edits that add requirements to a list; None when that does not work out."""
    groups: dict[Entry | None, list[str]] = {}
    for requirement in sorted(new, key=lambda item: canonicalize_name(item.name)):
        anchor = _find_anchor(place, canonicalize_name(requirement.name))
        groups.setdefault(anchor, []).append(_write(place, requirement))
    insertions = sorted(
        insertion
        for anchor, written in groups.items()
        for insertion in _insert(place, anchor, written)
    )
    contents = place.text.contents
    for offset, text in reversed(insertions):
        contents = contents[:offset] + text + contents[offset:]
    after = reread(place, contents)
    names = {canonicalize_name(requirement.name) for requirement in new}
    if after is None or after.names != place.names | names:
        return None
    return [_build_edit(place, offset, text) for offset, text in insertions]


def _build_edit(place: RequirementList, offset: int, text: str) -> Edit:
    position = place.text.locate(offset)
    at = (position.line, position.column)
    return Edit(place.text.name, at, at, text)


def _insert(
    place: RequirementList, anchor: Entry | None, written: Sequence[str]
) -> list[tuple[int, str]]:
    """Return what is inserted where, to have requirements after another one, or first."""
    newline = "\r\n" if "\r\n" in place.text.contents else "\n"
    if anchor is not None:
        lines = [f"{newline}{_get_indent(place, anchor)}{text}" for text in written]
        if place.form == "list":
            return _insert_strings(place, anchor, written, lines)
        return [(anchor.end, "".join(lines))]
    if not place.entries:
        if place.form == "list":
            return [(place.opening, ", ".join(written))]
        return [(place.opening, "".join(f"{newline}{text}" for text in written))]
    first = place.entries[0]
    gap = f"{newline}{_get_indent(place, first)}"
    if place.form != "list":
        return [(first.start, "".join(f"{text}{gap}" for text in written))]
    gap = gap if _starts_line(place, first) else " "
    return [(first.start, "".join(f"{text},{gap}" for text in written))]


def _insert_strings(
    place: RequirementList, anchor: Entry, written: Sequence[str], lines: Sequence[str]
) -> list[tuple[int, str]]:
    """Return what is inserted where, to have other strings after one in brackets.

    Args:
        place: The list.
        anchor: The string.
        written: The new ones.
        lines: The new ones, each after a line break.
    """
    rest = _LIST_REST.match(place.text.contents, anchor.end)
    if rest is None or not rest["end"] or not _starts_line(place, anchor):
        return [(anchor.end, "".join(f", {text}" for text in written))]
    if rest["comma"]:
        return [(rest.start("end"), "".join(f"{line}," for line in lines))]
    if rest["comment"]:
        return [(anchor.end, ","), (rest.start("end"), ",".join(lines))]
    return [(anchor.end, "".join(f",{line}" for line in lines))]


def _find_anchor(place: RequirementList, name: str) -> Entry | None:
    """Return the entry after which a new one belongs; None: at the beginning."""
    if not place.entries:
        return None
    flask = [entry for entry in place.entries if entry.name == "flask"]
    likely = (flask or list(place.entries))[-1]
    block = _list_block(place, likely)
    names = [entry.name for entry in block if entry.name != "python"]
    if names != sorted(names) or len(names) == 1:
        return likely
    before = [entry for entry in block if entry.name < name or entry.name == "python"]
    if before:
        return before[-1]
    return None if block == place.entries[: len(block)] and _may_begin(place) else likely


def _list_block(place: RequirementList, entry: Entry) -> tuple[Entry, ...]:
    """Return the entries around one that no empty line and no line with a comment parts from it."""
    block: list[Entry] = []
    for other in place.entries:
        if block and _PARTING.search(place.text.contents, block[-1].end, other.start):
            if entry in block:
                break
            block = []
        block.append(other)
    return tuple(block)


def _may_begin(place: RequirementList) -> bool:
    """Return whether nothing above the first entry may be a comment about it."""
    return not _COMMENTED.search(place.text.contents, 0, place.entries[0].start)


def _get_indent(place: RequirementList, entry: Entry) -> str:
    start = place.text.contents.rfind("\n", 0, entry.start) + 1
    line = place.text.contents[start : entry.start]
    return line if line.isspace() or not line else ""


def _starts_line(place: RequirementList, entry: Entry) -> bool:
    start = place.text.contents.rfind("\n", 0, entry.start) + 1
    return start > 0 and not place.text.contents[start : entry.start].strip()


def _write(place: RequirementList, requirement: Requirement) -> str:
    """Return a requirement as it is written in a list."""
    version = _find_version(requirement.name)
    entries = [entry.written for entry in place.entries if entry.written and entry.name != "python"]
    if place.form == "table":
        return _write_table(requirement, entries, version)
    text = str(requirement)
    if version and not requirement.specifier and entries and all(map(is_pinned, entries)):
        text = f"{text}=={version}"
    if place.form == "lines":
        return text
    first = place.text.contents[place.entries[0].start] if place.entries else '"'
    quote = first if first in "\"'" else '"'
    return f"{quote}{text}{quote}"


def _write_table(requirement: Requirement, entries: Sequence[str], version: str) -> str:
    constraint = str(requirement.specifier) or "*"
    if version and constraint == "*":
        others = [entry for entry in entries if entry != "*"]
        for sign in ("^", "~", "==", ""):
            if others and all(re.fullmatch(rf"{re.escape(sign)}[\d.]+", text) for text in others):
                constraint = f"{sign}{version}"
    if not requirement.extras:
        return f'{requirement.name} = "{constraint}"'
    extras = ", ".join(f'"{extra}"' for extra in sorted(requirement.extras))
    return f'{requirement.name} = {{version = "{constraint}", extras = [{extras}]}}'


def _find_version(name: str) -> str:
    """Return the version that is installed, or "" when it is not."""
    try:
        return importlib.metadata.version(name).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""
