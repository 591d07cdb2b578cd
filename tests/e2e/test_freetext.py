"""Indicators in pasted text: what the body, the path and old scripts say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def event(api: Api) -> dict[str, Any]:
    return api.ok("/events/add", {"info": f"Pasted {uuid4()}"})["Event"]


def values(api: Api, event: dict[str, Any]) -> list[str]:
    return [a["value"] for a in api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"value": "see 192.0.2.77", "returnMetaAttributes": True}),
        ("", {"Attribute": {"value": "see 192.0.2.77", "returnMetaAttributes": 1}}),
        ("/0/1", {"value": "see 192.0.2.77"}),
        ("/false/true", {"value": "see 192.0.2.77"}),
        ("/0/1", "see 192.0.2.77"),
    ],
)
def test_candidates_alone_are_not_saved(api: Api, event: dict[str, Any], path: str, body: Any) -> None:
    (found,) = api.ok(f"/events/freeTextImport/{event['id']}{path}", body)
    assert found["value"] == "192.0.2.77"
    assert found["default_type"] == "ip-dst"
    assert found["types"]["ip-src"] == "ip-src"
    assert values(api, event) == []


@pytest.mark.parametrize("body", [{"value": "evil.example.com 192.0.2.78"}, "evil.example.com 192.0.2.78"])
def test_what_is_recognised_is_added(api: Api, event: dict[str, Any], body: Any) -> None:
    added = api.ok(f"/events/freeTextImport/{event['id']}", body)
    assert len(added) == 2
    assert sorted(values(api, event)) == ["192.0.2.78", "evil.example.com"]


def test_what_the_body_says_counts_before_the_path(api: Api, event: dict[str, Any]) -> None:
    body = {"value": "192.0.2.79", "returnMetaAttributes": False}
    api.ok(f"/events/freeTextImport/{event['id']}/0/1", body)
    assert values(api, event) == ["192.0.2.79"]
