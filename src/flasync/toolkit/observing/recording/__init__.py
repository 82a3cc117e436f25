"""What runs inside the observed processes: it records where requests wait and compute.

An observed process may be any Python, with or without flasync, and must not import more than it
would by itself. So these modules need the standard library alone and import one another for type
checkers only; `startup/sitecustomize.py` loads `recorder` by its path, and `recorder` the others,
which are handed what they need.

How a request is followed:

* `flask_hooks` wraps `Flask.wsgi_app` and a few more. Each wrapper is an *anchor*: a frame with
  the local variable `visit`. A request is under way in a thread exactly while an anchor is among
  the frames of that thread, whichever greenlet or coroutine runs. An event loop that waits in its
  selector has none, so its idling is nobody's.
* `sampler` is a thread that looks at all threads with requests once a millisecond: at their
  frames (`stacks`), at their CPU clocks, and at what the kernel says they wait for
  (`thread_states`). Wall time without CPU time is a wait if the thread is seen in a system call.
* `ledger` adds up and writes a JSON file a process, after each burst of requests and at the end.

Why sampling: on a suite of 176 tests (examples/bookshop) it costs about a tenth more time. A
`sys.setprofile` function around each call costs several times that, and changes the times that it
measures; audit hooks see neither C drivers nor how long a call took.

What is not exact: a wait is known to about two sampling intervals, that is 2 ms, and shorter ones
are seen by chance, so their sums are too small rather than too large. Threads that wait for the
interpreter lock, for a CPU, or for the sampler are told from threads that wait for the world by
the address they wait at; that time is counted apart, as contended. The exception is a system that
hides `/proc/self/task/*/syscall`: there such waits count as the app's own. A request that forks
is not sampled between the fork and the next request.
"""
