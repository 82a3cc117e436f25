"""The options of the commands that send requests: what is sent besides method and path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def request_options(command: F) -> F:
    """Add `--header` and `--data` to a command, which gets `headers` and `data`."""
    return _HEADER(_DATA(command))


def _split_headers(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    headers = []
    for text in value:
        name, colon, content = text.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{text!r} is no header. Write 'Name: value'.", ctx, param)
        headers.append((name.strip(), content.strip()))
    return tuple(headers)


_HEADER = click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    metavar="'NAME: VALUE'",
    callback=_split_headers,
    help="A header of the request, such as 'Cookie: session=…'. May be given several times.",
)
_DATA = click.option(
    "--data",
    "-d",
    metavar="TEXT",
    default="",
    help="The body. One that begins with { or [ is sent as JSON, any other as a form.",
)
