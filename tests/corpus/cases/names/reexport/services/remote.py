import requests


def load():
    return requests.get("http://127.0.0.1:8799/").text  # blocks: requests.get


def save(data):
    return requests.post("http://127.0.0.1:8799/", json=data)
