"""Events that sync users push with the sharing groups they are shared with, as a MISP does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from clients.misp_sync import OtherMisp
from harness.api import Api
from harness.instance import Instance
from harness.people import SYNC_USER, USER, Member, new_member, new_organisation
from harness.scenes import NEW_YEAR, a_domain

FAR = {"name": f"Far CERT {uuid4()}", "uuid": str(uuid4())}


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def sync(admin: Api) -> Member:
    return new_member(admin, SYNC_USER)


@pytest.fixture(scope="module")
def other_misp(server: Instance, sync: Member) -> OtherMisp:
    return OtherMisp(server.url, sync.key)


def group(*members: str, **more: Any) -> dict[str, Any]:
    """A sharing group as a server sends it along, with the other side's numbers."""
    return {
        "id": "4711",
        "uuid": str(uuid4()),
        "name": f"A few {uuid4()}",
        "releasability": "them",
        "description": "",
        "active": True,
        "roaming": True,
        "local": False,
        "modified": "2026-01-01 00:00:00",
        "organisation_uuid": FAR["uuid"],
        "Organisation": FAR,
        "SharingGroupOrg": [
            {"org_id": "7", "extend": False, "Organisation": {"name": f"Org {uuid}", "uuid": uuid}}
            for uuid in members
        ],
        "SharingGroupServer": [],
    } | more


def event(shared_with: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    made = {
        "uuid": str(uuid4()),
        "info": "Pushed for a few",
        "date": "2026-01-01",
        "timestamp": str(NEW_YEAR),
        "published": True,
        "locked": True,
        "distribution": "3",
        "Orgc": FAR,
        "Attribute": [
            {"uuid": str(uuid4()), "type": "domain", "value": a_domain(), "timestamp": str(NEW_YEAR)}
        ],
    }
    if shared_with is not None:
        made |= {"distribution": "4", "sharing_group_id": "4711", "SharingGroup": shared_with}
    return made | more


def stored(admin: Api, made: dict[str, Any]) -> dict[str, Any]:
    return admin.view(f"/events/view/{made['uuid']}")["Event"]


def groups(admin: Api) -> dict[str, dict[str, Any]]:
    rows = admin.view("/sharing_groups/index")["response"]
    return {row["SharingGroup"]["uuid"]: row for row in rows}


def test_a_group_nobody_knows_comes_along_with_an_event(
    other_misp: OtherMisp, sync: Member, admin: Api
) -> None:
    guest = new_member(admin, USER)
    few = group(sync.organisation_uuid, guest.organisation_uuid, str(uuid4()))
    pushed = event(few)
    answer = other_misp.push_event(pushed)
    assert answer.status_code == 200, answer.text
    found = stored(admin, pushed)
    assert (found["distribution"], found["SharingGroup"]["uuid"]) == ("4", few["uuid"])
    assert (found["locked"], found["published"], found["Orgc"]["uuid"]) == (True, True, FAR["uuid"])
    row = groups(admin)[few["uuid"]]
    assert row["Organisation"]["uuid"] == FAR["uuid"]
    assert len(row["SharingGroupOrg"]) == 3
    assert stored(guest.api, pushed)["uuid"] == pushed["uuid"]
    assert new_member(admin, USER).api.get(f"/events/view/{pushed['uuid']}").status_code == 404

    changed = few | {"modified": "2026-02-01 00:00:00", "releasability": "them and more"}
    answer = other_misp.push_event(pushed | {"timestamp": str(NEW_YEAR + 1), "SharingGroup": changed})
    assert answer.status_code == 200, answer.text
    assert groups(admin)[few["uuid"]]["SharingGroup"]["releasability"] == "them and more"
    older = changed | {"modified": "2026-01-15 00:00:00", "releasability": "nobody"}
    other_misp.push_event(pushed | {"timestamp": str(NEW_YEAR + 2), "SharingGroup": older})
    assert groups(admin)[few["uuid"]]["SharingGroup"]["releasability"] == "them and more"


def test_an_edit_and_what_is_in_an_event_bring_groups_as_well(
    other_misp: OtherMisp, sync: Member, admin: Api
) -> None:
    pushed = event()
    assert other_misp.push_event(pushed).status_code == 200
    outer, inner = group(sync.organisation_uuid), group(sync.organisation_uuid)
    attribute = pushed["Attribute"][0] | {
        "timestamp": str(NEW_YEAR + 1),
        "distribution": "4",
        "sharing_group_id": "4711",
        "SharingGroup": inner,
    }
    pushed |= {
        "timestamp": str(NEW_YEAR + 1),
        "distribution": "4",
        "SharingGroup": outer,
        "Attribute": [attribute],
    }
    answer = other_misp.push_event(pushed)
    assert answer.status_code == 200, answer.text
    found = stored(admin, pushed)
    assert found["SharingGroup"]["uuid"] == outer["uuid"]
    assert found["Attribute"][0]["SharingGroup"]["uuid"] == inner["uuid"]


def test_what_is_shared_with_a_group_of_others_is_the_pushers_alone(
    other_misp: OtherMisp, sync: Member, admin: Api
) -> None:
    theirs = new_organisation(admin)
    foreign = group(theirs["uuid"])
    pushed = event(foreign)
    answer = other_misp.push_event(pushed)
    assert answer.status_code == 200, answer.text
    assert stored(admin, pushed)["distribution"] == "0"
    assert foreign["uuid"] not in groups(admin)

    # A group of theirs that is here does not let him in for saying that he is in it.
    made = admin.ok("/sharing_groups/add", {"name": f"G {uuid4()}", "releasability": "x"})["SharingGroup"]
    admin.ok(f"/sharingGroups/addOrg/{made['id']}/{theirs['id']}")
    claimed = group(
        sync.organisation_uuid, uuid=made["uuid"], name=made["name"], modified="2036-01-01 00:00:00"
    )
    pushed = event(claimed)
    assert other_misp.push_event(pushed).status_code == 200
    assert stored(admin, pushed)["distribution"] == "0"
    members = {one["org_id"] for one in groups(admin)[made["uuid"]]["SharingGroupOrg"]}
    assert members == {theirs["id"]}


def test_a_user_who_does_not_synchronise_brings_no_groups(admin: Api) -> None:
    user = new_member(admin, USER)
    few = group(user.organisation_uuid)
    answer = user.api.post("/events/add", {"Event": event(few)})
    assert answer.status_code == 403, answer.text
    assert "sharing_group_id" in answer.text
    assert few["uuid"] not in groups(admin)


def test_nobody_pushes_in_the_name_of_an_organisation_of_this_instance(
    other_misp: OtherMisp, sync: Member, admin: Api
) -> None:
    theirs = new_organisation(admin)
    forged = event(Orgc={"name": theirs["name"], "uuid": theirs["uuid"]})
    answer = other_misp.push_event(forged)
    assert answer.status_code == 403, answer.text
    assert theirs["name"] in answer.text
    assert admin.get(f"/events/view/{forged['uuid']}").status_code == 404
    own = event(Orgc={"name": "whatever it is called", "uuid": sync.organisation_uuid})
    assert other_misp.push_event(own).status_code == 200
    assert stored(admin, own)["Orgc"]["uuid"] == sync.organisation_uuid
