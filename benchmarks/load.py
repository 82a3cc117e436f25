"""Requests a second of a running stack, through wrk."""

import contextlib
import http.client
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from benchmarks.progress import progress
from benchmarks.routes import JSON, ROUTES, Route
from benchmarks.servers import HOST, Server, StartError, serve
from benchmarks.stacks import Stack

CONNECTIONS = 64
WARM_UP_S = 1
TIMEOUT_S = 5
"""An answer later than this counts as an error."""
ANSWER_TIMEOUT_S = 20.0
SCRIPT = Path(__file__).with_name("wrk.lua")

MISSING_WRK = (
    "The load tool wrk is not installed, so requests a second cannot be measured. "
    "Install it with `apt-get install wrk` (Debian, Ubuntu) or `brew install wrk` (macOS)."
)


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw.

    Attributes:
        requests: Answers of any status.
        requests_per_s: The same, a second.
        cpu_us: Processor time of the server a request, kernel included.
        p50_ms: Median latency.
        p99_ms: 99th percentile of latency.
        errors: Answers of status 400 and above, failed connects, reads, writes, and timeouts.
    """

    requests: int
    requests_per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    errors: int


class WrongAnswer(Exception):
    """A stack answered something else than the benchmark asked for."""


def wrk_is_missing() -> bool:
    """True when the load tool cannot be found."""
    return shutil.which("wrk") is None


def check_answer(server: Server, route: Route) -> None:
    """Sends one request; figures for wrong answers would be worth nothing.

    Raises:
        WrongAnswer: The status is not 200, the body is not the right one, or there is no answer.
    """
    connection = http.client.HTTPConnection(HOST, server.port, timeout=ANSWER_TIMEOUT_S)
    headers = {} if route.body is None else {"Content-Type": "application/json"}
    try:
        connection.request(route.method, route.target, route.body, headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswer(
            f"{server.stack.name} {route.target}: {error!r}; its log ends: {server.last_error()}"
        ) from error
    finally:
        connection.close()
    if response.status != HTTPStatus.OK or not route.accepts(body):
        raise WrongAnswer(
            f"{server.stack.name} {route.target}: {response.status} {body[:80]!r}; its log ends: "
            f"{server.last_error()}"
        )


def run_wrk(server: Server, route: Route, duration_s: int) -> Load:
    """Loads one route with CONNECTIONS connections that are kept alive.

    Args:
        server: A running stack.
        route: What to ask for.
        duration_s: Whole seconds, at least 1: wrk knows no fractions.

    Raises:
        subprocess.CalledProcessError: wrk itself failed.
    """
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration_s}s", f"--timeout={TIMEOUT_S}s"]
    command += ["-s", str(SCRIPT), f"http://{HOST}:{server.port}{route.target}", "--", route.method]
    if route.body is not None:
        command += [route.body.decode(), "application/json"]
    cpu_before_s = server.cpu_s()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu_s = server.cpu_s() - cpu_before_s
    seen = json.loads(output.strip().splitlines()[-1])
    return Load(
        requests=seen["requests"],
        requests_per_s=seen["requests"] / (seen["duration_us"] / 1e6),
        cpu_us=cpu_s * 1e6 / max(seen["requests"], 1),
        p50_ms=seen["p50_us"] / 1e3,
        p99_ms=seen["p99_us"] / 1e3,
        errors=sum(seen[kind] for kind in ("connect", "read", "write", "timeout", "status")),
    )


@dataclass
class LoadResults:
    """All runs of wrk in one benchmark.

    Attributes:
        runs: By stack name, then by route name: one Load a round, None for a round that failed.
        failures: By stack name: what went wrong, first failure only.
    """

    runs: dict[str, dict[str, list[Load | None]]]
    failures: dict[str, str]


def measure_load(
    stacks: Sequence[Stack], rounds: int, duration_s: int, server_core: int | None
) -> LoadResults:
    """Rounds over all stacks and routes, interleaved, fresh servers in every round.

    Within a round every route is asked of all stacks in turn before the next route, so that
    what is compared was measured within seconds; the order turns around in every second round.
    """
    results = LoadResults({s.name: {r.name: [] for r in ROUTES} for s in stacks}, {})
    for number in range(rounds):
        with contextlib.ExitStack() as running:
            servers = start_all(stacks, server_core, running, results)
            for route in ROUTES:
                for stack in stacks if number % 2 == 0 else reversed(stacks):
                    server = servers.get(stack.name)
                    load = None if server is None else try_wrk(server, route, duration_s, results)
                    results.runs[stack.name][route.name].append(load)
                progress(f"requests a second: round {number + 1} of {rounds}, {route.name}")
    return results


def start_all(
    stacks: Sequence[Stack],
    server_core: int | None,
    running: contextlib.ExitStack,
    results: LoadResults,
) -> dict[str, Server]:
    """Starts the stacks one by one, checks their answers and warms them up.

    Returns:
        The running servers by stack name; what failed is noted in `results` and left out.
    """
    servers = {}
    for stack in stacks:
        try:
            server = running.enter_context(serve(stack, server_core))
            for route in ROUTES:
                check_answer(server, route)
            run_wrk(server, JSON, WARM_UP_S)
        except (StartError, WrongAnswer, subprocess.CalledProcessError) as error:
            results.failures.setdefault(stack.name, str(error))
            progress(str(error))
        else:
            servers[stack.name] = server
    return servers


def try_wrk(server: Server, route: Route, duration_s: int, results: LoadResults) -> Load | None:
    """One run of wrk; None, with a note in `results`, when it failed or saw no answer."""
    try:
        load = run_wrk(server, route, duration_s)
    except subprocess.CalledProcessError as error:
        results.failures.setdefault(server.stack.name, f"{route.name}: {error}: {error.stderr}")
        return None
    if load.requests == 0:
        results.failures.setdefault(server.stack.name, f"{route.name}: no answer under load")
        return None
    return load
