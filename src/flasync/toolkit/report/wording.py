"""The words that reports share: kinds, verdicts, numbers, lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flasync.toolkit.finding import Evidence, Finding, Place, RouteReport, Verdict

# What a route waits for, by `Finding.kind`, the most promising first: waiting for other machines
# takes longest, and all of it can be awaited.
KINDS = {
    "network": "the network",
    "sleep": "a fixed time",
    "database": "the database",
    "subprocess": "other programs",
    "dns": "name look-ups",
    "lock": "locks",
    "disk": "the disk",
    "console": "the console",
    "cpu": "computing",
}
_SHORT_KINDS = {
    "subprocess": "other programs",
    "dns": "name look-ups",
    "lock": "locks",
    "cpu": "computing",
}
VERDICTS = {
    Verdict.READY: "nothing on the way blocks: it may run on the event loop as it is",
    Verdict.FIXABLE: "calls that wait can be awaited, or their client swapped for an async one",
    Verdict.OFFLOAD: "it waits in calls without an async version: they belong in threads",
    Verdict.LEAVE: "nothing to gain: it computes, or hardly waits",
    Verdict.UNKNOWN: "calls on its way lead to what flasync does not know",
}

_SECOND_MS = 1000.0
_PRECISE_BELOW = 10.0


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 route", "1,200 routes"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def join(items: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def join_routes(routes: Sequence[str], limit: int) -> str:
    """Return the first `limit` routes joined, and how many more there are.

    By semicolons, since "GET, POST /login" is one route.
    """
    if len(routes) <= limit + 1:  # "and 1 more" is no shorter than the route itself
        return "; ".join(routes)
    return f"{'; '.join(routes[:limit])}; and {len(routes) - limit:,} more"


def format_duration(ms: float) -> str:
    """Return "3.2 ms", "318 ms" or "3.7 s"."""
    if ms >= _SECOND_MS:
        return f"{ms / _SECOND_MS:.1f} s"
    return f"{ms:.1f} ms" if ms < _PRECISE_BELOW else f"{ms:.0f} ms"


def format_share(share: float) -> str:
    """Return "94 %"."""
    return f"{share * 100:.0f} %"


def sort_kinds(kinds: Iterable[str]) -> list[str]:
    """Return kinds once each, the most promising first."""
    order = list(KINDS)
    return sorted(set(kinds), key=lambda kind: order.index(kind) if kind in order else len(order))


def describe_waiting(route: RouteReport) -> str:
    """Return what a route waits for: "network, database (hooks: disk)". Empty: nothing."""
    hits = [hit for hit in route.hits if hit.finding.kind]
    own = sort_kinds(hit.finding.kind for hit in hits if hit.entry == "view")
    around = [kind for kind in sort_kinds(hit.finding.kind for hit in hits) if kind not in own]
    if not own:
        return f"{_name_kinds(around)}, in hooks" if around else ""
    return _name_kinds(own) + (f" (hooks: {_name_kinds(around)})" if around else "")


def describe_entry(entry: str) -> str:
    """Return where a chain begins: ", in a before_request that runs for it"; empty for a view."""
    if entry == "view":
        return ""
    article = "an" if entry[:1] in "aeio" else "a"  # not "u": a url_value_preprocessor
    return f", in {article} {entry} that runs for it"


def describe_evidence(finding: Finding) -> str:
    """Return how a finding is known beyond its chain; empty when nothing was observed."""
    if finding.evidence is Evidence.UNREACHED:
        return "the observed run did not come here"
    seen = finding.observed
    if seen is None:
        return ""
    parts = [f"waited {format_duration(seen.waited_ms)}"] if seen.waited_ms else []
    if seen.cpu_ms:
        parts.append(f"computed {format_duration(seen.cpu_ms)}")
    only = ", found only by running" if finding.evidence is Evidence.OBSERVED else ""
    return f"observed: {count(seen.count, 'request')} {' and '.join(parts)}{only}"


def shorten_place(place: Place) -> str:
    """Return a place without the folder of installed packages, where it is in one."""
    return str(place).rpartition("/site-packages/")[2]


def crop(text: str, length: int) -> str:
    """Return a text cut to a length in characters, with dots where something is missing."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def end_sentence(text: str) -> str:
    """Return a text with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def shorten_function(name: str, file: str) -> str:
    """Return a qualified name without its module, as far as the file's name tells it."""
    if name.startswith(("template ", "macro ")):
        return name.partition(" ")[0]  # its file stands beside it
    parts = name.replace(".<locals>", "").split(".")
    folders = file.removesuffix(".py").removesuffix("/__init__").split("/")
    for start in range(len(folders)):
        module = folders[start:]
        if parts[: len(module)] == module and len(parts) > len(module):
            return ".".join(parts[len(module) :])
    return ".".join(parts)


def _name_kinds(kinds: Iterable[str]) -> str:
    return ", ".join(_SHORT_KINDS.get(kind, kind) for kind in kinds)
