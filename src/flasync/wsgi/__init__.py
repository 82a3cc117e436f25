"""ASGI <-> WSGI, as pure translation: no event loop, no thread, no Flask."""
