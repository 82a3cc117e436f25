"""The files that say how an app is run in production, and the commands in them.

A file is taken by its name, and left out when its name or folder says that it is for development
or tests. Formats are read by their lines, as far as commands and variables need it: a full parser
of YAML or of Dockerfiles would be one dependency each, and would lose the lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from flasync.toolkit.shell_words import Text, Words

_SKIPPED_FOLDERS = frozenset({"__pycache__", "build", "dist", "env", "node_modules", "venv"})
_NOT_PRODUCTION = frozenset(
    "ci debug demo dev develop development doc docs e2e example examples local override sample test"
    " testing tests".split()
)
_DEFINITION = re.compile(r"^[^\S\n]*([\w-]+)[^\S\n]*:[^\S\n]*([^\n]*)$", re.MULTILINE)
_INSTRUCTION = re.compile(
    r"^[^\S\n]*(FROM|CMD|ENTRYPOINT)[^\S\n]+((?:\\\r?\n|[^\n])*)", re.MULTILINE | re.IGNORECASE
)
_UNIT_COMMAND = re.compile(
    r"^[^\S\n]*(?:ExecStart|command)[^\S\n]*=[^\S\n]*[-@+!:]*((?:\\\r?\n|[^\n])*)", re.MULTILINE
)
_YAML_COMMAND = re.compile(
    r"^(?P<indent>[^\S\n]*)(?:-[^\S\n]+)?(?:command|entrypoint|startCommand)[^\S\n]*:"
    r"[^\S\n]*(?P<value>[^\n]*)",
    re.MULTILINE,
)
_YAML_BLOCK = re.compile(r"[|>][-+\d]*[^\S\n]*(#[^\n]*)?$")
_VARIABLE = (
    r"^(?![^\S\n]*[#;])[^\n]*?(?<!\$\{{)(?<![\w$]){name}[\"']?[^\S\n]*[=:\s][^\S\n]*[\"']?"
    r"(\w[^\s\"'}}]*)"
)


@dataclass(frozen=True, slots=True)
class ProductionFile:
    """One file that says how the app is run in production.

    Attributes:
        path: Where it is.
        text: Its contents; stages of a Dockerfile that are for development are blank.
        commands: The simple commands in it.
    """

    path: Path
    text: Text
    commands: tuple[Words, ...]

    def find_variable(self, name: str) -> Iterator[tuple[str, int]]:
        """Yield each value that the file gives to an environment variable, and its offset."""
        pattern = re.compile(_VARIABLE.format(name=re.escape(name)), re.MULTILINE)
        for match in pattern.finditer(self.text.contents):
            yield match[1], match.start(0) + match[0].rindex(name)


def read_production_files(root: Path) -> Iterator[ProductionFile]:
    """Yield the production files of a project, in the order of their names."""
    for path in _walk(root):
        relative = path.relative_to(root)
        split = _choose_reader(relative)
        if split is None:
            continue
        try:
            contents = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # a broken link, or no text: then it starts nothing either
        if split is _split_dockerfile:
            contents = _blank_stages(contents)
        text = Text(relative.as_posix(), contents)
        yield ProductionFile(path, text, tuple(split(text)))


def _walk(root: Path) -> Iterator[Path]:
    for current, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and name[0] != "."
        )
        yield from (Path(current, name) for name in sorted(files))


def _choose_reader(relative: Path) -> Callable[[Text], Iterator[Words]] | None:
    """Return what reads a file of that name, or None when it says nothing of production."""
    path = relative.as_posix().lower()
    if _NOT_PRODUCTION & set(re.split(r"[^a-z0-9]+", path)):
        return None
    for pattern, reader in _READERS:
        if re.search(pattern, path):
            return reader
    return None


def _split_nothing(text: Text) -> Iterator[Words]:
    yield from ()


def _split_script(text: Text) -> Iterator[Words]:
    return text.split_commands(0, len(text.contents))


def _split_procfile(text: Text) -> Iterator[Words]:
    for match in _DEFINITION.finditer(text.contents):
        yield from text.split_commands(*match.span(2))


def _split_unit(text: Text) -> Iterator[Words]:
    """Split the units of systemd and the programs of Supervisor."""
    for match in _UNIT_COMMAND.finditer(text.contents):
        yield from text.split_commands(*match.span(1))


def _split_dockerfile(text: Text) -> Iterator[Words]:
    entry: tuple[Words, ...] = ()
    command: tuple[Words, ...] = ()
    for match in _INSTRUCTION.finditer(text.contents):
        words = tuple(_split_form(text, *match.span(2)))
        match match[1].upper():
            case "CMD":
                command = words
            case "ENTRYPOINT":
                entry = words
            case _:
                yield from _join_entry(entry, command)
                entry = command = ()
    yield from _join_entry(entry, command)


def _split_form(text: Text, start: int, end: int) -> Iterator[Words]:
    """Split what Docker calls the exec form, a list, or the shell form."""
    if text.contents[start:end].lstrip().startswith("["):
        closing = text.contents.rfind("]", start, end)
        return text.split_list(start, closing if closing > 0 else end)
    return text.split_commands(start, end)


def _join_entry(entry: tuple[Words, ...], command: tuple[Words, ...]) -> tuple[Words, ...]:
    """Return what a container runs: the command is the entry point's further arguments."""
    if not entry or not command:
        return entry or command
    return (*entry[:-1], entry[-1] + command[0], *command[1:])


def _blank_stages(contents: str) -> str:
    """Return a Dockerfile with spaces in place of the stages that are not for production."""
    starts = (
        match.start() for match in _INSTRUCTION.finditer(contents) if match[1].upper() == "FROM"
    )
    bounds = [*starts, len(contents)]
    parts = [contents[: bounds[0]]]
    for start, end in pairwise(bounds):
        stage = contents[start:end]
        name = re.search(r"\sAS\s+([\w.-]+)", stage.partition("\n")[0], re.IGNORECASE)
        words = set(re.split(r"[^a-z0-9]+", name[1].lower())) if name else set()
        parts.append(re.sub(r"[^\n]", " ", stage) if words & _NOT_PRODUCTION else stage)
    return "".join(parts)


def _split_yaml(text: Text) -> Iterator[Words]:
    for match in _YAML_COMMAND.finditer(text.contents):
        start, line_end = match.span("value")
        end = _find_block_end(text.contents, line_end, len(match["indent"]))
        value = match["value"].strip()
        if value.startswith("["):
            closing = text.contents.find("]", start)
            yield from text.split_list(start, closing if closing > 0 else end)
        elif _YAML_BLOCK.match(value):
            yield from text.split_commands(line_end, end, folded=value[0] == ">")
        elif not value or value[0] == "#":
            yield from _split_items(text, line_end, end)
        elif value[0] in "'\"" and value.find(value[0], 1) == len(value) - 1:
            yield from text.split_commands(start + 1, start + len(value) - 1)
        else:
            yield from text.split_commands(start, end, folded=True)


def _find_block_end(contents: str, offset: int, indent: int) -> int:
    """Return where the lines end that belong to a key of that indentation."""
    for match in re.finditer(r"\n([^\S\n]*)(-[^\S\n])?(?=\S)", contents[offset:]):
        is_inside = len(match[1]) > indent or (len(match[1]) == indent and match[2])
        if not is_inside:
            return offset + match.start()
    return len(contents)


def _split_items(text: Text, start: int, end: int) -> Iterator[Words]:
    """Split a list with an item a line."""
    words: Words = ()
    for match in re.finditer(r"\n[^\S\n]*-[^\S\n]+([^\n]*)", text.contents[start:end]):
        for item in text.split_list(start + match.start(1), start + match.end(1)):
            words += item
    if words:
        yield words


# By the path below the project's root, in lower case.
_READERS: tuple[tuple[str, Callable[[Text], Iterator[Words]]], ...] = (
    (r"(^|/)procfile$", _split_procfile),
    (r"(^|/)(dockerfile|containerfile)(\.[^/]*)?$|\.dockerfile$", _split_dockerfile),
    (r"(^|/)((docker-)?compose[^/]*|app|render)\.ya?ml$", _split_yaml),
    (r"\.(service|conf|ini)$", _split_unit),
    (
        r"(^|/)((docker|container)-?)?(boot|entry-?point|gunicorn|serve|start)[^/.]*(\.sh)?$",
        _split_script,
    ),
    (r"(^|/)(deploy|deployment|docker|ops)/(.*/)?[^/]*\.sh$", _split_script),
    (r"(^|/)(\.env\.prod[^/]*|prod[^/]*\.env)$", _split_nothing),
)
