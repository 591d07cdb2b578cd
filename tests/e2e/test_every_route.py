"""Every route there is, called in ways nobody meant: a refusal in MISP's shape, never a failure of ours.

The routes come from the server itself (`queryACL`), so that a new one is tried without being named here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api

SEED = 20_260_101
# Calls that take the key away that the others need.
LAST = {"/users/resetauthkey"}
ARGUMENTS = [
    "",
    "/999999999",
    f"/{uuid4()}",
    "/-1",
    "/99999999999999999999",
    "/%00",
    "/a:b",
    "/..%2f..",
    "/x/y/z/1",
]
BODIES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"[[[[[[[[]]]]]]]]",
    b'"text"',
    b'{"request": {"request": {"request": []}}}',
    b'{"id": {"a": []}, "uuid": [], "name": {}, "value": [[]], "type": {"OR": {"NOT": 1}}}',
    b'{"uuids": {"a": null}}',
    b'{"id": "\\u0000", "uuid": "\\ud800", "value": "\\u0000", "name": "\\u0000"}',
    b'{"limit": "9e99", "page": -1}',
    b'{"value": 1e400, "limit": 99999999999999999999, "page": 18446744073709551616}',
    b"\xff\xfe\xfd",
]
# Values that a filter language might trip over.
STRANGE: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1e300,
    "",
    "%",
    "\\",
    "%\\",
    "!",
    "&&",
    "!&&!%",
    "' or 1=1 --",
    "\x00",
    "\u0663d",
    "-5d",
    "99999999999999d",
    "9999-99-99",
    "1.2.3.4/33",
    "::/0",
    [],
    [[]],
    {},
    {"OR": ["a", {"x": 1}], "AND": "b", "NOT": ["%", None]},
    {"OR": {}, "NOT": {"AND": []}},
    "a" * 70_000,
    ["x"] * 3_000,
]
PARAMETERS = [
    "value",
    "value1",
    "value2",
    "type",
    "category",
    "org",
    "tags",
    "tag",
    "event_tags",
    "eventid",
    "uuid",
    "event_uuid",
    "eventsExtendingUuid",
    "comment",
    "eventinfo",
    "searchall",
    "quickFilter",
    "from",
    "to",
    "date",
    "last",
    "publish_timestamp",
    "timestamp",
    "event_timestamp",
    "attribute_timestamp",
    "first_seen",
    "last_seen",
    "published",
    "threat_level_id",
    "analysis",
    "distribution",
    "sharing_group_id",
    "sharinggroup",
    "to_ids",
    "deleted",
    "object_relation",
    "object_name",
    "object_template_uuid",
    "object_template_version",
    "enforceWarninglist",
    "protected",
    "ignore",
    "limit",
    "page",
    "order",
    "returnFormat",
    "requested_attributes",
    "galaxy.synonyms",
    "org.sector",
    "decayingModel",
    "score",
    "modelOverrides",
    "attackGalaxy",
    "includeDecayScore",
    "includeContext",
]


@pytest.fixture(scope="module")
def api(new_instance: NewInstance) -> Iterator[Api]:
    instance = new_instance()
    instance.start()
    yield instance.api()
    assert instance.stop() == 0
    assert "panicked" not in instance.log.read_text()
    instance.cli("db", "check")


def routes(api: Api) -> list[str]:
    """The paths of every route, in the order in which they can be tried."""
    access = api.view("/servers/queryACL/printRoleAccess")
    urls = {url for role in access for url in role["urls"]}
    return sorted(urls - LAST)


def stands(answer: Any, what: str) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, (
        f"{what}: {answer.status_code} {answer.text[:500]}"
    )
    if answer.status_code >= 400 and answer.content:
        said = answer.json()
        assert isinstance(said, dict) and said.get("message"), f"{what}: {answer.text[:300]}"


def test_no_route_fails_whatever_it_is_sent(api: Api) -> None:
    paths = routes(api)
    assert len(paths) > 100
    for path in paths:
        for argument in ARGUMENTS:
            stands(api.raw("GET", path + argument, None), f"GET {path}{argument}")
        for body in BODIES:
            for argument in ["", "/999999999"]:
                stands(api.raw("POST", path + argument, body), f"POST {path}{argument} {body[:60]!r}")
    assert api.view("/users/view/me")["User"]["email"], "the key that did all this still works"


def test_no_search_fails_whatever_is_looked_for(api: Api) -> None:
    chance = random.Random(SEED)
    event = {"info": "Here", "Attribute": [{"type": "text", "value": "here"}], "Tag": [{"name": "here"}]}
    api.ok("/events/add", event)
    for scope in ("events", "attributes", "objects", "sightings"):
        for name in PARAMETERS:
            for value in STRANGE:
                what = f"{scope} {name}={str(value)[:60]}"
                stands(api.post(f"/{scope}/restSearch", {name: value}), what)
        for _ in range(200):
            several = {name: chance.choice(STRANGE) for name in chance.sample(PARAMETERS, 4)}
            stands(api.post(f"/{scope}/restSearch", several), f"{scope} {str(several)[:200]}")
    for name in PARAMETERS:
        for value in ("%00", "!", "a;b||c&&d", "5d", "%25", "x" * 3000):
            stands(api.get(f"/attributes/restSearch/json/{name}:{value}"), f"GET {name}:{value[:20]}")
            stands(api.get(f"/events/index/search{name}:{value}"), f"index {name}:{value[:20]}")


def test_ignored_parameters_are_named_and_refused_where_that_is_wanted(api: Api) -> None:
    body = {"value": "nowhere", "tagz": "x", "page": 2, "bad\r\nname": 1}
    answer = api.post("/attributes/restSearch", body)
    assert answer.status_code == 200
    assert answer.headers["X-Pisax-Ignored-Parameters"] == "tagz, page, bad??name"
    assert "X-Pisax-Ignored-Parameters" not in api.post("/attributes/restSearch", {"value": "x"}).headers
    assert api.post("/sightings/restSearch", {"typ": 0}).headers["X-Pisax-Ignored-Parameters"] == "typ"

    setting = "/servers/serverSettingsEdit/PISAX.refuse_ignored_parameters"
    api.ok(setting, {"value": True})
    refused = api.post("/events/restSearch", {"tagz": "x"})
    assert refused.status_code == 400 and "tagz" in refused.json()["message"]
    assert api.post("/events/restSearch", {"tags": "x"}).status_code == 200
    api.ok(setting, {"value": False})
