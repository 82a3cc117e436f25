"""What the rules of blocking calls have in common: one finding a place and callable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from flasync.toolkit.async_urls import are_databases_async
from flasync.toolkit.finding import Finding, Place, Severity
from flasync.toolkit.graph import CallSite, FunctionNode, Usage
from flasync.toolkit.knowledge import AttributeRead, Blocking, Kind, Way
from flasync.toolkit.request_walk import list_blocking_sites
from flasync.toolkit.rules.rule import Program, Rule

# A recipe that begins with code, and not with a verb: "await …(", "response = …", "for x in …".
_CODE = re.compile(r"await \S*[.(]|for |[\w, ]+ = |\w+\.")


class BlockingCallRule(Rule):
    """A rule for the calls that wait for one kind of thing while a request runs.

    The same call is worse in code that runs on the event loop, where every request waits with it,
    than in a worker thread, which only that request holds.
    """

    kind: ClassVar[Kind]
    """Which calls it is about."""
    waiting: ClassVar[str]
    """What they do, as the predicate of a sentence: "waits for the network"."""
    on_loop: ClassVar[Severity] = Severity.ERROR
    """How severe such a call is in code of an async view."""
    in_thread: ClassVar[Severity] = Severity.WARNING
    """How severe it is in code of a sync view."""

    def find(self, program: Program) -> Iterable[Finding]:
        """Return the calls of this kind that requests run themselves, each once."""
        found: dict[tuple[Place, str], tuple[bool, Finding]] = {}
        has_async_databases = are_databases_async(program.app)
        for function, on_loop, site in list_blocking_sites(program):
            if not self.accepts(site) or (has_async_databases and _is_of_sqlalchemy(site)):
                continue
            finding = self._build(site, function, on_loop)
            key = finding.place, finding.subject
            known_on_loop, _ = found.get(key, (False, None))
            if key not in found or (on_loop and not known_on_loop):
                found[key] = on_loop, finding
        return [finding for _, finding in found.values()]

    def accepts(self, site: CallSite) -> bool:
        """Return whether a call site is one that this rule is about."""
        if site.blocking is None or site.usage is Usage.AWAITED:
            return False
        known = site.blocking.known
        return isinstance(known, Blocking) and known.kind is self.kind

    def describe(self, subject: str, on_loop: bool) -> str:
        """Return the sentence that says what a call does and why it matters."""
        if on_loop:
            return (
                f"`{subject}` {self.waiting} in code of an async view:"
                " no other async request is served meanwhile"
            )
        return f"`{subject}` {self.waiting}, and its thread serves nobody else meanwhile"

    def _build(self, site: CallSite, function: FunctionNode, on_loop: bool) -> Finding:
        assert site.blocking is not None  # noqa: S101  `accepts` has seen it
        known = site.blocking.known
        way = Way.BRIDGE if isinstance(known, AttributeRead) else known.way
        severity = self.on_loop if on_loop else self.in_thread
        return Finding(
            code=self.code,
            rule=self.name,
            severity=Severity.NOTE if way is Way.LEAVE else severity,
            place=site.place,
            message=self.describe(_name_call(site), on_loop),
            advice=_advise(way, known.recipe, on_loop),
            subject=site.blocking.name,
            function=function.name,
            kind=self.kind.value,
            way=way.value,
        )


def _is_of_sqlalchemy(site: CallSite) -> bool:
    """Return whether SQLAlchemy waits there: with an async driver, it gives the thread free."""
    assert site.blocking is not None  # noqa: S101  `accepts` has seen it
    known = site.blocking.known
    name = known.descriptor if isinstance(known, AttributeRead) else site.blocking.name
    return name.startswith(("sqlalchemy.", "flask_sqlalchemy."))


def _advise(way: Way, recipe: str, on_loop: bool) -> str:
    """Return the recipe as a sentence of its own."""
    if way is Way.OFFLOAD and not on_loop:
        return f"Leave the view sync, in its thread; if it becomes async: {recipe}."
    if _CODE.match(recipe):
        return f"Write: {recipe}."
    return f"{recipe[0].upper()}{recipe[1:]}."


def _name_call(site: CallSite) -> str:
    """Return what to call a call site: its dotted name, or as written where that says more."""
    assert site.blocking is not None  # noqa: S101  only blocking sites are named
    name = site.blocking.name
    # Iteration, `with` and `in` have the names of the methods behind them, which nobody wrote.
    written = name.endswith("__") or isinstance(site.blocking.known, AttributeRead)
    return site.text if written and site.text else name
