"""The number of files, connections among them, that this process and its children may open."""

from __future__ import annotations

import resource

# Files that a program has open besides the connections: libraries, logs, a database.
_OTHER_FILES = 256

# A request on the server may open another connection: to a database, to a service.
_FILES_PER_REQUEST = 2


def allow_connections(count: int) -> None:
    """Raise the soft limit of open files to what so many requests need, if the hard one allows it.

    Servers that are started afterwards inherit it. Most systems have a soft limit of 1,024 for the
    sake of old programs alone.
    """
    wanted = count * _FILES_PER_REQUEST + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
