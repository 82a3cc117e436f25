import pytest
from bookshop.extensions import db
from bookshop.models import Book, Order, Review
from bookshop.template_filters import money, stars


def test_home_of_an_empty_shop(client):
    response = client.get("/")
    assert response.status_code == 200
    assert "New on our shelves" in response.text
    assert "Bestsellers" not in response.text


def test_home_shows_the_bestsellers_first(client, reader, make_order):
    make_order(reader, ("Emma", 1), ("Michael Strogoff", 4))
    make_order(reader, ("Emma", 1))
    make_order(reader, ("Sanditon", 9), status=Order.CANCELLED)
    page = client.get("/").text
    bestsellers = page[page.index("Bestsellers") : page.index("New on our shelves")]
    assert bestsellers.index("Michael Strogoff") < bestsellers.index("Emma")
    assert "Sanditon" not in bestsellers


def test_bestsellers_are_cached(client, reader, make_order):
    make_order(reader, ("Emma", 1))
    client.get("/")
    make_order(reader, ("Around the World", 3))
    page = client.get("/").text
    assert "Around the World" not in page[page.index("Bestsellers") : page.index("New on")]


def test_home_shows_the_best_rated(client, books, reader, other_reader, make_review):
    make_review(reader, "Emma", 5)
    make_review(other_reader, "Emma", 4)
    make_review(reader, "Sanditon", 2)
    page = client.get("/").text
    best = page[page.index("What our readers like best") :]
    assert best.index("Emma") < best.index("Sanditon")
    assert "2 reviews" in best and "4.5 of 5" in best


def test_navigation_has_the_categories(client, books):
    page = client.get("/").text
    assert 'href="/categories/novels">Novels' in page
    assert 'href="/categories/adventure">Adventure' in page


def test_books_are_paged(client, books):
    first, second = client.get("/books"), client.get("/books?page=2")
    assert "6 books" in first.text
    assert "Emma" in first.text and "Sanditon" not in first.text
    assert "Sanditon" in second.text
    assert 'href="/books?page=2"' in first.text


def test_a_page_too_far_is_not_found(client, books):
    assert client.get("/books?page=9").status_code == 404


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("emma", {"Emma"}),
        ("VERNE", {"Around the World", "Michael Strogoff", "Mysterious Island"}),
        ("ed itor", {"Persuasion"}),
        ("sand", {"Sanditon"}),
        ("nothing like it", set()),
    ],
)
def test_search_in_titles_and_authors(client, books, text, titles):
    page = client.get("/books", query_string={"q": text}).text
    assert {title for title in books if f">{title}</a>" in page} == titles


def test_search_keeps_its_words_from_page_to_page(client, books):
    assert "/books?q=a&amp;page=2" in client.get("/books?q=a").text


def test_search_without_a_hit_says_so(client, books):
    assert "We have no such book" in client.get("/books?q=zzz").text


def test_search_words_are_escaped(client, books):
    page = client.get("/books", query_string={"q": "<script>"}).text
    assert "<script>" not in page.replace("<script src", "")
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("order", "first"), [("title", "Around the World"), ("newest", "Sanditon"), ("?", "Around")]
)
def test_books_in_order(client, books, order, first):
    page = client.get("/books", query_string={"order": order}).text
    assert page.index(f">{first}") == min(page.index(f">{t}<") for t in books if f">{t}<" in page)


def test_category_page(client, books):
    page = client.get("/categories/adventure?order=cheapest").text
    assert page.index("Around the World") < page.index("Michael Strogoff")
    assert "Emma" not in page
    assert client.get("/categories/poems").status_code == 404


def test_author_page(client, books, app):
    with app.app_context():
        author_id = Book.query.filter_by(title="Emma").one().authors[0].id
    page = client.get(f"/authors/{author_id}").text
    assert page.index("Emma") < page.index("Persuasion") < page.index("Sanditon")
    assert "She wrote six novels" in page
    assert client.get("/authors/0").status_code == 404


def test_book_page(client, books, reader, make_review):
    make_review(reader, "Persuasion", 4, "Slow, but <good>.")
    page = client.get("/books/persuasion").text
    assert "€ 9.90" in page
    assert "Ed Itor" in page and "Jane Austen" in page
    assert "Rita Reader" in page and "Slow, but &lt;good&gt;." in page
    assert "More of this kind" in page and "Sanditon" in page
    assert "Log in</a> to write a review" in page


def test_book_page_shows_the_price_before(client, app, books):
    with app.app_context():
        db.session.get(Book, books["Emma"]).change_price(800)
        db.session.commit()
    page = client.get("/books/emma").text
    assert "€ 8.00" in page and "€ 11.90</s>" in page


def test_unknown_book(client):
    response = client.get("/books/none")
    assert response.status_code == 404
    assert "We do not have this book" in response.text


def test_cover_is_drawn_when_there_is_none(client, books):
    response = client.get("/books/around-the-world/cover")
    assert response.mimetype == "image/svg+xml"
    assert "Jules Verne" in response.text and response.text.lstrip().startswith("<svg")


def test_review(reader_client, app, books):
    data = {"rating": "5", "text": "  Wonderful.  "}
    response = reader_client.post("/books/emma/reviews", data=data, follow_redirects=True)
    assert "Thank you for your review" in response.text
    with app.app_context():
        review = Review.query.one()
        assert (review.rating, review.text, review.user.name) == (5, "Wonderful.", "Rita Reader")
        assert review.book.rating == 5


def test_one_review_each(reader_client, reader, app, make_review):
    make_review(reader, "Emma", 3)
    data = {"rating": "5", "text": "Again."}
    response = reader_client.post("/books/emma/reviews", data=data, follow_redirects=True)
    assert "already reviewed" in response.text
    with app.app_context():
        assert Review.query.count() == 1


@pytest.mark.parametrize("data", [{"rating": "9", "text": "x"}, {"rating": "5", "text": ""}, {}])
def test_bad_review(reader_client, app, books, data):
    response = reader_client.post("/books/emma/reviews", data=data, follow_redirects=True)
    assert "needs a rating and a text" in response.text
    with app.app_context():
        assert Review.query.count() == 0


def test_review_needs_a_login(client, books):
    response = client.post("/books/emma/reviews", data={"rating": "5", "text": "x"})
    assert response.status_code == 302
    assert response.location.startswith("/account/login?next=")


def test_static_files(client):
    response = client.get("/static/style.css")
    assert response.mimetype == "text/css"
    response.close()


def test_unknown_page(client):
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "Back to the shop" in response.text


def test_server_timing(client):
    assert client.get("/cart").headers["Server-Timing"].startswith("app;dur=")


def test_filters():
    assert money(123456) == "€ 1,234.56"
    assert money(None) == "€ 0.00"
    assert stars(None) == ""
    assert stars(3.4).count("★") == 5 and "3.4 of 5" in stars(3.4)
