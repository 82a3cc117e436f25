"""What is asked of each route of the shop.

All requests of a load are the same and come at once, so they are such as many customers can send
together. A request that can succeed only once is answered by its view all the same: the order is
already cancelled, the address is taken, the book was ordered and has to stay. Where each request
changes the same row, the database takes them one after another, whoever asks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

NOBODY, STAFF, API = "nobody", "staff", "api"

# Of the requests, so many must run at a time: as `flasync verify` has it.
_HALF = 0.5
# Each waits until the one before has got the answer to its UPDATE and sent its COMMIT: of some
# seven round trips all but one overlap.
_ONE_ROW = 0.25

_BOUNDARY = "the-end-of-a-part"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to one route; braces in path and fields are filled from `database.Facts`."""

    method: str
    path: str
    status: int = 200
    """What the view answers."""
    form: Mapping[str, object] | None = None
    json: Mapping[str, object] | None = None
    upload: str | None = None
    """The lines of a file in the field "file"."""
    visitor: str = STAFF
    """Who asks: it decides what headers are sent."""
    share: float = _HALF
    """How many of the requests must run at a time."""
    note: str = ""
    """Why fewer than half do."""

    def fill(self, facts: Mapping[str, object]) -> tuple[str, dict[str, str], bytes]:
        """Return the path, the headers and the body."""
        path = self.path.format_map(facts)
        if self.json is not None:
            return (
                path,
                {"Content-Type": "application/json"},
                json.dumps(_fill(self.json, facts)).encode(),
            )
        if self.form is not None:
            body = urlencode(_fill(self.form, facts)).encode()
            return path, {"Content-Type": "application/x-www-form-urlencoded"}, body
        if self.upload is not None:
            return path, *_build_upload(self.upload.format_map(facts))
        return path, {}, b""


def _fill(fields: Mapping[str, object], facts: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value.format_map(facts) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _build_upload(text: str) -> tuple[dict[str, str], bytes]:
    lines = [
        f"--{_BOUNDARY}",
        'Content-Disposition: form-data; name="file"; filename="prices.csv"',
        "Content-Type: text/csv",
        "",
        text,
        f"--{_BOUNDARY}--",
        "",
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return headers, "\r\n".join(lines).encode()


_BOOK_FORM = {
    "title": "{title}",
    "isbn": "{isbn}",
    "authors": "Robert Louis Stevenson",
    "category_id": "{category_id}",
    "price": "11.90",
    "stock": 7,
}
_NEW_BOOK = {"isbn": "{isbn}", "title": "{title}", "price_cents": 1190, "category": "{category}"}

ASKS = (
    # Catalogue
    Ask("GET", "/", visitor=NOBODY),
    Ask("GET", "/books?q=the", visitor=NOBODY),
    Ask("GET", "/categories/{category}", visitor=NOBODY),
    Ask("GET", "/authors/1", visitor=NOBODY),
    Ask("GET", "/books/{slug}", visitor=NOBODY),
    Ask("GET", "/books/{slug}/availability", visitor=NOBODY),
    Ask("GET", "/books/{slug}/cover", visitor=NOBODY),
    Ask("POST", "/books/{slug}/reviews", 302, form={"rating": 5, "text": "Read in two nights."}),
    # Cart and orders. The cart holds ten copies of a book of which the supplier has fewer.
    Ask("GET", "/cart"),
    Ask("POST", "/cart/{book_id}/add", 302, form={"quantity": 2}),
    Ask("POST", "/cart/{book_id}", 302, form={"quantity": 3}),
    Ask("GET", "/checkout"),
    Ask(
        "POST",
        "/checkout",
        302,
        form={"recipient": "Staff", "street": "Library Lane 1", "city": "1010 Vienna"},
    ),
    Ask("GET", "/orders"),
    Ask("GET", "/orders/{number}"),
    Ask("GET", "/orders/{number}/invoice"),
    Ask("POST", "/orders/{number}/cancel", 302),
    # Staff
    Ask("GET", "/admin/"),
    Ask("GET", "/admin/reports/sales"),
    Ask("GET", "/admin/orders.csv"),
    Ask("POST", "/admin/orders/{number}/ship", 302),
    Ask("GET", "/admin/books/new"),
    Ask("POST", "/admin/books/new", form=_BOOK_FORM),
    Ask("GET", "/admin/books/{book_id}"),
    Ask("POST", "/admin/books/{book_id}", 302, form=_BOOK_FORM),
    Ask("POST", "/admin/books/{book_id}/delete", 302),
    Ask("GET", "/admin/prices"),
    Ask("POST", "/admin/prices", 302, upload="isbn,price\r\n{isbn},11.90\r\n"),
    # API
    Ask("GET", "/api/health", visitor=NOBODY),
    Ask("GET", "/api/books", visitor=NOBODY),
    Ask("POST", "/api/books", 409, json=_NEW_BOOK, visitor=API),
    Ask("GET", "/api/books/{isbn}", visitor=NOBODY),
    Ask("PATCH", "/api/books/{isbn}", json={"pages": 292}, visitor=API),
    Ask("DELETE", "/api/books/{isbn}", 409, visitor=API),
    Ask("GET", "/api/books/{isbn}/stock", visitor=NOBODY),
    Ask("GET", "/api/orders", visitor=API),
    # Accounts; last, as they end the session and the key of the API.
    Ask("GET", "/account/register", visitor=NOBODY),
    Ask(
        "POST",
        "/account/register",
        form={
            "name": "Ada",
            "email": "reader1@example.com",
            "password": "correct horse",
            "repeat": "correct horse",
        },
        visitor=NOBODY,
    ),
    Ask("GET", "/account/login", visitor=NOBODY),
    Ask(
        "POST",
        "/account/login",
        302,
        form={"email": "admin@example.com", "password": "bookshop"},
        visitor=NOBODY,
    ),
    Ask("GET", "/account/profile"),
    Ask("POST", "/account/profile", 302, form={"name": "Staff"}),
    Ask("GET", "/account/password"),
    Ask(
        "POST",
        "/account/password",
        form={"current": "not this one", "password": "battery staple", "repeat": "battery staple"},
    ),
    Ask(
        "POST",
        "/account/token",
        302,
        share=_ONE_ROW,
        note="each changes the row of the same user",
    ),
    Ask("POST", "/account/logout", 302),
)
