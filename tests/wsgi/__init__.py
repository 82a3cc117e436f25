"""The translation between ASGI and WSGI, compared with what others make of the same bytes."""
