"""The REST client: a call on the instance that runs as whoever asks, and its history."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import ADMIN_KEY, Instance
from harness.people import READ_ONLY, SITE_ADMIN, USER, Member, new_member


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def member(admin: Api) -> Member:
    return new_member(admin, USER)


def rest(api: Api, url: str, method: str = "GET", body: Any = None, **more: Any) -> Any:
    sent = {"url": url, "method": method, "show_result": 1} | more
    if body is not None:
        sent["body"] = json.dumps(body)
    return api.ok("/api/rest", sent)


def history(api: Api, which: str = "") -> list[dict[str, Any]]:
    return [entry["RestClientHistory"] for entry in api.view(f"/rest_client_history/index{which}")]


def test_a_call_runs_as_whoever_asks_whatever_key_it_names(member: Member) -> None:
    header = f"Authorization: {ADMIN_KEY}\nAccept: application/json"
    answer = rest(member.api, "/users/view/me", header=header)
    assert answer["code"] == 200 and answer["duration"].endswith(" ms")
    assert json.loads(answer["data"])["User"]["id"] == member.user_id
    assert answer["url"].endswith("/users/view/me")
    assert answer["headers"]["content-type"].startswith("application/json")
    assert ADMIN_KEY not in json.dumps(answer)
    (kept,) = history(member.api)
    assert kept["headers"] == "Authorization: YOUR_API_KEY\nAccept: application/json"
    assert (kept["url"], kept["http_method"], kept["outcome"]) == ("/users/view/me", "GET", "200")
    assert set(kept) == {
        "id",
        "org_id",
        "user_id",
        "headers",
        "body",
        "url",
        "http_method",
        "timestamp",
        "use_full_path",
        "show_result",
        "skip_ssl",
        "outcome",
        "bookmark",
        "bookmark_name",
    }


def test_a_call_changes_what_it_says_and_is_answered_as_it_would_be_alone(member: Member) -> None:
    info = f"Made by the REST client {uuid4()}"
    made = rest(member.api, "/events/add", "POST", {"info": info, "distribution": 0})
    event = json.loads(made["data"])["Event"]
    direct = member.api.view(f"/events/view/{event['id']}")
    assert direct["Event"]["info"] == info
    # Whatever host is named, the path is called here; a long answer that is streamed comes whole.
    found = rest(member.api, "https://example.org/events/restSearch", "POST", {"eventinfo": info})
    assert json.loads(found["data"])["response"][0]["Event"]["id"] == event["id"]
    assert found["headers"]["x-result-count"] == "1"
    wrong = rest(member.api, "/events/view/999999999")
    assert wrong["code"] == 404 and json.loads(wrong["data"])["message"] == "Invalid event"
    hidden = rest(member.api, f"/events/view/{event['id']}", show_result=0)
    assert hidden["data"] == "Success."
    xml = rest(member.api, f"/events/view/{event['id']}", header="Accept: application/xml")
    assert xml["data"].startswith("<?xml") and info in xml["data"]
    assert rest(member.api, f"/events/{event['id']}", "DELETE")["code"] == 200
    assert member.api.get(f"/events/view/{event['id']}").status_code == 404
    outcomes = [entry["outcome"] for entry in history(member.api)]
    assert outcomes == ["200", "200", "200", "404", "200", "200"]


def test_a_call_is_allowed_no_more_than_its_user(admin: Api, member: Member) -> None:
    refused = rest(member.api, "/servers/serverSettings")
    assert refused["code"] == 403
    event = admin.ok("/events/add", {"info": f"Hidden {uuid4()}", "distribution": 0})["Event"]
    assert rest(member.api, f"/events/view/{event['id']}")["code"] == 404
    for url in ("/api/rest", "/servers/rest", "/users/register"):
        assert rest(member.api, url, "POST", {"url": "/users/view/me", "method": "GET"})["code"] == 405
    reader = new_member(admin, READ_ONLY)
    asked = {"url": "/users/view/me", "method": "GET"}
    key = admin.ok(f"/auth_keys/add/{new_member(admin, SITE_ADMIN).user_id}", {"read_only": True})
    bound = Api(admin.url, key["AuthKey"]["authkey_raw"])
    assert bound.post("/api/rest", asked).status_code == 403
    assert rest(reader.api, "/events/add", "POST", {"info": "x"})["code"] == 403


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("url", {"method": "GET"}),
        ("url", {"url": "/events/index?a b", "method": "GET"}),
        ("url", {"url": "/" + "x" * 3000, "method": "GET"}),
        ("method", {"url": "/events/index", "method": "PATCH"}),
        ("header", {"url": "/events/index", "method": "GET", "header": "no colon"}),
        ("name", {"url": "/events/index", "method": "GET", "name": "x" * 300}),
    ],
)
def test_what_cannot_be_called_is_told_by_its_field(member: Member, field: str, sent: Any) -> None:
    answer = member.api.post("/api/rest", sent)
    assert answer.status_code == 403 and list(answer.json()["errors"]) == [field]
    assert history(member.api) == []


def test_the_newest_calls_are_kept_and_those_one_marked(admin: Api, member: Member) -> None:
    rest(member.api, "/tags/index", bookmark=1, name="All tags")
    for i in range(12):
        rest(member.api, f"/events/index/limit:{i + 1}")
    kept = history(member.api)
    assert [entry["url"] for entry in kept] == [
        *(f"/events/index/limit:{i}" for i in range(12, 2, -1)),
        "/tags/index",
    ]
    (marked,) = history(member.api, "/1")
    assert marked["bookmark"] is True and marked["bookmark_name"] == "All tags"
    other = new_member(admin, SITE_ADMIN)
    assert history(other.api) == []
    refused = other.api.post(f"/rest_client_history/delete/{marked['id']}")
    assert refused.status_code == 404 and refused.json()["message"] == "Invalid entry."
    done = member.api.ok(f"/rest_client_history/delete/{marked['id']}")
    assert done["message"] == "Entry removed."
    assert history(member.api, "/1") == []


def test_no_secret_is_kept(admin: Api) -> None:
    member = new_member(admin, USER)
    password = f"Long-and-secret-{uuid4()}"
    answer = rest(member.api, "/users/change_pw", "POST", {"password": password})
    assert answer["code"] == 200
    assert password not in json.dumps(history(member.api))
    assert json.loads(history(member.api)[0]["body"]) == {"password": "*****"}
    admin.ok(f"/admin/users/delete/{member.user_id}")
