"""`asgiref.sync.async_to_sync` on the event loop: third-party sync code that runs a coroutine.

Flask's own `ensure_sync` makes such callables for extensions, some of which keep what they get
from before `ASGI(app)` existed. Called on a running loop, asgiref can only refuse. In a request
greenlet there is another way, and it is taken; everywhere else asgiref does what it does.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import AsyncToSync
from greenlet import getcurrent

from flasync.bridge import RequestGreenlet, await_

_original = AsyncToSync.__call__


def install() -> None:
    """Have `async_to_sync` wait through the bridge wherever a request runs on the loop."""
    AsyncToSync.__call__ = _call  # type: ignore[method-assign]  # asgiref has no seam for this


def _call(self: AsyncToSync[..., Any], *args: Any, **kwargs: Any) -> Any:
    if type(getcurrent()) is RequestGreenlet:
        return await_(self.awaitable(*args, **kwargs))
    return _original(self, *args, **kwargs)
