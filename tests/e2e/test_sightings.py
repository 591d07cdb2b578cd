"""Who sees whose sightings, how they travel, and what changes many attributes or events at once."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.community import NO_PERMISSION, an_event, refused, setting
from harness.instance import Instance
from harness.people import PUBLISHER, SYNC_USER, USER, Member, new_member


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def owner(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


@pytest.fixture(scope="module")
def friend(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


@pytest.fixture(scope="module")
def stranger(admin: Api) -> Member:
    return new_member(admin, USER)


def sighters(member: Member, event: dict[str, Any]) -> list[str]:
    """Whose sightings of an event this reader gets, the same by every way of asking."""
    listed = member.api.ok("/sightings/listSightings", {"context": "event", "id": event["id"]})
    searched = member.api.ok("/sightings/restSearch/event", {"id": event["id"], "last": 0})["response"]
    viewed = member.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    ways = [
        sorted(s["Sighting"]["org_id"] for s in listed),
        sorted(s["Sighting"]["org_id"] for s in searched),
        sorted(s["org_id"] for a in viewed for s in a.get("Sighting", [])),
    ]
    assert ways[0] == ways[1] == ways[2]
    return ways[0]


def test_the_policy_decides_who_sees_the_sightings_of_others(
    admin: Api, owner: Member, friend: Member, stranger: Member
) -> None:
    event = an_event(owner)
    host = admin.view("/users/view/me")["User"]["org_id"]
    for api in (admin, friend.api):
        api.ok(f"/sightings/add/{event['Attribute'][0]['id']}")
    both = sorted([host, friend.organisation_id])
    expected = {  # policy: what the friend, who has sighted, and the stranger, who has not, get
        0: ([friend.organisation_id], []),
        1: (both, []),
        2: (both, both),
        3: (both, [host]),
    }
    for policy, (friends, strangers) in expected.items():
        with setting(admin, "Plugin.Sightings_policy", policy, 0):
            assert sighters(owner, event) == both
            assert sighters(friend, event) == friends, policy
            assert sighters(stranger, event) == strangers, policy
    answer = admin.post("/servers/serverSettingsEdit/Plugin.Sightings_policy", {"value": 4})
    assert answer.status_code == 403


def test_an_anonymous_sighting_does_not_tell_who_made_it(admin: Api, owner: Member, friend: Member) -> None:
    event = an_event(owner)
    for member in (owner, friend):
        member.api.ok(f"/sightings/add/{event['Attribute'][0]['id']}")
    with setting(admin, "Plugin.Sightings_anonymise", True, False):
        assert sighters(owner, event) == sorted(["0", owner.organisation_id])
        body = {"context": "event", "id": event["id"], "org_id": friend.organisation_id}
        assert owner.api.ok("/sightings/listSightings", body) == []
        listed = owner.api.ok("/sightings/listSightings", {"context": "event", "id": event["id"]})
        named = [s.get("Organisation") for s in listed]
        assert None in named
        assert friend.organisation_uuid not in str(listed)
    assert sighters(owner, event) == sorted([owner.organisation_id, friend.organisation_id])


def test_sightings_of_another_instance_are_kept_once(admin: Api, owner: Member, stranger: Member) -> None:
    sync = new_member(admin, SYNC_USER)
    event = an_event(owner)
    hidden = an_event(owner, distribution=0)
    far = {"uuid": str(uuid4()), "name": f"Far away {uuid4()}"}
    base = {
        "attribute_uuid": event["Attribute"][0]["uuid"],
        "type": "0",
        "source": "",
        "date_sighting": "1700000000",
    }
    sent = [
        base | {"uuid": str(uuid4()), "org_id": "5", "Organisation": far},
        base | {"uuid": str(uuid4()), "org_id": "0"},
        base | {"uuid": str(uuid4()), "attribute_uuid": hidden["Attribute"][0]["uuid"]},
        base | {"uuid": str(uuid4()), "attribute_uuid": "nonsense"},
        base | {"uuid": str(uuid4()), "type": "9"},
    ]
    path = f"/sightings/bulkSaveSightings/{event['uuid']}"
    assert sync.api.ok(path, sent) == {"saved": True, "success": "2 sightings added."}
    assert sync.api.ok(path, {"Sighting": sent}) == {"saved": False, "success": "No sightings added."}
    found = sighters(owner, event)
    assert len(found) == 2
    assert "0" in found
    uuids = [s["uuid"] for s in sent]
    known = sync.api.ok(f"/sightings/filterSightingUuidsForPush/{event['uuid']}", uuids)
    assert sorted(known) == sorted(uuids[:2])
    refused(
        stranger.api.post(f"/sightings/filterSightingUuidsForPush/{event['uuid']}", uuids), 403, NO_PERMISSION
    )
    refused(sync.api.post(f"/sightings/bulkSaveSightings/{hidden['uuid']}", sent), 405, "Event not found")
    # Whoever may not speak for others speaks for himself.
    own = base | {"uuid": str(uuid4()), "org_id": "5", "Organisation": far}
    assert stranger.api.ok(path, [own])["saved"] is True
    assert stranger.organisation_id in sighters(owner, event)


def test_published_sightings_are_for_other_instances_to_fetch(
    admin: Api, owner: Member, friend: Member
) -> None:
    event, other, hidden = an_event(owner), an_event(owner), an_event(owner, distribution=0)

    def told(of: dict[str, Any]) -> int:
        asked = {"eventid": of["id"], "minimal": 1}
        (row,) = owner.api.ok("/events/index", asked)
        return int(row["sighting_timestamp"])

    friend.api.ok(f"/sightings/add/{event['Attribute'][0]['id']}")
    assert told(event) == 0
    done = friend.api.ok(f"/events/publishSightings/{event['uuid']}")
    assert (done["message"], done["id"]) == ("Sightings published", event["id"])
    assert told(event) > 0
    refused(friend.api.post(f"/events/publishSightings/{hidden['id']}"), 404, "Invalid event")
    with setting(admin, "Plugin.Sightings_enable_realtime_publish", True, False):
        friend.api.ok(f"/sightings/add/{other['Attribute'][0]['id']}")
    assert told(other) > 0
    published = owner.api.view(f"/events/view/{other['id']}")["Event"]
    assert published["timestamp"] == other["timestamp"]


def test_sightings_of_a_blocked_organisation_do_not_come(admin: Api, owner: Member, friend: Member) -> None:
    event = an_event(owner)
    listed = {"uuids": [friend.organisation_uuid], "comment": "too noisy"}
    assert admin.ok("/sightingBlocklists/add", listed)["result"]["successes"] == [friend.organisation_uuid]
    (entry,) = admin.view("/sightingBlocklists/index")
    assert entry["SightingBlocklist"]["comment"] == "too noisy"
    edited = admin.ok(f"/sightingBlocklists/edit/{friend.organisation_uuid}", {"comment": "still"})
    assert edited["SightingBlocklist"]["comment"] == "still"
    told = friend.api.ok(f"/sightings/add/{event['Attribute'][0]['id']}")
    assert "blocked" in told["message"]
    assert sighters(owner, event) == []
    refused(friend.api.post("/sightingBlocklists/add", listed), 403, NO_PERMISSION)
    admin.ok(f"/sightingBlocklists/delete/{entry['SightingBlocklist']['id']}")
    friend.api.ok(f"/sightings/add/{event['Attribute'][0]['id']}")
    assert sighters(owner, event) == [friend.organisation_id]


def test_filters_narrow_what_a_sighted_value_means(owner: Member) -> None:
    value = f"{uuid4()}.example"
    one, two = (an_event(owner, Attribute=[{"type": "domain", "value": value}]) for _ in range(2))
    made = owner.api.ok("/sightings/add", {"value": value, "filters": {"eventid": two["id"]}})["Sighting"]
    assert made["event_id"] == two["id"]
    assert sighters(owner, one) == []
    told = owner.api.ok("/sightings/add", {"value": value, "filters": {"type": "ip-dst"}})
    assert "No valid attributes found" in told["message"]
    assert (
        "No valid attributes found"
        in owner.api.ok("/sightings/add", {"filters": {"type": "domain"}})["message"]
    )


def test_sightings_are_searched_by_many_events_and_given_as_csv(owner: Member) -> None:
    events = [an_event(owner) for _ in range(3)]
    for event in events:
        owner.api.ok(f"/sightings/add/{event['Attribute'][0]['id']}", {"source": 'a "pot"'})
    wanted = {"uuid": [e["uuid"] for e in events[:2]], "last": 0, "includeUuid": True}
    found = owner.api.ok("/sightings/restSearch/event", wanted)["response"]
    assert {s["Sighting"]["event_uuid"] for s in found} == set(wanted["uuid"])
    asked = {"id": events[0]["id"], "returnFormat": "csv", "includeAttribute": 1, "includeEvent": 1}
    answer = owner.api.post("/sightings/restSearch/event", asked)
    assert answer.headers["Content-Type"].startswith("text/csv")
    head, line, *_ = answer.text.split("\n")
    assert head.startswith("id,attribute_id,event_id,org_id,date_sighting,uuid,source,type,attribute_uuid")
    assert '"a ""pot""",0,' in line
    assert events[0]["Attribute"][0]["value"] in line
    # More than any database takes as arguments of one statement; the other bound is told.
    many = [f"{n}" for n in range(70_000)]
    assert owner.api.ok("/sightings/restSearch", {"source": many, "last": 0})["response"] == []
    answer = owner.api.post("/sightings/restSearch/event", {"id": many[1:]})
    refused(answer, 405, "At most 1000 of `id`, `uuid` or `org_id` at once.")


def test_a_list_of_sightings_longer_than_a_page_is_whole(owner: Member) -> None:
    event = an_event(owner)
    base = {"attribute_uuid": event["Attribute"][0]["uuid"], "type": "0", "date_sighting": "1700000000"}
    sent = {str(uuid4()) for _ in range(5003)}
    owner.api.ok(f"/sightings/bulkSaveSightings/{event['uuid']}", [base | {"uuid": uuid} for uuid in sent])
    listed = owner.api.ok("/sightings/listSightings", {"context": "event", "id": event["id"]})
    assert len(listed) == len(sent)
    assert {s["Sighting"]["uuid"] for s in listed} == sent
    found = owner.api.ok("/sightings/restSearch/event", {"id": event["id"], "last": 0})["response"]
    assert [s["Sighting"]["id"] for s in found] == [s["Sighting"]["id"] for s in listed]
    asked = {"id": event["id"], "last": 0, "returnFormat": "csv"}
    lines = owner.api.post("/sightings/restSearch/event", asked).text.splitlines()
    assert [line.split(",")[5].strip('"') for line in lines[1:]] == [s["Sighting"]["uuid"] for s in listed]


# ---- Events and attributes ----------------------------------------------------------------------------


def test_a_merged_event_has_copies_of_everything_under_uuids_of_their_own(
    admin: Api, owner: Member, friend: Member
) -> None:
    target, source = an_event(owner), an_event(owner)
    held = {"name": "domain-ip", "meta-category": "network", "Attribute": []}
    held["Attribute"] = [{"object_relation": "domain", "type": "domain", "value": f"{uuid4()}.example"}]
    made = owner.api.ok(f"/objects/add/{source['id']}", held)["Object"]
    pointing = {
        "object_uuid": made["uuid"],
        "referenced_uuid": source["Attribute"][0]["uuid"],
        "relationship_type": "related-to",
    }
    owner.api.ok("/objectReferences/add", pointing)
    data = base64.b64encode(b"a harmless file").decode()
    file = {"type": "attachment", "category": "External analysis", "value": "note.txt", "data": data}
    owner.api.ok(f"/attributes/add/{source['id']}", file)
    tag = admin.ok("/tags/add", {"name": f"merge:{uuid4()}"})["Tag"]["name"]
    owner.api.ok("/tags/attachTagToObject", {"uuid": source["Attribute"][0]["uuid"], "tag": tag})

    refused(friend.api.post(f"/events/merge/{target['id']}/{source['id']}"), 403)
    merged = owner.api.ok(f"/events/merge/{target['id']}/{source['uuid']}")["Event"]
    values = {a["value"] for a in target["Attribute"] + source["Attribute"]} | {"note.txt"}
    assert {a["value"] for a in merged["Attribute"]} == values
    assert merged["attribute_count"] == "6"
    whole = owner.api.view(f"/events/view/{target['id']}")["Event"]["Attribute"]
    assert next(a for a in whole if a["type"] == "attachment")["data"] == data
    uuids = {a["uuid"] for a in source["Attribute"]}
    assert not uuids & {a["uuid"] for a in merged["Attribute"]}
    tagged = [a for a in merged["Attribute"] if tag in [t["name"] for t in a.get("Tag", [])]]
    assert [a["value"] for a in tagged] == [source["Attribute"][0]["value"]]
    (copy,) = merged["Object"]
    (reference,) = copy["ObjectReference"]
    assert reference["referenced_uuid"] == tagged[0]["uuid"]
    again = owner.api.view(f"/events/view/{source['id']}")["Event"]
    assert len(again["Attribute"]) == 3

    refused(owner.api.post(f"/events/merge/{target['id']}/{target['id']}"), 403)
    refused(owner.api.post(f"/events/merge/{target['id']}"), 400)
    refused(owner.api.post(f"/events/merge/{target['id']}/{uuid4()}"), 404, "Invalid source event.")
    secret = an_event(friend, distribution=0)
    refused(owner.api.post(f"/events/merge/{target['id']}/{secret['id']}"), 404, "Invalid source event.")


def test_several_attributes_are_changed_and_deleted_at_once(
    admin: Api, owner: Member, friend: Member
) -> None:
    event, other = an_event(owner), an_event(owner)
    ids = [a["id"] for a in event["Attribute"]]
    tag = admin.ok("/tags/add", {"name": f"many:{uuid4()}"})["Tag"]
    body = {
        "attribute_ids": [*ids, other["Attribute"][0]["id"]],
        "to_ids": 1,
        "distribution": 6,
        "disable_correlation": 2,
        "comment": "all alike",
        "tags_ids_add": [tag["id"]],
    }
    refused(friend.api.post(f"/attributes/editSelected/{event['id']}", body), 403)
    owner.api.ok(f"/attributes/editSelected/{event['id']}", {"Attribute": body})
    seen = owner.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    assert [(a["to_ids"], a["comment"], a["distribution"]) for a in seen] == [(True, "all alike", "5")] * 2
    assert [[t["name"] for t in a["Tag"]] for a in seen] == [[tag["name"]]] * 2
    untouched = owner.api.view(f"/attributes/view/{other['Attribute'][0]['id']}")["Attribute"]
    assert untouched["comment"] == "as it was"

    refused(friend.api.post(f"/attributes/deleteSelected/{event['id']}", {"id": ids}), 403)
    told = owner.api.ok(f"/attributes/deleteSelected/{event['id']}", {"id": ids[:1]})
    assert told["message"] == "1 attribute deleted."
    partly = owner.api.post(f"/attributes/deleteSelected/{event['id']}", {"id": [ids[1], "99999999"]})
    assert partly.status_code == 403
    assert "could not be deleted" in partly.json()["errors"]
    assert owner.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"] == []
    assert owner.api.ok(f"/attributes/deleteSelected/{other['id']}", {"id": "all"})["saved"] is True
    refused(owner.api.post(f"/attributes/deleteSelected/{other['id']}", {"id": "all"}), 404)
    refused(owner.api.post("/attributes/deleteSelected", {"id": [1]}), 405, "No event ID set.")


def test_the_index_is_given_as_csv(owner: Member) -> None:
    event = an_event(owner, info='Said "so", twice')
    answer = owner.api.session.get(
        owner.api.url + f"/events/index/searcheventid:{event['id']}",
        headers={"Accept": "text/csv"},
        timeout=60,
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    head, line, rest = answer.text.split("\n")
    assert head.split(",")[:6] == ["id", "date", "info", "tags", "uuid", "published"]
    assert line.startswith(f'{event["id"]},"{event["date"]}","Said ""so"", twice","","{event["uuid"]}",0,')
    assert rest == ""


def test_short_looks_at_an_event(admin: Api, owner: Member, stranger: Member) -> None:
    sync = new_member(admin, SYNC_USER)
    event = an_event(owner, distribution=0)
    assert sync.api.view(f"/events/checkuuid/{event['uuid']}") == {"result": False}
    assert sync.api.view(f"/events/checkuuid/{uuid4()}") == {"result": True}
    refused(stranger.api.get(f"/events/checkuuid/{event['uuid']}"), 403, NO_PERMISSION)
    assert owner.api.view(f"/events/getEventInfoById/{event['id']}")["Event"]["info"] == event["info"]
    assert stranger.api.view(f"/events/getEventInfoById/{event['id']}") == []
