"""Feeds, other servers, communities, settings and diagnostics: defined and described as in a MISP."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.peers import until
from harness.people import ORG_ADMIN, SYNC_USER, Member, new_member

REMOTE_KEY = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def stranger(api: Api) -> Member:
    return new_member(api, ORG_ADMIN)


def new_feed(api: Api, **more: Any) -> dict[str, Any]:
    body = {"name": f"Feed {uuid4()}", "provider": "p", "url": f"http://127.0.0.1:1/{uuid4()}"} | more
    return api.ok("/feeds/add", {"Feed": body})["Feed"]


# ---- Feeds ---------------------------------------------------------------------------------------------


def test_a_feed_is_added_as_misp_adds_one(api: Api) -> None:
    body = {
        "name": "Golden feed",
        "provider": "golden",
        "url": "http://127.0.0.1:1/feed",
        "source_format": "misp",
        "enabled": False,
        "input_source": "network",
    }
    feed = api.ok("/feeds/add", body)["Feed"]
    assert feed.pop("id").isdigit()
    assert feed == {
        "name": "Golden feed",
        "provider": "golden",
        "url": "http://127.0.0.1:1/feed",
        "rules": None,
        "enabled": False,
        "distribution": "0",
        "sharing_group_id": "0",
        "tag_id": "0",
        "default": False,
        "source_format": "misp",
        "fixed_event": True,
        "delta_merge": False,
        "event_id": "0",
        "publish": False,
        "override_ids": False,
        "settings": "[]",
        "input_source": "network",
        "delete_local_file": False,
        "lookup_visible": False,
        "headers": None,
        "caching_enabled": False,
        "force_to_ids": False,
        "orgc_id": "0",
        "tag_collection_id": "0",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("provider", " "),
        ("url", "example.com/list"),
        ("url", "file:///etc/passwd"),
        ("source_format", "stix"),
        ("distribution", 9),
        ("tag_id", 999999),
        ("orgc_id", 999999),
        ("settings", "{"),
        ("rules", "no json"),
    ],
)
def test_a_feed_that_is_not_right_names_the_field(api: Api, field: str, value: Any) -> None:
    body = {"name": "n", "provider": "p", "url": "http://a.example"} | {field: value}
    answer = api.post("/feeds/add", {"Feed": body})
    assert answer.status_code == 403, answer.text
    assert list(answer.json()["errors"]) == [field]
    answer = api.post("/feeds/add", {"Feed": body | {"distribution": 4, field: value}})
    assert answer.status_code == 403, "a sharing group is named"


def test_partial_edits_keep_the_settings_of_a_feed(api: Api) -> None:
    settings = '{"csv": {"value": "1,3"}, "common": {"excluderegex": "/^#/"}}'
    feed = new_feed(api, source_format="csv", settings=settings, headers="X-Token: secret")
    for change in ({"enabled": 1}, {"enabled": "0"}, {"name": "another"}):
        assert api.ok(f"/feeds/edit/{feed['id']}", {"Feed": change})["Feed"]["settings"] == settings
    assert api.ok(f"/feeds/enable/{feed['id']}")["message"] == "Feed enabled."
    seen = api.view(f"/feeds/view/{feed['id']}")["Feed"]
    assert (seen["enabled"], seen["settings"], seen["headers"]) == (True, settings, "X-Token: secret")
    given = {"csv": {"value": "2"}}
    kept = api.ok(f"/feeds/edit/{feed['id']}", {"settings": given})["Feed"]["settings"]
    assert json.loads(kept) == given
    assert api.ok(f"/feeds/disable/{feed['id']}")["message"] == "Feed disabled."


def test_others_see_the_feeds_meant_for_them_without_their_headers(api: Api, stranger: Member) -> None:
    hidden = new_feed(api, headers="X-Token: secret")
    shown = new_feed(api, headers="X-Token: secret", lookup_visible=True)
    seen = {item["Feed"]["id"]: item["Feed"] for item in stranger.api.view("/feeds/index")}
    assert hidden["id"] not in seen
    assert "headers" not in seen[shown["id"]]
    assert stranger.api.get(f"/feeds/view/{shown['id']}").status_code == 403
    for path in ("add", f"edit/{shown['id']}", f"delete/{shown['id']}", f"enable/{shown['id']}"):
        assert stranger.api.post(f"/feeds/{path}", {}).status_code == 403


def test_a_feed_names_its_tag_until_the_tag_is_deleted(api: Api) -> None:
    tag = api.ok("/tags/add", {"name": f"feed:{uuid4()}"})["Tag"]
    feed = new_feed(api, tag_id=tag["id"])
    assert api.view(f"/feeds/view/{feed['id']}")["Tag"]["name"] == tag["name"]
    api.ok(f"/tags/delete/{tag['id']}")
    seen = api.view(f"/feeds/view/{feed['id']}")
    assert seen["Feed"]["tag_id"] == "0"
    assert "Tag" not in seen


def test_well_known_feeds_are_loaded_once_and_switched_off(api: Api) -> None:
    for _ in range(2):
        assert api.ok("/feeds/loadDefaultFeeds")["message"] == "Default feed metadata loaded."
        feeds = [item["Feed"] for item in api.view("/feeds/index/scope:default")]
        assert len(feeds) == len({feed["url"] for feed in feeds}) > 10
        assert not any(feed["enabled"] or feed["caching_enabled"] for feed in feeds)
    found = api.view("/feeds/index/quickFilter:botvrij")
    assert [item["Feed"]["name"] for item in found] == ["The Botvrij.eu Data"]


def test_feeds_are_imported_and_toggled_together(api: Api) -> None:
    feeds = [{"Feed": {"name": "i", "provider": "p", "url": f"https://a.example/{uuid4()}"}} for _ in "ab"]
    said = api.ok("/feeds/importFeeds", [*feeds, feeds[0], {"Feed": {"name": "bad"}}])["message"]
    assert said.startswith("2 new feeds added. 2 feeds could not be added")
    ids = [f["Feed"]["id"] for f in api.view("/feeds/index/name:i") if f["Feed"]["name"] == "i"]
    assert api.ok(f"/feeds/toggleSelected/1/0/{json.dumps(ids)}")["message"] == "2 feeds enabled."
    again = api.ok(f"/feeds/toggleSelected/1/0/{json.dumps(ids)}")["message"]
    assert again == "All selected feeds are already enabled, nothing to update."


def test_what_is_not_fetched_is_not_claimed(api: Api) -> None:
    feed = new_feed(api)
    not_enabled = api.ok(f"/feeds/fetchFromFeed/{feed['id']}")["result"]
    assert not_enabled == "Feed is currently not enabled. Make sure you enable it."
    api.ok(f"/feeds/enable/{feed['id']}")
    queued = "Pull queued for background execution."
    assert api.ok(f"/feeds/fetchFromFeed/{feed['id']}")["result"] == queued
    assert api.ok("/feeds/fetchFromAllFeeds")["result"] == queued
    assert api.ok("/feeds/searchCaches", {"value": "8.8.8.8"}) == []
    assert api.ok(f"/feeds/cacheFeeds/{feed['id']}")["message"] == "Feed caching job initiated."
    runs = until(
        lambda: [run["Run"] for run in api.view(f"/feeds/runs/{feed['id']}")],
        lambda found: found and found[-1]["outcome"] != "running",
    )
    # The address is one of this machine.
    assert (runs[-1]["outcome"], "not on the public Internet" in runs[-1]["error"]) == ("failed", True)
    assert api.post("/feeds/cacheFeeds/999999").status_code == 404
    assert api.post("/feeds/fetchFromFeed/999999").status_code == 404


# ---- Servers -------------------------------------------------------------------------------------------


def new_server(api: Api, **more: Any) -> dict[str, Any]:
    body = {"name": "s", "url": "http://127.0.0.1:1", "authkey": REMOTE_KEY, "remote_org_id": 1} | more
    return api.ok("/servers/add", body)["Server"]


def test_a_server_is_connected_as_misp_connects_one(api: Api) -> None:
    server = new_server(api, name="Golden server", push=False, pull=False, self_signed=False)
    assert server["authkey"] == REMOTE_KEY
    assert server["push_rules"] == '{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]}}'
    listed = next(item for item in api.view("/servers/index") if item["Server"]["id"] == server["id"])
    assert "authkey" not in listed["Server"]
    assert listed["RemoteOrg"]["id"] == "1"
    assert listed["User"] == []
    edited = api.ok(f"/servers/edit/{server['id']}", {"name": "renamed", "authkey": ""})["Server"]
    assert (edited["name"], edited["authkey"]) == ("renamed", REMOTE_KEY)
    assert api.ok(f"/servers/delete/{server['id']}")["message"] == "Server deleted"
    assert api.post(f"/servers/delete/{server['id']}").status_code == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"remote_org_id": None}, "Organisation"),
        ({"remote_org_id": 999999}, "Organisation"),
        ({"url": "nowhere"}, "url"),
        ({"authkey": "short"}, "authkey"),
        ({"pull_rules": "{"}, "pull_rules"),
    ],
)
def test_a_server_that_is_not_right_names_the_field(api: Api, more: dict[str, Any], field: str) -> None:
    body = {"name": "s", "url": "http://127.0.0.1:1", "authkey": REMOTE_KEY, "remote_org_id": 1} | more
    answer = api.post("/servers/add", body)
    assert answer.status_code == 403
    assert list(answer.json()["errors"]) == [field]


def test_the_key_of_a_server_is_for_site_admins_and_not_in_the_log(server: Instance, api: Api) -> None:
    other = new_member(api, SYNC_USER)
    new_server(api)
    for path in ("/servers/index", "/servers/serverSettings", "/servers/dbSchemaDiagnostic"):
        assert other.api.get(path).status_code == 403
    assert REMOTE_KEY not in server.log.read_text()


def test_a_sync_user_describes_this_server_for_another_one(api: Api) -> None:
    sync = new_member(api, SYNC_USER)
    described = sync.api.view("/servers/createSync")["Server"]
    assert api.get("/servers/createSync").status_code == 405, "a site admin's key is not given away"
    uuid = sync.api.view("/servers/getInstanceUUID")["uuid"]
    assert described["uuid"] == uuid
    assert Api(api.url, described["authkey"]).view("/users/view/me")["User"]["id"] == sync.user_id
    imported = api.ok("/servers/import", {"Server": described})["Server"]
    assert (imported["url"], imported["name"]) == (described["url"], described["url"])
    org = api.view(f"/organisations/view/{imported['remote_org_id']}")["Organisation"]
    assert org["uuid"] == described["Organisation"]["uuid"]


def test_priorities_are_exchanged(api: Api) -> None:
    first, second = new_server(api, name="first"), new_server(api, name="second")
    assert api.ok(f"/servers/changePriority/{second['id']}/up")["message"] == "Priority changed."
    rank = {s["Server"]["id"]: int(s["Server"]["priority"]) for s in api.view("/servers/index")}
    assert rank[second["id"]] < rank[first["id"]]
    assert api.post(f"/servers/changePriority/{first['id']}/down").status_code == 403, "it is the last one"


def test_a_post_comes_back_without_its_key(api: Api) -> None:
    said = api.ok("/servers/postTest", {"testString": "any text"})
    assert said["body"] == {"testString": "any text"}
    assert said["headers"]["Authorization"] == "OK"


# ---- Settings and diagnostics ---------------------------------------------------------------------------


def test_settings_have_the_types_that_clients_expect(api: Api) -> None:
    everything = api.view("/servers/serverSettings")
    settings = {setting["setting"]: setting for setting in everything["finalSettings"]}
    assert settings["MISP.max_correlations_per_event"]["value"] == 5000
    assert settings["MISP.live"]["value"] is True
    assert settings["Plugin.ZeroMQ_enable"]["subGroup"] == "ZeroMQ"
    assert all("ok" in everything["workers"][queue] for queue in ("cache", "default", "email", "prio"))
    tab = api.view("/servers/serverSettings/Plugin")["finalSettings"]
    assert {setting["tab"] for setting in tab} == {"Plugin"}
    assert everything["dbDiagnostics"]["settings"]["data_in_bytes"] > 0
    assert everything["dbDiagnostics"]["users"]["rows"] >= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MISP.no_such_setting", "1"),
        ("MISP.default_event_distribution", "5"),
        ("MISP.uuid", "another"),
        ("MISP.live", "perhaps"),
        ("MISP.live", ["list"]),
        ("Plugin.ZeroMQ_port", "0"),
        ("Plugin.ZeroMQ_host", "host.example"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(api: Api, name: str, value: Any) -> None:
    answer = api.post(f"/servers/serverSettingsEdit/{name}", {"value": value})
    assert answer.status_code == 403
    assert answer.json()["errors"]


def test_defaults_of_events_and_blocklists_are_heeded(api: Api) -> None:
    def set_to(name: str, value: Any) -> None:
        api.ok(f"/servers/serverSettingsEdit/MISP.{name}", {"value": value})

    set_to("default_event_distribution", 3)
    set_to("default_event_threat_level", 1)
    set_to("enableEventBlocklisting", False)
    event = api.ok("/events/add", {"info": "Takes the defaults"})["Event"]
    assert (event["distribution"], event["threat_level_id"]) == ("3", "1")
    api.ok(f"/events/delete/{event['id']}")
    again = api.ok("/events/add", {"info": "It may come again", "uuid": event["uuid"]})["Event"]
    set_to("default_event_distribution", 1)
    set_to("default_event_threat_level", 4)
    set_to("enableEventBlocklisting", True)
    api.ok(f"/events/delete/{again['id']}")
    refused = api.post("/events/add", {"info": "It may not", "uuid": event["uuid"]})
    assert refused.status_code == 403


def test_new_events_are_refused_by_their_tags(api: Api) -> None:
    api.ok("/tags/add", {"name": "refuse:me"})
    rule = {"tags": ["refuse:me"]}
    assert api.ok("/servers/eventBlockRule", {"value": json.dumps(rule)})["message"] == "Settings saved"
    assert json.loads(api.view("/servers/eventBlockRule")["AdminSetting"]["value"]) == rule
    answer = api.post("/events/add", {"info": "Unwanted", "Tag": [{"name": "refuse:me"}]})
    assert (answer.status_code, answer.json()["message"]) == (403, "Blocked by event block rules")
    assert api.post("/servers/eventBlockRule", {"value": "no rule"}).status_code == 403
    api.ok("/servers/eventBlockRule", {"value": ""})
    api.ok("/events/add", {"info": "Wanted", "Tag": [{"name": "refuse:me"}]})


def test_the_schema_is_the_one_the_program_expects(api: Api, engine: str) -> None:
    schema = api.view("/servers/dbSchemaDiagnostic")
    assert schema["actual_db_version"] == schema["expected_db_version"]
    assert schema["diagnostic"] == {}
    assert "uuid" in schema["columnPerTable"]["events"]
    assert schema["dataSource"].lower().startswith(engine)


def test_every_endpoint_is_listed_for_who_may_call_it(api: Api, stranger: Member) -> None:
    for_admin = api.view("/api/getAllApis.json")["allValidApis"]
    for_stranger = stranger.api.view("/api/getAllApis.json")["allValidApis"]
    assert "/feeds/add" in for_admin
    assert "/feeds/add" not in for_stranger
    assert "/feeds/index" in for_stranger
    assert api.view("/servers/queryACL/findMissingFunctionNames") == []
    assert "index" in api.view("/servers/queryACL/printAllFunctionNames")["feeds"]


def test_there_are_no_workers_to_start(api: Api) -> None:
    for path in ("startWorker/default", "stopWorker/1", "restartWorkers", "restartDeadWorkers"):
        assert api.post(f"/servers/{path}").status_code == 405


def test_a_refused_request_leaves_its_connection_usable(server: Instance) -> None:
    nobody = server.api("NoSuchKey0123456789012345678901234567890")
    statuses = {nobody.post("/feeds/add", {"name": "x" * 2000}).status_code for _ in range(50)}
    assert statuses == {403}


# ---- Communities ---------------------------------------------------------------------------------------


def test_a_request_to_a_community_is_written_and_not_sent(api: Api) -> None:
    communities = api.view("/communities/index")
    assert communities[0]["name"].endswith("aka MISPPRIV")
    community = api.view(f"/communities/view/{communities[0]['uuid']}")
    assert community == communities[0]
    said = api.ok(
        f"/communities/requestAccess/{community['uuid']}",
        {"org_description": "We peer.", "email": "noc@example.test\r\nBcc: all@example.test"},
    )
    assert said["to"] == community["email"]
    assert "We peer." in said["message"]
    assert "Bcc" not in [line.split(":")[0] for line in said["headers"].splitlines()]
    assert api.get("/communities/view/999").status_code == 404
    assert api.view("/communities/index/value:ixps")[0]["sector"] == "IXPs/GRXs"
