"""The application object, for a server and for the `flask` command."""

from bookshop import create_app

app = create_app()
