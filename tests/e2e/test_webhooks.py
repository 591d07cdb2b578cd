"""Webhooks: signed, in order, tried again, each with its user's view, none in the way of another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.community import an_event
from harness.instance import Instance
from harness.listeners import PATIENCE, Receiver
from harness.people import ORG_ADMIN, USER, Member, new_member
from harness.postgres import free_port

SETTING = "/servers/serverSettingsEdit/PISAX.webhook_"


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    api = server.api()
    api.ok(f"{SETTING}private_addresses", {"value": True})
    return api


@pytest.fixture(scope="module")
def owner(api: Api) -> Member:
    return new_member(api, ORG_ADMIN)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def hook(api: Api, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """A webhook that calls the receiver."""
    path = f"/{uuid4()}"
    made = api.ok("/webhooks/add", {"name": "A hook", "url": receiver.url + path} | more)["Webhook"]
    receiver.secrets[path] = made["secret"]
    return made


def state(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    return api.view(f"/webhooks/view/{made['id']}")["Webhook"]


def eventually(api: Api, made: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """The webhook, once it is as wanted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        now = state(api, made)
        if all(now[name] == value for name, value in wanted.items()):
            return now
    raise AssertionError(f"it is {now}, not {wanted}")


def test_a_delivery_is_signed_and_told_once_and_in_order_across_a_crash(
    new_instance: NewInstance, receiver: Receiver
) -> None:
    instance = new_instance().start()
    api = instance.api()
    api.ok(f"{SETTING}private_addresses", {"value": True})
    hook(api, receiver, kinds=["event", "attribute"])
    expected = []

    def work() -> None:
        event = api.ok("/events/add", {"info": f"Delivered {uuid4()}"})["Event"]
        value = {"type": "text", "value": str(uuid4())}
        attribute = api.ok(f"/attributes/add/{event['id']}", value)["Attribute"]
        expected.extend([("event", "add", event["uuid"]), ("attribute", "add", attribute["uuid"])])

    work()
    receiver.until(lambda h: h.what == expected[-1])
    work()
    instance.kill()
    api = instance.start().api()
    work()
    receiver.until(lambda h: h.what == expected[-1])
    assert [h.what for h in receiver.heard] == expected


def test_what_fails_is_tried_again_before_anything_later(api: Api, receiver: Receiver) -> None:
    receiver.answers = [500, 404]
    made = hook(api, receiver, kinds=["event"])
    first = api.ok("/events/add", {"info": "First"})["Event"]
    second = api.ok("/events/add", {"info": "Second"})["Event"]
    receiver.about(second["uuid"])
    assert [h.uuid for h in receiver.heard] == [first["uuid"], second["uuid"]]
    assert receiver.calls == 4
    assert eventually(api, made, delivered="2", failures="0")["last_error"] == ""


def test_a_dead_target_is_paused_with_the_reason_and_blocks_no_other(api: Api, receiver: Receiver) -> None:
    api.ok(f"{SETTING}attempts", {"value": 2})
    dead = {"name": "Dead", "url": f"http://127.0.0.1:{free_port()}/", "kinds": ["event"]}
    made = api.ok("/webhooks/add", dead)["Webhook"]
    hook(api, receiver, kinds=["event"])
    event = api.ok("/events/add", {"info": "Heard by one"})["Event"]
    receiver.about(event["uuid"])
    end = time.monotonic() + PATIENCE
    while not (paused := state(api, made)["paused"]) and time.monotonic() < end:
        pass
    assert paused.startswith("2 attempts in a row failed")
    # Enabled anew, with an address that answers, it goes on where it was.
    path = f"/{uuid4()}"
    receiver.secrets[path] = made["secret"]
    edited = api.ok(f"/webhooks/edit/{made['id']}", {"url": receiver.url + path})["Webhook"]
    assert (edited["paused"], edited["secret"]) == ("", "*****")
    assert receiver.about(event["uuid"]).id.startswith(made["uuid"])
    receiver.answers = [410]
    api.ok(f"/webhooks/delete/{made['id']}")
    gone = hook(api, receiver, kinds=["organisation"])
    receiver.answers = [410]
    api.ok("/admin/organisations/add", {"name": f"Gone {uuid4()}"})
    assert "410" in eventually(api, gone, failures="1")["paused"]
    api.ok(f"{SETTING}attempts", {"value": 20})


def test_a_webhook_tells_what_its_user_sees(api: Api, owner: Member, receiver: Receiver) -> None:
    stranger = new_member(api, ORG_ADMIN)
    hook(stranger.api, receiver)
    private, shared = an_event(owner, distribution=0), an_event(owner, distribution=3)
    receiver.about(shared["uuid"])
    assert private["uuid"] not in str([h.data for h in receiver.heard])


def test_a_webhook_is_narrowed_by_tags_and_organisations(api: Api, owner: Member, receiver: Receiver) -> None:
    name = f"told:{uuid4()}"
    tagged = hook(api, receiver, kinds=["event"], tags=[name])
    created = hook(api, receiver, kinds=["event"], orgs=[owner.organisation_uuid])
    plain = an_event(owner)
    marked = api.ok("/events/add", {"info": "Marked", "Tag": [{"name": name}]})["Event"]
    assert receiver.about(plain["uuid"]).id.startswith(created["uuid"])
    assert receiver.about(marked["uuid"]).id.startswith(tagged["uuid"])
    assert len(receiver.heard) == 2
    owner.api.ok(f"/events/delete/{plain['id']}")
    assert receiver.about(plain["uuid"], "delete").id.startswith(created["uuid"])


def test_organisations_keep_their_own_webhooks(api: Api, owner: Member, receiver: Receiver) -> None:
    made = hook(owner.api, receiver)
    stranger, user = new_member(api, ORG_ADMIN), new_member(api, USER)
    for path in ("view", "edit", "enable", "disable", "delete"):
        call = stranger.api.get if path == "view" else stranger.api.post
        assert call(f"/webhooks/{path}/{made['id']}").status_code == 404
    assert stranger.api.view("/webhooks/index") == []
    assert user.api.get("/webhooks/index").status_code == 403
    assert user.api.post("/webhooks/add", {"name": "x", "url": receiver.url}).status_code == 403
    assert made["id"] in [one["Webhook"]["id"] for one in api.view("/webhooks/index")]
    # Nobody sends more than he sees.
    theirs = owner.api.post("/webhooks/add", {"name": "x", "url": receiver.url, "user_id": stranger.user_id})
    assert theirs.status_code == 403
    assert "user_id" in theirs.json()["errors"]
    assert owner.api.ok(f"/webhooks/disable/{made['id']}")["message"] == "Webhook disabled."
    event = an_event(owner)
    assert owner.api.ok(f"/webhooks/enable/{made['id']}")["message"] == "Webhook enabled."
    receiver.about(event["uuid"])
    assert "secret" not in str(state(owner.api, made)).replace("'secret': '*****'", "")


def test_what_is_no_webhook_is_refused_with_the_field(api: Api) -> None:
    right = {"name": "Right", "url": "https://example.org/hook"}
    for field, value in (
        ("name", ""),
        ("url", "ftp://example.org"),
        ("url", "http://user@example.org/"),
        ("url", "http:///nowhere"),
        ("secret", "short"),
        ("kinds", ["weather"]),
        ("orgs", ["not a uuid"]),
        ("user_id", 999999),
    ):
        answer = api.post("/webhooks/add", right | {field: value})
        assert answer.status_code == 403, (field, value)
        assert field in answer.json()["errors"], (field, value, answer.text)


def test_the_own_network_is_called_only_where_that_is_allowed(api: Api, receiver: Receiver) -> None:
    api.ok(f"{SETTING}private_addresses", {"value": False})
    api.ok(f"{SETTING}attempts", {"value": 1})
    try:
        made = hook(api, receiver, kinds=["event"])
        api.ok("/events/add", {"info": "Not for the own network"})
        assert "not on the public Internet" in eventually(api, made, failures="1")["paused"]
        assert receiver.calls == 0
    finally:
        api.ok(f"{SETTING}private_addresses", {"value": True})
        api.ok(f"{SETTING}attempts", {"value": 20})


def test_a_webhook_goes_with_its_user_and_pauses_while_he_is_disabled(
    api: Api, owner: Member, receiver: Receiver
) -> None:
    organisation = {"id": owner.organisation_id, "uuid": owner.organisation_uuid}
    user = new_member(api, ORG_ADMIN, organisation)
    made = hook(user.api, receiver, kinds=["event"])
    api.ok(f"/admin/users/edit/{user.user_id}", {"disabled": True})
    an_event(owner)
    assert eventually(api, made, failures="1")["paused"] == "its user is disabled"
    assert receiver.calls == 0
    api.ok(f"/admin/users/delete/{user.user_id}")
    assert api.get(f"/webhooks/view/{made['id']}").status_code == 404
