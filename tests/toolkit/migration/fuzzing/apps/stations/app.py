"""Weather from stations that are asked over HTTP."""

import logging
from concurrent.futures import ThreadPoolExecutor

import requests
from flask import Flask, request
from upstream import Station, ask, ask_all, post_reading

app = Flask(__name__)
app.config["URL"] = "http://127.0.0.1:9"
log = logging.getLogger(__name__)


def fetch(path, **params):
    response = requests.get(f"{app.config['URL']}/{path}", params=params, timeout=5)
    response.raise_for_status()
    return response.json()


def average(values):
    values = list(values)
    return sum(values) / len(values)


@app.get("/stations/<name>")
def station(name):
    try:
        reading = fetch(f"stations/{name}", unit=request.args.get("unit", "C"))
    except requests.HTTPError as error:
        return {"error": error.response.status_code}, 404
    except requests.RequestException:
        return {"error": "down"}, 503
    return reading


@app.get("/average")
def overview():
    names = request.args["names"].split(",")
    readings = [ask(app.config["URL"], name) for name in names]
    return {"average": average(reading["value"] for reading in readings)}


@app.get("/both")
def both():
    first, second = ask_all(app.config["URL"], ("a", "b"))
    return {"a": first["value"], "b": second["value"]}


@app.get("/pooled")
def pooled():
    with ThreadPoolExecutor(2) as pool:
        urls = [app.config["URL"]] * 2
        return {"values": [reading["value"] for reading in pool.map(ask, urls, ("a", "b"))]}


@app.post("/stations/<name>")
def report(name):
    status = post_reading(app.config["URL"], name, request.json)
    log.info("reported %s", status)
    return {"status": status}


@app.get("/warm")
def warm():
    return {"warm": [name for name in "ab" if Station(app.config["URL"], name).is_warm()]}
