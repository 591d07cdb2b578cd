"""What organisations do together: proposals, delegations, sightings, merging."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.people import PUBLISHER, READ_ONLY, SYNC_USER, USER, Member, new_member

NO_PERMISSION = "You do not have permission to use this functionality."


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


def an_event(member: Member, distribution: int = 3, **more: Any) -> dict[str, Any]:
    attributes = [{"type": "domain", "value": f"{uuid4()}.example", "comment": "as it was"} for _ in range(2)]
    body = {"info": f"Shared {uuid4()}", "distribution": distribution, "Attribute": attributes} | more
    return member.api.ok("/events/add", body)["Event"]


@contextmanager
def setting(admin: Api, name: str, value: Any, usual: Any) -> Iterator[None]:
    admin.ok(f"/servers/serverSettingsEdit/{name}", {"value": value})
    try:
        yield
    finally:
        admin.ok(f"/servers/serverSettingsEdit/{name}", {"value": usual})


def refused(answer: Any, status: int, message: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert message in answer.json()["message"]


def proposed(member: Member, event: dict[str, Any]) -> str:
    """The number of a proposal of something new."""
    path, wish = f"/shadow_attributes/add/{event['id']}", {"type": "text", "value": str(uuid4())}
    return member.api.ok(path, wish)["ShadowAttribute"]["id"]


# ---- Proposals ----------------------------------------------------------------------------------------


def test_a_proposed_attribute_is_seen_by_all_and_accepted_by_the_creator(
    owner: Member, friend: Member, stranger: Member
) -> None:
    event = an_event(owner)
    owner.api.ok(f"/events/publish/{event['id']}")
    made = friend.api.ok(
        f"/shadow_attributes/add/{event['uuid']}", {"type": "domain", "value": "new.example"}
    )
    proposal = made["ShadowAttribute"]
    assert (proposal["old_id"], proposal["category"], proposal["email"]) == (
        "0",
        "Network activity",
        friend.email,
    )

    seen = stranger.api.view(f"/events/view/{event['id']}")["Event"]
    assert [p["value"] for p in seen["ShadowAttribute"]] == ["new.example"]
    assert seen["proposal_email_lock"] is True
    assert seen["published"] is True
    assert seen["ShadowAttribute"][0]["Org"]["id"] == friend.organisation_id
    hidden = stranger.api.ok(f"/events/view/{event['id']}", {"noShadowAttributes": True})["Event"]
    assert hidden["ShadowAttribute"] == []

    for other in (friend, stranger):
        refused(
            other.api.post(f"/shadow_attributes/accept/{proposal['id']}"), 405, "not authorised to accept"
        )
    done = owner.api.ok(f"/shadow_attributes/accept/{proposal['id']}")
    assert done["message"] == "Proposal accepted."
    changed = owner.api.view(f"/events/view/{event['id']}")["Event"]
    added = next(a for a in changed["Attribute"] if a["value"] == "new.example")
    assert (added["uuid"], added["distribution"]) == (proposal["uuid"], "5")
    assert (changed["published"], changed["proposal_email_lock"], changed["ShadowAttribute"]) == (
        False,
        False,
        [],
    )
    assert changed["attribute_count"] == "3"
    refused(owner.api.post(f"/shadow_attributes/accept/{proposal['id']}"), 405)
    refused(owner.api.get(f"/shadow_attributes/view/{proposal['id']}"), 404)


def test_a_proposed_change_stands_in_its_attribute_and_replaces_the_fields_it_names(
    owner: Member, friend: Member
) -> None:
    event = an_event(owner)
    attribute = event["Attribute"][0]
    wish = {"to_ids": False, "comment": "harmless", "first_seen": "2026-01-01T00:00:00+00:00"}
    proposal = friend.api.ok(f"/shadow_attributes/edit/{attribute['id']}", wish)["ShadowAttribute"]
    assert (proposal["uuid"], proposal["old_id"]) == (attribute["uuid"], attribute["id"])
    assert proposal["value"] == attribute["value"]
    viewed = owner.api.view(f"/attributes/view/{attribute['id']}")["Attribute"]
    assert [p["comment"] for p in viewed["ShadowAttribute"]] == ["harmless"]
    search = {"eventid": event["id"], "includeProposals": 1}
    found = owner.api.ok("/attributes/restSearch", search)["response"]["Attribute"]
    assert [len(a.get("ShadowAttribute", [])) for a in found] == [1, 0]

    owner.api.ok(f"/shadow_attributes/accept/{proposal['id']}")
    changed = owner.api.view(f"/attributes/view/{attribute['id']}")["Attribute"]
    assert (changed["to_ids"], changed["comment"], changed["value"]) == (
        False,
        "harmless",
        attribute["value"],
    )
    assert changed["first_seen"].startswith("2026-01-01")
    assert int(changed["timestamp"]) >= int(attribute["timestamp"])


def test_a_proposed_deletion_leaves_a_tombstone_and_closes_what_else_was_proposed(
    owner: Member, friend: Member
) -> None:
    event = an_event(owner)
    attribute = event["Attribute"][0]
    friend.api.ok(f"/shadow_attributes/edit/{attribute['id']}", {"comment": "another"})
    told = friend.api.ok(f"/shadow_attributes/delete/{attribute['uuid']}")
    assert told["saved"] is True
    listed = owner.api.view(f"/shadow_attributes/index/{event['id']}/deleted:0")
    deletion = next(p["ShadowAttribute"] for p in listed if p["ShadowAttribute"]["proposal_to_delete"])
    done = owner.api.ok(f"/shadow_attributes/accept/{deletion['id']}")
    assert done["message"] == "Proposed change accepted."
    left = owner.api.view(f"/events/view/{event['id']}/deleted:1")["Event"]
    assert [a["deleted"] for a in left["Attribute"]] == [True, False]
    assert owner.api.view(f"/shadow_attributes/index/{event['id']}/deleted:0") == []


def test_a_proposal_is_discarded_by_who_made_it_and_by_the_creator_alone(
    owner: Member, friend: Member, stranger: Member
) -> None:
    event = an_event(owner)
    for who in (friend, owner):
        made = friend.api.ok(f"/shadow_attributes/add/{event['id']}", {"type": "text", "value": str(uuid4())})
        number = made["ShadowAttribute"]["id"]
        refused(stranger.api.post(f"/shadow_attributes/discard/{number}"), 403)
        assert who.api.ok(f"/shadow_attributes/discard/{number}")["message"] == "Proposal discarded."
        refused(who.api.post(f"/shadow_attributes/discard/{number}"), 404)
    # The closed ones are for who has to do with them.
    assert len(owner.api.view(f"/shadow_attributes/index/{event['id']}")) == 2
    assert len(friend.api.view(f"/shadow_attributes/index/{event['id']}")) == 2
    assert stranger.api.view(f"/shadow_attributes/index/{event['id']}") == []


def test_what_cannot_be_proposed_is_refused_in_mips_words(owner: Member, friend: Member, admin: Api) -> None:
    event = an_event(owner, distribution=0)
    attribute = event["Attribute"][0]
    refused(friend.api.post(f"/shadow_attributes/add/{event['id']}", {"type": "text", "value": "x"}), 404)
    refused(friend.api.post(f"/shadow_attributes/edit/{attribute['id']}", {"comment": "x"}), 404)
    refused(friend.api.get(f"/shadow_attributes/index/{event['id']}"), 404)
    shared = an_event(owner)
    bad = friend.api.post(f"/shadow_attributes/add/{shared['id']}", {"type": "ip-dst", "value": "nonsense"})
    refused(bad, 404, "Could not save the proposal. Errors: [value]")
    empty = friend.api.post(f"/shadow_attributes/edit/{shared['Attribute'][0]['id']}", {"distribution": 1})
    refused(empty, 405, "Invalid input.")
    reader = new_member(admin, READ_ONLY)
    answer = reader.api.post(f"/shadow_attributes/add/{shared['id']}", {"type": "text", "value": "x"})
    refused(answer, 403, NO_PERMISSION)
    for nonsense in ("-1", "x", "99999999999"):
        assert owner.api.get(f"/shadow_attributes/view/{nonsense}").status_code == 404
    assert friend.api.raw("POST", f"/shadow_attributes/add/{shared['id']}", b"{").status_code == 405


def test_another_organisations_attribute_is_refused_so_that_clients_propose(
    owner: Member, friend: Member
) -> None:
    event = an_event(owner)
    attribute = event["Attribute"][0]
    for path, body in (
        (f"/attributes/add/{event['id']}", {"type": "text", "value": "x"}),
        (f"/attributes/edit/{attribute['id']}", {"comment": "x"}),
        (f"/attributes/delete/{attribute['id']}", {}),
    ):
        refused(friend.api.post(path, body), 403, "You do not have permission to do that.")


def test_a_proposed_file_comes_with_its_bytes(owner: Member, friend: Member) -> None:
    event = an_event(owner)
    data = base64.b64encode(b"a harmless file").decode()
    wish = {"type": "attachment", "category": "External analysis", "value": "note.txt", "data": data}
    proposal = friend.api.ok(f"/shadow_attributes/add/{event['id']}", wish)["ShadowAttribute"]
    assert owner.api.view(f"/shadow_attributes/view/{proposal['id']}")["ShadowAttribute"]["data"] == data
    inside = owner.api.view(f"/events/view/{event['id']}")["Event"]["ShadowAttribute"]
    assert inside[0]["data"] == data
    owner.api.ok(f"/shadow_attributes/accept/{proposal['id']}")
    kept = owner.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    assert next(a for a in kept if a["type"] == "attachment")["data"] == data


def test_events_are_found_by_whether_something_is_proposed(owner: Member, friend: Member) -> None:
    word = str(uuid4())
    with_one, without = (an_event(owner, info=f"{word} {n}") for n in range(2))
    friend.api.ok(f"/shadow_attributes/add/{with_one['id']}", {"type": "text", "value": "x"})
    for asked, wanted in ((1, with_one), (0, without)):
        found = owner.api.ok("/events/index", {"eventinfo": word, "hasproposal": asked})
        assert [e["id"] for e in found] == [wanted["id"]]
    assert len(owner.api.ok("/events/index", {"eventinfo": word})) == 2


def test_exports_leave_out_what_is_in_doubt_where_the_setting_says_so(
    admin: Api, owner: Member, friend: Member
) -> None:
    event = an_event(owner)
    doubted, kept = (a["value"] for a in event["Attribute"])
    owner.api.ok(f"/attributes/edit/{event['Attribute'][0]['id']}", {"to_ids": True})
    owner.api.ok(f"/attributes/edit/{event['Attribute'][1]['id']}", {"to_ids": True})
    friend.api.ok(f"/shadow_attributes/edit/{event['Attribute'][0]['id']}", {"to_ids": False})
    owner.api.ok(f"/events/publish/{event['id']}")
    search = {"returnFormat": "text", "eventid": event["id"]}
    asked = {"eventid": event["id"], "allow_proposal_blocking": 1}

    def exported() -> set[str]:
        return set(owner.api.post("/attributes/restSearch", search).text.split())

    def searched() -> tuple[set[str], set[str], str]:
        answer = owner.api.post("/attributes/restSearch", asked)
        found = {a["value"] for a in answer.json()["response"]["Attribute"]}
        (whole,) = owner.api.ok("/events/restSearch", asked)["response"]
        return found, {a["value"] for a in whole["Event"]["Attribute"]}, answer.headers["X-Result-Count"]

    assert exported() == {doubted, kept}
    assert searched() == ({doubted, kept}, {doubted, kept}, "2")
    with setting(admin, "MISP.proposals_block_attributes", True, False):
        assert exported() == {kept}
        assert searched() == ({kept}, {kept}, "1")


def test_several_proposals_are_closed_at_once(owner: Member, friend: Member) -> None:
    event, other = an_event(owner), an_event(owner)
    mine = [proposed(friend, event) for _ in range(3)]
    foreign = proposed(friend, other)
    done = owner.api.ok(f"/shadow_attributes/acceptSelected/{event['id']}", {"ids_accept": mine[:2]})
    assert done == {"saved": True, "success": "2 proposals accepted."}
    body = {"ShadowAttribute": {"ids_discard": f"[{mine[2]}, {foreign}]"}}
    done = owner.api.ok(f"/shadow_attributes/discardSelected/{event['id']}", body)
    assert done["saved"] is False
    assert "1 proposal deleted, but 1 proposal could not" in done["errors"]
    assert len(owner.api.view(f"/shadow_attributes/index/{other['id']}/deleted:0")) == 1


def test_proposals_of_another_instance_are_kept_once_and_closed_from_there(
    admin: Api, owner: Member, friend: Member
) -> None:
    sync = new_member(admin, SYNC_USER)
    event = an_event(owner)
    far = {"uuid": str(uuid4()), "name": f"Far away {uuid4()}"}
    about = {
        "uuid": event["Attribute"][0]["uuid"],
        "event_uuid": event["uuid"],
        "old_id": "977",
        "type": "domain",
        "category": "Network activity",
        "value": "better.example",
        "to_ids": True,
        "comment": "",
        "timestamp": "1700000000",
        "deleted": False,
        "email": "somebody@far.test",
        "Org": far,
    }
    path = f"/events/pushProposals/{event['uuid']}"
    assert sync.api.ok(path, [about])["counter"] == 1
    assert sync.api.ok(path, [about]) == {"success": True, "message": "Nothing to update.", "counter": 0}
    viewed = owner.api.view(f"/attributes/view/{event['Attribute'][0]['id']}")["Attribute"]
    (kept,) = viewed["ShadowAttribute"]
    assert (kept["value"], kept["Org"]["uuid"]) == ("better.example", far["uuid"])
    # As a puller asks for them.
    pulled = sync.api.view(
        "/shadow_attributes/index/all:1/timestamp:1600000000/limit:1000/page:1/deleted[]:0/deleted[]:1.json"
    )
    (one,) = [p["ShadowAttribute"] for p in pulled if p["ShadowAttribute"]["event_uuid"] == event["uuid"]]
    assert (one["old_uuid"], one["org_uuid"]) == (event["Attribute"][0]["uuid"], far["uuid"])

    assert sync.api.ok(path, [about | {"deleted": True, "timestamp": "1700000001"}])["counter"] == 1
    viewed = owner.api.view(f"/attributes/view/{event['Attribute'][0]['id']}")["Attribute"]
    assert viewed.get("ShadowAttribute", []) == []
    assert sync.api.ok(path, [about | {"type": "ip-dst"}])["success"] is False
    assert sync.api.ok(f"/events/pushProposals/{uuid4()}", [about])["message"] == "Event not found."
    refused(friend.api.post(path, [about]), 403, NO_PERMISSION)


# ---- Delegations --------------------------------------------------------------------------------------


def test_nothing_is_delegated_unless_the_instance_allows_it(owner: Member, friend: Member) -> None:
    event = an_event(owner, distribution=0)
    body = {"org_id": friend.organisation_id}
    refused(owner.api.post(f"/event_delegations/delegateEvent/{event['id']}", body), 403, NO_PERMISSION)
    refused(owner.api.get("/event_delegations"), 403, NO_PERMISSION)


def test_who_takes_an_event_over_becomes_its_creator(
    admin: Api, owner: Member, friend: Member, stranger: Member
) -> None:
    with setting(admin, "MISP.delegation", True, False):
        event = an_event(owner, distribution=0)
        path = f"/event_delegations/delegateEvent/{event['uuid']}"
        body = {"org_id": friend.organisation_uuid, "distribution": 3, "message": "please"}
        refused(stranger.api.post(path, body), 403, NO_PERMISSION)
        refused(friend.api.post(path, body), 405, "not authorised")
        assert friend.api.get(f"/events/view/{event['id']}").status_code == 404
        made = owner.api.ok(path, body)["EventDelegation"]
        assert (made["org_id"], made["requester_org_id"]) == (friend.organisation_id, owner.organisation_id)
        refused(owner.api.post(path, body), 405, "already has a pending delegation request")

        # While it is pending, who is asked sees the event, and nobody else does.
        assert friend.api.view(f"/events/view/{event['id']}")["Event"]["uuid"] == event["uuid"]
        assert friend.api.get(f"/attributes/view/{event['Attribute'][0]['id']}").status_code == 200
        assert stranger.api.get(f"/events/view/{event['id']}").status_code == 404
        refused(friend.api.post(f"/events/edit/{event['id']}", {"info": "mine"}), 403)

        (asked,) = [d["EventDelegation"] for d in friend.api.view("/event_delegations")]
        assert (asked["id"], asked["Event"]["info"]) == (made["id"], event["info"])
        assert owner.api.view("/event_delegations") == []
        assert len(owner.api.view("/event_delegations/index/context:issued")) == 1
        for other in (owner, stranger):
            refused(
                other.api.post(f"/event_delegations/acceptDelegation/{made['id']}"), 405, "not authorised"
            )

        done = friend.api.ok(f"/event_delegations/acceptDelegation/{made['id']}")
        assert done["message"] == "Event ownership transferred."
        taken = friend.api.view(f"/events/view/{event['uuid']}")["Event"]
        assert (taken["org_id"], taken["orgc_id"]) == (friend.organisation_id,) * 2
        assert (taken["distribution"], len(taken["Attribute"])) == ("3", 2)
        friend.api.ok(f"/events/edit/{event['id']}", {"info": "mine now"})
        refused(owner.api.post(f"/events/edit/{event['id']}", {"info": "mine again"}), 403)
        assert friend.api.view("/event_delegations") == []


def test_a_declined_request_leaves_the_event_where_it_is(admin: Api, owner: Member, friend: Member) -> None:
    with setting(admin, "MISP.delegation", True, False):
        event, open_one = an_event(owner, distribution=0), an_event(owner, distribution=3)
        ask = "/event_delegations/delegateEvent/"
        refused(owner.api.post(ask + open_one["id"], {"org_id": friend.organisation_id}), 405, "Only events")
        assert owner.api.post(ask + event["id"], {"org_id": str(uuid4())}).status_code == 403
        assert owner.api.post(ask + event["id"], {}).status_code == 403
        made = owner.api.ok(ask + event["id"], {"org_id": friend.organisation_id})["EventDelegation"]
        assert friend.api.ok(f"/event_delegations/deleteDelegation/{made['id']}")["saved"] is True
        assert friend.api.get(f"/events/view/{event['id']}").status_code == 404
        assert owner.api.view(f"/events/view/{event['id']}")["Event"]["org_id"] == owner.organisation_id


def test_a_pending_request_opens_nothing_once_delegation_is_off(
    admin: Api, owner: Member, friend: Member
) -> None:
    event = an_event(owner, distribution=0)
    with setting(admin, "MISP.delegation", True, False):
        owner.api.ok(f"/event_delegations/delegateEvent/{event['id']}", {"org_id": friend.organisation_id})
        assert friend.api.get(f"/events/view/{event['id']}").status_code == 200
    assert friend.api.get(f"/events/view/{event['id']}").status_code == 404


# ---- Sightings ----------------------------------------------------------------------------------------


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
    tag = admin.ok("/tags/add", {"name": f"merge:{uuid4()}"})["Tag"]["name"]
    owner.api.ok("/tags/attachTagToObject", {"uuid": source["Attribute"][0]["uuid"], "tag": tag})

    refused(friend.api.post(f"/events/merge/{target['id']}/{source['id']}"), 403)
    merged = owner.api.ok(f"/events/merge/{target['id']}/{source['uuid']}")["Event"]
    values = {a["value"] for a in target["Attribute"] + source["Attribute"]}
    assert {a["value"] for a in merged["Attribute"]} == values
    assert merged["attribute_count"] == "5"
    uuids = {a["uuid"] for a in source["Attribute"]}
    assert not uuids & {a["uuid"] for a in merged["Attribute"]}
    tagged = [a for a in merged["Attribute"] if tag in [t["name"] for t in a.get("Tag", [])]]
    assert [a["value"] for a in tagged] == [source["Attribute"][0]["value"]]
    (copy,) = merged["Object"]
    (reference,) = copy["ObjectReference"]
    assert reference["referenced_uuid"] == tagged[0]["uuid"]
    again = owner.api.view(f"/events/view/{source['id']}")["Event"]
    assert len(again["Attribute"]) == 2

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
