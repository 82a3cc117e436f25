"""What to do after a scan."""

from dataclasses import replace

from flasync.toolkit.finding import ScanReport, Verdict
from flasync.toolkit.report.next_steps import list_next_steps, list_route_steps
from flasync.toolkit.report.outline import Outline
from toolkit.report.shop_report import build_observed_report, build_shop_report


def list_commands(report: ScanReport, import_path: str | None = "wsgi") -> list[str]:
    steps = list_next_steps(Outline(report), import_path)
    return [command for step in steps for command in step.commands]


def test_commands_name_the_app_as_the_user_did() -> None:
    """The commands can be pasted: the app, and what a shell would take apart, is quoted."""
    assert list_commands(build_shop_report(), "shop:create_app('x')") == [
        """flasync scan --app 'shop:create_app('"'"'x'"'"')' --observe -- pytest""",
        """flasync serve --app 'shop:create_app('"'"'x'"'"')'""",
        "flasync explain FSY102",
        """flasync scan --app 'shop:create_app('"'"'x'"'"')' --route"""
        " 'GET /books/<slug>/availability'",
        """flasync migrate --app 'shop:create_app('"'"'x'"'"')'""",
        """flasync verify --app 'shop:create_app('"'"'x'"'"')' /books/SLUG/availability""",
        """flasync scan --app 'shop:create_app('"'"'x'"'"')' --write-baseline""",
        """flasync scan --app 'shop:create_app('"'"'x'"'"')' --check""",
    ]


def test_app_without_a_name_needs_none() -> None:
    """An app that was found without a name is found again without one."""
    assert "flasync serve" in list_commands(build_shop_report(), None)


def test_observed_report_asks_for_no_observation() -> None:
    """What has been observed need not be observed again."""
    assert not any("--observe" in command for command in list_commands(build_observed_report()))


def test_only_what_can_be_awaited_is_migrated() -> None:
    """`flasync migrate` is named where a route gains by it, and the app can be imported."""
    report = build_shop_report()
    stuck = tuple(replace(route, verdict=Verdict.OFFLOAD) for route in report.routes)
    assert "flasync migrate --app wsgi" in list_commands(report)
    for other in (replace(report, routes=stuck), replace(report, mode="static")):
        assert not any("migrate" in command for command in list_commands(other))


def test_chosen_route_is_migrated_alone() -> None:
    """Of a route that was asked for, only its own changes are shown."""
    report = build_shop_report()
    chosen = replace(report, routes=report.routes[:1])
    steps = list_route_steps(Outline(chosen), "wsgi")
    commands = [command for step in steps for command in step.commands]
    assert f"flasync migrate --app wsgi --route '{chosen.routes[0].id}'" in commands


def test_only_get_routes_are_verified() -> None:
    """`flasync verify` sends GET requests, so it is not proposed for others."""
    report = build_shop_report()
    posting = [route for route in report.routes if route.methods == ("POST",)]
    commands = list_commands(replace(report, routes=tuple(posting)))
    assert not any("verify" in command for command in commands)


def test_converters_become_names() -> None:
    """A rule's variables become names in capitals, its converters go."""
    report = build_shop_report()
    rule = "/a/<int(min=1):book_id>/<path:name>/x"
    route = replace(report.routes[0], rule=rule)
    commands = list_commands(replace(report, routes=(route,)))
    assert "flasync verify --app wsgi /a/BOOK_ID/NAME/x" in commands
