import re
from datetime import timedelta

import pytest
from bookshop.extensions import db
from bookshop.models import User, utcnow
from flask import session
from flask_login import current_user

from conftest import PASSWORD, log_in

NEW = {
    "name": "Nina New",
    "email": "Nina@Example.com",
    "password": "long enough",
    "repeat": "long enough",
}


def test_register(client, app, mailbox):
    with client:
        response = client.post("/account/register", data=NEW, follow_redirects=True)
        assert "Welcome to the Bookshop!" in response.text
        assert current_user.name == "Nina New"
    with app.app_context():
        user = User.query.one()
        assert user.email == "nina@example.com"
        assert user.check_password("long enough") and not user.check_password("other")
        assert "long enough" not in user.password_hash
    assert mailbox[0]["To"] == "nina@example.com"
    assert "Dear Nina New" in mailbox[0].get_content()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "This field is required"),
        ({"email": "nina"}, "Invalid email address"),
        ({"email": "rita@example.com"}, "already an account"),
        ({"email": " RITA@example.com"}, "already an account"),
        ({"password": "short", "repeat": "short"}, "between 8 and 200 characters"),
        ({"repeat": "something else"}, "must be equal to password"),
    ],
)
def test_bad_registrations(client, app, reader, changes, message):
    response = client.post("/account/register", data={**NEW, **changes})
    assert response.status_code == 200
    assert message in response.text
    with app.app_context():
        assert User.query.count() == 1


def test_two_registrations_at_once(client, app, reader, monkeypatch):
    """The form finds no account, but the database does."""
    monkeypatch.delattr("bookshop.accounts.forms.RegisterForm.validate_email")
    data = {**NEW, "email": "rita@example.com"}
    response = client.post("/account/register", data=data, follow_redirects=True)
    assert "already an account" in response.text
    with app.app_context():
        assert User.query.count() == 1


def test_login_and_logout(client, reader):
    with client:
        assert log_in(client, "Rita@example.com").location == "/"
        client.get("/")
        assert current_user.id == reader
        assert "Rita Reader" in client.get("/").text
        response = client.post("/account/logout", follow_redirects=True)
        assert "You are logged out" in response.text
        assert current_user.is_anonymous


@pytest.mark.parametrize(
    ("email", "password"), [("rita@example.com", "wrong"), ("none@example.com", PASSWORD)]
)
def test_wrong_login(client, reader, email, password):
    response = log_in(client, email, password)
    assert "E-mail or password is wrong" in response.text
    assert client.get("/account/profile").status_code == 302


def test_login_leads_back(client, reader):
    login_page = client.get("/account/profile").location
    response = client.post(login_page, data={"email": "rita@example.com", "password": PASSWORD})
    assert response.location == "/account/profile"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_login_does_not_lead_away(client, reader, target):
    response = client.post(
        "/account/login",
        query_string={"next": target},
        data={"email": "rita@example.com", "password": PASSWORD},
    )
    assert response.location == "/"


def test_remember_me(client, reader):
    data = {"email": "rita@example.com", "password": PASSWORD, "remember": "y"}
    client.post("/account/login", data=data)
    assert client.get_cookie("remember_token") is not None
    client.delete_cookie("session")
    assert client.get("/account/profile").status_code == 200


def test_logged_in_users_need_no_login_page(reader_client):
    assert reader_client.get("/account/login").location == "/"
    assert reader_client.get("/account/register").location == "/"


def test_profile(reader_client, reader, app, make_order, make_review):
    make_order(reader, ("Emma", 1))
    make_review(reader, "Emma", 5, "My favourite.")
    page = reader_client.get("/account/profile").text
    assert "<dt>Orders</dt><dd>1</dd>" in page and "My favourite." in page
    data = {"name": "Rita R."}
    assert "Saved" in reader_client.post("/account/profile", data=data, follow_redirects=True).text
    with app.app_context():
        assert db.session.get(User, reader).name == "Rita R."


def test_change_password(reader_client, reader, app):
    data = {"current": PASSWORD, "password": "a new password", "repeat": "a new password"}
    response = reader_client.post("/account/password", data=data, follow_redirects=True)
    assert "password is changed" in response.text
    assert log_in(app.test_client(), "rita@example.com").status_code == 200
    assert log_in(app.test_client(), "rita@example.com", "a new password").status_code == 302


def test_change_password_needs_the_old_one(reader_client, reader):
    data = {"current": "wrong", "password": "a new password", "repeat": "a new password"}
    assert "This is not your password" in reader_client.post("/account/password", data=data).text
    assert "New password again" in reader_client.get("/account/password").text


def test_new_api_key(reader_client, client):
    old, new = "rita-token", None
    page = reader_client.post("/account/token", follow_redirects=True).text
    new = re.search(r"<dd>([0-9a-f]{40})</dd>", page)[1]
    for token, code in ((old, 401), (new, 200)):
        response = client.get("/api/orders", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == code


def test_last_seen(reader_client, reader, app):
    def last_seen(value=None):
        with app.app_context():
            user = db.session.get(User, reader)
            if value:
                user.last_seen_at = value
                db.session.commit()
            return user.last_seen_at

    reader_client.get("/")
    assert last_seen() is not None
    two_minutes_ago = last_seen(utcnow() - timedelta(minutes=2))
    reader_client.get("/")
    assert last_seen() == two_minutes_ago
    an_hour_ago = last_seen(utcnow() - timedelta(hours=1))
    reader_client.get("/")
    assert last_seen() > an_hour_ago


def test_a_deleted_user_is_logged_out(reader_client, reader, app):
    with app.app_context():
        db.session.delete(db.session.get(User, reader))
        db.session.commit()
    assert reader_client.get("/account/profile").status_code == 302


@pytest.mark.parametrize("path", ["/account/login", "/account/register"])
def test_forms_need_a_csrf_token(client, app, reader, path):
    app.config["WTF_CSRF_ENABLED"] = True
    response = client.post(path, data={**NEW, "password": PASSWORD})
    assert response.status_code == 400
    assert "The CSRF token is missing" in response.text


def test_login_with_a_csrf_token(client, app, reader):
    app.config["WTF_CSRF_ENABLED"] = True
    page = client.get("/account/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    data = {"email": "rita@example.com", "password": PASSWORD, "csrf_token": token}
    assert client.post("/account/login", data=data).status_code == 302
    with client:
        client.get("/")
        assert session["_user_id"] == str(reader)
