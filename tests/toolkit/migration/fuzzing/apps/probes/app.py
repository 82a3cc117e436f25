"""What other programs say, by class views and a service object."""

import subprocess
import sys
import time

from flask import Flask, render_template_string, request
from flask.views import MethodView, View

app = Flask(__name__)
PAGE = "{% for name, value in results|dictsort %}{{ name }}={{ value }};{% endfor %}"


class Probe:
    """One program."""

    pause_s = 0.001

    def __init__(self, code):
        self.code = code

    def run(self, *args):
        done = subprocess.run(
            [sys.executable, "-S", "-c", self.code, *args],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    def rest(self):
        time.sleep(self.pause_s)

    @property
    def length(self):
        return len(self.code)


class PatientProbe(Probe):
    """One that waits longer."""

    def rest(self):
        super().rest()
        time.sleep(self.pause_s * 2)


PROBES = {
    "echo": Probe("import sys; print(*sys.argv[1:])"),
    "sum": PatientProbe("import sys; print(sum(map(int, sys.argv[1:])))"),
}


def run_probe(name, *args):
    probe = PROBES[name]
    probe.rest()
    code, said = probe.run(*args)
    return said if code == 0 else f"failed with {code}"


def check_version():
    return subprocess.check_output([sys.executable, "-S", "-c", "print('v1')"]).decode().strip()


class ProbeView(MethodView):
    def get(self, name):
        return {"said": run_probe(name, *request.args.getlist("arg"))}

    def post(self, name):
        results = [run_probe(name, arg) for arg in request.json]
        return {"said": results, "length": PROBES[name].length}


class PageView(View):
    init_every_request = False

    def __init__(self, names):
        self.names = names

    def dispatch_request(self):
        results = {name: self.measure(name) for name in self.names}
        return render_template_string(PAGE, results=results)

    def measure(self, name):
        time.sleep(0.001)
        return run_probe(name, "1")


app.add_url_rule("/probes/<name>", view_func=ProbeView.as_view("probe"))
app.add_url_rule("/page", view_func=PageView.as_view("page", ["echo", "sum"]))


@app.get("/version")
def version():
    time.sleep(0.001)
    return {"version": check_version()}


@app.errorhandler(KeyError)
def unknown(error):
    time.sleep(0.001)
    return {"unknown": str(error)}, 404
