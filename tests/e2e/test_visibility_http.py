"""Who sees what, asked over HTTP: two organisations, every distribution, sharing groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.people import ORG_ADMIN, SYNC_USER, Member, new_member

OWN, COMMUNITY, CONNECTED, ALL, GROUP, INHERIT = range(6)


@dataclass(frozen=True)
class World:
    admin: Api
    owner: Member
    friend: Member  # in the sharing group
    stranger: Member  # in nothing
    group: str


@pytest.fixture(scope="module")
def world(server: Instance) -> World:
    admin = server.api()
    owner, friend, stranger = new_member(admin), new_member(admin), new_member(admin)
    group = admin.ok("/sharing_groups/add", {"name": f"Group {uuid4()}", "releasability": "two"})[
        "SharingGroup"
    ]
    for member in (owner, friend):
        admin.ok(
            "/sharingGroups/addOrg", {"sg_id": group["id"], "org_id": member.organisation_id, "extend": 0}
        )
    return World(admin, owner, friend, stranger, group["id"])


def put(world: World, event: int, children: list[int], in_object: int | None = None) -> dict[str, Any]:
    """An event of the owner at one level, with one attribute at each of the others."""
    attributes = [leaf(world, level) for level in children]
    body: dict[str, Any] = {"info": f"Seen by whom {uuid4()}", "distribution": event}
    if event == GROUP:
        body["sharing_group_id"] = world.group
    if in_object is None:
        body["Attribute"] = attributes
    else:
        held: dict[str, Any] = {"name": "domain-ip", "meta-category": "network", "distribution": in_object}
        if in_object == GROUP:
            held["sharing_group_id"] = world.group
        body["Object"] = [held | {"Attribute": [a | {"object_relation": "text"} for a in attributes]}]
    return world.owner.api.ok("/events/add", body)["Event"]


def leaf(world: World, level: int) -> dict[str, Any]:
    attribute: dict[str, Any] = {"type": "text", "value": f"{level} {uuid4()}", "distribution": level}
    return attribute | ({"sharing_group_id": world.group} if level == GROUP else {})


def levels_seen(api: Api, event: dict[str, Any]) -> set[int] | None:
    """The levels of the attributes this reader gets, by view and by search alike; None without the event."""
    answer = api.get(f"/events/view/{event['uuid']}")
    found = api.ok("/attributes/restSearch", {"returnFormat": "json", "eventid": event["uuid"]})
    searched = {int(a["value"][0]) for a in found["response"]["Attribute"]}
    if answer.status_code != 200:
        assert answer.status_code == 404
        assert searched == set()
        return None
    read = answer.json()["Event"]
    leaves = read["Attribute"] + [a for held in read["Object"] for a in held["Attribute"]]
    seen = {int(a["value"][0]) for a in leaves}
    assert searched == seen
    return seen


@pytest.mark.parametrize(
    ("level", "friend", "stranger"),
    [
        (OWN, False, False),
        (COMMUNITY, True, True),
        (CONNECTED, True, True),
        (ALL, True, True),
        (GROUP, True, False),
    ],
)
def test_the_distribution_of_an_event_decides_who_sees_it(
    world: World, level: int, friend: bool, stranger: bool
) -> None:
    event = put(world, level, [INHERIT])

    assert levels_seen(world.admin, event) == {INHERIT}
    assert levels_seen(world.owner.api, event) == {INHERIT}
    assert levels_seen(world.friend.api, event) == ({INHERIT} if friend else None)
    assert levels_seen(world.stranger.api, event) == ({INHERIT} if stranger else None)
    for member, sees in ((world.friend, friend), (world.stranger, stranger)):
        assert member.api.head(f"/events/view/{event['uuid']}").status_code == (200 if sees else 404)
        listed = [e["uuid"] for e in member.api.view("/events/index")]
        assert (event["uuid"] in listed) == sees


def test_an_attribute_narrows_what_its_event_opens(world: World) -> None:
    event = put(world, ALL, [OWN, COMMUNITY, CONNECTED, ALL, GROUP, INHERIT])

    assert levels_seen(world.owner.api, event) == {OWN, COMMUNITY, CONNECTED, ALL, GROUP, INHERIT}
    assert levels_seen(world.friend.api, event) == {COMMUNITY, CONNECTED, ALL, GROUP, INHERIT}
    assert levels_seen(world.stranger.api, event) == {COMMUNITY, CONNECTED, ALL, INHERIT}


@pytest.mark.parametrize(
    ("level", "friend", "stranger"),
    [
        (OWN, set(), set()),
        (ALL, {ALL, GROUP, INHERIT}, {ALL, INHERIT}),
        (GROUP, {ALL, GROUP, INHERIT}, set()),
        (INHERIT, {ALL, GROUP, INHERIT}, {ALL, INHERIT}),
    ],
)
def test_an_object_narrows_what_its_attributes_open(
    world: World, level: int, friend: set[int], stranger: set[int]
) -> None:
    event = put(world, ALL, [OWN, ALL, GROUP, INHERIT], in_object=level)

    assert levels_seen(world.owner.api, event) == {OWN, ALL, GROUP, INHERIT}
    assert levels_seen(world.friend.api, event) == friend
    assert levels_seen(world.stranger.api, event) == stranger


def test_an_attribute_cannot_open_what_its_event_closes(world: World) -> None:
    event = put(world, OWN, [ALL])
    assert levels_seen(world.stranger.api, event) is None


def test_roles_of_the_organisation_see_no_more_than_its_users(world: World, server: Instance) -> None:
    event = put(world, OWN, [INHERIT])
    for role in (ORG_ADMIN, SYNC_USER):
        assert levels_seen(new_member(server.api(), role).api, event) is None


def test_leaving_the_sharing_group_closes_it_at_once(world: World) -> None:
    event = put(world, GROUP, [INHERIT])
    words = {"sg_id": world.group, "org_id": world.friend.organisation_id}
    assert levels_seen(world.friend.api, event) == {INHERIT}

    world.admin.ok("/sharingGroups/removeOrg", words)
    try:
        assert levels_seen(world.friend.api, event) is None
    finally:
        world.admin.ok("/sharingGroups/addOrg", words | {"extend": 0})
    assert levels_seen(world.friend.api, event) == {INHERIT}


def test_what_is_hidden_does_not_show_as_related(world: World) -> None:
    shared = str(uuid4())
    hidden, seen = (
        world.owner.api.ok(
            "/events/add",
            {"info": "Related", "distribution": level, "Attribute": [{"type": "text", "value": shared}]},
        )["Event"]
        for level in (OWN, ALL)
    )

    def related(api: Api) -> list[str]:
        event = api.view(f"/events/view/{seen['uuid']}")["Event"]
        return [r["Event"]["uuid"] for r in event["RelatedEvent"]]

    assert related(world.owner.api) == [hidden["uuid"]]
    assert related(world.stranger.api) == []


def test_a_sighting_of_another_organisation_is_not_shown_to_a_third(world: World) -> None:
    event = put(world, ALL, [INHERIT])
    attribute = event["Attribute"][0]["id"]
    world.friend.api.ok(f"/sightings/add/{attribute}", {"type": 0, "source": "friend"})

    def sighters(api: Api) -> list[str]:
        return [s["Sighting"]["source"] for s in api.view(f"/sightings/listSightings/{attribute}/attribute")]

    assert sighters(world.owner.api) == ["friend"]
    assert sighters(world.friend.api) == ["friend"]
    assert sighters(world.stranger.api) == []


WRITES = [
    ("/events/edit/{event}", {"info": "taken over"}),
    ("/events/delete/{event}", {}),
    ("/events/publish/{event}", {}),
    ("/attributes/add/{event}", {"type": "text", "value": "slipped in"}),
    ("/attributes/edit/{attribute}", {"value": "changed"}),
    ("/attributes/delete/{attribute}", {}),
    (
        "/objects/add/{event}",
        {
            "name": "domain-ip",
            "Attribute": [{"object_relation": "text", "type": "text", "value": "slipped in"}],
        },
    ),
    ("/events/addTag/{event}/world:tag", {}),
]


@pytest.mark.parametrize("level", [OWN, ALL])
@pytest.mark.parametrize(("path", "body"), WRITES, ids=lambda case: case if isinstance(case, str) else "")
def test_nobody_writes_into_an_event_of_another_organisation(
    world: World, level: int, path: str, body: dict[str, Any]
) -> None:
    event = put(world, level, [INHERIT])
    attribute = event["Attribute"][0]

    # Ids in the body grant nothing: neither an event of his own, nor the organisation of the owner.
    own = world.stranger.api.ok("/events/add", {"info": "My own", "distribution": OWN})["Event"]
    claims = {"event_id": own["id"], "orgc_id": world.stranger.organisation_id}
    for claim in ({}, claims):
        answer = world.stranger.api.post(
            path.format(event=event["id"], attribute=attribute["id"]), body | claim if body else claim
        )
        refused = answer.status_code in (403, 404, 405) or not answer.json().get("saved", True)
        assert refused, f"{answer.status_code} {answer.text}"

    after = world.owner.api.view(f"/events/view/{event['uuid']}")["Event"]
    for name in ("info", "published", "timestamp", "attribute_count", "distribution", "orgc_id"):
        assert after[name] == event[name], name
    assert [a["value"] for a in after["Attribute"]] == [attribute["value"]]
    assert after["Object"] == []
    assert not after.get("Tag")


def test_who_synchronises_gets_local_tags_in_views_unless_told_otherwise_and_never_in_searches(
    world: World,
) -> None:
    sync = new_member(world.admin, SYNC_USER)
    event = put(world, ALL, [INHERIT])
    shared, local = (world.admin.ok("/tags/add", {"name": f"t:{uuid4()}"})["Tag"]["name"] for _ in range(2))
    targets = [event["uuid"], event["Attribute"][0]["uuid"]]
    for uuid in targets:
        world.admin.ok("/tags/attachTagToObject", {"uuid": uuid, "tag": shared})
        world.admin.ok("/tags/attachTagToObject", {"uuid": uuid, "tag": local, "local": True})

    def names(record: dict[str, Any]) -> set[str]:
        return {tag["name"] for tag in record.get("Tag", [])}

    def viewed(more: str = "") -> list[set[str]]:
        seen = sync.api.view(f"/events/view/{event['id']}{more}")["Event"]
        return [names(seen), names(seen["Attribute"][0])]

    assert viewed() == [{shared, local}] * 2
    assert viewed("/excludeLocalTags:1") == [{shared}] * 2
    assert names(sync.api.view(f"/attributes/view/{targets[1]}")["Attribute"]) == {shared, local}
    (found,) = sync.api.ok("/events/restSearch", {"eventid": event["id"]})["response"]
    assert [names(found["Event"]), names(found["Event"]["Attribute"][0])] == [{shared}] * 2
    (one,) = sync.api.ok("/attributes/restSearch", {"eventid": event["id"]})["response"]["Attribute"]
    assert names(one) == {shared}
