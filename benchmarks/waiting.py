"""Many requests at once that each await one second: a small client on raw asyncio sockets."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import psutil
import uvloop

from benchmarks.load import WrongAnswer, check_answer
from benchmarks.progress import progress
from benchmarks.routes import WAIT, WAIT_S
from benchmarks.servers import HOST, StartError, resident_bytes, serve
from benchmarks.stacks import Stack

SAMPLE_S = 0.02
"""How often the server's memory is read while the requests wait."""
PER_ADDRESS = 2_000
"""Connections from one source address; far below the 28,000 ephemeral ports of Linux."""
BATCH = 1_000
"""Connections opened together; so that they never overrun the kernel's accept queue (4,096)."""
BATCH_S = 0.1
"""Seconds between batches: 9,000 requests are sent within 0.8 s, before the first is answered."""
MARGIN_S = 60.0
"""How much longer than ideal a burst may take; what is open then counts as an error."""
TOO_LONG_S = 60.0
"""A burst whose ideal time is longer is not sent: its result is known beforehand."""
WARM_UP_REQUESTS = 64

REQUEST = f"GET {WAIT.target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@dataclass(frozen=True)
class Burst:
    """What became of one burst of requests.

    Attributes:
        size: Requests sent.
        wall_s: From the first connect to the last answer.
        p99_s: 99th percentile of the answered requests' own times, connect included; not a
            number when none was answered.
        errors: How many requests failed, by what was seen.
        memory_bytes: Growth of the server's resident memory at its peak.
        cpu_us: Processor time of the server a request, kernel included.
    """

    size: int
    wall_s: float
    p99_s: float
    errors: dict[str, int]
    memory_bytes: int
    cpu_us: float = 0.0


@dataclass
class WaitingResults:
    """All bursts of one benchmark.

    Attributes:
        bursts: By stack name, then by size: one Burst a round.
        failures: By stack name: what kept a burst from being sent, first failure only.
    """

    bursts: dict[str, dict[int, list[Burst]]]
    failures: dict[str, str] = field(default_factory=dict)


def ideal_s(stack: Stack, size: int) -> float:
    """Seconds that a burst takes if nothing but waiting costs time."""
    return WAIT_S if stack.slots is None else -(-size // stack.slots) * WAIT_S


def measure_waiting(
    stacks: Sequence[Stack], sizes: Sequence[int], rounds: int, server_core: int | None
) -> WaitingResults:
    """Rounds over all stacks and sizes, each burst on a fresh server.

    Stacks with few slots take long in every round, so they are measured in the first only, and
    not at all where the ideal time is above TOO_LONG_S.
    """
    results = WaitingResults({s.name: {size: [] for size in sizes} for s in stacks})
    for number in range(rounds):
        for size in sizes:
            for stack in stacks:
                if ideal_s(stack, size) > TOO_LONG_S or (number and stack.slots is not None):
                    continue
                try:
                    burst = measure_burst(stack, size, server_core)
                except (StartError, WrongAnswer) as error:
                    results.failures.setdefault(stack.name, str(error))
                    progress(str(error))
                else:
                    results.bursts[stack.name][size].append(burst)
            progress(f"waiting requests: round {number + 1} of {rounds}, {size} at once")
    return results


def measure_burst(stack: Stack, size: int, server_core: int | None) -> Burst:
    """Starts the stack, warms it up, sends `size` requests at once and waits for all.

    Raises:
        StartError: The stack did not start.
        WrongAnswer: It does not answer the request even alone.
    """
    with serve(stack, server_core) as server:
        check_answer(server, WAIT)
        processes = server.processes()
        # Threads, buffers and modules that come with the first requests are not a request's cost.
        uvloop.run(send_at_once(server.port, WARM_UP_REQUESTS, MARGIN_S, processes))
        timeout_s = ideal_s(stack, size) + MARGIN_S
        before_s = server.cpu_s()
        burst = uvloop.run(send_at_once(server.port, size, timeout_s, processes))
        return replace(burst, cpu_us=(server.cpu_s() - before_s) / size * 1e6)


async def send_at_once(
    port: int, size: int, timeout_s: float, processes: list[psutil.Process]
) -> Burst:
    """Opens `size` connections with one request each, none waiting for another's answer.

    A connection that finds the accept queue full is not refused: the kernel tries again after 1,
    3, 7, 15, 31 s, and what would be measured is that. Hence the batches.
    """
    loop = asyncio.get_running_loop()
    memory = PeakMemory(processes)
    before_bytes = memory.peak_bytes
    watching = loop.create_task(memory.watch())
    start = time.perf_counter()
    tasks = [loop.create_task(send_one(port, number)) for number in range(size)]
    _, unanswered = await asyncio.wait(tasks, timeout=timeout_s)
    wall_s = time.perf_counter() - start
    watching.cancel()
    for task in unanswered:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    times_s = sorted(outcome for outcome in outcomes if isinstance(outcome, float))
    return Burst(
        size=size,
        wall_s=wall_s,
        p99_s=times_s[len(times_s) * 99 // 100] if times_s else float("nan"),
        errors=dict(Counter(name_error(o) for o in outcomes if isinstance(o, BaseException))),
        memory_bytes=memory.peak_bytes - before_bytes,
    )


async def send_one(port: int, number: int) -> float:
    """One connection, one request; the seconds from its start until its whole answer is there.

    Raises:
        OSError: The connection failed.
        WrongAnswer: The connection ended without the right answer.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(number // BATCH * BATCH_S)
    start = time.perf_counter()
    transport, answer = await loop.create_connection(
        lambda: Answer(loop.create_future()), HOST, port, local_addr=(source_address(number), 0)
    )
    try:
        await answer.complete
    finally:
        transport.close()
    return time.perf_counter() - start


class Answer(asyncio.Protocol):
    """Sends the request on connecting; `complete` is done when the right answer is there."""

    def __init__(self, complete: asyncio.Future[None]) -> None:
        """Takes the future that is done, or fails, with the answer."""
        self.complete = complete
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the request."""
        cast("asyncio.WriteTransport", transport).write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Is done when the right answer is there."""
        self.received += data
        right = self.received.startswith(b"HTTP/1.1 200") and WAIT.accepts(self.received)
        if right and not self.complete.done():
            self.complete.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fails if the answer was not right by now."""
        if not self.complete.done():
            status_line = self.received.split(b"\r\n", 1)[0].decode(errors="replace")
            self.complete.set_exception(exc or WrongAnswer(status_line or "closed, no answer"))


class PeakMemory:
    """The highest resident memory of some processes so far.

    Attributes:
        peak_bytes: All processes together.
    """

    def __init__(self, processes: list[psutil.Process]) -> None:
        """Looks for the first time."""
        self.processes = processes
        self.peak_bytes = resident_bytes(processes)

    async def watch(self) -> None:
        """Looks again every SAMPLE_S, until cancelled."""
        while True:
            self.peak_bytes = max(self.peak_bytes, resident_bytes(self.processes))
            await asyncio.sleep(SAMPLE_S)


def source_address(number: int) -> str:
    """The loopback address that connection `number` comes from."""
    return f"127.0.0.{1 + number // PER_ADDRESS}"


def name_error(error: BaseException) -> str:
    """What the report calls it."""
    if isinstance(error, asyncio.CancelledError):
        return "no answer in time"
    if isinstance(error, WrongAnswer):
        return str(error)
    return type(error).__name__
