"""Name look-ups and bare sockets."""

import socket

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    socket.getaddrinfo("localhost", 80)  # blocks: socket.getaddrinfo
    socket.gethostbyname("localhost")  # blocks: socket.gethostbyname
    with socket.create_connection(("127.0.0.1", 8799)) as connection:  # blocks: socket.create_connection
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")  # blocks: socket.socket.sendall
        return connection.recv(100)  # blocks: socket.socket.recv
