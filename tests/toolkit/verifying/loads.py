"""Loads as a client would have measured them."""

from flasync.toolkit.verifying.run import Load, Mark, Ping, Request


def build_request(
    start_ms: float, end_ms: float, *marks: Mark, status: int | None = 200, failure: str = ""
) -> Request:
    """A request that was answered at its end."""
    return Request(
        start_ms, start_ms, start_ms, end_ms, end_ms, status, failure or None, marks=marks
    )


def build_load(
    alone_ms: float,
    *requests: Request,
    cpu_ms: float | None = 0.0,
    pings: tuple[float, ...] = (),
) -> Load:
    """A load of these requests, beside one that took so long alone."""
    return Load(
        baseline=(build_request(0, alone_ms),),
        requests=requests,
        calm=(Ping(0, 1),),
        pings=tuple(Ping(0, length) for length in pings),
        cpu_ms=cpu_ms,
        wall_ms=max(request.end_ms for request in requests),
    )
