"""The machine under the benchmark: its cores, its limits, its description."""

import importlib.metadata
import os
import platform
import re
import resource
import shutil
import subprocess
from pathlib import Path

import psutil

MAX_FILES = 65536
"""Open files asked for: two for each of 9,000 connections, and a margin."""

PACKAGES = (
    "flasync",
    "Flask",
    "Werkzeug",
    "greenlet",
    "uvicorn",
    "uvloop",
    "httptools",
    "gunicorn",
    "gevent",
    "hypercorn",
    "granian",
    "Quart",
    "Starlette",
    "FastAPI",
    "pydantic",
    "a2wsgi",
    "asgiref",
    "Jinja2",
)


def split_cores() -> tuple[int | None, int | None]:
    """The server's core and the client's.

    Returns:
        Two core numbers; the same one twice when the machine has but one; two None where the
        system cannot pin a process (macOS).
    """
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def pin(core: int | None) -> None:
    """Pins this process, and what it starts, to one core; None leaves it alone."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def raise_file_limit() -> int:
    """Raises the soft limit of open files as far as needed and allowed; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
        return ceiling
    return soft


def describe_machine() -> str:
    """One sentence: processor, cores, memory, system, Python. No host name."""
    memory_gib = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {system}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def processor() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if model:
            return model[1]
    return platform.machine()


def describe_versions() -> str:
    """The versions of everything that is measured or measures, in one line."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} (not installed)")
    return ", ".join([*versions, wrk_version()])


def wrk_version() -> str:
    """The version of wrk, or that it is missing."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return "wrk (not installed)"
    # wrk prints its version with exit status 1.
    output = subprocess.run([wrk, "-v"], capture_output=True, text=True, check=False).stdout
    return " ".join(output.split()[:2])
