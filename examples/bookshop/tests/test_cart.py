import pytest
from bookshop.cart.basket import add_to_cart, cart_count, cart_lines, empty_cart, set_quantity
from bookshop.extensions import db
from bookshop.models import Book, Order, utcnow
from flask import session

ADDRESS = {"recipient": "Rita Reader", "street": "Long Lane 1", "city": "1010 Vienna"}


def test_basket(app, books):
    with app.test_request_context():
        add_to_cart(books["Sanditon"], 2)
        add_to_cart(books["Emma"], 1)
        add_to_cart(books["Emma"], 2)
        assert [(line.book.title, line.quantity) for line in cart_lines()] == [
            ("Emma", 3),
            ("Sanditon", 2),
        ]
        assert cart_lines()[0].total_cents == 3570
        set_quantity(books["Sanditon"], 0)
        assert cart_count() == 3
        empty_cart()
        assert "cart" not in session and cart_lines() == []


def test_cart_is_empty_at_first(client):
    assert "nothing in your cart" in client.get("/cart").text


def test_add_and_change(client, books):
    emma = books["Emma"]
    response = client.post(f"/cart/{emma}/add", data={"quantity": 2}, follow_redirects=True)
    assert "“Emma” is in your cart" in response.text and "€ 23.80" in response.text
    assert '<span class="badge">2</span>' in client.get("/books").text
    client.post(f"/cart/{emma}", data={"quantity": 1})
    assert "€ 11.90" in client.get("/cart").text
    client.post(f"/cart/{emma}", data={"quantity": 0})
    assert "nothing in your cart" in client.get("/cart").text


def test_at_most_ten_copies(client, books):
    with client:
        for _ in range(3):
            client.post(f"/cart/{books['Emma']}/add", data={"quantity": 4})
        assert session["cart"] == {str(books["Emma"]): 10}


@pytest.mark.parametrize("quantity", ["0", "-1", "11", "many", ""])
def test_bad_quantities(client, books, quantity):
    with client:
        data = {"quantity": quantity}
        response = client.post(f"/cart/{books['Emma']}/add", data=data, follow_redirects=True)
        assert "not a number of copies" in response.text
        assert "cart" not in session


def test_unknown_book_in_cart(client):
    assert client.post("/cart/0/add", data={"quantity": 1}).status_code == 404


def test_a_deleted_book_leaves_the_cart(client, app, books):
    client.post(f"/cart/{books['Emma']}/add", data={"quantity": 1})
    with app.app_context():
        db.session.delete(db.session.get(Book, books["Emma"]))
        db.session.commit()
    assert "nothing in your cart" in client.get("/cart").text


def test_checkout_needs_a_login(client):
    assert client.get("/checkout").location == "/account/login?next=%2Fcheckout"


def test_checkout_of_nothing(reader_client):
    response = reader_client.get("/checkout", follow_redirects=True)
    assert "Your cart is empty" in response.text


def test_checkout(reader_client, app, books, mailbox):
    reader_client.post(f"/cart/{books['Emma']}/add", data={"quantity": 2})
    page = reader_client.get("/checkout").text
    assert 'value="Rita Reader"' in page and "Emma</td>" in page
    response = reader_client.post("/checkout", data=ADDRESS, follow_redirects=True)
    assert response.request.path.startswith("/orders/B-")
    assert "Thank you!" in response.text and "€ 23.80" in response.text
    with app.app_context():
        order = Order.query.one()
        assert (order.status, order.total_cents, order.total_copies) == ("placed", 2380, 2)
        assert order.items[0].book.stock == 3
        number = order.number
    assert [mail["Subject"] for mail in mailbox] == [f"Your order {number}"]
    assert mailbox[0]["To"] == "rita@example.com"
    assert "2 x Emma (Jane Austen)" in mailbox[0].get_content()
    with reader_client:
        reader_client.get("/cart")
        assert "cart" not in session


def test_checkout_reserves_what_is_missing(reader_client, app, books, real_supplier):
    reader_client.post(f"/cart/{books['Sanditon']}/add", data={"quantity": 3})
    reader_client.post("/checkout", data=ADDRESS)
    with app.app_context():
        item = Order.query.one().items[0]
        assert (item.quantity, item.reserved, len(item.reservation)) == (3, 1, 32)
        assert item.book.stock == 0


def test_checkout_when_the_supplier_has_none(reader_client, app, books, monkeypatch):
    class Conflict:
        status_code = 409

    monkeypatch.setattr(
        "bookshop.supplier_client.requests.request", lambda *args, **kwargs: Conflict()
    )
    reader_client.post(f"/cart/{books['Emma']}/add", data={"quantity": 1})
    reader_client.post(f"/cart/{books['Persuasion']}/add", data={"quantity": 1})
    response = reader_client.post("/checkout", data=ADDRESS, follow_redirects=True)
    assert "does not have that many copies" in response.text
    with app.app_context():
        assert Order.query.count() == 0
        assert db.session.get(Book, books["Emma"]).stock == 5


def test_checkout_without_a_supplier(reader_client, app, books):
    reader_client.post(f"/cart/{books['Persuasion']}/add", data={"quantity": 1})
    response = reader_client.post("/checkout", data=ADDRESS)
    assert response.status_code == 502
    assert "Our supplier does not answer" in response.text
    with app.app_context():
        assert Order.query.count() == 0


def test_checkout_needs_an_address(reader_client, app, books):
    reader_client.post(f"/cart/{books['Emma']}/add", data={"quantity": 1})
    response = reader_client.post("/checkout", data={**ADDRESS, "city": ""})
    assert response.status_code == 200
    assert "This field is required" in response.text
    with app.app_context():
        assert Order.query.count() == 0


def test_checkout_when_no_mail_can_be_sent(reader_client, app, books, caplog):
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=9)
    reader_client.post(f"/cart/{books['Emma']}/add", data={"quantity": 1})
    assert reader_client.post("/checkout", data=ADDRESS).status_code == 302
    assert "Mail to rita@example.com was not sent" in caplog.text


def test_orders_are_paged(reader_client, reader, make_order):
    numbers = [make_order(reader, ("Emma", 1), ("Sanditon", 1)) for _ in range(3)]
    first, second = reader_client.get("/orders").text, reader_client.get("/orders?page=2").text
    assert numbers[2] in first and numbers[1] in first and numbers[0] not in first
    assert numbers[0] in second
    assert "Emma, Sanditon" in first and "€ 19.80" in first


def test_no_orders_yet(reader_client):
    assert "not ordered anything yet" in reader_client.get("/orders").text


def test_orders_of_others(app, reader_client, admin_client, other_reader, make_order):
    number = make_order(other_reader, ("Emma", 1))
    assert reader_client.get(f"/orders/{number}").status_code == 403
    assert reader_client.post(f"/orders/{number}/cancel").status_code == 403
    assert number not in reader_client.get("/orders").text
    assert admin_client.get(f"/orders/{number}").status_code == 200
    assert app.test_client().get(f"/orders/{number}").status_code == 302
    assert reader_client.get("/orders/B-0").status_code == 404


def test_invoice(reader_client, reader, make_order):
    number = make_order(reader, ("Emma", 2), ("Sanditon", 1))
    response = reader_client.get(f"/orders/{number}/invoice")
    assert response.mimetype == "text/plain"
    assert response.headers["Content-Disposition"] == f"attachment; filename=invoice-{number}.txt"
    assert "€ 31.70" in response.text.splitlines()[-1]
    assert f"{utcnow():%Y-%m}" in response.text


def test_cancel(reader_client, reader, app, make_order, mailbox):
    number = make_order(reader, ("Emma", 2))
    response = reader_client.post(f"/orders/{number}/cancel", follow_redirects=True)
    assert f"Order {number} is cancelled" in response.text
    with app.app_context():
        order = Order.query.one()
        assert order.status == Order.CANCELLED
        assert order.items[0].book.stock == 7
    assert mailbox[0]["Subject"] == f"Order {number} cancelled"


def test_a_shipped_order_cannot_be_cancelled(reader_client, reader, app, make_order):
    number = make_order(reader, ("Emma", 2), status=Order.SHIPPED)
    response = reader_client.post(f"/orders/{number}/cancel", follow_redirects=True)
    assert "already shipped" in response.text
    with app.app_context():
        assert Order.query.one().status == Order.SHIPPED
