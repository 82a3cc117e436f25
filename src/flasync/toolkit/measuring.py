"""Sending one request, then many at once, and noting when each began and ended."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

# Baseline requests, sent one after another: three for a median, fewer once they have taken this
# many milliseconds together, so that slow routes are not measured for minutes.
_BASELINE_REQUESTS = 3
_BASELINE_BUDGET_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One request as the client saw it."""

    start_ms: float
    """Since the first request of its group was sent."""
    end_ms: float
    """When the body was complete, or the request had failed."""
    status: int | None
    """None: there was no response."""
    failure: str | None = None
    """Why there was no response."""

    @property
    def duration_ms(self) -> float:
        """Milliseconds from sending to the end of the body."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of `measure` has seen."""

    baseline: tuple[Sample, ...]
    """Requests sent one after another, after a warm-up request that is not kept."""
    samples: tuple[Sample, ...]
    """Requests sent at once."""

    @property
    def baseline_ms(self) -> float:
        """The median duration of a request that has the server to itself."""
        return statistics.median(sample.duration_ms for sample in self.baseline)

    @property
    def wall_ms(self) -> float:
        """Milliseconds from the first of the requests sent at once to the end of the last."""
        return max(sample.end_ms for sample in self.samples) - min(
            sample.start_ms for sample in self.samples
        )


def measure(url: str, requests: int, timeout_s: float) -> Measurement:
    """Return how long one request to `url` takes, and how long many at once take.

    Args:
        url: What is fetched with GET.
        requests: How many are sent at once.
        timeout_s: Seconds after which a request counts as failed.
    """
    return asyncio.run(_measure(url, requests, timeout_s))


async def _measure(url: str, requests: int, timeout_s: float) -> Measurement:
    async with AsyncExitStack() as stack:
        clients = _build_clients(requests, timeout_s)
        for client in clients:
            await stack.enter_async_context(client)
        warm_up = await _fetch(clients[0], url, time.perf_counter())
        baseline = [] if warm_up.failure is None else [warm_up]
        while len(baseline) < _BASELINE_REQUESTS and _has_budget(baseline):
            baseline.append(await _fetch(clients[0], url, time.perf_counter()))
        start = time.perf_counter()
        samples = await asyncio.gather(*(_fetch(client, url, start) for client in clients))
    return Measurement(tuple(baseline), tuple(samples))


def _build_clients(count: int, timeout_s: float) -> list[httpx.AsyncClient]:
    """Return a client for each request.

    One client's pool of many connections costs more the more there are: it took 827 ms for 100
    requests of 200 ms, where these take 390 ms.
    """
    context = ssl.create_default_context()  # Never used, but making one a client takes 20 ms each.
    return [
        # Proxies of the environment are not asked for what is on loopback.
        httpx.AsyncClient(timeout=timeout_s, verify=context, trust_env=False)
        for _ in range(count)
    ]


def _has_budget(baseline: list[Sample]) -> bool:
    return sum(sample.duration_ms for sample in baseline) < _BASELINE_BUDGET_MS


async def _fetch(client: httpx.AsyncClient, url: str, origin: float) -> Sample:
    start_ms = (time.perf_counter() - origin) * 1000
    status, failure = None, None
    try:
        status = (await client.get(url)).status_code
    except httpx.HTTPError as error:
        failure = f"{type(error).__name__}: {error}".rstrip(": ")
    return Sample(start_ms, (time.perf_counter() - origin) * 1000, status, failure)
