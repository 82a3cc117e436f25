"""What a thread waits for, as the kernel tells it."""

from __future__ import annotations

import _thread
import ctypes
import os
import platform
import threading
from contextlib import suppress
from time import perf_counter, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flasync.toolkit.observing.recording.in_flight import VisitedThread

# The kinds of `flasync scan`, and the system calls that wait for them. A thread in another system
# call is waiting as well, for no kind that can be named.
_CALLS = {
    "sleep": ("nanosleep", "clock_nanosleep"),
    "network": (
        *("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "connect"),
        *("accept", "accept4", "recvfrom", "recvmsg", "sendto", "sendmsg"),
    ),
    "disk": ("pread64", "pwrite64", "fsync", "fdatasync", "openat", "flock"),
    "subprocess": ("wait4", "waitid"),
    "lock": ("futex",),
    "descriptor": ("read", "write"),  # of whatever it is
}

# Numbers of those calls, from the kernel's arch/x86/entry/syscalls/syscall_64.tbl and
# scripts/syscall.tbl.
_NUMBERS = {
    "x86_64": {
        **{"read": 0, "write": 1, "poll": 7, "pread64": 17, "pwrite64": 18, "select": 23},
        **{"nanosleep": 35, "connect": 42, "accept": 43, "sendto": 44, "recvfrom": 45},
        **{"sendmsg": 46, "recvmsg": 47, "wait4": 61, "flock": 73, "fsync": 74, "fdatasync": 75},
        **{"futex": 202, "clock_nanosleep": 230, "epoll_wait": 232, "waitid": 247, "openat": 257},
        **{"pselect6": 270, "ppoll": 271, "epoll_pwait": 281, "accept4": 288},
    },
    "aarch64": {
        **{"epoll_pwait": 22, "flock": 32, "openat": 56, "read": 63, "write": 64, "pread64": 67},
        **{"pwrite64": 68, "pselect6": 72, "ppoll": 73, "fsync": 82, "fdatasync": 83},
        **{"waitid": 95, "futex": 98, "nanosleep": 101, "clock_nanosleep": 115, "accept": 202},
        **{"connect": 203, "sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212},
        **{"accept4": 242, "wait4": 260},
    },
}

# The interpreter lock is two pairs of a mutex and a condition in one struct, of which one address
# is learnt. All of them are at most this many bytes from it.
_LOCK_SPAN = 256
# Seconds for which the address of the interpreter lock is looked for; a busy machine needs some.
_SEARCH_S = 2.0
# The longest line of /proc/…/syscall is nine numbers of 18 characters.
_LINE_BYTES = 192


class ThreadStates:
    """Reads the states of this process's threads.

    The files are read through `ctypes.PyDLL`, which keeps the interpreter lock: `os.read` would
    hand it to the very thread that is looked at, and get it back five milliseconds later.
    """

    def __init__(self) -> None:
        numbers = _NUMBERS.get(platform.machine(), {})
        self._kinds = {
            b"%d" % numbers[call]: kind
            for kind, calls in _CALLS.items()
            for call in calls
            if call in numbers
        }
        self._buffer = ctypes.create_string_buffer(_LINE_BYTES)
        library = ctypes.PyDLL(None)
        self._pread = library.pread
        self._pread.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
        self._readlink = library.readlink
        self._readlink.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
        self._files: dict[int, int] = {}
        self._lock_address = 0
        self.are_known = bool(numbers) and self._find_lock()

    def read(self, thread: VisitedThread, on_cpu_share: float) -> str | None:
        """Return the kind that a thread waits for, "" for an unknown one; None: it runs.

        Waiting for the interpreter lock or for a CPU is running.

        Args:
            thread: Which one.
            on_cpu_share: What share of the time since the last look it was on a CPU; where the
                kernel does not tell, a thread that was on none waits.
        """
        if not self.are_known:
            return "" if on_cpu_share < _IDLE_SHARE else None
        number, _, arguments = self._read_line(thread.native_id).partition(b" ")
        if not arguments or number == b"-1":
            return None
        kind = self._kinds.get(number, "")
        if kind == "lock":
            address = int(arguments.partition(b" ")[0], 16)
            return None if abs(address - self._lock_address) < _LOCK_SPAN else kind
        if kind == "descriptor":
            return self._find_kind(int(arguments.partition(b" ")[0], 16))
        return kind

    def prepare(self, native_id: int) -> None:
        """Open what `read` needs: that hands the interpreter lock on, which `read` must not."""
        if native_id not in self._files:
            if len(self._files) >= _MOST_FILES:
                self.forget()
            # Unless it has just ended.
            with suppress(FileNotFoundError):
                name = f"/proc/self/task/{native_id}/syscall"
                self._files[native_id] = os.open(name, os.O_RDONLY | os.O_CLOEXEC)

    def forget(self) -> None:
        """Close what is open: after a fork, it belongs to threads of the parent."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _read_line(self, native_id: int) -> bytes:
        file = self._files.get(native_id)
        if file is None:
            return b""
        size = self._pread(file, self._buffer, _LINE_BYTES, 0)
        if size <= 0:  # the thread has ended; another one may get its number
            os.close(self._files.pop(native_id))
            return b""
        return self._buffer.raw[:size]

    def _find_kind(self, descriptor: int) -> str:
        path = b"/proc/self/fd/%d" % descriptor
        size = self._readlink(path, self._buffer, _LINE_BYTES)
        name = self._buffer.raw[: max(size, 0)]
        if name.startswith(b"socket:"):
            return "network"
        return "subprocess" if name.startswith(b"pipe:") else "disk"

    def _find_lock(self) -> bool:
        """Learn where a thread waits for the interpreter lock: have one wait while we hold it."""
        started: list[int] = []
        ended = _thread.allocate_lock()
        ended.acquire()
        done = False

        def contend() -> None:
            started.append(threading.get_native_id())
            while not done:
                pass
            ended.release()

        _thread.start_new_thread(contend, ())
        deadline = perf_counter() + _SEARCH_S
        try:
            while not self._lock_address and perf_counter() < deadline:
                if not started:
                    sleep(0)
                    continue
                self.prepare(started[0])
                number, _, arguments = self._read_line(started[0]).partition(b" ")
                if self._kinds.get(number) == "lock":
                    self._lock_address = int(arguments.partition(b" ")[0], 16)
        except OSError:
            return False
        finally:
            done = True
            ended.acquire()
            self.forget()
        return bool(self._lock_address)


# Without the kernel's word: below this share of CPU time a thread waits.
_IDLE_SHARE = 0.1
# Open files for threads; processes may have 1,024 in all.
_MOST_FILES = 128
