"""Work given to a pool or a thread: it runs elsewhere, waiting for it does not."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
pool = ThreadPoolExecutor(1)


def slow():
    time.sleep(0.001)
    return "done"


@app.get("/")
def index():
    pool.submit(slow)
    return "started"


@app.get("/wait")
def wait():
    future = pool.submit(slow)
    return future.result()  # blocks: concurrent.futures.Future.result


@app.get("/thread")
def thread():
    worker = threading.Thread(target=slow)
    worker.start()
    worker.join()  # blocks: threading.Thread.join
    return "done"
