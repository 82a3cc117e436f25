import requests


def reserve(title):
    return _send("reserve", title)


def release(title):
    return requests.delete("http://127.0.0.1:8799/" + title)


def _send(action, title):
    def deliver():
        return requests.post("http://127.0.0.1:8799/", data={action: title})  # blocks: requests.post

    return deliver().text
