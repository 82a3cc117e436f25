"""A slow name server, asked by a sync resolver in an async view. does not overlap: loop"""

import dns.resolver
import flask
import upstream

app = flask.Flask(__name__)
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = upstream.serve_names()


@app.get("/")
async def index():
    try:
        resolver.resolve("shop.test.")  # here
    except dns.resolver.NXDOMAIN:
        return "unknown"
    return "known"
