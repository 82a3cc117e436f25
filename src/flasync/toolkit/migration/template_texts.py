"""Which attributes the project's templates read, in files and in texts of its code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from flasync.toolkit.finding import Place
from flasync.toolkit.rules import Program

_ENDINGS = (".htm", ".html", ".j2", ".jinja", ".jinja2", ".md", ".svg", ".text", ".txt", ".xml")
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "static"})
# What Jinja runs of a template.
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# `.name`, and `"name"` for the filters `attr` and `map`.
_ATTRIBUTE = re.compile(r"""[.'"]\s*([^\W\d]\w*)""")
# No template of a person's is longer: bytes.
_MOST_BYTES = 1_000_000


class TemplateTexts:
    """The attributes in the code of all templates.

    Args:
        program: The project.
    """

    def __init__(self, program: Program) -> None:
        self._program = program

    def find_attribute(self, identifier: str) -> Place | None:
        """Return where a template may read an attribute of that name, or None.

        A name without an object before it is one that the code hands over by that name.
        """
        return self._attributes.get(identifier)

    @cached_property
    def _attributes(self) -> dict[str, Place]:
        found: dict[str, Place] = {}
        for name, text in self._list_texts():
            if "{{" not in text and "{%" not in text:
                continue
            for code in _CODE.finditer(text):
                line = text.count("\n", 0, code.start()) + 1
                for word in _ATTRIBUTE.findall(code[0]):
                    found.setdefault(word, Place(name, line))
        return found

    def _list_texts(self) -> Iterator[tuple[str, str]]:
        """Yield the name and contents of each file that may be a template or hold one."""
        sources = self._program.sources
        for source in sources.list_files():
            yield source.name, source.text
        for folder in self._list_folders():
            for path in _walk(folder):
                yield sources.name(path), path.read_text(encoding="utf-8", errors="replace")

    def _list_folders(self) -> list[Path]:
        """Return the project's folders, and the template folders of app and blueprints."""
        folders = [self._program.sources.root, *self._program.sources.packages]
        app = self._program.app
        for owner in (app, *app.blueprints.values()) if app is not None else ():
            if owner.template_folder:
                folders.append(Path(owner.root_path, owner.template_folder).resolve())
        found: list[Path] = []
        for folder in folders:
            if folder.is_dir() and not any(folder.is_relative_to(known) for known in found):
                found.append(folder)
        return found


def _walk(folder: Path) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if name[0] != "."
            and name not in _SKIPPED_FOLDERS
            and not os.path.exists(os.path.join(current, name, "pyvenv.cfg"))
        ]
        for name in sorted(names):
            path = Path(current, name)
            if name.endswith(_ENDINGS) and path.stat().st_size <= _MOST_BYTES:
                yield path
