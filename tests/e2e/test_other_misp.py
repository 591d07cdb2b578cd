"""Another MISP that synchronises with this server; see test_other_clients.py."""

from __future__ import annotations

from uuid import uuid4

import pytest
from clients.misp_sync import OtherMisp
from harness.api import Api
from harness.instance import Instance
from harness.people import SYNC_USER, new_member
from harness.scenes import NEW_YEAR, a_domain, a_tag, an_event, published


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


# ---- Another MISP -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_misp(server: Instance, admin: Api) -> OtherMisp:
    return OtherMisp(server.url, new_member(admin, SYNC_USER).key)


def test_a_misp_that_synchronises_switches_everything_on(other_misp: OtherMisp) -> None:
    switched_off = {name for name, on in other_misp.supports().items() if not on}
    assert switched_off <= {"brotli", "edit clusters", "analyst data"}, "the role of the key decides on these"
    user = other_misp.user()
    assert user["Role"]["perm_sync"] is True
    said = other_misp.post_test("A test with ünïcode")
    assert said["body"]["testString"] == "A test with ünïcode"


def test_a_misp_asks_with_head_whether_an_event_is_there(other_misp: OtherMisp, admin: Api) -> None:
    assert other_misp.event_exists(an_event(admin, a_domain())["uuid"]) is True
    assert other_misp.event_exists(str(uuid4())) is False


def test_a_misp_lists_events_anew_only_when_something_changed(other_misp: OtherMisp, admin: Api) -> None:
    tag = a_tag(admin)
    first = published(admin, a_domain(), tag=tag)
    asked = {"minimal": 1, "published": 1, "searchtag": tag}
    answer = other_misp.event_index(asked, etag='"nothing"')
    assert answer.status_code == 200
    (one,) = answer.json()
    assert (one["uuid"], one["published"]) == (first["uuid"], True)
    assert set(one) >= {"timestamp", "sighting_timestamp", "published", "uuid", "orgc_uuid"}
    etag = answer.headers["ETag"]
    answer = other_misp.event_index(asked, etag=etag)
    assert (answer.status_code, answer.content) == (304, b"")
    published(admin, a_domain(), tag=tag)
    answer = other_misp.event_index(asked, etag=etag)
    assert (answer.status_code, len(answer.json())) == (200, 2)


def test_a_misp_pulls_an_event_without_its_local_tags(other_misp: OtherMisp, admin: Api) -> None:
    event, local = published(admin, a_domain(), tag=(shared := a_tag(admin))), a_tag(admin)
    admin.ok("/tags/attachTagToObject", {"uuid": event["uuid"], "tag": local, "local": True})
    pulled = other_misp.fetch_event(event["uuid"])
    assert [tag["name"] for tag in pulled["Tag"]] == [shared]
    assert pulled["Attribute"][0]["value"] == event["Attribute"][0]["value"]


def test_a_misp_pushes_an_event_for_a_sharing_group_it_names_by_uuid(
    other_misp: OtherMisp, server: Instance, admin: Api
) -> None:
    user = other_misp.user()["User"]
    org = admin.view(f"/organisations/view/{user['org_id']}")["Organisation"]
    made = admin.ok("/sharing_groups/add", {"name": f"A few {uuid4()}", "releasability": "them"})[
        "SharingGroup"
    ]
    admin.ok(f"/sharingGroups/addOrg/{made['id']}/{org['id']}/1")
    group = made["uuid"]
    member = {"extend": True, "Organisation": {"name": org["name"], "uuid": org["uuid"]}}
    event = {
        "uuid": str(uuid4()),
        "info": "Pushed for a few",
        "date": "2026-01-01",
        "threat_level_id": "2",
        "analysis": "0",
        "timestamp": str(NEW_YEAR),
        "publish_timestamp": str(NEW_YEAR),
        "published": True,
        "distribution": "4",
        # The number is the other side's, the uuid is everybody's.
        "sharing_group_id": "4711",
        "Orgc": {"name": org["name"], "uuid": org["uuid"]},
        "SharingGroup": {
            "id": "4711",
            "uuid": group,
            "name": made["name"],
            "releasability": "them",
            "description": "",
            "active": True,
            "local": False,
            "roaming": False,
            "organisation_uuid": org["uuid"],
            "SharingGroupOrg": [member],
            "SharingGroupServer": [],
        },
        # Enough of it that the body goes out compressed.
        "Attribute": [
            {"uuid": str(uuid4()), "type": "domain", "value": a_domain(), "timestamp": str(NEW_YEAR)}
            for _ in range(20)
        ],
    }
    answer = other_misp.push_event(event)
    assert answer.status_code == 200, answer.text
    stored = admin.view(f"/events/view/{event['uuid']}")["Event"]
    assert stored["SharingGroup"]["uuid"] == group
    assert stored["sharing_group_id"] == stored["SharingGroup"]["id"] != "4711"
    assert len(stored["Attribute"]) == 20

    event |= {"timestamp": str(NEW_YEAR + 1), "info": "Pushed again"}
    answer = other_misp.push_event(event)
    assert answer.status_code == 200, answer.text
    again = admin.view(f"/events/view/{event['uuid']}")["Event"]
    assert (again["info"], again["SharingGroup"]["uuid"]) == ("Pushed again", group)
    assert again["id"] == stored["id"]


def test_a_misp_takes_over_attributes_clusters_and_sightings(other_misp: OtherMisp, admin: Api) -> None:
    event = published(admin, (domain := a_domain()))
    (found,) = other_misp.search_attributes({"value": domain})
    assert found["uuid"] == event["Attribute"][0]["uuid"]
    assert other_misp.search_clusters({"published": 1, "minimal": 1, "custom": 1}) == []
    assert other_misp.sightings_of([event["uuid"]]) == []
    other_misp.post(f"sightings/add/{found['uuid']}", {"type": "0"})
    (sighting,) = other_misp.sightings_of([event["uuid"]])
    assert sighting["Sighting"]["event_uuid"] == event["uuid"]
    assert sighting["Sighting"]["attribute_uuid"] == found["uuid"]
