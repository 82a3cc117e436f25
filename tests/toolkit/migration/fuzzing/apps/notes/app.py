"""Notes in text files; each change waits for the other writers."""

import time
from pathlib import Path

import paths
from flask import Flask, abort, jsonify, request
from storage import delete_note, list_titles, read_note, write_note

app = Flask(__name__)
app.config["FOLDER"] = "notes"
RETRIES = 3


def wait_for_turn(title):
    """Wait while somebody else writes a note."""
    for attempt in range(RETRIES):
        if not paths.is_locked(app.config["FOLDER"], title):
            return attempt
        time.sleep(0.001 * (attempt + 1))
    return RETRIES


def load_or_404(title):
    text = read_note(app.config["FOLDER"], title)
    if text is None:
        abort(404)
    return text


def describe(title, text):
    words = text.split()
    return {"title": title, "words": len(words), "text": text}


@app.get("/notes")
def index():
    titles = [title for title in list_titles(app.config["FOLDER"]) if not title.startswith("_")]
    return jsonify(titles)


@app.get("/notes/<title>")
def show(title):
    turn = wait_for_turn(title)
    note = describe(title, load_or_404(title))
    note["turn"] = turn
    return note


@app.put("/notes/<title>")
def save(title):
    turn = wait_for_turn(title)
    if turn == RETRIES:
        return {"error": "locked"}, 423
    size = write_note(app.config["FOLDER"], title, request.get_data(as_text=True))
    return {"size": size}, 201


@app.delete("/notes/<title>")
def remove(title):
    if wait_for_turn(title) == RETRIES:
        abort(423)
    load_or_404(title)
    delete_note(app.config["FOLDER"], title)
    return "", 204


@app.get("/search")
def search():
    word = request.args["word"]
    found = {}
    for title in list_titles(app.config["FOLDER"]):
        wait_for_turn(title)
        text = load_or_404(title)
        if word in text:
            found[title] = text.count(word)
    return found


@app.get("/path/<title>")
def path_of(title):
    return str(Path(paths.find_path("", title)))
