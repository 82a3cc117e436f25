"""Extensions whose decorators wrap `async def` views, as their documentation shows them."""

import asyncio

import flask
from flask_caching import Cache
from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user

import flasync
from pains.apps.ledger import Ledger

app = flask.Flask(__name__)
app.config["SECRET_KEY"] = "not a secret: this app serves tests only"
app.config["JWT_SECRET_KEY"] = "not a secret: this app serves tests only"
app.config["CACHE_TYPE"] = "SimpleCache"
app.config["WORKER_THREADS"] = 20
ledger = Ledger()
ledger.init_app(app)

login_manager = LoginManager(app)
jwt = JWTManager(app)
cache = Cache(app)
limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")


class User(UserMixin):
    """Whoever logs in."""

    def __init__(self, name: str) -> None:
        """Keep the name."""
        self.id = name


@login_manager.user_loader
def load_user(name: str) -> User:
    """Everybody exists."""
    return User(name)


class Meeting:
    """An awaitable place that lets its visitors go once so many have come."""

    def __init__(self, visitors: int) -> None:
        """Start empty."""
        self.visitors = visitors
        self.waiting: list[asyncio.Future[None]] = []

    async def join(self) -> None:
        """Wait for the others."""
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        if len(self.waiting) == self.visitors:
            for each in self.waiting:
                each.set_result(None)
            self.waiting.clear()
        await future


meeting = Meeting(20)


@app.post("/login/<name>")
async def login(name: str) -> str:
    """Log in with a session cookie."""
    login_user(User(name))
    return name


@app.get("/me")
@login_required
async def me() -> str:
    """Who is logged in, after an await."""
    await asyncio.sleep(0)
    return current_user.id


@app.get("/meet-me")
@login_required
async def meet_me() -> str:
    """Who is logged in, once 20 requests are inside."""
    await meeting.join()
    return current_user.id


@app.post("/token/<name>")
async def token(name: str) -> dict[str, str]:
    """A token for the Authorization header."""
    return {"token": create_access_token(identity=name)}


@app.get("/jwt-me")
@jwt_required()
async def jwt_me() -> str:
    """Whose token it is, after an await."""
    await asyncio.sleep(0)
    return get_jwt_identity()


@app.get("/limited")
@limiter.limit("2 per hour", key_func=lambda: flask.request.args["who"])
async def limited() -> str:
    """Answer twice."""
    await asyncio.sleep(0)
    ledger.note("limited view ran")
    return "ok"


@app.get("/cached")
@cache.cached(query_string=True)
async def cached() -> str:
    """Compute once."""
    await asyncio.sleep(0)
    ledger.note("cached view ran")
    return f"computed for {flask.request.args['who']}"


@cache.memoize()
async def memoized(who: str) -> str:
    """Compute once an argument."""
    await asyncio.sleep(0)
    ledger.note("memoized function ran")
    return f"memo of {who}"


@app.get("/memoized")
async def memoized_view() -> str:
    """Call a memoized coroutine function."""
    result = memoized(flask.request.args["who"])
    return await result if asyncio.iscoroutine(result) else result


@app.get("/all")
@login_required
@limiter.limit("100 per minute")
@cache.cached(query_string=True)
async def all_at_once() -> str:
    """Three decorators at once."""
    await asyncio.sleep(0)
    return f"{current_user.id} in all"


asgi = flasync.ASGI(app)
