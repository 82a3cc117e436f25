"""Where in the code something happens, before it is known whether that is worth noting."""

from __future__ import annotations

from collections.abc import Callable

from flasync.toolkit.graph import CallSite


class Spot:
    """A node at hand: the call site that it becomes once it calls or blocks.

    Args:
        find_site: Returns the site, made when it is first asked for.
        given: What to call it with.
    """

    __slots__ = ("_find_site", "_given")

    def __init__(self, find_site: Callable[..., CallSite], *given: object) -> None:
        self._find_site = find_site
        self._given = given

    @property
    def site(self) -> CallSite:
        """The call site."""
        return self._find_site(*self._given)
