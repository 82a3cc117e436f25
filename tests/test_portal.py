"""`flasync.portal`: one loop a process, the server's or one in the background."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from flasync import portal
from flasync.bridge import await_


async def get_running_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs this."""
    return asyncio.get_running_loop()


@pytest.mark.usefixtures("background_loop")
def test_one_background_loop() -> None:
    """Whoever asks first, in whichever thread, gets the loop that everybody gets."""
    barrier = threading.Barrier(8)

    def ask() -> asyncio.AbstractEventLoop:
        barrier.wait(timeout=60)
        return portal.get_loop()

    with ThreadPoolExecutor(8) as executor:
        loops = {future.result() for future in [executor.submit(ask) for _ in range(8)]}
    assert loops == {portal.get_loop()}
    assert sum(thread.name == "flasync-loop" for thread in threading.enumerate()) == 1


@pytest.mark.usefixtures("background_loop")
def test_stop_and_start_again() -> None:
    """A stopped background loop is closed, its thread gone; the next one is new."""
    first = portal.get_loop()
    portal.stop_background()
    assert first.is_closed()
    second = await_(get_running_loop())
    assert second is not first


@pytest.mark.usefixtures("background_loop")
def test_stop_ends_what_is_left() -> None:
    """Tasks on the background loop are cancelled and run to their end before it closes."""
    log: list[str] = []

    async def begin() -> None:
        begun = asyncio.Event()

        async def wait() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                log.append("ended")

        tasks.append(asyncio.create_task(wait()))
        await begun.wait()

    tasks: list[asyncio.Task[None]] = []
    await_(begin())
    portal.stop_background()
    assert log == ["ended"]


@pytest.mark.usefixtures("background_loop")
def test_stop_wakes_who_waits() -> None:
    """A thread that waits on a loop that is stopped does not wait for ever."""
    begun = threading.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(await_, wait())
        assert begun.wait(timeout=60)
        portal.stop_background()
        assert isinstance(waiting.exception(timeout=60), asyncio.CancelledError)


def test_stopping_nothing() -> None:
    """Stopping a loop that does not run is nothing."""
    portal.stop_background()
    portal.stop_background()


@pytest.mark.usefixtures("background_loop")
async def test_adopt_and_release() -> None:
    """A server's loop takes the background loop's place, and gives it back."""
    before = portal.get_loop()
    serving = asyncio.get_running_loop()
    assert before is not serving
    portal.adopt(serving)
    assert portal.get_loop() is serving
    assert before.is_closed()
    portal.release(serving)
    assert portal.get_loop() is not serving


async def test_threads_reach_the_serving_loop() -> None:
    """Plain threads of a serving process wait on the server's loop."""
    serving = asyncio.get_running_loop()
    portal.adopt(serving)
    assert await asyncio.to_thread(await_, get_running_loop()) is serving


async def test_several_apps_on_one_loop() -> None:
    """The loop is the process's until the last app on it has stopped."""
    serving = asyncio.get_running_loop()
    portal.adopt(serving)
    portal.adopt(serving)
    portal.release(serving)
    assert portal.get_loop() is serving
    portal.release(serving)
    assert not portal.is_process_loop(serving)


@pytest.mark.usefixtures("background_loop")
def test_a_serving_loop_that_has_ended() -> None:
    """A server's loop that ended without a word is not waited on."""

    async def serve() -> None:
        portal.adopt(asyncio.get_running_loop())

    asyncio.run(serve())
    assert await_(asyncio.sleep(0, "value")) == "value"


@pytest.mark.usefixtures("background_loop")
def test_release_of_another_loop() -> None:
    """Releasing a loop that no server has brought changes nothing."""
    loop = portal.get_loop()
    portal.release(loop)
    assert portal.get_loop() is loop
