from bookshop.extensions import redis_store


def viewed_part(page):
    return page[page.index("You looked at") : page.index("New on our shelves")]


def test_home_shows_what_the_visitor_looked_at(client, books, with_redis):
    for slug in ("emma", "sanditon", "emma"):
        client.get(f"/books/{slug}")
    part = viewed_part(client.get("/").text)
    assert part.index("Emma") < part.index("Sanditon")
    assert part.count(">Emma<") == 1


def test_visitors_see_their_own(app, client, books, with_redis):
    client.get("/books/emma")
    assert "You looked at" not in app.test_client().get("/").text


def test_only_the_last_six_are_kept(app, with_redis):
    for book_id in range(1, 10):
        redis_store.remember_viewed("v", book_id)
    assert redis_store.recently_viewed("v") == [9, 8, 7, 6, 5, 4]
    assert with_redis.ttl("bookshop:viewed:v") > 0


def test_api_limits_the_rate(client, app, books, with_redis):
    app.config["API_REQUESTS_PER_MINUTE"] = 3
    codes = [client.get("/api/health").status_code for _ in range(9)]
    # A minute may end in between, once.
    assert codes[:3] == [200, 200, 200] and 429 in codes
    refused = client.get("/api/health")
    while refused.status_code != 429:
        refused = client.get("/api/health")
    assert refused.headers["Retry-After"] == "60"
    assert refused.json["error"] == "Too Many Requests"


def test_health_names_redis(client, with_redis):
    assert client.get("/api/health").json == {"books": 0, "redis": True}


def test_without_redis_everything_else_works(client, app, books):
    app.config["API_REQUESTS_PER_MINUTE"] = 1
    assert client.get("/books/emma").status_code == 200
    assert "You looked at" not in client.get("/").text
    assert [client.get("/api/health").status_code for _ in range(3)] == [200] * 3


def test_a_redis_that_is_gone(client, app, books, caplog):
    app.config["REDIS_URL"] = "redis://127.0.0.1:9"
    redis_store.init_app(app)
    try:
        assert client.get("/books/emma").status_code == 200
        assert client.get("/api/health").json["redis"] is False
        assert "Redis is not available" in caplog.text
    finally:
        redis_store.client = None
