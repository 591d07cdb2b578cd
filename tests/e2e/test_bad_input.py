"""Bad input: MISP's own status and shape, nothing half-written, nothing secret in the log."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import ADMIN_KEY, ADMIN_PASSWORD, Instance
from harness.people import READ_ONLY, USER, Member, new_member

SECRETS = [ADMIN_KEY, ADMIN_PASSWORD]


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def event(api: Api) -> dict[str, Any]:
    body = {"info": f"Stands firm {uuid4()}", "Attribute": [{"type": "text", "value": str(uuid4())}]}
    return api.ok("/events/add", body)["Event"]


def counted(api: Api) -> tuple[int, int]:
    """How many events and attributes there are."""
    found = api.post("/attributes/restSearch", {"returnFormat": "json", "limit": 1, "page": 1})
    return len(api.view("/events/index")), int(found.headers["X-Result-Count"])


def member_of(api: Api, role: int = USER) -> Member:
    member = new_member(api, role)
    SECRETS.append(member.key)
    return member


def refused(answer: Any, *statuses: int) -> dict[str, Any]:
    """Insists on a refusal of MISP's shape and returns it."""
    assert answer.status_code in statuses, f"{answer.status_code} {answer.text[:500]}"
    said = answer.json()
    assert said["name"]
    assert said["message"]
    assert said["url"].startswith("/")
    if answer.status_code == 403 and "errors" in said:
        assert said["saved"] is False
    return said


NOT_JSON = [
    b'{"Event": {"info": ',
    b"",
    b"\xff\xfe\x00",
    b"info=x&y=z",
    b'{"info": "x"} trailing',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("path", ["/events/add", "/attributes/add/{event}", "/objects/add/{event}"])
def test_what_is_not_json_is_refused(api: Api, event: dict[str, Any], path: str, body: bytes) -> None:
    before = counted(api)
    said = refused(api.raw("POST", path.format(event=event["id"]), body), 405)
    if body.startswith(b'{"Event'):
        assert said["message"].startswith("Invalid JSON input. Make sure that the JSON input is a correctly")
    assert counted(api) == before


WRONG_TYPES: list[Any] = [
    [],
    [1, 2],
    "text",
    7,
    None,
    {"Event": []},
    {"Event": "text"},
    {"Event": {"info": {"deep": 1}}},
    {"Event": {"info": ["a", "list"]}},
    {"Event": {"info": None}},
    {"Event": {"info": ""}},
    {"Event": {"info": "x", "date": "not a date"}},
    {"Event": {"info": "x", "distribution": "9"}},
    {"Event": {"info": "x", "distribution": {"a": 1}}},
    {"Event": {"info": "x", "threat_level_id": "many"}},
    {"Event": {"info": "x", "uuid": "not a uuid"}},
]


@pytest.mark.parametrize("body", WRONG_TYPES, ids=lambda body: json.dumps(body)[:50])
def test_an_event_of_wrong_types_is_refused_whole(api: Api, body: object) -> None:
    before = counted(api)
    refused(api.raw("POST", "/events/add", json.dumps(body).encode()), 403, 405)
    assert counted(api) == before


def test_an_event_without_a_title_says_so(api: Api) -> None:
    said = refused(api.post("/events/add", {"Event": {"distribution": "0"}}), 403)
    assert said["errors"] == {"Event": {"info": ["valueNotEmpty"]}}
    assert (said["name"], said["url"]) == ("Could not add Event", "/events/add")


WRONG_VALUES = [
    ("ip-dst", "999.1.1.1"),
    ("ip-src", "198.51.100.7/33"),
    ("ip-dst|port", "198.51.100.7|70000"),
    ("domain", "no-dot"),
    ("hostname", "white space.example"),
    ("domain|ip", "ok.example|not-an-ip"),
    ("url", "http://a.example/\nsecond line"),
    ("link", "no scheme"),
    ("email", "nobody"),
    ("md5", "abc"),
    ("sha256", "zz" * 32),
    ("filename|sha1", "a.exe|short"),
    ("filename|sha1", "no-half"),
    ("AS", "AS4294967296"),
    ("port", "0"),
    ("mac-address", "12:34"),
    ("vulnerability", "CVE-1"),
    ("size-in-bytes", "-1"),
    ("ssdeep", "nonsense"),
    ("uuid", "1234"),
    ("text", ""),
    ("text", "x" * 65_536),
]


@pytest.mark.parametrize(("kind", "value"), WRONG_VALUES, ids=lambda word: str(word)[:24])
def test_a_value_that_fails_validation_is_refused(
    api: Api, event: dict[str, Any], kind: str, value: str
) -> None:
    said = refused(api.post(f"/attributes/add/{event['id']}", {"type": kind, "value": value}), 403)
    assert said["errors"]["value"]
    assert said["message"] == "Could not add Attribute"
    assert len(api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]) == 1


@pytest.mark.parametrize(
    ("attribute", "field"),
    [
        ({"type": "ip-dst", "category": "Nonsense", "value": "198.51.100.1"}, "category"),
        ({"type": "ip-dst", "category": "Person", "value": "198.51.100.1"}, "type"),
        ({"type": "no-such-type", "value": "x"}, "type"),
        ({"value": "x"}, "type"),
        ({"type": "text", "value": "x", "distribution": "7"}, "distribution"),
        ({"type": "text", "value": "x", "uuid": "not-a-uuid"}, "uuid"),
        ({"type": "text", "value": "x", "first_seen": "2026-02-02", "last_seen": "2026-01-01"}, "last_seen"),
        ({"type": "text", "value": {"deep": 1}}, "value"),
        ({"type": "text", "value": ["a", "b"], "to_ids": "perhaps"}, None),
    ],
    ids=lambda case: str(case)[:60],
)
def test_an_attribute_names_the_field_that_is_wrong(
    api: Api, event: dict[str, Any], attribute: dict[str, Any], field: str | None
) -> None:
    answer = api.post(f"/attributes/add/{event['id']}", attribute)
    if field is None:
        assert answer.status_code < 500
        return
    assert field in refused(answer, 403)["errors"]


def test_a_wrong_attribute_does_not_take_its_event_with_it(api: Api) -> None:
    event = {
        "info": "One bad",
        "Attribute": [{"type": "ip-dst", "value": "no"}, {"type": "text", "value": "yes"}],
    }
    added = api.ok("/events/add", event)["Event"]
    assert [a["value"] for a in added["Attribute"]] == ["yes"]


def test_an_event_uuid_is_taken_once_and_its_place_is_told(api: Api, event: dict[str, Any]) -> None:
    before = counted(api)
    answer = api.post("/events/add", {"uuid": event["uuid"], "info": "Again"})
    said = refused(answer, 404)
    assert said["message"] == (
        "Event already exists, if you would like to edit it, use the url in the location header."
    )
    assert answer.headers["Location"] == f"{api.url}/events/{event['id']}"
    assert api.view(f"/events/view/{event['id']}")["Event"]["info"] == event["info"]
    assert counted(api) == before


def test_an_attribute_uuid_is_taken_once(api: Api, event: dict[str, Any]) -> None:
    other = api.ok("/events/add", {"info": "Other"})["Event"]
    taken = event["Attribute"][0]["uuid"]
    said = refused(
        api.post(f"/attributes/add/{other['id']}", {"type": "text", "value": "x", "uuid": taken}), 403
    )
    assert "uuid" in said["errors"]
    assert api.view(f"/attributes/view/{taken}")["Attribute"]["event_id"] == event["id"]


def test_a_stale_timestamp_changes_nothing(api: Api, event: dict[str, Any]) -> None:
    for stale in (event["timestamp"], str(int(event["timestamp"]) - 1)):
        said = refused(api.post(f"/events/edit/{event['id']}", {"info": "Stale", "timestamp": stale}), 403)
        assert (
            said["errors"] == "Event could not be saved: Event in the request not newer than the local copy."
        )
    assert api.view(f"/events/view/{event['id']}")["Event"] == event


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/events/view/999999", 404),
        ("GET", "/events/view/" + str(uuid4()), 404),
        ("GET", "/events/view/not-an-id", 404),
        ("POST", "/events/edit/999999", 404),
        ("POST", "/events/delete/999999", 403),
        ("GET", "/attributes/view/999999", 405),
        ("HEAD", "/attributes/view/999999", 404),
        ("POST", "/attributes/edit/999999", 404),
        ("POST", "/attributes/delete/999999", 404),
        ("GET", "/objects/view/999999", 404),
        ("GET", "/organisations/view/999999", 404),
        ("GET", "/tags/view/999999", 405),
        ("GET", "/events/nosuchaction", 404),
        ("GET", "/nosuchcontroller/index", 404),
        ("POST", "/attributes/restSearch", 400),
    ],
)
def test_what_is_not_there_answers_as_misp_does(api: Api, method: str, path: str, status: int) -> None:
    answer = api.raw(method, path, None if method != "POST" else b"{}")
    assert answer.status_code == status, answer.text
    if method != "HEAD":
        assert answer.json()["message"]


def test_an_unknown_format_is_not_found(api: Api) -> None:
    answer = api.post("/events/restSearch", {"returnFormat": "papyrus", "eventid": "1"})
    assert refused(answer, 404)["message"].startswith("Invalid output format")


SEARCH_ODDITIES: list[dict[str, Any]] = [
    {"value": {"OR": {"a": 1}}},
    {"value": [[["deep"]]]},
    {"tags": {"OR": None}},
    {"limit": "many", "page": -3},
    {"limit": -1},
    {"page": 10**30, "limit": 1},
    {"timestamp": {"from": "x"}},
    {"timestamp": "5x"},
    {"eventid": ["1", None, {"x": 1}]},
    {"type": "'; drop table events; --"},
    {"order": "value; drop table events"},
    {"value": "\\", "searchall": "%" * 500},
    {"uuid": "not a uuid"},
    {"no_such_filter": True, "value": "x"},
]


@pytest.mark.parametrize("controller", ["events", "attributes", "objects"])
@pytest.mark.parametrize("filters", SEARCH_ODDITIES, ids=lambda filters: str(filters)[:40])
def test_an_odd_search_is_answered_or_refused_and_breaks_nothing(
    api: Api, controller: str, filters: dict[str, Any]
) -> None:
    answer = api.post(f"/{controller}/restSearch", {"returnFormat": "json"} | filters)
    assert answer.status_code < 500, answer.text
    answer.json()


# Keys


def no_entry(answer: Any) -> None:
    said = refused(answer, 403)
    assert said["message"].startswith("Authentication failed.")


@pytest.mark.parametrize(
    "key", [None, "", "short", "W" * 40, ADMIN_KEY[:-1] + "x", ADMIN_KEY + "x", ADMIN_KEY.lower(), "ä" * 40]
)
def test_a_wrong_key_opens_nothing(server: Instance, key: str | None) -> None:
    api = server.api(None)
    if key is not None:
        api.session.headers["Authorization"] = key.encode() if not key.isascii() else key
    for method, path in (("GET", "/events/index"), ("POST", "/events/add"), ("GET", "/users/view/me")):
        no_entry(api.raw(method, path, b'{"info": "x"}' if method == "POST" else None))


def key_of(api: Api, user: str, **conditions: Any) -> Api:
    made = api.ok(f"/auth_keys/add/{user}", {"comment": "a test"} | conditions)["AuthKey"]
    SECRETS.append(made["authkey_raw"])
    return Api(api.url, made["authkey_raw"])


def test_an_expired_key_opens_nothing(api: Api) -> None:
    member = member_of(api)
    refused(key_of(api, member.user_id, expiration="2020-01-01").get("/events/index"), 403)
    assert key_of(api, member.user_id, expiration="2040-01-01").get("/events/index").status_code == 200


def test_a_key_opens_nothing_from_a_refused_address(api: Api) -> None:
    member = member_of(api)
    refused(key_of(api, member.user_id, allowed_ips=["203.0.113.1"]).get("/events/index"), 403)
    assert key_of(api, member.user_id, allowed_ips=["127.0.0.0/8"]).get("/events/index").status_code == 200


def test_the_key_of_a_disabled_user_opens_nothing(api: Api) -> None:
    member = member_of(api)
    assert member.api.get("/events/index").status_code == 200
    api.ok(f"/admin/users/edit/{member.user_id}", {"disabled": True})
    refused(member.api.get("/events/index"), 403)


def test_a_key_for_reading_does_not_write(api: Api, event: dict[str, Any]) -> None:
    member = member_of(api)
    reading = key_of(api, member.user_id, read_only=True)
    role = member_of(api, READ_ONLY).api
    for reader in (reading, role):
        assert reader.get("/events/index").status_code == 200
        paths = ["/events/add", f"/attributes/add/{event['id']}", "/tags/add"]
        # A role that only reads may still make keys for itself; a key that only reads makes none.
        for path in paths + (["/auth_keys/add/me"] if reader is reading else []):
            refused(reader.post(path, {"info": "x", "type": "text", "value": "x", "name": "x"}), 403)


# Sizes


def test_a_body_over_the_limit_is_refused_and_leaves_nothing(new_instance: Any) -> None:
    instance = new_instance()
    instance.environment["PISAX_BODY_LIMIT"] = str(1024 * 1024)
    api = instance.start().api()
    try:
        small = {"info": "Fits", "Attribute": [{"type": "text", "value": "x" * 1000}]}
        api.ok("/events/add", small)
        before = counted(api)
        values = [{"type": "text", "value": f"{number} " + "x" * 1000} for number in range(3000)]
        answer = api.post("/events/add", {"info": "Does not fit", "Attribute": values})
        assert answer.status_code in (405, 413), answer.text
        assert answer.json()["message"]
        assert counted(api) == before
    finally:
        instance.stop()


def test_one_event_of_many_attributes_is_taken_whole(api: Api) -> None:
    values = [{"type": "text", "value": f"{uuid4()}"} for _ in range(20_000)]
    added = api.ok("/events/add/metadata:1", {"info": "Many", "Attribute": values})["Event"]
    found = api.post("/attributes/restSearch", {"returnFormat": "json", "eventid": added["id"], "limit": 1})
    assert int(found.headers["X-Result-Count"]) == 20_000


# After all this


def test_the_server_is_whole_and_told_no_secret(api: Api, server: Instance) -> None:
    """Runs last in this file: everything above went through this server and into its log."""
    assert api.get("/readyz").status_code == 200
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 30
    server.cli("db", "check")
    log = server.log.read_text(errors="replace")
    assert log
    for secret in SECRETS:
        assert secret not in log
    assert "W" * 40 not in log
    assert "panicked" not in log
