"""Feeds that are published from here: what is in them, for whom, and that others can read them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from conftest import NewInstance
from harness.api import Api
from harness.feeds import a_feed, cached, fetched
from harness.instance import Instance
from harness.peers import job_end
from harness.people import ORG_ADMIN, Member, new_member
from harness.scenes import NEW_YEAR, a_domain, a_tag
from pymisp import MISPEvent

CLEAR, RED = {"name": "tlp:clear"}, {"name": "tlp:red"}


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


def shared(api: Api, tag: str, *marks: dict[str, str], distribution: int = 3, **more: Any) -> dict[str, Any]:
    """A published event with the tag."""
    attributes = [{"type": "domain", "value": a_domain(), "distribution": 5, "to_ids": True}]
    body: dict[str, Any] = {
        "info": f"Shared {uuid4()}",
        "distribution": distribution,
        "Attribute": attributes,
    }
    # Made long ago: what changes now is newer.
    body["timestamp"] = str(NEW_YEAR)
    event = api.ok("/events/add", body | {"Tag": [{"name": tag}, *marks]} | more)["Event"]
    api.ok(f"/events/publish/{event['id']}")
    return event


def a_published_feed(api: Api, tag: str, **more: Any) -> dict[str, Any]:
    body = {"name": f"Out {uuid4()}", "slug": str(uuid4()), "filter": {"tags": [tag]}} | more
    feed = api.ok("/published_feeds/add", {"PublishedFeed": body})["PublishedFeed"]
    generated(api, feed)
    return feed


def generated(api: Api, feed: dict[str, Any], how: str = "") -> str:
    queued = api.ok(f"/published_feeds/generate/{feed['id']}{how}")
    status, message = job_end(api, queued["job_id"])
    assert status == "4", message
    return message


def get(api: Api, feed: dict[str, Any], name: str, **headers: str) -> requests.Response:
    return requests.get(f"{api.url}/feed/{feed['slug']}/{name}", headers=headers, timeout=60)


def manifest(api: Api, feed: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = get(api, feed, "manifest.json", **headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_feed_for_everybody_holds_what_everybody_may_have(api: Api) -> None:
    tag = a_tag(api)
    open_to_all = shared(api, tag, CLEAR)
    for kept in (
        shared(api, tag, RED),
        shared(api, tag),
        shared(api, tag, CLEAR, distribution=1),
        shared(api, tag, CLEAR, distribution=0),
    ):
        assert kept["published"] is False, "as it was added"
    unpublished = api.ok("/events/add", {"info": "u", "distribution": 3, "Tag": [{"name": tag}, CLEAR]})
    hidden = {"type": "domain", "value": a_domain(), "distribution": 1}
    mixed = shared(api, tag, CLEAR, Attribute=[{"type": "domain", "value": a_domain()}, hidden])
    feed = a_published_feed(api, tag, protected=False)
    assert set(manifest(api, feed)) == {open_to_all["uuid"], mixed["uuid"]}
    held = get(api, feed, f"{mixed['uuid']}.json").text
    assert hidden["value"] not in held
    for one in (unpublished["Event"]["uuid"], uuid4()):
        assert get(api, feed, f"{one}.json").status_code == 404
    # Ticked, it is the distribution alone that counts.
    api.ok(f"/published_feeds/edit/{feed['id']}", {"any_tlp": True})
    generated(api, feed)
    assert len(manifest(api, feed)) == 4


def test_the_files_are_what_misps_feeds_are(api: Api) -> None:
    tag, local = a_tag(api), a_tag(api)
    event = shared(
        api,
        tag,
        CLEAR,
        Attribute=[
            {"type": "filename|md5", "value": f"x.exe|{'0' * 32}"},
            {"type": "ip-dst|port", "value": "203.0.113.5|80"},
        ],
        Object=[
            {
                "name": "file",
                "meta-category": "file",
                "distribution": 5,
                "Attribute": [{"object_relation": "filename", "type": "filename", "value": "y.exe"}],
            }
        ],
    )
    api.ok(f"/events/addTag/{event['id']}/{local}/local:1")
    api.ok(f"/events/publish/{event['id']}")
    feed = a_published_feed(api, tag, protected=False, signed=True)
    entry = manifest(api, feed)[event["uuid"]]
    assert set(entry) >= {"Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp"}
    assert entry["Orgc"]["name"] == event["Orgc"]["name"]
    assert {t["name"] for t in entry["Tag"]} == {tag, "tlp:clear"}
    answer = get(api, feed, f"{event['uuid']}.json")
    loaded = MISPEvent()
    loaded.from_dict(**answer.json()["Event"])
    assert (loaded.info, str(loaded.uuid)) == (event["info"], event["uuid"])
    assert [o.name for o in loaded.objects] == ["file"]
    assert {t.name for t in loaded.tags} == {tag, "tlp:clear"}
    rows = list(csv.reader(io.StringIO(get(api, feed, "hashes.csv").text)))
    md5 = {
        hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        for text in ("x.exe", "0" * 32, "203.0.113.5", "y.exe")
    }
    assert {(row[0], row[1]) for row in rows} == {(one, event["uuid"]) for one in md5}


def test_what_is_signed_is_verified_by_the_instances_key(api: Api, tmp_path: Path) -> None:
    tag = a_tag(api)
    event = shared(api, tag, CLEAR)
    feed = a_published_feed(api, tag, protected=False, signed=True)
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "key").write_text(api.get("/users/getGpgPublicKey").text)
    (tmp_path / "event.json").write_bytes(get(api, feed, f"{event['uuid']}.json").content)
    (tmp_path / "event.asc").write_bytes(get(api, feed, f"{event['uuid']}.asc").content)

    def gpg(*words: str) -> int:
        command = ["gpg", "--homedir", str(tmp_path / "home"), "--batch", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert gpg("--import", "key") == 0
    assert gpg("--verify", "event.asc", "event.json") == 0
    (tmp_path / "event.json").write_text("{}")
    assert gpg("--verify", "event.asc", "event.json") != 0


def test_a_token_is_asked_for_and_kept_as_its_hash(api: Api, server: Instance) -> None:
    tag = a_tag(api)
    shared(api, tag, CLEAR)
    feed = a_published_feed(api, tag)
    token = feed["token"]
    assert "token" not in api.view(f"/published_feeds/view/{feed['id']}")["PublishedFeed"]
    for headers in (
        {},
        {"Authorization": "x"},
        {"Authorization": "0" * 64},
        {"Authorization": api.key or ""},
    ):
        assert get(api, feed, "manifest.json", **headers).status_code == 403, headers
    for headers in ({"Authorization": token}, {"Authorization": f"Bearer {token}"}):
        assert len(manifest(api, feed, **headers)) == 1
    assert get(api, feed, f"manifest.json?token={token}").status_code == 200
    assert get(api, feed, "hashes.csv").status_code == 403
    again = api.ok(f"/published_feeds/edit/{feed['id']}", {"protected": True})["PublishedFeed"]["token"]
    assert get(api, feed, "manifest.json", Authorization=token).status_code == 403
    assert len(manifest(api, feed, Authorization=again)) == 1
    api.ok(f"/published_feeds/edit/{feed['id']}", {"enabled": False})
    assert get(api, feed, "manifest.json", Authorization=again).status_code == 404
    assert token not in server.log.read_text(errors="replace")


def test_what_did_not_change_is_not_sent_or_written_again(api: Api) -> None:
    tag = a_tag(api)
    one, other = shared(api, tag, CLEAR), shared(api, tag, CLEAR)
    feed = a_published_feed(api, tag, protected=False)
    before = {name: get(api, feed, name) for name in ("manifest.json", f"{one['uuid']}.json")}
    for name, answer in before.items():
        etag = answer.headers["ETag"]
        again = get(api, feed, name, **{"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"].removeprefix("W/") == etag.removeprefix("W/")
        assert get(api, feed, name, **{"If-None-Match": '"x"'}).status_code == 200
    api.ok(f"/events/edit/{other['id']}", {"info": (news := f"News {uuid4()}")})
    api.ok(f"/events/publish/{other['id']}")
    assert generated(api, feed).startswith("2 events published, 1 of them written anew")
    assert manifest(api, feed)[other["uuid"]]["info"] == news
    name = f"{one['uuid']}.json"
    assert get(api, feed, name).headers["ETag"] == before[name].headers["ETag"]
    assert one["Attribute"][0]["value"] in json.dumps(get(api, feed, name).json())
    hashed = get(api, feed, "hashes.csv").text
    assert all(event["uuid"] in hashed for event in (one, other))
    # Anew, and yet the same file.
    generated(api, feed, "/whole")
    assert get(api, feed, name).headers["ETag"] == before[name].headers["ETag"]
    api.ok(f"/events/delete/{one['id']}")
    generated(api, feed)
    assert set(manifest(api, feed)) == {other["uuid"]}
    assert get(api, feed, name).status_code == 404


def test_who_reads_while_it_is_written_reads_something_whole(api: Api) -> None:
    tag = a_tag(api)
    events = [shared(api, tag, CLEAR) for _ in range(5)]
    feed = a_published_feed(api, tag, protected=False)
    over = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not over.is_set():
            for uuid in manifest(api, feed):
                answer = get(api, feed, f"{uuid}.json")
                if answer.status_code != 200 or answer.json()["Event"]["uuid"] != uuid:
                    wrong.append(answer.text)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(5):
        for event in events:
            api.ok(f"/events/edit/{event['id']}", {"info": f"{number} {uuid4()}"})
            api.ok(f"/events/publish/{event['id']}")
        generated(api, feed)
    over.set()
    reader.join()
    assert wrong == []


def test_a_feed_of_what_a_user_sees_is_for_those_with_its_token(api: Api) -> None:
    tag = a_tag(api)
    member, stranger = new_member(api, ORG_ADMIN), new_member(api, ORG_ADMIN)
    own = shared(member.api, tag, distribution=0)
    community = shared(api, tag, distribution=1)
    hidden = shared(stranger.api, tag, distribution=0)
    body = {"name": "n", "slug": str(uuid4()), "filter": {"tags": [tag]}, "user_id": member.user_id}
    assert api.post("/published_feeds/add", body | {"protected": False}).status_code == 403
    feed = a_published_feed(api, tag, user_id=member.user_id)
    found = manifest(api, feed, Authorization=feed["token"])
    assert set(found) == {own["uuid"], community["uuid"]}
    assert hidden["uuid"] not in found
    # With the user goes the feed.
    api.ok(f"/admin/users/edit/{member.user_id}", {"disabled": True})
    queued = api.ok(f"/published_feeds/generate/{feed['id']}/whole")
    status, message = job_end(api, queued["job_id"])
    assert (status, "gone or disabled" in message) == ("3", True)
    seen = api.view(f"/published_feeds/view/{feed['id']}")["PublishedFeed"]
    assert "gone or disabled" in seen["error"]


def test_only_site_admins_publish_feeds(api: Api) -> None:
    member: Member = new_member(api, ORG_ADMIN)
    feed = a_published_feed(api, a_tag(api), protected=False)
    for path in ("index", f"view/{feed['id']}"):
        assert member.api.get(f"/published_feeds/{path}").status_code == 403
    for path in ("add", f"edit/{feed['id']}", f"delete/{feed['id']}", f"generate/{feed['id']}"):
        assert member.api.post(f"/published_feeds/{path}").status_code == 403


def test_a_definition_that_is_not_right_is_refused_by_field(api: Api) -> None:
    good = {"name": "n", "slug": str(uuid4()), "filter": {"tags": ["x"]}}
    feed = api.ok("/published_feeds/add", good)["PublishedFeed"]
    for bad, field in [
        ({"slug": "../x"}, "slug"),
        ({"slug": feed["slug"]}, "slug"),
        ({"name": " ", "slug": "a"}, "name"),
        ({"filter": "[1]", "slug": "b"}, "filter"),
        ({"filter": "{", "slug": "c"}, "filter"),
        ({"user_id": 999_999, "slug": "d"}, "user_id"),
    ]:
        answer = api.post("/published_feeds/add", good | bad)
        assert (answer.status_code, field in answer.json()["errors"]) == (403, True), (bad, answer.text)


def test_nothing_but_the_files_is_behind_the_address(api: Api) -> None:
    feed = a_published_feed(api, a_tag(api), protected=False)
    base = f"{api.url}/feed/{feed['slug']}"
    for path in ("", "/", "/..%2f..%2fpisax.db", "/manifest.json.tmp", "/%2e%2e/x.json", "/x.json"):
        assert requests.get(base + path, timeout=60).status_code == 404, path
    assert requests.post(f"{base}/manifest.json", data=b"x", timeout=60).status_code == 405
    assert requests.head(f"{base}/manifest.json", timeout=60).headers["ETag"]
    assert requests.get(f"{api.url}/feed/nobody/manifest.json", timeout=60).status_code == 404
    api.ok(f"/published_feeds/delete/{feed['id']}")
    assert requests.get(f"{base}/manifest.json", timeout=60).status_code == 404


def test_another_pisax_takes_the_feed_over(api: Api, new_instance: NewInstance) -> None:
    tag = a_tag(api)
    events = [shared(api, tag, CLEAR) for _ in range(3)]
    feed = a_published_feed(api, tag)
    there = new_instance().start().api()
    there.ok("/servers/serverSettingsEdit/PISAX.fetch_private_addresses", {"value": True})
    url = f"{api.url}/feed/{feed['slug']}"
    number = a_feed(
        there, url, source_format="misp", distribution=3, headers=f"Authorization: {feed['token']}"
    )
    run = fetched(there, number)
    assert (run["taken"], run["refused"], run["left_out"]) == (3, 0, 0)
    for event in events:
        copy = there.view(f"/events/view/{event['uuid']}")["Event"]
        assert (copy["info"], copy["timestamp"], copy["published"]) == (
            event["info"],
            event["timestamp"],
            True,
        )
        assert [a["value"] for a in copy["Attribute"]] == [a["value"] for a in event["Attribute"]]
    assert fetched(there, number)["outcome"] == "unchanged"
    assert cached(there, number)["taken"] == 3
    value = events[0]["Attribute"][0]["value"]
    hits = there.ok("/feeds/searchCaches", {"value": value})
    assert [hit["Feed"]["uuid"] for hit in hits] == [[events[0]["uuid"]]]
    api.ok(f"/events/edit/{events[0]['id']}", {"info": (news := f"News {uuid4()}")})
    api.ok(f"/events/publish/{events[0]['id']}")
    generated(api, feed)
    run = fetched(there, number)
    assert (run["taken"], run["known"]) == (1, 2)
    assert there.view(f"/events/view/{events[0]['uuid']}")["Event"]["info"] == news
