"""The report as JSON."""

import json

from flasync.toolkit.report.json_format import VERSION, build_json
from toolkit.report.shop_report import build_observed_report


def test_json_has_a_version_and_the_whole_report() -> None:
    """The object has its version and each attribute of the report, in plain values."""
    data = json.loads(build_json(build_observed_report()))
    assert data["version"] == VERSION
    assert data["app"] == "wsgi:app"
    route = data["routes"][0]
    assert (route["id"], route["verdict"]) == ("GET /books/<slug>/availability", "fixable")
    assert route["hits"][0]["chain"][0]["place"] == {
        "file": "bookshop/catalogue/views.py",
        "line": 79,
        "column": 5,
    }
    finding = data["findings"][route["hits"][0]["finding"]]
    assert finding["subject"] == "requests.request"
    assert finding["observed"] == {"count": 12, "waited_ms": 3741.0, "cpu_ms": 30.0}
