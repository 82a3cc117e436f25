"""Which findings do not count: unselected ones, those of ignored files, and `# noqa` lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from flasync.toolkit.finding import Finding, ScanReport
from flasync.toolkit.project_settings import ProjectSettings

# The comment alone, or with codes: letters and digits, separated by commas or blanks.
_NOQA = re.compile(
    r"#\s*noqa(?![\w-])(?:\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*))?",
    re.IGNORECASE,
)


def is_suppressed(finding: Finding, settings: ProjectSettings, line: str) -> bool:
    """Return whether a finding does not count.

    Args:
        finding: The finding.
        settings: The project's, with the codes that the command line selects or ignores.
        line: The source line it stands in.
    """
    return (
        not is_selected(finding.code, settings.select, settings.ignore)
        or has_noqa(line, finding.code)
        or any(
            _match_longest(finding.code, codes) and matches_glob(finding.place.file, glob)
            for glob, codes in settings.per_file_ignores
        )
    )


def is_selected(code: str, select: Iterable[str], ignore: Iterable[str]) -> bool:
    """Return whether a rule counts: the longest match decides, and `ignore` where both are equal.

    Args:
        code: The rule's code.
        select: Codes or their beginnings; empty: all.
        ignore: Codes or their beginnings.
    """
    selected = tuple(select)
    chosen = _match_longest(code, selected) if selected else 1
    return chosen > _match_longest(code, ignore)


def has_noqa(line: str, code: str) -> bool:
    """Return whether a source line has a `# noqa` comment for every code, or for this one."""
    match = _NOQA.search(line)
    if match is None:
        return False
    if match["codes"] is None:
        # A colon without codes, as in "noqa: see below", is prose: it hides nothing.
        return not line[match.end() :].lstrip().startswith(":")
    return code.upper() in re.split(r"[\s,]+", match["codes"].upper())


def matches_glob(name: str, pattern: str) -> bool:
    """Return whether a file is meant by a glob.

    Args:
        name: The file, relative to the project's root, with forward slashes.
        pattern: `*` is anything within a folder, `**` any folders, `?` one character, `[ab]` one
            of them, `{a,b}` either. Without a slash it is looked for in every folder. A folder
            means all that is in it.
    """
    return _compile_glob(pattern).fullmatch(name) is not None


def drop_findings(report: ScanReport, is_dropped: Callable[[Finding], bool]) -> ScanReport:
    """Return a report without some findings, which are counted as suppressed."""
    kept = tuple(finding for finding in report.findings if not is_dropped(finding))
    routes = tuple(
        replace(route, hits=tuple(hit for hit in route.hits if not is_dropped(hit.finding)))
        for route in report.routes
    )
    suppressed = report.suppressed + len(report.findings) - len(kept)
    return replace(report, findings=kept, routes=routes, suppressed=suppressed)


def _match_longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=0)


@lru_cache(maxsize=256)
def _compile_glob(pattern: str) -> re.Pattern[str]:
    globs = _expand_braces(pattern.removeprefix("./").rstrip("/"))
    return re.compile("|".join(map(_translate_glob, globs)), re.DOTALL)


def _expand_braces(glob: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", glob)
    if match is None:
        return [glob]
    before, after = glob[: match.start()], glob[match.end() :]
    choices = match[1].split(",")
    return [whole for choice in choices for whole in _expand_braces(before + choice + after)]


_GLOB_PART = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", re.DOTALL)
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translate_glob(glob: str) -> str:
    beginning = "" if "/" in glob else "(?:.*/)?"
    parts = _GLOB_PART.findall(glob.removeprefix("/"))
    return beginning + "".join(map(_translate_part, parts)) + "(?:/.*)?"


def _translate_part(part: str) -> str:
    if part in _WILDCARDS:
        return _WILDCARDS[part]
    if len(part) == 1:
        return re.escape(part)
    characters = part[1:-1].replace("\\", r"\\")
    return f"[^{characters[1:]}]" if characters.startswith("!") else f"[{characters}]"
