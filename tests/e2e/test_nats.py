"""Publishing to NATS JetStream, heard by NATS' own client; and everything that publishes, across a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.community import an_event
from harness.instance import ADMIN_KEY, Instance
from harness.listeners import EventSource, Heard, Receiver, ZmqSubscriber
from harness.nats import NatsServer, NatsSubscriber
from harness.people import ORG_ADMIN, USER, Member, new_member
from harness.postgres import free_port

USER_NAME, PASSWORD = "pisax", "a-password-of-nats"


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer.start(tmp_path_factory.mktemp("nats"), USER_NAME, PASSWORD) as server:
        yield server


def setting(api: Api, name: str, value: Any) -> None:
    api.ok(f"/servers/serverSettingsEdit/{name}", {"value": value})


def subscriber(nats: NatsServer, subject: str, stream: str) -> NatsSubscriber:
    return NatsSubscriber(nats.url, subject, stream, user=USER_NAME, password=PASSWORD)


def publish_to(api: Api, nats: NatsServer, prefix: str) -> str:
    """Has an instance publish under a prefix, to a stream of its own; returns the stream's name."""
    setting(api, "PISAX.nats_prefix", prefix)
    setting(api, "PISAX.nats_stream", prefix.upper())
    setting(api, "PISAX.nats_username", USER_NAME)
    setting(api, "PISAX.nats_password", PASSWORD)
    setting(api, "PISAX.nats_url", nats.url)
    return prefix.upper()


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def prefix(api: Api, nats: NatsServer, engine: str) -> str:
    publish_to(api, nats, f"one-{engine}")
    # The stream is there once a first message is.
    subscriber(nats, f"one-{engine}.>", f"ONE-{engine.upper()}").close()
    return f"one-{engine}"


@pytest.fixture(scope="module")
def owner(api: Api) -> Member:
    return new_member(api, ORG_ADMIN)


def test_each_kind_has_its_subject(api: Api, nats: NatsServer, prefix: str) -> None:
    event = api.ok("/events/add", {"info": f"Published {uuid4()}", "distribution": 3})["Event"]
    attribute = api.ok(f"/attributes/add/{event['id']}", {"type": "text", "value": str(uuid4())})["Attribute"]
    api.ok(f"/events/publish/{event['id']}")
    for subject, wanted in (
        ("event", ("event", "add", event["uuid"])),
        ("attribute", ("attribute", "add", attribute["uuid"])),
        ("event.publish", ("event.publish", "publish", event["uuid"])),
    ):
        hears = subscriber(nats, f"{prefix}.{subject}", prefix.upper())
        heard = hears.until(lambda h, wanted=wanted: h.what == wanted)
        assert heard.data["Event"]["uuid"] == event["uuid"]
        assert set(hears.subjects) == {f"{prefix}.{subject}"}
        hears.close()


def test_an_audience_hears_what_it_sees(api: Api, nats: NatsServer, prefix: str, owner: Member) -> None:
    stranger = new_member(api, USER)
    group = {"name": f"Group {uuid4()}", "releasability": "ours", "active": True}
    group = api.ok("/sharing_groups/add", group)["SharingGroup"]
    for organisation in (owner.organisation_id, stranger.organisation_id):
        api.post(f"/sharing_groups/addOrg/{group['id']}/{organisation}")
    private, everyone = an_event(owner, distribution=0), an_event(owner, distribution=3)
    community = an_event(owner, distribution=1)
    grouped = an_event(owner, distribution=4, sharing_group_id=group["id"])
    hidden = owner.api.ok(
        f"/attributes/add/{everyone['id']}", {"type": "text", "value": str(uuid4()), "distribution": 0}
    )["Attribute"]
    owner.api.ok(f"/events/publish/{everyone['id']}")
    owner.api.ok(f"/attributes/delete/{everyone['Attribute'][0]['id']}/1")
    owner.api.ok(f"/events/delete/{private['id']}")
    # What is heard last was committed last.
    last = api.ok("/admin/organisations/add", {"name": f"Last {uuid4()}"})["Organisation"]
    whole = subscriber(nats, f"{prefix}.>", prefix.upper())
    whole.until(lambda h: h.kind == "organisation" and h.uuid == last["uuid"])
    whole.until(lambda h: h.kind == "organisation" and h.uuid == last["uuid"])
    said: dict[str, list[Heard]] = {}
    for subject, heard in zip(whole.subjects, whole.heard, strict=False):
        said.setdefault(subject.removeprefix(f"{prefix}."), []).append(heard)
    whole.close()

    def events(audience: str) -> set[str]:
        return {h.data["Event"]["uuid"] for h in said[f"audience.{audience}"] if "Event" in h.data}

    own = f"org.{owner.organisation_uuid}"
    assert everyone["uuid"] in events("all")
    assert not {private["uuid"], community["uuid"], grouped["uuid"]} & events("all")
    assert community["uuid"] in events("community")
    assert not {private["uuid"], everyone["uuid"], grouped["uuid"]} & events("community")
    assert events(f"group.{group['uuid']}") == {grouped["uuid"]}
    assert {private["uuid"], everyone["uuid"]} <= events(own)
    # What is the owner's alone inside of it is not in the whole event that all may read.
    published = next(h for h in said["audience.all"] if h.kind == "event.publish")
    assert hidden["uuid"] not in str(published.data)
    assert hidden["uuid"] in str([h.data for h in said[f"audience.{own}"]])
    assert hidden["uuid"] in str([h.data for h in said["attribute"]])
    assert hidden["value"] not in str(
        [
            h.data
            for name, all in said.items()
            for h in all
            if name.startswith("audience.") and name != f"audience.{own}"
        ]
    )
    gone = [h for h in said["audience.all"] if h.kind == "attribute" and h.data["action"] == "delete"]
    assert [h.uuid for h in gone] == [everyone["Attribute"][0]["uuid"]]
    assert [h.uuid for h in said[f"audience.{own}"] if h.data.get("action") == "delete"] == [private["uuid"]]


def test_secrets_are_shown_to_nobody(api: Api, prefix: str) -> None:
    settings = api.view("/servers/serverSettings")["finalSettings"]
    shown = {one["setting"]: one["value"] for one in settings if "nats" in one["setting"]}
    assert shown["PISAX.nats_password"] == "*****"
    assert PASSWORD not in str(settings)
    assert PASSWORD not in api.ok("/admin/logs/index", {"model": "SystemSetting"}).__str__()


def those(heard: list[Heard], expected: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    uuids = {uuid for _, _, uuid in expected}
    return [h.what for h in heard if h.uuid in uuids]


def test_all_who_listen_hear_every_change_once_and_in_order_across_a_crash(
    new_instance: NewInstance, nats: NatsServer, engine: str
) -> None:
    """A ZeroMQ subscriber, a NATS subscriber, a stream's client and a webhook, while the server is killed."""
    instance = new_instance().start()
    api = instance.api()
    stream = publish_to(api, nats, f"two-{engine}")
    port = free_port()
    setting(api, "Plugin.ZeroMQ_port", port)
    for kind in ("event", "attribute", "sighting"):
        setting(api, f"Plugin.ZeroMQ_{kind}_notifications_enable", True)
    setting(api, "Plugin.ZeroMQ_enable", True)
    setting(api, "PISAX.webhook_private_addresses", True)
    expected: list[tuple[str, str, str]] = []

    def work(api: Api) -> None:
        event = api.ok("/events/add", {"info": f"Told to all {uuid4()}", "distribution": 3})["Event"]
        value = {"type": "text", "value": str(uuid4())}
        attribute = api.ok(f"/attributes/add/{event['id']}", value)["Attribute"]
        sighting = api.ok(f"/sightings/add/{attribute['id']}")["Sighting"]
        api.ok(f"/events/publish/{event['id']}")
        expected.extend(
            [
                ("event", "add", event["uuid"]),
                ("attribute", "add", attribute["uuid"]),
                ("sighting", "add", sighting["uuid"]),
                ("event.publish", "publish", event["uuid"]),
                ("event", "publish", event["uuid"]),
            ]
        )

    with Receiver() as receiver:
        made = api.ok("/webhooks/add", {"name": "All", "url": f"{receiver.url}/all"})["Webhook"]
        receiver.secrets["/all"] = made["secret"]
        source = EventSource(instance.url, ADMIN_KEY)
        # `*` is one word: the kinds, and no audiences.
        hears = subscriber(nats, f"two-{engine}.>", stream)
        zeromq = ZmqSubscriber(port)
        while not zeromq.hears(0.5):
            event = api.ok("/events/add", {"info": "Is there somebody?"})["Event"]
            api.ok(f"/events/pushEventToZMQ/{event['id']}")
        work(api)
        for listener in (zeromq, source, receiver, hears):
            listener.until(lambda h: h.what == expected[-1])
        work(api)
        instance.kill()
        assert source.ended()
        api = instance.start().api()
        work(api)
        resumed = EventSource(instance.url, ADMIN_KEY, last=source.last)
        work(api)
        for listener in (zeromq, resumed, receiver, hears):
            listener.until(lambda h: h.what == expected[-1])
        hears.until(lambda h: h.what == expected[-1])
        kinds = [h for name, h in zip(hears.subjects, hears.heard, strict=False) if ".audience." not in name]
        rest = [h for name, h in zip(hears.subjects, hears.heard, strict=False) if ".audience.all" in name]
        assert those(source.heard + resumed.heard, expected) == expected
        assert those(receiver.heard, expected) == expected
        assert those(kinds, expected) == expected
        assert those(rest, expected) == [e for e in expected if e[0] != "sighting"]
        # ZeroMQ has no way to say what was heard: what was being said at the crash may come again.
        said = those(zeromq.heard, expected)
        assert list(dict.fromkeys(said)) == expected
        for listener in (resumed, zeromq, hears):
            listener.close()


def test_a_nats_server_that_is_away_is_told_when_it_is_back(
    new_instance: NewInstance, tmp_path: Path
) -> None:
    api = new_instance().start().api()
    with NatsServer.start(tmp_path, USER_NAME, PASSWORD) as nats:
        stream = publish_to(api, nats, "away")
        hears = subscriber(nats, "away.event", stream)
        first = api.ok("/events/add", {"info": "Before"})["Event"]
        hears.about(first["uuid"])
        hears.close()
        nats.down()
        missed = [api.ok("/events/add", {"info": f"Missed {i}"})["Event"]["uuid"] for i in range(3)]
        nats.up()
        hears = subscriber(nats, "away.event", stream)
        hears.about(missed[-1])
        assert [h.uuid for h in hears.heard] == [first["uuid"], *missed]
        hears.close()
