import csv
import io
import os
from datetime import timedelta

import pytest
from bookshop.admin.forecast import daily_sales, simulate
from bookshop.admin.reports import revenue_by_category, revenue_by_month, shop_totals
from bookshop.extensions import db
from bookshop.models import Author, Book, Category, Order, utcnow

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def book_data(app, **changes):
    with app.app_context():
        category_id = Category.query.filter_by(slug="novels").one().id
    return {
        "title": "Lady Susan",
        "isbn": "9780000000099",
        "authors": "Jane Austen,  A. Nother ,",
        "category_id": category_id,
        "price": "8.75",
        "stock": "4",
        "published": "1871",
        "pages": "",
        "summary": "Letters.",
        **changes,
    }


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/books/new",
        "/admin/books/1",
        "/admin/orders.csv",
        "/admin/prices",
        "/admin/reports/sales",
        "/admin/reports/forecast",
    ],
)
def test_staff_only(client, reader_client, path):
    assert client.get(path).status_code == 302
    assert reader_client.get(path).status_code == 403


def test_dashboard(admin_client, reader, make_order):
    number = make_order(reader, ("Emma", 2))
    page = admin_client.get("/admin/").text
    assert number in page and "Rita Reader" in page
    assert "<strong>€ 23.80</strong>" in page
    low_stock = page[page.index("Low stock") :]
    assert low_stock.index("Persuasion") < low_stock.index("Sanditon")
    assert "Around the World" not in low_stock


def test_new_book(admin_client, app, books):
    data = book_data(app)
    response = admin_client.post("/admin/books/new", data=data, follow_redirects=True)
    assert response.request.path == "/books/lady-susan-00099"
    assert "“Lady Susan” is saved" in response.text
    with app.app_context():
        book = Book.query.filter_by(isbn="9780000000099").one()
        assert (book.price_cents, book.stock, book.pages) == (875, 4, None)
        assert book.author_names == "A. Nother, Jane Austen"
        assert Author.query.filter_by(name="Jane Austen").count() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "This field is required"),
        ({"isbn": "123"}, "An ISBN has 13 digits"),
        ({"isbn": "9780000000000"}, "“Emma” has this ISBN"),
        ({"price": "-1"}, "Number must be between"),
        ({"price": "cheap"}, "Not a valid decimal value"),
        ({"category_id": "0"}, "Not a valid choice"),
    ],
)
def test_bad_books(admin_client, app, books, changes, message):
    data = book_data(app, **changes)
    response = admin_client.post("/admin/books/new", data=data)
    assert response.status_code == 200
    assert message in response.text
    with app.app_context():
        assert Book.query.count() == 6


def test_edit_book(admin_client, app, books):
    path = f"/admin/books/{books['Emma']}"
    page = admin_client.get(path).text
    assert 'value="Emma"' in page and 'value="11.90"' in page and 'value="Jane Austen"' in page
    data = book_data(app, title="Emma", isbn="9780000000000", price="9.90")
    assert admin_client.post(path, data=data).location == "/books/emma"
    with app.app_context():
        book = db.session.get(Book, books["Emma"])
        assert book.price_cents == 990
        assert [(change.old_cents, change.new_cents) for change in book.price_changes] == [
            (1190, 990)
        ]


def test_cover_upload_and_download(admin_client, client, app, books):
    path = f"/admin/books/{books['Emma']}"
    data = book_data(app, isbn="9780000000000", cover=(io.BytesIO(PNG), "my cover.png"))
    assert admin_client.post(path, data=data).status_code == 302
    with client.get("/books/emma/cover") as response:
        assert response.mimetype == "image/png"
        assert response.data == PNG
        etag = response.headers["ETag"]
    with client.get("/books/emma/cover", headers={"If-None-Match": etag}) as response:
        assert response.status_code == 304
    with client.get("/books/emma/cover", headers={"Range": "bytes=1-3"}) as response:
        assert (response.status_code, response.data) == (206, b"PNG")
    with app.app_context():
        first = db.session.get(Book, books["Emma"]).cover
    data = book_data(app, isbn="9780000000000", cover=(io.BytesIO(b"\xff\xd8\xff!"), "c.jpg"))
    admin_client.post(path, data=data)
    folder = app.config["COVER_FOLDER"]
    assert first not in os.listdir(folder)
    with client.get("/books/emma/cover") as response:
        assert response.data == b"\xff\xd8\xff!"


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cover.exe", PNG, "File does not have an approved extension"),
        ("cover.png", b"<svg onload=alert(1)>", "This file is not an image"),
    ],
)
def test_bad_covers(admin_client, app, name, content, message):
    data = book_data(app, cover=(io.BytesIO(content), name))
    assert message in admin_client.post("/admin/books/new", data=data).text
    with app.app_context():
        assert Book.query.count() == 6


def test_a_cover_that_is_too_big(admin_client, app, books):
    app.config["MAX_CONTENT_LENGTH"] = 5000
    data = book_data(app, cover=(io.BytesIO(PNG), "cover.png"))
    assert admin_client.post("/admin/books/new", data=data).status_code == 413


def test_delete_book(admin_client, app, books, reader, make_review):
    make_review(reader, "Emma", 5)
    response = admin_client.post(f"/admin/books/{books['Emma']}/delete", follow_redirects=True)
    assert "“Emma” is gone" in response.text
    with app.app_context():
        assert db.session.get(Book, books["Emma"]) is None


def test_an_ordered_book_stays(admin_client, app, books, reader, make_order):
    make_order(reader, ("Emma", 1))
    response = admin_client.post(f"/admin/books/{books['Emma']}/delete", follow_redirects=True)
    assert "has to stay" in response.text
    with app.app_context():
        assert db.session.get(Book, books["Emma"]) is not None


def test_ship(admin_client, app, reader, make_order, mailbox):
    number = make_order(reader, ("Emma", 1))
    for message in (f"Order {number} is shipped", f"Order {number} is already shipped"):
        page = admin_client.post(f"/admin/orders/{number}/ship", follow_redirects=True).text
        assert message in page
    assert [mail["Subject"] for mail in mailbox] == [f"Order {number} is on its way"]
    assert admin_client.post("/admin/orders/B-0/ship").status_code == 404


def test_export_of_orders(admin_client, reader, other_reader, make_order):
    numbers = [make_order(reader, ("Emma", 1), ("Sanditon", 2)), make_order(other_reader)]
    numbers += [make_order(other_reader, ("Emma", 1)) for _ in range(60)]
    response = admin_client.get("/admin/orders.csv")
    assert response.headers["Content-Disposition"] == "attachment; filename=orders.csv"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 62
    assert [row["isbn"][-1] for row in rows[:2]] == ["0", "2"]
    assert (rows[1]["customer"], rows[1]["copies"], rows[1]["cents"]) == (
        "rita@example.com",
        "2",
        "1580",
    )
    assert rows[-1]["number"] == numbers[-1]


def test_export_is_streamed(admin_client, reader, make_order):
    for _ in range(55):
        make_order(reader, ("Emma", 1))
    response = admin_client.get("/admin/orders.csv", buffered=False)
    chunks = list(response.response)
    assert len(chunks) >= 2
    response.close()


def test_import_of_prices(admin_client, app, books):
    content = b"\xef\xbb\xbfisbn,price\n9780000000000,10.50\n9780000000002,7.90\n9789999999999,1\n"
    data = {"file": (io.BytesIO(content), "prices.csv")}
    page = admin_client.post("/admin/prices", data=data, follow_redirects=True).text
    assert "1 prices changed, 1 unknown books" in page
    with app.app_context():
        assert db.session.get(Book, books["Emma"]).price_cents == 1050
        assert db.session.get(Book, books["Sanditon"]).price_changes == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("prices.csv", b"isbn,price\n1,cheap\n", "line 2 is not"),
        ("prices.csv", b"a,b\n1,2\n", "line 2 is not"),
        ("prices.csv", b"isbn,price\n\xff\xfe,2\n", "cannot be read"),
        ("prices.xls", b"", "approved extension"),
    ],
)
def test_bad_price_lists(admin_client, books, name, content, message):
    data = {"file": (io.BytesIO(content), name)}
    assert message in admin_client.post("/admin/prices", data=data).text


def test_sales_report(admin_client, app, reader, make_order):
    this_month = utcnow().replace(day=1)
    last_month = this_month - timedelta(days=3)
    make_order(reader, ("Emma", 2), ("Around the World", 1), created_at=this_month)
    make_order(reader, ("Sanditon", 1), created_at=this_month)
    make_order(reader, ("Emma", 1), created_at=last_month)
    make_order(reader, ("Emma", 9), created_at=this_month, status=Order.CANCELLED)
    with app.app_context():
        assert revenue_by_month() == [
            (this_month.year, this_month.month, 2, 2380 + 890 + 790),
            (last_month.year, last_month.month, 1, 1190),
        ]
        (novels, copies, cents, share), (adventure, *_) = revenue_by_category()
        assert (novels, copies, cents, adventure) == ("Novels", 4, 4360, "Adventure")
        assert share == pytest.approx(4360 / 5250)
        assert shop_totals()["revenue"] == 5250
    page = admin_client.get("/admin/reports/sales").text
    assert f"{last_month:%Y-%m}" in page and "€ 43.60" in page


def test_sales_report_of_nothing(admin_client):
    assert admin_client.get("/admin/reports/sales").status_code == 200


def test_forecast_report(admin_client, reader, make_order):
    for days in range(1, 170, 2):
        make_order(reader, ("Emma", 1), created_at=utcnow() - timedelta(days=days))
    page = admin_client.get("/admin/reports/forecast?days=60").text
    assert "Demand of the next 60 days" in page
    emma = page[page.index(">Emma<") :]
    assert "100 %" in emma[: emma.index("</tr>")]
    assert page.index(">Emma<") < page.index(">Around the World<")


def test_forecast_is_the_same_for_the_same_dice(app, books):
    class Dice:
        def choices(self, history, k):
            return history[:k]

    since = utcnow() - timedelta(days=180)
    history = daily_sales([(1, since, 2), (1, since + timedelta(days=1, hours=3), 1)], since)
    book = Book(title="x", stock=2)
    row = simulate(book, history[1], days=30, rounds=20, dice=Dice())
    assert (row.expected, row.likely_most, row.sold_out_share) == (3.0, 3, 1.0)
    assert sum(history[2]) == 0
