import pytest
from bookshop import create_app
from bookshop.extensions import db
from bookshop.models import Book, Order, User
from bookshop.sample_data import make_isbn


def test_init_db(tmp_path):
    app = create_app(
        {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/shop.db"}, instance_path=str(tmp_path)
    )
    runner = app.test_cli_runner()
    assert "The tables are there" in runner.invoke(args=["init-db"]).output
    with app.app_context():
        db.session.add(User(email="a@example.com", name="A", password_hash="x"))
        db.session.commit()
    runner.invoke(args=["init-db"])
    with app.app_context():
        assert User.query.count() == 1
    runner.invoke(args=["init-db", "--drop"])
    with app.app_context():
        assert User.query.count() == 0
        db.session.remove()
        db.engine.dispose()


def test_seed(runner, app, client):
    result = runner.invoke(args=["seed", "--orders", "20"])
    assert result.exit_code == 0, result.output
    assert "39 books, 16 customers, 20 orders" in result.output
    with app.app_context():
        assert Order.query.count() == 20
        assert User.query.filter_by(is_admin=True).one().check_password("bookshop")
    assert "Bestsellers" in client.get("/").text


def test_seed_only_an_empty_shop(runner, app, books):
    assert "already books" in runner.invoke(args=["seed"]).output
    with app.app_context():
        assert Book.query.count() == 6


def test_isbns_are_well_formed():
    assert make_isbn(1) == "9780000000019"
    assert len(make_isbn(1234567)) == 13


def test_import_prices_from_a_file(runner, app, books, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("isbn,price\n9780000000000,12.00\n9789999999999,3\n")
    result = runner.invoke(args=["import-prices", str(file)])
    assert "1 prices changed." in result.output
    assert "We do not sell 9789999999999." in result.output
    with app.app_context():
        assert db.session.get(Book, books["Emma"]).price_cents == 1200


def test_import_prices_from_the_supplier(runner, app, books, real_supplier):
    result = runner.invoke(args=["import-prices"])
    assert "6 prices changed." in result.output
    with app.app_context():
        assert db.session.get(Book, books["Persuasion"]).price_cents == 727


@pytest.mark.parametrize("content", [None, "isbn,price\nx\n"])
def test_import_prices_fails_with_a_message(runner, books, tmp_path, content):
    args = ["import-prices"]
    if content:
        (tmp_path / "prices.csv").write_text(content)
        args.append(str(tmp_path / "prices.csv"))
    result = runner.invoke(args=args)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.db")
    monkeypatch.setenv("MAIL_USE_TLS", "yes")
    monkeypatch.setenv("BOOKSHOP_INSTANCE", str(tmp_path))
    app = create_app()
    assert app.config["SQLALCHEMY_DATABASE_URI"] == "sqlite:///elsewhere.db"
    assert app.config["MAIL_USE_TLS"] is True
    assert app.config["COVER_FOLDER"] == str(tmp_path / "covers")
