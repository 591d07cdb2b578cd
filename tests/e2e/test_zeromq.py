"""Publishing over ZeroMQ, heard by libzmq's own subscriber."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import Instance
from harness.listeners import ZmqSubscriber
from harness.people import USER, new_member
from harness.postgres import free_port
from harness.subscriber import PATIENCE, Subscriber


def set_to(api: Api, **settings: Any) -> None:
    for name, value in settings.items():
        api.ok(f"/servers/serverSettingsEdit/Plugin.ZeroMQ_{name}", {"value": value})


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def port(api: Api) -> int:
    port = free_port()
    notified = {
        f"{kind}_notifications_enable": True
        for kind in ("event", "attribute", "object", "sighting", "tag", "organisation")
    }
    set_to(api, port=port, **notified)
    return port


@pytest.fixture
def hears(api: Api, port: int) -> Iterator[Subscriber]:
    """A subscriber to everything who has heard a first message, so that none after that is missed."""
    set_to(api, enable=True)
    subscriber = Subscriber(port, "misp_json")
    event = api.ok("/events/add", {"info": "Is there somebody?"})["Event"]
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert api.ok(f"/events/pushEventToZMQ/{event['id']}")["message"] == "Event published to ZMQ"
        if subscriber.next(500):
            break
    else:
        raise AssertionError("nothing was heard")
    yield subscriber
    subscriber.close()


def test_what_is_not_switched_on_is_refused(api: Api, port: int) -> None:
    set_to(api, enable=False)
    event = api.ok("/events/add", {"info": "Unheard"})["Event"]
    answer = api.post(f"/events/pushEventToZMQ/{event['uuid']}")
    assert answer.status_code == 403
    assert answer.json()["errors"] == "ZMQ event publishing not enabled."
    assert api.view("/servers/serverSettings")["zmqStatus"] == 1


def test_a_published_event_is_heard_whole(api: Api, hears: Subscriber) -> None:
    body = {"info": f"Heard {uuid4()}", "Attribute": [{"type": "ip-dst", "value": "198.51.100.7"}]}
    event = api.ok("/events/add", body)["Event"]
    api.ok(f"/events/publish/{event['id']}")
    heard = hears.until(lambda topic, m: topic == "misp_json" and m["Event"]["uuid"] == event["uuid"])
    assert heard["Event"]["published"] is True
    assert heard["Event"]["Attribute"][0]["value"] == "198.51.100.7"
    assert api.view("/servers/serverSettings")["zmqStatus"] == 0


def test_changes_inside_an_event_are_heard_one_by_one(api: Api, hears: Subscriber) -> None:
    event = api.ok("/events/add", {"info": "Changes"})["Event"]
    added = hears.until(lambda topic, m: topic == "misp_json_event" and m["Event"]["uuid"] == event["uuid"])
    assert added["action"] == "add"
    value = str(uuid4())
    attribute = api.ok(f"/attributes/add/{event['id']}", {"type": "text", "value": value})["Attribute"]

    def about(topic: str, model: str, uuid: str) -> Callable[[str, Any], bool]:
        return lambda heard, m: heard == topic and m[model]["uuid"] == uuid

    heard = hears.until(about("misp_json_attribute", "Attribute", attribute["uuid"]))
    assert (heard["action"], heard["Attribute"]["value"]) == ("add", value)
    assert heard["Event"]["uuid"] == event["uuid"]
    sighting = api.ok(f"/sightings/add/{attribute['id']}")["Sighting"]
    heard = hears.until(about("misp_json_sighting", "Sighting", sighting["uuid"]))
    assert heard["Sighting"]["attribute_uuid"] == attribute["uuid"]
    named = {"name": "domain-ip", "meta-category": "network", "Attribute": []}
    named["Attribute"] = [{"type": "domain", "object_relation": "domain", "value": f"{uuid4()}.example"}]
    held = api.ok(f"/objects/add/{event['id']}", {"Object": named})["Object"]
    assert hears.until(about("misp_json_object", "Object", held["uuid"]))["action"] == "add"
    api.ok(f"/attributes/delete/{attribute['id']}/1")
    gone = hears.until(
        lambda topic, m: topic == "misp_json_attribute" and m["action"] in ("delete", "soft-delete")
    )
    assert gone["Attribute"]["uuid"] == attribute["uuid"]


def test_tags_and_organisations_are_heard(api: Api, hears: Subscriber) -> None:
    organisation = api.ok("/admin/organisations/add", {"name": f"Heard {uuid4()}"})["Organisation"]
    heard = hears.until(lambda topic, m: topic == "misp_json_organisation")
    assert (heard["Organisation"]["uuid"], heard["action"]) == (organisation["uuid"], "add")
    event = api.ok("/events/add", {"info": "Tagged", "Attribute": [{"type": "text", "value": str(uuid4())}]})
    event, name = event["Event"], f"heard:{uuid4()}"
    attribute = event["Attribute"][0]
    for path, target in (("events", event["id"]), ("attributes", attribute["id"])):
        for does, action in (("addTag", "attach"), ("removeTag", "detach")):
            api.ok(f"/{path}/{does}/{target}", {"tag": name})
            heard = hears.until(lambda topic, m: topic == "misp_json_tag")
            assert (heard["Tag"]["name"], heard["action"]) == (name, action)
            assert heard["Event"]["uuid"] == event["uuid"]
            if path == "attributes":
                assert heard["Attribute"]["uuid"] == attribute["uuid"]


def test_who_asks_for_one_topic_hears_no_other(api: Api, port: int, hears: Subscriber) -> None:
    only = Subscriber(port, "misp_json_sighting")
    try:
        event = api.ok("/events/add", {"info": "One topic", "Attribute": [{"type": "text", "value": "x"}]})
        attribute = event["Event"]["Attribute"][0]["id"]
        end = time.monotonic() + PATIENCE
        heard = None
        while heard is None and time.monotonic() < end:
            api.ok(f"/sightings/add/{attribute}")
            heard = only.next(500)
        assert heard is not None
        assert heard[0] == "misp_json_sighting"
    finally:
        only.close()


def test_pushing_needs_the_permission_and_the_event(api: Api, hears: Subscriber) -> None:
    plain = new_member(api, USER)
    event = api.ok("/events/add", {"info": "Not his", "distribution": 0})["Event"]
    assert plain.api.post(f"/events/pushEventToZMQ/{event['id']}").status_code == 403
    assert api.post("/events/pushEventToZMQ/999999").status_code == 404


def test_references_users_warninglists_and_the_audit_log_are_heard(api: Api, hears: Subscriber) -> None:
    for kind in ("object_reference", "user", "warninglist", "audit"):
        set_to(api, **{f"{kind}_notifications_enable": True})
    try:
        named = {"name": "domain-ip", "Attribute": [{"type": "domain", "value": f"{uuid4()}.example"}]}
        named["Attribute"][0]["object_relation"] = "domain"
        event = api.ok("/events/add", {"info": "Referenced", "Object": [named]})["Event"]
        held = event["Object"][0]
        target = {"object_uuid": held["uuid"], "referenced_uuid": held["Attribute"][0]["uuid"]}
        made = api.ok("/objectReferences/add", target | {"relationship_type": "has"})["ObjectReference"]
        heard = hears.until(lambda topic, m: topic == "misp_json_object_reference")
        assert heard["ObjectReference"]["uuid"] == made["uuid"]
        assert (heard["Event"]["uuid"], heard["action"]) == (event["uuid"], "add")
        user = new_member(api, USER)
        heard = hears.until(lambda topic, m: topic == "misp_json_user")
        assert (heard["User"]["email"], heard["action"]) == (user.email, "add")
        assert "password" not in heard["User"]
        assert "authkey" not in heard["User"]
        lines = {"name": f"List {uuid4()}", "type": "string", "description": "d", "category": "known"}
        lines |= {"entries": "a.example", "matching_attributes": ["domain"]}
        api.ok("/warninglists/add", lines)
        heard = hears.until(lambda topic, m: topic == "misp_json_warninglist")
        assert (heard["Warninglist"]["name"], heard["action"]) == (lines["name"], "add")
        heard = hears.until(lambda topic, m: topic == "misp_json_audit")
        assert heard["action"] == "log"
        assert heard["AuditLog"]["model"] == "Warninglist"
    finally:
        for kind in ("object_reference", "user", "warninglist", "audit"):
            set_to(api, **{f"{kind}_notifications_enable": False})


def test_attachments_are_published_where_they_are_wanted(api: Api, hears: Subscriber) -> None:
    data = base64.b64encode(b"an attachment").decode()
    body = {"info": "Attached", "Attribute": [{"type": "attachment", "value": "a.txt", "data": data}]}
    for wanted in (True, False):
        set_to(api, include_attachments=wanted)
        event = api.ok("/events/add", body)["Event"]
        api.ok(f"/events/publish/{event['id']}")
        heard = hears.until(
            lambda topic, m, e=event: topic == "misp_json" and m["Event"]["uuid"] == e["uuid"]
        )
        assert heard["Event"]["Attribute"][0].get("data") == (data if wanted else None)


def test_a_subscriber_has_to_know_the_password(new_instance: NewInstance) -> None:
    api = new_instance().start().api()
    port = free_port()
    set_to(
        api, port=port, username="ids", password="a password", event_notifications_enable=True, enable=True
    )
    settings = api.view("/servers/serverSettings")["finalSettings"]
    assert "a password" not in str(settings)
    right = ZmqSubscriber(port, name="ids", password="a password")
    others = [ZmqSubscriber(port, name="ids", password="another"), ZmqSubscriber(port)]
    end = time.monotonic() + PATIENCE
    while not right.hears(0.5) and time.monotonic() < end:
        api.ok("/events/add", {"info": "For those who know"})
    event = api.ok("/events/add", {"info": "For those who know"})["Event"]
    right.about(event["uuid"])
    assert not any(other.hears(0.2) for other in others)
    for one in (right, *others):
        one.close()


def test_a_subscriber_misses_nothing_of_a_restart(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    api = instance.api()
    port = free_port()
    set_to(api, port=port, event_notifications_enable=True, enable=True)
    hears = ZmqSubscriber(port, "misp_json_event")
    while not hears.hears(0.5):
        api.ok("/events/add", {"info": "Is there somebody?"})
    expected = [api.ok("/events/add", {"info": f"Before {i}"})["Event"]["uuid"] for i in range(3)]
    assert instance.stop() == 0
    api = instance.start().api()
    expected += [api.ok("/events/add", {"info": f"After {i}"})["Event"]["uuid"] for i in range(3)]
    hears.about(expected[-1])
    assert [h.uuid for h in hears.heard if h.uuid in expected] == expected
    hears.close()
