"""The sequence of calls of PyMISP's public test of three instances that exchange events, by PyMISP itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.instance import ADMIN_KEY, Instance
from harness.peers import DONE, Link, connect, host_organisation, job_end, until
from harness.people import ORG_ADMIN, USER, new_member
from pymisp import Distribution, MISPEvent, MISPObject, MISPServer, MISPSharingGroup, PyMISP


def client(instance: Instance, key: str) -> PyMISP:
    misp = PyMISP(instance.url, key, ssl=False)
    misp.toggle_global_pythonify()
    return misp


@dataclass(frozen=True)
class Place:
    """An instance with its people."""

    instance: Instance
    site_admin: PyMISP
    org_admin: PyMISP
    user: PyMISP

    def has(self, uuid: str) -> MISPEvent | None:
        """What a plain user sees of an event."""
        found = self.user.get_event(uuid) if self.user.event_exists(uuid) else None
        return found if isinstance(found, MISPEvent) else None


@dataclass(frozen=True)
class World:
    source: Place
    middle: Place
    last: Place
    # By who keeps the connection, and with whom.
    source_middle: Link
    middle_source: Link
    middle_last: Link
    last_middle: Link


def place(instance: Instance, organisation: str) -> Place:
    instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
    instance.start()
    api = instance.api()
    api.ok("/servers/serverSettingsEdit/PISAX.native_sync", {"value": False})
    own = host_organisation(api)
    admin, user = (new_member(api, role, own) for role in (ORG_ADMIN, USER))
    return Place(
        instance, client(instance, ADMIN_KEY), client(instance, admin.key), client(instance, user.key)
    )


@pytest.fixture(scope="module")
def world(new_instance: NewInstance) -> World:
    source, middle, last = (place(new_instance(), name) for name in ("First", "Second", "Third"))

    def link(here: Place, there: Place) -> Link:
        return connect(here.instance, there.instance, push=False)

    return World(
        source,
        middle,
        last,
        link(source, middle),
        link(middle, source),
        link(middle, last),
        link(last, middle),
    )


@contextmanager
def pushing(*links: tuple[Place, Link]) -> Iterator[None]:
    """Automatic pushes over these connections, for a while."""

    def switch(on: bool) -> None:
        for here, link in links:
            server = here.site_admin.update_server({"push": on}, int(link.server_id))
            assert isinstance(server, MISPServer) and server.push is on

    switch(True)
    yield
    switch(False)


def pull(here: Place, link: Link) -> None:
    told = here.site_admin.server_pull(int(link.server_id))
    status, message = job_end(link.here, told["message"].rsplit(" ", 1)[-1])
    assert status == DONE, message


def published(here: PyMISP, event: MISPEvent) -> MISPEvent:
    event = here.add_event(event)
    assert isinstance(event, MISPEvent), event
    here.publish(event)
    return event


def simple(distribution: Distribution) -> MISPEvent:
    event = MISPEvent()
    event.info = f"Simple event {uuid4()}"
    event.distribution = distribution
    event.add_attribute("ip-src", "198.51.100.1")
    return event


def complex_event() -> MISPEvent:
    """Four attributes, each for more than the one before, and an object that is for connected communities."""
    event = MISPEvent()
    event.info = f"Complex event {uuid4()}"
    event.distribution = Distribution.all_communities
    event.add_tag("tlp:white")
    kinds = [
        ("ip-src", "198.51.100.8", Distribution.your_organisation_only, "tlp:red"),
        ("ip-dst", "198.51.100.9", Distribution.this_community_only, "tlp:amber"),
        ("domain", "complex.example", Distribution.connected_communities, "tlp:green"),
        ("md5", uuid4().hex, Distribution.inherit, None),
    ]
    for kind, value, distribution, tag in kinds:
        attribute = event.add_attribute(kind, value, distribution=distribution.value)
        if tag:
            attribute.add_tag(tag)
    file = MISPObject("file", standalone=False)
    file.distribution = Distribution.connected_communities
    file.add_attribute("filename", "testfile", distribution=Distribution.your_organisation_only.value)
    file.add_attribute("md5", uuid4().hex, distribution=Distribution.inherit.value)
    event.add_object(file)
    return event


def counts(event: MISPEvent) -> tuple[int, list[int]]:
    """How many attributes it has, and how many each of its objects."""
    return len(event.attributes), [len(o.attributes) for o in event.objects]


def holds(here: Place, uuid: str, expected: tuple[int, list[int]]) -> None:
    """What a user and a site admin see: nothing else is stored."""
    event = until(lambda: here.has(uuid), bool)
    assert counts(event) == expected
    assert counts(here.site_admin.get_event(uuid)) == expected


def test_one_event_is_pushed_to_one_server(world: World) -> None:
    event = published(world.source.org_admin, simple(Distribution.all_communities))
    with pushing((world.source, world.source_middle)):
        told = world.source.site_admin.server_push(int(world.source_middle.server_id), event)
        status, message = job_end(world.source_middle.here, told["message"].rsplit(" ", 1)[-1])
        assert status == DONE, message
    arrived = world.middle.has(event.uuid)
    assert arrived is not None and arrived.attributes[0].value == event.attributes[0].value


def test_an_event_for_the_community_is_pulled_for_the_organisation(world: World) -> None:
    event = published(world.source.org_admin, simple(Distribution.this_community_only))
    pull(world.middle, world.middle_source)
    arrived = world.middle.has(event.uuid)
    assert arrived is not None and arrived.distribution == Distribution.your_organisation_only.value


def test_an_event_for_all_goes_on_by_itself(world: World) -> None:
    with pushing((world.source, world.source_middle), (world.middle, world.middle_last)):
        event = published(world.source.org_admin, simple(Distribution.all_communities))
        for here in (world.middle, world.last):
            arrived = until(lambda here=here: here.has(event.uuid), bool)
            assert arrived.attributes[0].value == event.attributes[0].value


def test_a_complex_event_becomes_less_with_each_push(world: World) -> None:
    with pushing((world.source, world.source_middle), (world.middle, world.middle_last)):
        event = published(world.source.org_admin, complex_event())
        assert counts(event) == (4, [2])
        holds(world.middle, event.uuid, (2, [1]))
        holds(world.last, event.uuid, (1, []))


def test_a_complex_event_becomes_less_with_each_pull(world: World) -> None:
    event = published(world.source.org_admin, complex_event())
    pull(world.middle, world.middle_source)
    pull(world.last, world.last_middle)
    holds(world.middle, event.uuid, (3, [1]))
    holds(world.last, event.uuid, (2, [1]))


def a_group(world: World) -> MISPSharingGroup:
    """A group of the first and the second organisation, on the first's server."""
    admin = world.source.site_admin
    group = MISPSharingGroup()
    group.name = f"Group {uuid4()}"
    group.releasability = "Testing"
    group = admin.add_sharing_group(group)
    assert isinstance(group, MISPSharingGroup), group
    for here in (world.source, world.middle):
        admin.add_org_to_sharing_group(group, host_organisation(here.instance.api())["uuid"])
    admin.add_server_to_sharing_group(group, 0)
    return group


def test_what_is_shared_with_a_group_elsewhere_stays(world: World) -> None:
    group = a_group(world)
    event = complex_event()
    shared = {"distribution": Distribution.sharing_group.value, "sharing_group_id": group.id}
    event.add_attribute("text", "for the group", **shared)
    known = {g.uuid for g in world.middle.site_admin.sharing_groups()}
    with pushing((world.source, world.source_middle), (world.middle, world.middle_last)):
        event = published(world.source.site_admin, event)
        holds(world.middle, event.uuid, (2, [1]))
        holds(world.last, event.uuid, (1, []))
    assert {g.uuid for g in world.middle.site_admin.sharing_groups()} == known


def test_an_event_of_a_group_reaches_the_servers_it_lists_alone(world: World) -> None:
    group = a_group(world)
    told = world.source.site_admin.add_server_to_sharing_group(
        group, int(world.source_middle.server_id), True
    )
    assert "errors" not in told, told
    event = simple(Distribution.sharing_group)
    event.sharing_group_id = group.id
    with pushing((world.source, world.source_middle), (world.middle, world.middle_last)):
        event = published(world.source.site_admin, event)
        entry = until(lambda: world.source_middle.ledger(uuid=event.uuid, direction="push"), bool)[0]
        assert entry["outcome"] == "done", entry
        arrived = until(lambda: world.middle.has(event.uuid), bool)
        assert arrived.distribution == Distribution.sharing_group.value
        assert arrived.SharingGroup.uuid == group.uuid
        entry = until(lambda: world.middle_last.ledger(uuid=event.uuid, direction="push"), bool)[0]
        assert entry["outcome"] in ("rule", "up_to_date"), entry
        assert world.last.has(event.uuid) is None
