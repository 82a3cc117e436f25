"""What blocks and what replaces it: one TOML file a library, and the code that reads them.

A file is named for the import name of its library (`google.cloud` becomes `google_cloud.toml`);
the standard library has one file a module or subject. A file holds:

```toml
library = "redis"            # import name of the top-level module that it is about
title = "redis-py"           # how people call it
source = "https://…"         # the page that settles what follows

[[blocking]]                 # callables that wait, or compute for long, before they return
names = ["redis.Redis.*"]    # dotted names; a last `*` is any public method of that class,
                             # or any public function of that module
except = ["pipeline"]        # last segments that the `*` does not mean
kind = "network"             # see `Kind`
twin = "redis.asyncio.Redis" # what to await instead; leave out when there is none
way = "bridge"               # see `Way`: the way that fits most code
recipe = "…"                 # one line, imperative: what to do in the user's code
notes = "…"                  # what to mind, if anything
unless = ["blocking=False"]  # when it does not wait: "name=literal" or "1=literal" of an argument
                             # (positions without `self`), "config.NAME=literal" of `app.config`,
                             # "self.path=literal" of the live receiver
lazy = true                  # when not the call waits but the iteration over what it returns

[[returns]]                  # what a call gives, or what an attribute or global is
names = ["redis.Redis.pipeline"]
type = "redis.client.Pipeline"

[[runs]]                     # callables that run the app's own code
names = ["asyncio.to_thread"]
arguments = ["0"]            # which arguments they call: positions and names
iterates = ["1"]             # which arguments they iterate over
methods = ["validate_*"]     # which methods of the receiver they call; a last `*` is any ending
receivers = ["receivers"]    # paths on the receiver to functions, or to lists and dicts of them
where = "thread"             # "here" (the default), "thread" (off the loop), "later"

[[objects]]                  # globals that run the app's own code when they are used
names = ["flask_login.current_user"]
runs = ["login_manager._user_callback"] # paths that start at the Flask app; each segment is an
                             # attribute, or else an item. The value of the object is what those
                             # functions return

[[decorators]]               # what the wrapper of a decorator does before the wrapped function
names = ["flask_login.login_required"]
uses = ["flask_login.current_user"]     # known globals that it uses, known callables that it calls
runs = ["self.verify_callback"]         # paths to functions of the project: from `app`, or from a
                             # free variable of the wrapper

[[delegates]]                # classes whose objects pass on what they do not have to modules
names = ["flask_sqlalchemy.SQLAlchemy"]
to = ["sqlalchemy", "sqlalchemy.orm"]

[[templates]]                # callables that render a Jinja template
names = ["flask.render_template"]
argument = "0"               # where its name is; the other keyword arguments are its context

[[attributes]]               # descriptors of a class whose plain reading waits
descriptor = "sqlalchemy.orm.attributes.InstrumentedAttribute"
where = { "property.lazy" = ["select", "True"] }  # attribute paths on it, and str() of values
value = "property.mapper.class_"   # the path to the class of what is read
many = "property.uselist"    # the path to whether it is a collection of them
type = "sqlalchemy.orm.Query"      # the class of such a collection, if it is not a list
kind = "database"            # without kind and recipe, reading it waits for nothing
recipe = "…"
```

Of the `[[attributes]]` of one descriptor the first whose `where` holds counts. A name that is known
both exactly and by a `*` takes each section from the exact one, and else from the other. A method
is looked up along the classes of its receiver; the first class that knows its name decides.

A `type` is one of: a dotted class name (an instance of it), `self` (the receiver), `$0` or `$name`
(that argument itself), `new $0` (an instance of the class that is that argument), `item` (an item
of the receiver), `item $0` (an item of that argument), `enter $0` (what `with` gives
for it), `owner` (for `X.__get__`: an instance of the
class that the descriptor was read from), `app` (the Flask app), `list[…]` (an iterable of that
type), `X[…]` (an instance of the class X whose items are of that type), `class …` (the class
itself, not an instance).

More files come from projects and extensions: an entry point in the group `flasync.knowledge` that
names a module with `*.toml` files beside it, and the setting `knowledge = ["path.toml"]` of
`[tool.flasync]` in `pyproject.toml`.
"""

from flasync.toolkit.knowledge.library import (
    AttributeRead,
    Blocking,
    Decorator,
    Delegates,
    Kind,
    Library,
    Returns,
    Runs,
    Template,
    UsedObject,
    Way,
    parse_library,
)
from flasync.toolkit.knowledge.lookup import Knowledge, load_knowledge

__all__ = [
    "AttributeRead",
    "Blocking",
    "Decorator",
    "Delegates",
    "Kind",
    "Knowledge",
    "Library",
    "Returns",
    "Runs",
    "Template",
    "UsedObject",
    "Way",
    "load_knowledge",
    "parse_library",
]
