"""Locks, events and queues."""

import queue
import threading

from flask import Flask

app = Flask(__name__)
lock = threading.Lock()
guard = threading.RLock()
event = threading.Event()
jobs = queue.Queue()


@app.get("/")
def index():
    lock.acquire()  # blocks: threading.Lock.acquire
    lock.release()
    if lock.acquire(blocking=False):
        lock.release()
    with guard:  # blocks: threading.RLock.__enter__
        event.set()
    event.wait(timeout=1)  # blocks: threading.Event.wait
    jobs.put("job")
    jobs.get()  # blocks: queue.Queue.get
    try:
        jobs.get_nowait()
    except queue.Empty:
        return "empty"
    return "full"
