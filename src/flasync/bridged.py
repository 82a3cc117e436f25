"""bridged(client): the sync face of an async client, for sync code in every lane.

A face looks like its target and is used like the client's sync twin would be. What a call gives
back decides what happens with it:

* a coroutine or another awaitable is awaited, through `await_`;
* what is awaitable *and* an async context manager (`aiosqlite.connect()`, aiohttp's requests,
  asyncpg's `pool.acquire()`) is entered at once: that awaits it too, and a `with` block around the
  result then only has to leave it;
* what is awaitable *and* an async iterable (asyncpg's cursors) waits for its use to tell which;
* an async iterator or context manager, and any object of the client's own library that has async
  methods, gets a face in turn;
* everything else passes through.

`close` is `aclose` where a client has that: the one is the sync name of the other.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from types import BuiltinFunctionType, CoroutineType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakSet

from flasync import database_errors, portal
from flasync.bridge import await_
from flasync.loop_free import LoopFreeLock

# Packages whose classes say nothing about whose object it is.
_NOBODYS = frozenset({"builtins", "abc", "typing", "contextlib", "collections", "asyncio", "enum"})
# Values that certainly pass through: what most calls return.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, dict, tuple, set})
# Special methods that Python looks up on the class; they pass through where the target has them.
_PASSED_ON = (
    "__len__ __getitem__ __setitem__ __delitem__ __contains__ __bool__ __lt__ __le__ __gt__ __ge__ "
    "__int__ __float__ __index__ __bytes__ __fspath__"
).split()
# Classes whose shape is remembered; more come only from classes that are made at run time.
_MOST_CLASSES = 1024
# Seconds that a client has to close, when the loop that it was made on ends.
_CLOSE_TIMEOUT_S = 5.0

_FACTORIES = (type, FunctionType, BuiltinFunctionType, MethodType, partial)
_END = object()


def bridged(async_object: Any) -> Any:
    """Return a face of an async object that sync code can use: in requests, CLI, tests and WSGI.

        redis = bridged(redis.asyncio.Redis())
        redis.set("key", "value")
        for key in redis.scan_iter("user:*"):
            ...

    Coroutine methods become calls, async iterators iterators, async context managers context
    managers. Errors are the library's own. Arguments that are faces are passed on as their targets;
    callbacks get the library's own objects. Methods that are not async run where they are called.

    Args:
        async_object: A client, connection, pool or module of an async library, or an awaitable of
            one. Or a callable (a class, a function, a `partial`) that makes one: it is called on
            the event loop at the first use, and again when the process has another loop (after a
            fork; when serving begins after a use at import time), so that what is bound to a loop
            is bound to the right one; what it made is closed when that loop ends. A face of a
            callable can be called, too.

    Returns:
        The face. `isinstance` takes it for its target; `face.__wrapped__` is the target.

    Runs in: any thread. Switches: never; the face does, whenever its target has to wait.
    """
    if isinstance(type(async_object), _FaceType):
        return async_object
    if isinstance(async_object, _FACTORIES):
        return _FactoryFace(async_object)
    return _build_face(async_object, _find_libraries(async_object), is_started=False)


class _FaceType(type):
    """The class of the classes of faces: it tells a face, whose `__class__` is its target's."""


class _State:
    """What a face knows.

    Attributes:
        target: The async object.
        libraries: The top-level packages whose objects get faces, too.
        context: The async context manager that was entered to get the target, if any.
        is_started: Whether there is nothing left to await before the target can be used.
    """

    __slots__ = ("_lock", "context", "is_started", "libraries", "target")

    def __init__(
        self, target: Any, libraries: frozenset[str], context: Any, is_started: bool
    ) -> None:
        self.target = target
        self.libraries = libraries
        self.context = context
        self.is_started = is_started or not inspect.isawaitable(target)
        self._lock = None if self.is_started else LoopFreeLock()

    def start(self) -> Any:
        """Await the target if it is an awaitable that nobody has awaited; return what to use."""
        if not self.is_started:
            await_(self._start())
        return self.target

    async def _start(self) -> None:
        assert self._lock is not None  # noqa: S101  there is one as long as it is not started
        async with self._lock:
            if not self.is_started:
                self.target, self.context = await _await_or_enter(self.target)
                self.is_started = True


class _Face(metaclass=_FaceType):
    """The methods of every face; `_build_class` adds those that its target's class calls for."""

    __slots__ = ("__weakref__", "_flasync_state")
    _flasync_state: _State

    def __init__(self, state: _State) -> None:
        object.__setattr__(self, "_flasync_state", state)

    @property  # type: ignore[misc]  # object's can be written
    def __class__(self) -> Any:
        return type(self._flasync_state.target)

    @property
    def __wrapped__(self) -> Any:
        return self._flasync_state.target

    def __getattr__(self, name: str) -> Any:
        state = self._flasync_state
        target = state.start()
        if name in database_errors.NAMES and not hasattr(target, name):
            error = database_errors.find_error(state.libraries, name)
            if error is not None:
                return error
        if name == "close" and hasattr(target, "aclose"):
            name = "aclose"  # its async name; some clients keep `close` for a deprecated alias
        value = getattr(target, name)
        if inspect.isroutine(value) or isinstance(value, partial):
            return _build_call(self, value)
        if isinstance(value, CoroutineType):  # an async property
            value = await_(value)
        return _adapt(value, self)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._flasync_state.start(), name, _strip(value))

    def __delattr__(self, name: str) -> None:
        delattr(self._flasync_state.start(), name)

    def __dir__(self) -> list[str]:
        return dir(self._flasync_state.target)

    def __repr__(self) -> str:
        return f"<bridged {self._flasync_state.target!r}>"

    def __str__(self) -> str:
        return str(self._flasync_state.target)

    def __eq__(self, other: object) -> bool:
        return bool(self._flasync_state.target == _strip(other))

    def __hash__(self) -> int:
        return hash(self._flasync_state.target)


class _FactoryFace(_Face):
    """The face of an object that is made at its first use, once for each loop."""

    __slots__ = ("_flasync_lock", "_flasync_made")
    _flasync_lock: LoopFreeLock
    _flasync_made: tuple[Any, Any]

    def __init__(self, factory: Callable[..., Any]) -> None:
        super().__init__(_State(factory, frozenset(), None, is_started=True))
        object.__setattr__(self, "_flasync_lock", LoopFreeLock())
        object.__setattr__(self, "_flasync_made", (None, None))
        if not _factory_faces:
            portal.close_at_end(_close_made)
        _factory_faces.add(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the factory, which may be any function, and return a face of what it returns."""
        arguments, options = _strip_all(args, kwargs)
        return await_(_make(partial(self._flasync_state.target, *arguments, **options)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._flasync_find(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._flasync_find(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._flasync_find(), name)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __enter__(self) -> Any:
        return self._flasync_find().__enter__()

    def __exit__(self, *error: Any) -> Any:
        return self._flasync_find().__exit__(*error)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._flasync_find())

    def _flasync_find(self) -> Any:
        """Return the face of the object of this loop."""
        made_on, face = self._flasync_made
        if made_on is not portal.find_loop():
            face = await_(self._flasync_make())
        return face

    async def _flasync_make(self) -> Any:
        loop = asyncio.get_running_loop()
        async with self._flasync_lock:
            if self._flasync_made[0] is not loop:
                face = await _make(self._flasync_state.target)
                object.__setattr__(self, "_flasync_made", (loop, face))
            return self._flasync_made[1]


_factory_faces: WeakSet[_FactoryFace] = WeakSet()


async def _make(factory: Callable[[], Any]) -> Any:
    """Call a factory on the loop and return a face of what it makes, or a plain value."""
    made, context = await _await_or_enter(factory())
    if type(made) in _PLAIN:
        return made
    return _build_face(made, _find_libraries(made), context)


async def _close_made() -> None:
    """Close what factories made on the running loop, which ends."""
    for factory_face in list(_factory_faces):
        made_on, face = factory_face._flasync_made
        if made_on is not asyncio.get_running_loop():
            continue
        object.__setattr__(factory_face, "_flasync_made", (None, None))
        target = face._flasync_state.target
        close = getattr(target, "aclose", None) or getattr(target, "close", None)
        closing = close() if close is not None else None
        if inspect.isawaitable(closing):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await closing


async def _await_or_enter(value: Any) -> tuple[Any, Any]:
    """Await a value that can be awaited; return the result, and the context manager entered."""
    if inspect.isawaitable(value):
        if hasattr(value, "__aenter__"):
            return await value.__aenter__(), value
        value = await value
    return value, None


# --- calls and results -------------------------------------------------------------------------


def _build_call(face: Any, method: Any) -> Callable[..., Any]:
    """Return a sync function that calls a method of the face's target."""

    def call(*args: Any, **kwargs: Any) -> Any:
        arguments, options = _strip_all(args, kwargs)
        try:
            return _adapt_result(method(*arguments, **options), face)
        except ValueError as error:
            closed = database_errors.name_closed(error, face._flasync_state.libraries)
            if closed is None:
                raise
            raise closed from error

    for name in ("__name__", "__qualname__", "__doc__"):
        if hasattr(method, name):
            setattr(call, name, getattr(method, name))
    return call


def _adapt_result(value: Any, face: Any) -> Any:
    """Return what a call gives to sync code: see the head of the module."""
    state: _State = face._flasync_state
    if type(value) in _PLAIN or value is state.target:
        return _adapt(value, face)
    if not inspect.isawaitable(value):
        return _adapt(value, face)
    if hasattr(type(value), "__aiter__") and not hasattr(type(value), "__aenter__"):
        return _build_face(value, state.libraries, is_started=False)
    result, context = await_(_await_or_enter(value))
    if context is None or type(result) in _PLAIN:
        return _adapt(result, face)
    return face if result is state.target else _build_face(result, state.libraries, context)


def _adapt(value: Any, face: Any) -> Any:
    """Return a face of an async object, and anything else as it is."""
    state: _State = face._flasync_state
    if type(value) in _PLAIN or isinstance(value, type):
        return value
    if value is state.target:
        return face
    shape = _find_shape(_get_class(value))
    if shape.has_protocol or (shape.has_async and state.libraries & _find_libraries(value)):
        return _build_face(value, state.libraries)
    return value


def _strip(value: Any) -> Any:
    """Return the target of a face that is passed to the library, and anything else as it is."""
    if isinstance(type(value), _FaceType):
        made = value._flasync_find() if type(value) is _FactoryFace else value
        return made._flasync_state.start()
    if type(value) in (list, tuple):
        return type(value)(map(_strip, value))
    return value


def _strip_all(args: Any, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    return [_strip(value) for value in args], {key: _strip(kwargs[key]) for key in kwargs}


# --- what a class can do -----------------------------------------------------------------------


class _Shape:
    """Which async things the objects of a class can do.

    Attributes:
        has_protocol: Whether they are async iterables or async context managers.
        has_async: Whether they have async methods as well, or any of these.
    """

    def __init__(self, cls: type) -> None:
        self.has_protocol = hasattr(cls, "__aenter__") or hasattr(cls, "__aiter__")
        self.has_async = self.has_protocol or any(
            inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
            for owner in cls.__mro__
            for value in vars(owner).values()
        )


_find_shape = lru_cache(_MOST_CLASSES)(_Shape)


def _get_class(value: Any) -> Any:
    return type(value)  # as Any, for mypy takes no class for hashable


def _find_libraries(value: Any) -> frozenset[str]:
    """Return the top-level packages that an object's classes, or a module, come from."""
    if isinstance(value, ModuleType):
        return frozenset({value.__name__.partition(".")[0]})
    return _find_class_libraries(_get_class(value))


@lru_cache(_MOST_CLASSES)
def _find_class_libraries(cls: type) -> frozenset[str]:
    return frozenset(owner.__module__.partition(".")[0] for owner in cls.__mro__) - _NOBODYS


def _build_face(
    target: Any, libraries: frozenset[str], context: Any = None, *, is_started: bool = True
) -> Any:
    face_class = _build_class(_get_class(target), context is not None)
    return face_class(_State(target, libraries, context, is_started))


@lru_cache(_MOST_CLASSES)
def _build_class(cls: type, has_context: bool) -> Any:
    """Return the class of the faces of objects of `cls`, with the special methods that they need.

    Args:
        cls: The class of the target.
        has_context: Whether the target came out of an async context manager, which is to be left.
    """
    methods: dict[str, Any] = {"__slots__": (), "__doc__": cls.__doc__}
    if has_context or hasattr(cls, "__aenter__"):
        methods |= {"__enter__": _enter, "__exit__": _exit}
    elif hasattr(cls, "__enter__"):
        methods |= {"__enter__": _pass_on("__enter__"), "__exit__": _pass_on("__exit__")}
    if hasattr(cls, "__aiter__"):
        methods["__iter__"] = _iterate
        if hasattr(cls, "__anext__"):
            methods["__next__"] = _advance
    elif hasattr(cls, "__iter__"):
        methods["__iter__"] = _pass_on("__iter__")
    if any("__call__" in vars(owner) for owner in cls.__mro__):  # every class itself has one
        methods["__call__"] = _pass_on("__call__")
    for name in _PASSED_ON:
        if hasattr(cls, name):
            methods[name] = _pass_on(name)
    return _FaceType(f"bridged {cls.__qualname__}", (_Face,), methods)


def _pass_on(name: str) -> Callable[..., Any]:
    def special(face: Any, *args: Any, **kwargs: Any) -> Any:
        method = getattr(face._flasync_state.start(), name)
        return _build_call(face, method)(*args, **kwargs)

    return special


def _enter(face: Any) -> Any:
    """Enter the target, unless that was done to get it."""
    state: _State = face._flasync_state
    target = state.start()
    if state.context is not None:
        return face
    entered = await_(target.__aenter__())
    state.context = target
    return _adapt(entered, face)


def _exit(face: Any, *error: Any) -> Any:
    state: _State = face._flasync_state
    context, state.context = state.context, None
    return await_(context.__aexit__(*error))


def _iterate(face: Any) -> Iterator[Any]:
    """Iterate over the target; an iteration that is given up closes it."""
    iterator = face._flasync_state.target.__aiter__()
    try:
        while (item := await_(anext(iterator, _END))) is not _END:
            yield _adapt(item, face)
    finally:
        if inspect.isasyncgen(iterator):
            await_(iterator.aclose())


def _advance(face: Any) -> Any:
    item = await_(anext(face._flasync_state.start(), _END))
    if item is _END:
        raise StopIteration
    return _adapt(item, face)
