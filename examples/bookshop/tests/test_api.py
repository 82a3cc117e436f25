import pytest
from bookshop.extensions import cache, db
from bookshop.models import Book, PriceChange

STAFF = {"Authorization": "Bearer staff-token"}
NEW = {
    "isbn": "9780000000777",
    "title": "Ivanhoe",
    "price_cents": 1490,
    "category": "adventure",
    "authors": ["Walter Scott"],
    "stock": 3,
}


def test_books(client, books):
    answer = client.get("/api/books").json
    assert (answer["page"], answer["pages"], answer["total"]) == (1, 2, 6)
    assert [book["title"] for book in answer["books"]][:2] == ["Around the World", "Emma"]
    second = client.get(answer["next"]).json
    assert len(second["books"]) == 2 and second["next"] is None


def test_books_found(client, books):
    answer = client.get("/api/books?q=austen&per_page=2").json
    assert answer["total"] == 3
    assert answer["next"] == "/api/books?q=austen&per_page=2&page=2"


def test_books_are_cached(client, app, books):
    client.get("/api/books?q=emma")
    with app.app_context():
        db.session.get(Book, books["Emma"]).title = "Emma Woodhouse"
        db.session.commit()
    assert client.get("/api/books?q=emma").json["books"][0]["title"] == "Emma"
    with app.app_context():
        cache.clear()
    assert client.get("/api/books?q=emma").json["books"][0]["title"] == "Emma Woodhouse"


def test_book(client, books, reader, make_review):
    make_review(reader, "Persuasion", 4, "Fine.")
    answer = client.get("/api/books/9780000000001").json
    assert answer["authors"] == ["Ed Itor", "Jane Austen"]
    assert answer["category"] == "novels"
    assert answer["rating"] == 4
    assert answer["reviews"] == [{"by": "Rita Reader", "rating": 4, "text": "Fine."}]


def test_unknown_book(client):
    response = client.get("/api/books/1")
    assert response.status_code == 404
    assert response.json == {
        "error": "Not Found",
        "message": "There is no book with this ISBN.",
    }


def test_new_book(client, admin, books):
    response = client.post("/api/books", json=NEW, headers=STAFF)
    assert response.status_code == 201
    assert response.json["slug"] == "ivanhoe-00777"
    assert client.get(response.location).json["authors"] == ["Walter Scott"]


@pytest.mark.usefixtures("admin", "books")
@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"isbn": "12"}, 400, "13 digits"),
        ({"isbn": "9780000000000"}, 409, "already a book"),
        ({"title": 5}, 400, "`title`"),
        ({"stock": -1}, 400, "`stock`"),
        ({"stock": True}, 400, "`stock`"),
        ({"price_cents": "12"}, 400, "cents"),
        ({"category": "poems"}, 400, "no category 'poems'"),
        ({"authors": "Walter Scott"}, 400, "list of names"),
    ],
)
def test_bad_new_books(client, app, changes, code, message):
    response = client.post("/api/books", json={**NEW, **changes}, headers=STAFF)
    assert response.status_code == code
    assert message in response.json["message"]
    with app.app_context():
        assert Book.query.count() == 6


@pytest.mark.parametrize(("body", "code"), [("[]", 400), ("{", 400), ("{}", 400)])
def test_bodies_that_are_no_book(client, admin, body, code):
    response = client.post("/api/books", data=body, content_type="application/json", headers=STAFF)
    assert response.status_code == code
    assert response.is_json


def test_change_book(client, app, admin, books):
    path = "/api/books/9780000000000"
    response = client.patch(path, json={"price_cents": 999, "stock": 1}, headers=STAFF)
    assert (response.json["price_cents"], response.json["stock"]) == (999, 1)
    with app.app_context():
        change = PriceChange.query.one()
        assert (change.old_cents, change.new_cents, change.book.title) == (1190, 999, "Emma")


def test_delete_book(client, admin, books):
    path = "/api/books/9780000000000"
    assert client.delete(path, headers=STAFF).status_code == 204
    assert client.get(path).status_code == 404


def test_an_ordered_book_stays(client, admin, reader, make_order):
    make_order(reader, ("Around the World", 1))
    response = client.delete("/api/books/9780000000003", headers=STAFF)
    assert response.status_code == 409


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_changes_are_for_the_staff(client, reader, admin, books, method):
    path = "/api/books" if method == "post" else "/api/books/9780000000000"
    call = getattr(client, method)
    assert call(path, json={}).status_code == 401
    assert call(path, json={}, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert call(path, json={}, headers={"Authorization": "Basic x"}).status_code == 401
    response = call(path, json={}, headers={"Authorization": "Bearer rita-token"})
    assert (response.status_code, response.json["error"]) == (403, "Forbidden")


def test_a_session_is_not_enough(admin_client, books):
    assert admin_client.delete("/api/books/9780000000000").status_code == 401


def test_own_orders(client, reader, other_reader, make_order):
    first = make_order(reader, ("Emma", 1), ("Sanditon", 2))
    second = make_order(reader, ("Emma", 1))
    make_order(other_reader, ("Emma", 5))
    headers = {"Authorization": "Bearer rita-token"}
    answer = client.get("/api/orders", headers=headers).json["orders"]
    assert [order["number"] for order in answer] == [second, first]
    assert answer[1]["total_cents"] == 2770
    assert answer[1]["items"][1] == {"isbn": "9780000000002", "quantity": 2}


def test_health(client, books):
    assert client.get("/api/health").json == {"books": 6, "redis": False}


def test_errors_are_json(client):
    response = client.put("/api/books")
    assert (response.status_code, response.json["error"]) == (405, "Method Not Allowed")
    assert client.get("/api/none").json["error"] == "Not Found"


def test_a_crash_is_a_500(client, app, books, monkeypatch):
    def crash(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr("bookshop.api.views.search_books", crash)
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    response = client.get("/api/books")
    assert (response.status_code, response.json["error"]) == (500, "Internal Server Error")
    monkeypatch.setattr("bookshop.catalogue.views.search_books", crash)
    assert "Something went wrong on our side" in client.get("/books").text
