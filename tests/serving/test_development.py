"""`app.run()` as scripts use it: banner, reloader, debugger in both lanes, options."""

import html
import os
import re
import signal
import ssl
import sys
from http import HTTPStatus
from pathlib import Path

import pytest

import flasync
from flasync.serving.development import run
from serving.processes import finish, running_script

SCRIPT = """
import asyncio
import os
import flasync

app = flasync.Flask(__name__)

@app.get("/")
async def index():
    return "hello"

@app.get("/sync-error")
def fail_sync():
    secret = 41
    raise ValueError("sync")

@app.get("/async-error")
async def fail_async():
    secret = 41
    await asyncio.sleep(0)
    raise ValueError("async")

if __name__ == "__main__":
    app.run(port=PORT, OPTIONS)
    print("after run", app.wsgi_app.__name__)
"""


def build_script(options: str = "") -> str:
    """The script with `app.run(options)`."""
    return SCRIPT.replace("OPTIONS", options)


def test_run_serves_with_the_banner_and_lines_of_flask(tmp_path: Path) -> None:
    """`app.run()` prints what Flask prints, and after Ctrl+C the script goes on."""
    with running_script(tmp_path, build_script()) as running:
        running.wait_for_answer("/", "hello")
        assert running.stop(signal.SIGINT) == 0
        lines = running.log.splitlines()
        assert lines[:2] == [" * Serving Flask app 'main'", " * Debug mode: off"]
        assert f" * Running on http://127.0.0.1:{running.port}" in lines
        assert re.fullmatch(r'127\.0\.0\.1 - - \[.+\] "GET / HTTP/1\.1" 200 -', lines[-2])
        assert lines[-1] == "after run wsgi_app"


@pytest.mark.parametrize("path", ["/sync-error", "/async-error"])
def test_debugger_evaluates_in_a_frame(tmp_path: Path, path: str) -> None:
    """`debug=True` shows the debugger, which evaluates in the frame of a view of either lane."""
    with running_script(tmp_path, build_script("debug=True, use_reloader=False")) as running:
        running.wait_for_answer("/", "hello")
        assert " * Debug mode: on" in running.log
        page = running.get(path)
        assert page.status == HTTPStatus.INTERNAL_SERVER_ERROR
        secret = re.search(r'SECRET = "(\w+)"', page.text)
        frames = re.findall(r'id="frame-(\d+)"', page.text)
        assert secret and frames, page.text[:300]
        command = f"?__debugger__=yes&cmd=secret%2B1&frm={frames[-1]}&s={secret[1]}"
        answer = running.get(path + command)
        assert re.sub(r"<.*?>", "", html.unescape(answer.text)).split() == [">>>", "secret+1", "42"]
        assert running.stop() == 0


def test_debugger_without_evalex(tmp_path: Path) -> None:
    """`use_evalex=False` shows the traceback and evaluates nothing."""
    options = "debug=True, use_reloader=False, use_evalex=False"
    with running_script(tmp_path, build_script(options)) as running:
        running.wait_for_answer("/", "hello")
        page = running.get("/sync-error")
        assert "ValueError: sync" in page.text
        assert "EVALEX = false" in page.text


def test_debug_reloads_at_extra_files(tmp_path: Path) -> None:
    """`debug=True` reloads; a file in `extra_files` counts, one in `exclude_patterns` does not."""
    watched, excluded = tmp_path / "watched.txt", tmp_path / "excluded.py"
    options = (
        f"debug=True, reloader_type='stat', reloader_interval=0.1, extra_files=[{str(watched)!r}],"
        f" exclude_patterns=[{str(excluded)!r}]"
    )
    watched.touch()
    excluded.touch()
    script = build_script(options).replace('return "hello"', "return str(os.getpid())")
    with running_script(tmp_path, script) as running:
        running.wait_until(lambda: running.answers_at_all("/"), "the first answer")
        first = running.get("/").text
        assert int(first) != running.process.pid

        def is_reloaded() -> bool:
            for path in (excluded, watched):
                moment = path.stat().st_mtime + 1
                os.utime(path, (moment, moment))
            return "Detected change" in running.log

        running.wait_until(is_reloaded, "the change is seen")

        def is_another() -> bool:
            answer = running.try_get("/")
            return answer is not None and answer.text != first

        running.wait_until(is_another, "another process answers")
        assert f"Detected change in {str(watched)!r}, reloading" in running.log
        assert f"Detected change in {str(excluded)!r}" not in running.log
        assert " * Restarting with stat" in running.log
        assert running.stop() == 0


@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_failed_start_waits_for_the_next_change(tmp_path: Path, server: str) -> None:
    """A startup hook that an edit has broken leaves the reloader waiting for the next edit."""
    options = f"use_reloader=True, reloader_type='stat', reloader_interval=0.1, server={server!r}"
    script = build_script(options)
    hook = "@app.before_serving\ndef start():\n    os.stat('needed')\n\nif __name__"
    with running_script(tmp_path, script.replace("if __name__", hook)) as running:
        running.wait_until(lambda: "waiting for a file to change" in running.log, "it waits")
        assert "FileNotFoundError" in running.log
        (tmp_path / "needed").touch()
        moments = iter(range(1, 1000))

        def is_mended() -> bool:
            moment = (tmp_path / "main.py").stat().st_mtime + next(moments)
            if running.log.count("Restarting with") == 1:
                os.utime(tmp_path / "main.py", (moment, moment))
            return "/ HTTP" in running.log or running.answers("/", "hello")

        running.wait_until(is_mended, "the mended app answers")
        assert running.stop() == 0


def test_static_files_and_adhoc_tls(tmp_path: Path) -> None:
    """`static_files` and `ssl_context="adhoc"` work as with Werkzeug's server."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("a file")
    options = f"static_files={{'/files': {str(tmp_path / 'files')!r}}}, ssl_context='adhoc'"
    with running_script(tmp_path, build_script(options)) as running:
        running.scheme = "https"
        running.wait_for_answer("/files/a.txt", "a file")
        assert running.answers("/", "hello")
        assert f" * Running on https://127.0.0.1:{running.port}" in running.log


def test_ssl_context_object(tmp_path: Path, certificate: tuple[str, str]) -> None:
    """An `ssl.SSLContext` is used as it is by uvicorn."""
    make = f"__import__('ssl').SSLContext({int(ssl.PROTOCOL_TLS_SERVER)})"
    script = build_script("ssl_context=context").replace(
        "if __name__", f"context = {make}\ncontext.load_cert_chain{certificate!r}\nif __name__"
    )
    with running_script(tmp_path, script) as running:
        running.scheme = "https"
        running.wait_for_answer("/", "hello")


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_other_servers_serve_development_too(tmp_path: Path, server: str) -> None:
    """Without uvicorn, `app.run(debug=True)` works on Hypercorn and Granian."""
    options = f"debug=True, use_reloader=False, server={server!r}"
    with running_script(tmp_path, build_script(options)) as running:
        running.wait_for_answer("/", "hello")
        assert "ValueError: async" in running.get("/async-error").text
        assert running.stop(signal.SIGINT) == 0
        assert "after run wsgi_app" in running.log


def test_run_in_another_thread(tmp_path: Path) -> None:
    """`app.run()` works in a thread, as test suites call it, and leaves signals alone."""
    script = build_script().replace(
        "    app.run(port=PORT, )",
        "    import signal, threading, time\n"
        "    signal.signal(signal.SIGTERM, lambda *_: os._exit(5))\n"
        "    threading.Thread(target=app.run, kwargs={'port': PORT}, daemon=True).start()\n"
        "    while True:\n        time.sleep(0.1)",
    )
    with running_script(tmp_path, script) as running:
        running.wait_for_answer("/", "hello")
        assert running.stop() == 5


def test_server_name_and_dotenv_are_read(tmp_path: Path) -> None:
    """Host and port come from SERVER_NAME, the debug flag from `.flaskenv`, as with Flask."""
    (tmp_path / ".flaskenv").write_text("FLASK_DEBUG=1\n")
    script = build_script("use_reloader=False").replace(
        "app.run(port=PORT, ", "app.config['SERVER_NAME'] = 'localhost:PORT'\n    app.run("
    )
    with running_script(tmp_path, script) as running:
        running.wait_until(lambda: running.answers_at_all("/"), "an answer")
        assert " * Debug mode: on" in running.log
        assert f" * Running on http://localhost:{running.port}" in running.log


def test_options_without_effect_are_said_once(tmp_path: Path) -> None:
    """An option of Werkzeug's server that means nothing here gets one line, and is ignored."""
    with running_script(tmp_path, build_script("threaded=False, processes=4")) as running:
        running.wait_for_answer("/", "hello")
        assert running.log.count("The option 'threaded' of app.run() has no effect: ") == 1
        assert running.log.count("The option 'processes' of app.run() has no effect: ") == 1


def test_unknown_option_is_a_type_error() -> None:
    """An option that no server has is refused, as `run_simple` refuses it."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        run(flasync.Flask("app"), port=0, colour="blue")


def test_unknown_reloader_type() -> None:
    """A reloader type that Werkzeug lacks is refused before anything starts."""
    with pytest.raises(flasync.errors.ServeOptionError, match="Choose one of: auto, stat"):
        run(flasync.Flask("app"), port=0, use_reloader=True, reloader_type="sundial")


def test_no_server_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any ASGI server, `app.run()` names the extra that brings one."""
    for server in ("uvicorn", "hypercorn", "granian"):
        monkeypatch.setitem(sys.modules, server, None)
    with pytest.raises(flasync.errors.MissingExtraError, match=r"pip install 'flasync\[serve\]'"):
        run(flasync.Flask("app"), port=0)


def test_no_server_as_a_user_sees_it(tmp_path: Path) -> None:
    """The error of a missing server is the last line of the script's traceback."""
    hide = "import sys\nsys.modules.update(dict.fromkeys(['uvicorn', 'hypercorn', 'granian']))\n"
    (tmp_path / "main.py").write_text(hide + build_script().replace("PORT", "0"))
    ended = finish([sys.executable, "main.py"], tmp_path)
    assert ended.stderr.splitlines()[-1].startswith("flasync.errors.MissingExtraError: No ASGI")
