"""Whether two stacks gave the same answer: status, headers and body."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flasync.toolkit.verifying.run import Sameness
from flasync.toolkit.verifying.sending import Answer

# A body of which nothing stays the same between two requests to one stack: it tells nothing.
CHANGES_BY_ITSELF = "changes by itself"

# What a server adds or chooses, and no app; the length is that of the body, which is compared.
_OF_SERVERS = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "server-timing",
        "transfer-encoding",
    }
)

# Bytes of a body that are shown where two differ, and how many of them are before that place.
_SHOWN_BYTES = 40
_SHOWN_BEFORE = 12

# A word of a body, as a token or a time is one, or what is between two of them.
_WORD = re.compile(rb"[\w.+/=%-]+|[^\w.+/=%-]+")


@dataclass(frozen=True, slots=True)
class Answers:
    """What one stack answered to the same request, again and again."""

    url: str
    """Of the stack: absolute links in the answers differ by it alone."""
    answers: Sequence[Answer]

    def list_statuses(self) -> list[str]:
        """Return the statuses without repetition, in order."""
        return sorted({str(answer.request.status or "none") for answer in self.answers})

    def list_headers(self) -> dict[str, set[str]]:
        """Return the values of each header of the app, by its name in lower case.

        One value for each answer: that of a header which comes several times is all of them. "" is
        that of an answer without it.
        """
        rows = [self._collect_headers(answer) for answer in self.answers]
        return {name: {row.get(name, "") for row in rows} for row in rows for name in row}

    def list_bodies(self) -> set[bytes]:
        """Return the bodies without repetition."""
        netloc = urlsplit(self.url).netloc.encode()
        return {answer.body.replace(netloc, b"") for answer in self.answers}

    def _collect_headers(self, answer: Answer) -> dict[str, str]:
        values = defaultdict(list)
        for name, value in answer.headers:
            if name.lower() not in _OF_SERVERS:
                shown = _hide_values(value) if name.lower() == "set-cookie" else value
                values[name.lower()].append(shown.replace(urlsplit(self.url).netloc, ""))
        return {name: ", ".join(sorted(group)) for name, group in values.items()}


def compare(before: Answers, after: Answers) -> Sameness:
    """Return in what the answers of two stacks differ.

    What differs also between two answers of one stack, as a token in a page does, is no difference.

    Args:
        before: One answer at least; two or more tell what changes by itself.
        after: The same of the stack in question.
    """
    return Sameness(
        _compare_statuses(before, after),
        _compare_headers(before.list_headers(), after.list_headers()),
        _compare_bodies(before.list_bodies(), after.list_bodies()),
    )


def _compare_statuses(before: Answers, after: Answers) -> str:
    first, second = before.list_statuses(), after.list_statuses()
    return "" if first == second else f"{_join(first)} became {_join(second)}"


def _join(words: Iterable[str]) -> str:
    return " or ".join(words)


def _compare_headers(before: dict[str, set[str]], after: dict[str, set[str]]) -> str:
    differences = []
    for name in sorted(before.keys() | after.keys()):
        first, second = before.get(name, {""}), after.get(name, {""})
        if first & second or max(len(first), len(second)) > 1:
            continue  # the same, or it changes by itself
        differences.append(f"{name.title()}: {_show(first)} became {_show(second)}")
    return "; ".join(differences)


def _show(values: set[str]) -> str:
    (value,) = values
    return repr(value) if value else "none"


def _compare_bodies(before: set[bytes], after: set[bytes]) -> str:
    if before == after:
        return ""
    first, second = _find_pattern(before), _find_pattern(after)
    if first is None or second is None:
        return CHANGES_BY_ITSELF
    if len(first) == len(second):
        is_fixed = [None not in pair for pair in zip(first, second, strict=True)]
        first, second = (list(map(_hide, pattern, is_fixed)) for pattern in (first, second))
    return _describe_difference(*(b"".join(map(_fill, pattern)) for pattern in (first, second)))


def _find_pattern(bodies: set[bytes]) -> list[bytes | None] | None:
    """Return the words of all bodies of a stack, None for each that is not the same in all.

    Such words are the tokens, times and numbers in a page. None for all: they have no word in
    common, or not the same number of them.
    """
    rows = [_WORD.findall(body) for body in bodies]
    if len({len(row) for row in rows}) > 1:
        return None
    pattern = [row[0] if len(set(row)) == 1 else None for row in zip(*rows, strict=True)]
    has_fixed_words = any(word is not None and word[:1].isalnum() for word in pattern)
    return pattern if has_fixed_words or None not in pattern else None


def _hide(word: bytes | None, is_fixed: bool) -> bytes | None:
    return word if is_fixed else None


def _fill(word: bytes | None) -> bytes:
    return "…".encode() if word is None else word


def _describe_difference(first: bytes, second: bytes) -> str:
    if first == second:
        return ""
    same = os.path.commonprefix([first, second])  # noqa: RUF071  of any sequences, not of paths
    start = max(0, len(same) - _SHOWN_BEFORE)
    shown = [_show_body(body[start : start + _SHOWN_BYTES]) for body in (first, second)]
    return f"{shown[0]} became {shown[1]}"


def _show_body(part: bytes) -> str:
    return repr(part.decode(errors="replace"))


def _hide_values(cookie: str) -> str:
    """Return a Set-Cookie without the value, which is signed with the time, and its dates."""
    name, _, rest = cookie.partition("=")
    attributes = [part.strip() for part in rest.split(";")[1:]]
    kept = [part for part in attributes if not part.lower().startswith("expires=")]
    return "; ".join([f"{name.strip()}=…", *kept])
