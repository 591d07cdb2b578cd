"""What changes, as Server-Sent Events: each reader's own view, each message once, also across a crash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from conftest import NewInstance
from harness.api import Api
from harness.community import an_event
from harness.instance import ADMIN_KEY, Instance
from harness.listeners import EventSource, Heard
from harness.people import ORG_ADMIN, USER, Member, new_member


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def hears(server: Instance) -> Iterator[EventSource]:
    source = EventSource(server.url, ADMIN_KEY)
    yield source
    source.close()


@pytest.fixture(scope="module")
def owner(api: Api) -> Member:
    return new_member(api, ORG_ADMIN)


@pytest.fixture(scope="module")
def stranger(api: Api) -> Member:
    return new_member(api, USER)


def work(api: Api) -> list[tuple[str, str, str]]:
    """Changes things; returns what is to be heard of it, in order."""
    body = {"info": f"Streamed {uuid4()}", "distribution": 3}
    event = api.ok("/events/add", body)["Event"]
    attribute = api.ok(f"/attributes/add/{event['id']}", {"type": "domain", "value": f"{uuid4()}.example"})
    attribute = attribute["Attribute"]
    sighting = api.ok(f"/sightings/add/{attribute['id']}")["Sighting"]
    api.ok(f"/events/publish/{event['id']}")
    return [
        ("event", "add", event["uuid"]),
        ("attribute", "add", attribute["uuid"]),
        ("sighting", "add", sighting["uuid"]),
        ("event.publish", "publish", event["uuid"]),
        ("event", "publish", event["uuid"]),
    ]


def those(heard: list[Heard], expected: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """What was heard of these records."""
    uuids = {uuid for _, _, uuid in expected}
    return [h.what for h in heard if h.uuid in uuids]


def test_every_change_is_heard_once_and_in_order_across_a_crash(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    api = instance.api()
    first = EventSource(instance.url, ADMIN_KEY)
    expected = work(api)
    first.until(lambda h: h.what == expected[-1])
    # This one is committed, and may or may not have been heard when the server dies.
    expected += work(api)
    instance.kill()
    assert first.ended()
    instance.start()
    api = instance.api()
    expected += work(api)
    second = EventSource(instance.url, ADMIN_KEY, last=first.last)
    expected += work(api)
    second.until(lambda h: h.what == expected[-1])
    second.close()
    heard = first.heard + second.heard
    assert those(heard, expected) == expected
    assert len({h.id for h in heard}) == len(heard)


def test_a_change_inside_an_event_has_misps_shape(api: Api, hears: EventSource) -> None:
    expected = work(api)
    attribute = hears.about(expected[1][2]).data
    assert attribute["Event"]["uuid"] == expected[0][2]
    assert attribute["Attribute"]["type"] == "domain"
    whole = hears.until(lambda h: h.kind == "event.publish").data
    assert whole["Event"]["Attribute"][0]["uuid"] == expected[1][2]
    name = f"streamed:{uuid4()}"
    api.ok(f"/events/addTag/{whole['Event']['id']}", {"tag": name})
    tag = hears.until(lambda h: h.kind == "tag").data
    assert (tag["Tag"]["name"], tag["action"]) == (name, "attach")


def test_one_hears_what_one_sees_and_nothing_else(server: Instance, owner: Member, stranger: Member) -> None:
    own, other = EventSource(server.url, owner.key), EventSource(server.url, stranger.key)
    private = an_event(owner, distribution=0)
    shared = an_event(owner, distribution=3)
    hidden = owner.api.ok(
        f"/attributes/add/{shared['id']}", {"type": "text", "value": str(uuid4()), "distribution": 0}
    )["Attribute"]
    owner.api.ok(f"/events/publish/{private['id']}")
    owner.api.ok(f"/events/publish/{shared['id']}")
    for path in (f"/attributes/delete/{hidden['id']}/1", f"/events/delete/{private['id']}"):
        owner.api.ok(path)
    seen = shared["Attribute"][0]
    owner.api.ok(f"/attributes/delete/{seen['id']}/1")
    owner.api.ok(f"/events/delete/{shared['id']}")
    for source in (own, other):
        source.about(shared["uuid"], "delete")
    uuids = {h.uuid for h in own.heard}
    assert {private["uuid"], shared["uuid"], hidden["uuid"], seen["uuid"]} <= uuids
    assert {h.data["action"] for h in own.heard if h.uuid == private["uuid"] and h.kind == "event"} == {
        "add",
        "publish",
        "delete",
    }
    text = str([h.data for h in other.heard])
    for word in (private["uuid"], private["info"], hidden["uuid"], hidden["value"]):
        assert word not in text
    # Of what is gone its uuid is told.
    gone = next(h for h in other.heard if h.uuid == seen["uuid"] and h.data["action"] == "delete")
    assert gone.data["Attribute"] == {"uuid": seen["uuid"]}
    assert other.heard[-1].data["Event"] == {"uuid": shared["uuid"], "id": shared["id"]}
    for source in (own, other):
        source.close()


def test_accounts_are_heard_of_by_those_who_administer_them(
    api: Api, server: Instance, owner: Member, stranger: Member
) -> None:
    admin = EventSource(server.url, owner.key, kinds="user,event")
    other = EventSource(server.url, stranger.key, kinds="user,event")
    organisation = {"id": owner.organisation_id, "uuid": owner.organisation_uuid}
    user = new_member(api, USER, organisation)
    shared = an_event(owner)
    heard = admin.until(lambda h: h.kind == "user" and h.data["User"]["id"] == user.user_id)
    assert heard.data["User"]["email"] == user.email
    assert "password" not in heard.data["User"]
    assert user.key not in str(heard.data)
    other.about(shared["uuid"])
    assert [h.kind for h in other.heard] == ["event"]
    for source in (admin, other):
        source.close()


def test_one_hears_the_kinds_one_asks_for(api: Api, server: Instance) -> None:
    source = EventSource(server.url, ADMIN_KEY, kinds="sighting,event.publish")
    expected = work(api)
    source.about(expected[3][2])
    assert [h.what for h in source.heard] == [expected[2], expected[3]]
    source.close()
    audit = EventSource(server.url, ADMIN_KEY, kinds="audit")
    work(api)
    row = audit.next()
    assert row.data["AuditLog"]["model"] == "Event"
    assert row.data["action"] == "log"
    audit.close()


def test_what_cannot_be_followed_is_refused_with_the_reason(api: Api) -> None:
    for query, field in (("kinds=event,weather", "kinds"), ("after=yesterday", "after")):
        answer = api.get(f"/streams/changes?{query}")
        assert answer.status_code == 403
        assert field in answer.text
    assert "weather" in api.get("/streams/changes?kinds=weather").text
    assert (
        requests.get(f"{api.url}/streams/changes", timeout=60, headers={"Accept": "text/event-stream"}).ok
        is False
    )


def test_who_asks_now_and_then_hears_the_same(api: Api, stranger: Member) -> None:
    after = api.view("/streams/changes")["after"]
    assert api.view(f"/streams/changes?after={after}")["changes"] == []
    expected = work(api)
    found: list[Any] = []
    more = True
    while more:
        page = api.view(f"/streams/changes?after={after}")
        found += page["changes"]
        after, more = page["after"], page["more"]
    assert those([Heard(c["event"], c["data"], c["id"]) for c in found], expected) == expected
    middle = found[1]["id"]
    again = api.view(f"/streams/changes?after={middle}")["changes"]
    assert again == found[2:]
    assert stranger.api.get("/streams/changes?after=0").status_code == 200


def test_a_stream_ends_with_its_key(api: Api, server: Instance) -> None:
    member = new_member(api)
    source = EventSource(server.url, member.key)
    api.ok(f"/admin/users/edit/{member.user_id}", {"disabled": True})
    work(api)
    assert source.ended()


def test_a_user_has_so_many_streams(api: Api, server: Instance) -> None:
    member = new_member(api)
    open_streams = [EventSource(server.url, member.key) for _ in range(8)]
    answer = member.api.session.get(
        f"{server.url}/streams/changes", headers={"Accept": "text/event-stream"}, timeout=60
    )
    assert answer.status_code == 503
    for source in open_streams:
        source.close()


def test_a_server_stops_while_somebody_listens(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    source = EventSource(instance.url, ADMIN_KEY)
    assert instance.stop() == 0
    assert source.ended()
