"""What scripts and MISP's own pages call beyond events and attributes: imports, locks, drawings."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
import requests
from harness.api import Api
from harness.instance import ADMIN_EMAIL, ADMIN_PASSWORD, Instance
from harness.people import ORG_ADMIN, SYNC_USER, USER, Member, new_member

WAIT = 30


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def analyst(admin: Api) -> int:
    """A role that may work on its organisation's events and make tags."""
    sent = {
        "name": f"Analyst {uuid4()}",
        "permission": "2",
        "perm_auth": True,
        "perm_tagger": True,
        "perm_tag_editor": True,
    }
    return int(admin.ok("/admin/roles/add", sent)["Role"]["id"])


@pytest.fixture
def member(admin: Api, analyst: int) -> Member:
    return new_member(admin, analyst)


def an_event(api: Api, **more: Any) -> dict[str, Any]:
    body = {"info": f"An event {uuid4()}", "distribution": 3} | more
    event: dict[str, Any] = api.ok("/events/add", body)["Event"]
    return event


# Imports of what MISP exported


def an_export(member: Member, **more: Any) -> dict[str, Any]:
    orgc = {"uuid": member.organisation_uuid, "name": "The creator"}
    attribute = {"type": "ip-dst", "value": "203.0.113.9", "category": "Network activity", "to_ids": True}
    return {
        "Event": {
            "uuid": str(uuid4()),
            "info": f"Exported {uuid4()}",
            "date": "2026-01-02",
            "published": True,
            "Orgc": orgc,
            "Attribute": [attribute],
            "Tag": [{"name": "tlp:green"}],
            **more,
        }
    }


@pytest.mark.parametrize("shape", ["bare", "list", "response", "form", "wrapped form"])
def test_an_export_is_added_in_every_shape(member: Member, shape: str) -> None:
    one, two = an_export(member), an_export(member)
    sent: Any = {
        "bare": one,
        "list": [one, two],
        "response": {"response": [one, two]},
        "form": {"filecontent": json.dumps(one)},
        "wrapped form": {"Event": {"filecontent": json.dumps({"response": [one, two]})}},
    }[shape]
    came = member.api.ok("/events/add_misp_export", sent)
    assert [result["result"] for result in came] == [True] * (1 if shape in ("bare", "form") else 2)
    event = member.api.view(f"/events/view/{came[0]['id']}")["Event"]
    assert event["uuid"] == one["Event"]["uuid"] and came[0]["info"] == event["info"]
    # An import publishes when it is told to, whatever the file says.
    assert event["published"] is False
    assert [tag["name"] for tag in event["Tag"]] == ["tlp:green"]


def test_an_export_in_xml_comes_back_as_it_was(admin: Api, member: Member) -> None:
    event = an_event(
        member.api,
        Attribute=[{"type": "text", "value": "<a> & b", "Tag": [{"name": "tlp:red"}]}],
        Object=[
            {
                "name": "domain-ip",
                "meta-category": "network",
                "Attribute": [{"object_relation": "domain", "type": "domain", "value": "a.example"}],
            }
        ],
    )
    headers = {"Authorization": member.key, "Accept": "application/xml"}
    xml = requests.get(f"{admin.url}/events/view/{event['id']}.xml", headers=headers, timeout=WAIT).content
    assert xml.startswith(b"<?xml")
    admin.ok(f"/events/delete/{event['id']}")
    blocked = member.api.raw("POST", "/events/add_misp_export", xml).json()
    assert blocked[0]["result"] == "Event blocked by event blocklist."
    (entry,) = [
        b for b in admin.view("/eventBlocklists/index") if b["EventBlocklist"]["event_uuid"] == event["uuid"]
    ]
    admin.ok(f"/eventBlocklists/delete/{entry['EventBlocklist']['id']}")
    came = member.api.raw("POST", "/events/add_misp_export", xml).json()
    assert came[0]["result"] is True, came
    again = member.api.view(f"/events/view/{came[0]['id']}")["Event"]
    assert again["uuid"] == event["uuid"]
    assert [(a["value"], a["Tag"][0]["name"]) for a in again["Attribute"]] == [("<a> & b", "tlp:red")]
    assert again["Object"][0]["Attribute"][0]["value"] == "a.example"
    twice = member.api.raw("POST", "/events/add_misp_export", xml).json()
    assert twice[0]["id"] == came[0]["id"] and "already exists" in twice[0]["result"]


def test_an_import_makes_nobody_an_organisation_he_is_not(admin: Api, member: Member) -> None:
    foreign = an_export(new_member(admin, USER))
    came = member.api.ok("/events/add_misp_export", [foreign, an_export(member)])
    assert came[0]["result"].startswith("Event cannot be created as you are not a member")
    assert came[0]["id"] == "0" and came[1]["result"] is True
    form = {"filecontent": json.dumps(foreign), "takeownership": 1}
    assert member.api.ok("/events/add_misp_export", form)[0]["result"] != True  # noqa: E712
    setting = "/servers/serverSettingsEdit/MISP.take_ownership_xml_import"
    admin.ok(setting, {"value": True})
    taken = member.api.ok("/events/add_misp_export", form)
    admin.ok(setting, {"value": False})
    event = member.api.view(f"/events/view/{taken[0]['id']}")["Event"]
    assert event["orgc_id"] == member.organisation_id
    sync = new_member(admin, SYNC_USER)
    relayed = an_export(new_member(admin, USER))
    # An organisation of the instance brings its events itself.
    forged = sync.api.ok("/events/add_misp_export", relayed)
    assert "is an organisation of this instance" in forged[0]["result"]
    relayed["Event"]["Orgc"] = {"name": f"Elsewhere {uuid4()}", "uuid": str(uuid4())}
    kept = sync.api.ok("/events/add_misp_export", relayed)
    event = admin.view(f"/events/view/{kept[0]['id']}")["Event"]
    assert event["Orgc"]["uuid"] == relayed["Event"]["Orgc"]["uuid"] and event["locked"] is True


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html/>", b"<response><Event>", b"[]", b'{"filecontent":"<a/>"}']
)
def test_what_is_no_export_is_refused_by_its_field(member: Member, body: bytes) -> None:
    answer = member.api.raw("POST", "/events/add_misp_export", body)
    assert answer.status_code == 403 and list(answer.json()["errors"]) == ["filecontent"]


def test_what_is_wrong_with_an_event_is_told_beside_it(member: Member) -> None:
    bad = an_export(member, info="", uuid=str(uuid4()))
    came = member.api.ok("/events/add_misp_export", [bad, an_export(member)])
    assert came[0]["result"] == "Could not add Event" and "info" in came[0]["validationIssues"][0]
    assert came[1]["result"] is True


# Deleting several


def test_several_events_are_deleted_by_one_call(admin: Api) -> None:
    member = new_member(admin, ORG_ADMIN)
    ids = [an_event(member.api)["id"] for _ in range(5)]
    foreign = an_event(admin)["id"]
    said = member.api.ok("/events/delete", {"id": ids[:2]})
    assert said["message"] == "2 events deleted."
    said = member.api.ok("/events/delete", {"Event": {"id": json.dumps([*ids[2:4], foreign])}})
    assert said["message"].startswith("2 events deleted. 1 event(s) could not be deleted")
    refused = member.api.post("/events/delete", {"id": [foreign, "x"]})
    assert refused.status_code == 403
    assert refused.json()["errors"].startswith("2 event(s) could not be deleted")
    assert admin.get(f"/events/view/{foreign}").status_code == 200
    assert [member.api.get(f"/events/view/{i}").status_code for i in ids] == [404] * 4 + [200]


# Who works on an event


def on_a_page(server: Instance) -> requests.Session:
    page = requests.Session()
    form = page.get(f"{server.url}/users/login", timeout=WAIT).text
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token
    fields = {"csrf": token.group(1), "email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "next": ""}
    page.post(f"{server.url}/users/login", data=fields, headers={"Origin": server.url}, timeout=WAIT)
    return page


def test_a_page_that_changes_an_event_is_told_to_its_other_editors(
    server: Instance, admin: Api, member: Member
) -> None:
    event = an_event(member.api)
    check = f"/events/checkLocks/{event['id']}/{event['timestamp']}"
    quiet = member.api.get(check)
    assert (quiet.status_code, quiet.content) == (204, b"")
    page = on_a_page(server)
    assert page.get(f"{server.url}/events/edit/{event['id']}", timeout=WAIT).status_code == 200
    told = member.api.view(check)
    # Of another organisation's user the address is nobody's business.
    assert told["editors"] == ["another user"] and told["outdated"] is False
    assert told["message"] == "This event is currently being edited by: another user"
    # Nobody is told of himself.
    assert admin.get(check).status_code == 204
    stale = member.api.view(f"/events/checkLocks/{event['id']}/{int(event['timestamp']) - 1}")
    assert stale["outdated"] is True and "outdated" in stale["message"]
    stranger = new_member(admin, USER)
    assert stranger.api.get(check).status_code == 204
    assert member.api.get("/events/checkLocks/999999999/1").status_code == 204
    page.close()


def test_a_tool_says_that_it_works_on_an_event_and_that_it_is_done(admin: Api, member: Member) -> None:
    event = an_event(member.api)
    lock = member.api.ok(f"/events/addEventLock/{event['uuid']}")["lock_id"]
    check = f"/events/checkLocks/{event['id']}/{event['timestamp']}"
    assert admin.view(check)["editors"] == ["external tool"]
    stranger = new_member(admin, USER)
    refused = stranger.api.post(f"/events/addEventLock/{event['id']}")
    assert refused.status_code == 401
    missing = stranger.api.post("/events/addEventLock/999999999")
    assert (missing.status_code, missing.json()["message"]) == (405, "Invalid Event")
    assert stranger.api.ok(f"/events/removeEventLock/{event['id']}/{lock}") == {"deleted": False}
    assert member.api.ok(f"/events/removeEventLock/{event['id']}/{lock}") == {"deleted": True}
    assert admin.get(check).status_code == 204
    member.api.ok(f"/events/addEventLock/{event['id']}")
    member.api.ok(f"/events/delete/{event['id']}")


# Drawings


def test_a_drawing_of_correlations_grows_by_what_is_asked_for(admin: Api, member: Member) -> None:
    value, tag = f"{uuid4()}.example", f"drawn:{uuid4()}"
    sight = {"type": "domain", "value": value}
    inside = {"object_relation": "domain", **sight}
    one = an_event(
        member.api,
        Attribute=[sight, {"type": "text", "value": str(uuid4())}],
        Object=[{"name": "domain-ip", "meta-category": "network", "Attribute": [inside]}],
        Tag=[{"name": tag}],
    )
    two = an_event(member.api, Attribute=[sight], Tag=[{"name": tag}])
    hidden = an_event(admin, distribution=0, Attribute=[sight], Tag=[{"name": tag}])
    graph = member.api.view(f"/events/updateGraph/{one['id']}")
    kinds = sorted((node["type"], node["id"]) for node in graph["nodes"])
    tag_id = next(t["id"] for t in one["Tag"])
    assert ("event", one["id"]) in kinds and ("event", two["id"]) in kinds
    assert ("event", hidden["id"]) not in kinds
    assert [kind for kind, _ in kinds] == ["attribute", "event", "event", "object", "tag"]
    centre = next(node for node in graph["nodes"] if node["id"] == one["id"] and node["type"] == "event")
    assert centre["expanded"] == 1 and centre["name"].startswith(f"({one['id']}) ")
    ends = {tuple(sorted((link["source"], link["target"]))) for link in graph["links"]}
    assert len(ends) == len(graph["links"]) == 5
    # What is sent comes back, grown; nothing is drawn twice.
    grown = member.api.ok(f"/events/updateGraph/{tag_id}/tag", graph)
    assert grown["nodes"][: len(graph["nodes"])][0] == graph["nodes"][0]
    assert len(grown["nodes"]) == len(graph["nodes"])
    assert len(grown["links"]) == len(graph["links"]) + 1, "the tag is joined with the second event too"
    tags = member.api.view(f"/events/updateGraph/{tag_id}/tag")
    assert {node["id"] for node in tags["nodes"] if node["type"] == "event"} == {one["id"], two["id"]}
    assert member.api.view(f"/events/updateGraph/{hidden['id']}") == {"nodes": [], "links": []}
    assert member.api.get(f"/events/updateGraph/{one['id']}/colour").status_code == 405
    too_large = member.api.post(f"/events/updateGraph/{one['id']}", {"nodes": [{}] * 5001})
    assert too_large.status_code == 403 and list(too_large.json()["errors"]) == ["nodes"]


def a_matrix(admin: Api) -> tuple[str, list[str]]:
    """A galaxy whose clusters stand in columns."""
    kind = f"e2e-{uuid4()}"
    galaxy = {
        "uuid": str(uuid4()),
        "name": f"Matrix {kind}",
        "type": kind,
        "description": "Columns",
        "version": "1",
        "icon": "map",
        "namespace": "e2e",
    }
    clusters = [
        {
            "GalaxyCluster": {
                "uuid": str(uuid4()),
                "value": name,
                "version": 1,
                "distribution": "3",
                "type": kind,
                "GalaxyElement": [{"key": "kill_chain", "value": f"tab:{column}"}],
                "Galaxy": galaxy,
            }
        }
        for name, column in [("Alpha", "first"), ("Beta", "first"), ("Gamma", "second")]
    ]
    admin.ok("/galaxies/import", clusters)
    (found,) = [g["Galaxy"]["id"] for g in admin.view("/galaxies/index") if g["Galaxy"]["type"] == kind]
    listed = admin.view(f"/galaxy_clusters/index/{found}")
    return found, [
        c["GalaxyCluster"]["tag_name"] for c in sorted(listed, key=lambda c: c["GalaxyCluster"]["value"])
    ]


def test_a_matrix_counts_what_an_event_carries(admin: Api, member: Member) -> None:
    galaxy, (alpha, beta, gamma) = a_matrix(admin)
    event = an_event(
        member.api,
        Tag=[{"name": beta}],
        Attribute=[{"type": "text", "value": str(uuid4()), "Tag": [{"name": beta}, {"name": gamma}]}],
    )
    an_event(member.api, Tag=[{"name": alpha}])
    matrix = member.api.view(f"/events/viewGalaxyMatrix/{event['id']}/{galaxy}/event")
    assert set(matrix) == {"matrix", "scores", "instance-uuid"}
    assert matrix["scores"] == {beta: 2, gamma: 1}
    columns = matrix["matrix"]["tab"]
    assert [c["value"] for c in columns["first"]] == ["Beta", "Alpha"], "what is carried stands first"
    assert [c["value"] for c in columns["second"]] == ["Gamma"]
    attribute = event["Attribute"][0]["id"]
    assert member.api.view(f"/events/viewGalaxyMatrix/{attribute}/{galaxy}/attribute") == matrix
    everywhere = member.api.view(f"/events/viewGalaxyMatrix/1/{galaxy}/tag_collection")
    assert everywhere["scores"] == {}
    secret = an_event(admin, distribution=0, Tag=[{"name": alpha}])
    assert member.api.get(f"/events/viewGalaxyMatrix/{secret['id']}/{galaxy}").status_code == 404
    assert member.api.get(f"/events/viewGalaxyMatrix/{event['id']}/999999").status_code == 405
    assert member.api.get(f"/events/viewGalaxyMatrix/{event['id']}/{galaxy}/colour").status_code == 405


def test_clusters_are_attached_to_several_attributes_at_once(admin: Api, member: Member) -> None:
    galaxy, (alpha, beta, _) = a_matrix(admin)
    listed = admin.view(f"/galaxy_clusters/index/{galaxy}")
    ids = {c["GalaxyCluster"]["tag_name"]: c["GalaxyCluster"]["id"] for c in listed}
    event = an_event(member.api, Attribute=[{"type": "text", "value": str(uuid4())} for _ in range(2)])
    attributes = [attribute["id"] for attribute in event["Attribute"]]

    def carried() -> list[set[str]]:
        seen = member.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
        return [{tag["name"] for tag in attribute.get("Tag", [])} for attribute in seen]

    path = f"/attributes/editSelected/{event['id']}"
    sent = {"attribute_ids": attributes, "clusters_ids_add": [ids[alpha], ids[beta]]}
    assert member.api.ok(path, {"Attribute": sent}) == {"saved": True}
    assert carried() == [{alpha, beta}] * 2
    sent = {"attribute_ids": attributes[:1], "clusters_ids_remove": json.dumps([ids[alpha]])}
    assert member.api.ok(path, {"Attribute": sent}) == {"saved": True}
    assert carried() == [{beta}, {alpha, beta}]
