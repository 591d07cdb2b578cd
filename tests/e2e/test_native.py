"""Two PISAX: what changes at one comes to the other as it changes, and is what a pull by MISP gives."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import Instance
from harness.peers import Link, connect, contents, until
from test_sync import an_event, there


def named(instance: Instance, organisation: str) -> Instance:
    instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
    return instance.start()


@pytest.fixture(scope="module")
def hub(new_instance: NewInstance) -> Instance:
    hub = named(new_instance(), "HUB")
    hub.api().ok("/servers/serverSettingsEdit/Plugin.Sightings_policy", {"value": 2})
    return hub


@pytest.fixture(scope="module")
def node(new_instance: NewInstance) -> Instance:
    return named(new_instance(), "NODE")


@pytest.fixture(scope="module")
def link(node: Instance, hub: Instance) -> Link:
    for _ in range(3):
        an_event(hub.api())
    return connect(node, hub, push=False, push_sightings=False)


def uuids(api: Api) -> set[str]:
    return {event["uuid"] for event in api.ok("/events/index", {"minimal": 1})}


def test_what_was_there_comes_when_servers_are_connected(node: Instance, hub: Instance, link: Link) -> None:
    there_before = uuids(hub.api())
    until(lambda: uuids(node.api()), lambda found: found >= there_before)


def test_what_changes_comes_as_it_changes(node: Instance, hub: Instance, link: Link) -> None:
    event = an_event(hub.api(), distribution=2)
    arrived = until(lambda: there(node.api(), event["uuid"]), bool)
    assert (arrived["distribution"], arrived["locked"], arrived["published"]) == ("1", True, True)
    assert [t["name"] for t in arrived["Tag"]] == ["tlp:amber"]
    assert link.entry(event["uuid"], "pull")["outcome"] == "done"
    hub.api().ok(
        f"/events/edit/{event['uuid']}", {"info": "Changed", "timestamp": int(event["timestamp"]) + 5}
    )
    hub.api().ok(f"/events/publish/{event['uuid']}")
    until(lambda: there(node.api(), event["uuid"]), lambda found: found["info"] == "Changed")


def test_sightings_and_proposals_come_too(node: Instance, hub: Instance, link: Link) -> None:
    event = an_event(hub.api())
    until(lambda: there(node.api(), event["uuid"]), bool)
    attribute = event["Attribute"][0]
    hub.api().ok("/sightings/add", {"id": attribute["uuid"], "source": "router"})
    hub.api().ok(f"/events/publishSightings/{event['uuid']}")
    hub.api().ok(f"/shadow_attributes/add/{event['uuid']}", {"type": "domain", "value": "proposed.example"})

    def seen() -> list[Any]:
        return node.api().view(f"/sightings/listSightings/{attribute['uuid']}/attribute")

    assert len(until(seen, bool)) == 1
    proposed = until(lambda: there(node.api(), event["uuid"])["ShadowAttribute"], bool)  # type: ignore[index]
    assert [p["value"] for p in proposed] == ["proposed.example"]


def test_it_goes_on_where_it_was(node: Instance, hub: Instance, link: Link) -> None:
    address = node.url
    node.kill()
    missed = [an_event(hub.api())["uuid"] for _ in range(3)]
    node.start_at(address)
    until(lambda: uuids(node.api()), lambda found: found >= set(missed))
    hub_address = hub.url
    hub.kill()
    hub.start_at(hub_address)
    later = an_event(hub.api())
    until(lambda: there(node.api(), later["uuid"]), bool)


def test_who_does_not_see_an_event_does_not_get_it(node: Instance, hub: Instance, link: Link) -> None:
    own, unpublished = an_event(hub.api(), distribution=0), an_event(hub.api(), publish=False)
    marker = an_event(hub.api())
    until(lambda: there(node.api(), marker["uuid"]), bool)
    assert there(node.api(), own["uuid"]) is None
    assert there(node.api(), unpublished["uuid"]) is None


def test_both_ways_lead_to_the_same(new_instance: NewInstance, hub: Instance) -> None:
    """A node that follows and one that pulls as a MISP end with the same, attribute by attribute."""
    follower, puller = named(new_instance(), "FOLLOWER"), named(new_instance(), "PULLER")
    puller.api().ok("/servers/serverSettingsEdit/PISAX.native_sync", {"value": False})
    organisation = {"name": f"Both {uuid4()}", "uuid": str(uuid4())}
    for instance in (follower, puller):
        instance.api().ok("/admin/organisations/add", organisation)
    wanted = {e["uuid"] for e in hub.api().ok("/events/index", {"minimal": 1}) if e["published"]}
    connect(follower, hub, push=False, push_sightings=False)
    connect(puller, hub, push=False, push_sightings=False).pull()
    common = uuids(puller.api())
    assert common and common <= wanted
    until(lambda: uuids(follower.api()), lambda found: found >= common)
    assert contents(follower.api(), common) == contents(puller.api(), common)
