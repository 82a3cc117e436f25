"""A repository that is generic over a protocol; one class implements it."""

from typing import Generic, Protocol, TypeVar

import requests
from flask import Flask

app = Flask(__name__)


class Client(Protocol):
    def load(self, path: str) -> str: ...


T = TypeVar("T", bound=Client)


class Web:
    def load(self, path: str) -> str:
        return requests.get("http://127.0.0.1:8799" + path).text  # blocks: requests.get


class Repository(Generic[T]):
    def __init__(self, client: T) -> None:
        self.client = client

    def find(self) -> str:
        return self.client.load("/")


repository: Repository[Web] = Repository(Web())


@app.get("/")
def index():
    return repository.find()
