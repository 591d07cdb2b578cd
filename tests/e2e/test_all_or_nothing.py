"""What is asked for in one request happens as a whole or not at all."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.community import an_event
from harness.instance import Instance
from harness.people import ORG_ADMIN, PUBLISHER, USER, Member, new_member


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def owner(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


@pytest.fixture(scope="module")
def friend(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


def the_event(member: Member, event: dict[str, Any]) -> dict[str, Any]:
    return member.api.view(f"/events/view/{event['id']}")["Event"]


def names(record: dict[str, Any]) -> set[str]:
    return {tag["name"] for tag in record.get("Tag", [])}


# Tags


@pytest.mark.parametrize("way", ["events/addTag", "attributes/addTag", "attachTagToObject"])
def test_one_refused_tag_keeps_the_others_off(admin: Api, owner: Member, friend: Member, way: str) -> None:
    event = an_event(owner)
    attribute = event["Attribute"][0]
    free = [admin.ok("/tags/add", {"name": f"free:{uuid4()}"})["Tag"] for _ in range(2)]
    theirs = admin.ok("/tags/add", {"name": f"theirs:{uuid4()}", "org_id": friend.organisation_id})["Tag"]

    def attach(tags: list[dict[str, Any]]) -> Any:
        listed = [tag["name"] for tag in tags]
        if way == "events/addTag":
            return owner.api.post("/events/addTag", {"event": event["id"], "tag": listed})
        if way == "attributes/addTag":
            return owner.api.post("/attributes/addTag", {"attribute": attribute["id"], "tag": listed})
        return owner.api.post("/tags/attachTagToObject", {"uuid": event["uuid"], "tag": listed})

    refused = attach([free[0], theirs, free[1]])
    assert "This tag can only be set by a fixed organisation" in refused.text
    assert theirs["name"] in refused.text, "which of them it was"
    seen = the_event(owner, event)
    assert names(seen) == names(seen["Attribute"][0]) == set()
    assert seen["timestamp"] == event["timestamp"]

    assert attach(free).status_code == 200
    seen = the_event(owner, event)
    carrier = seen["Attribute"][0] if way == "attributes/addTag" else seen
    assert names(carrier) == {tag["name"] for tag in free}


def test_tags_come_off_together_or_stay(owner: Member, admin: Api) -> None:
    event = an_event(owner)
    tag, other = [admin.ok("/tags/add", {"name": f"off:{uuid4()}"})["Tag"]["name"] for _ in range(2)]
    owner.api.ok("/events/addTag", {"event": event["id"], "tag": tag})
    answer = owner.api.ok("/events/removeTag", {"event": event["id"], "tag": [tag, other]})
    assert answer["saved"] is False
    assert names(the_event(owner, event)) == {tag}


# Proposals


def proposed(member: Member, event: dict[str, Any], value: str) -> str:
    wish = {"type": "text", "value": value}
    return member.api.ok(f"/shadow_attributes/add/{event['id']}", wish)["ShadowAttribute"]["id"]


def test_proposals_are_accepted_together_or_stay_open(owner: Member, friend: Member) -> None:
    event = an_event(owner)
    fine = proposed(friend, event, str(uuid4()))
    first, second = event["Attribute"]
    # Both attributes would be the same.
    wish = {"value": first["value"]}
    twin = friend.api.ok(f"/shadow_attributes/edit/{second['id']}", wish)["ShadowAttribute"]["id"]
    body = {"ids_accept": [fine, twin]}
    answer = owner.api.ok(f"/shadow_attributes/acceptSelected/{event['id']}", body)
    assert answer["saved"] is False
    assert answer["errors"].startswith("0 proposals accepted, but 2 proposals could not be accepted.")
    seen = the_event(owner, event)
    assert len(seen["Attribute"]) == 2
    assert [p["id"] for p in seen["ShadowAttribute"]] == [fine], "still to be decided"

    done = owner.api.ok(f"/shadow_attributes/acceptSelected/{event['id']}", {"ids_accept": [fine]})
    assert done == {"saved": True, "success": "1 proposal accepted."}
    assert len(the_event(owner, event)["Attribute"]) == 3


def test_proposals_are_discarded_together_or_stay_open(admin: Api, owner: Member, friend: Member) -> None:
    event = an_event(owner)
    other = new_member(admin, USER)
    own, foreign = proposed(friend, event, str(uuid4())), proposed(other, event, str(uuid4()))
    body = {"ids_discard": [own, foreign]}
    answer = friend.api.ok(f"/shadow_attributes/discardSelected/{event['id']}", body)
    assert answer["saved"] is False
    assert {p["id"] for p in the_event(owner, event)["ShadowAttribute"]} == {own, foreign}


# Samples


def test_samples_are_saved_together_or_not(owner: Member) -> None:
    event = an_event(owner)
    fine, broken = f"{uuid4()}.exe", f"{uuid4()}\n.exe"

    def upload(path: str, *files: str) -> Any:
        listed = [{"filename": n, "data": base64.b64encode(n.encode()).decode()} for n in files]
        return owner.api.ok(path, {"files": listed, "distribution": 0})

    answer = upload(f"/events/upload_sample/{event['id']}", fine, broken)
    assert (answer["name"], answer["errors"]) == ("Failed", [broken])
    assert the_event(owner, event)["Object"] == []
    before = len(owner.api.view("/events/index"))
    assert upload("/events/upload_sample", fine, broken)["name"] == "Failed"
    assert len(owner.api.view("/events/index")) == before

    assert upload(f"/events/upload_sample/{event['id']}", fine, f"{uuid4()}.exe")["name"] == "Success"
    assert len(the_event(owner, event)["Object"]) == 2


# Blueprints


def test_a_blueprint_that_cannot_be_executed_changes_nothing_and_holds_up_no_other(admin: Api) -> None:
    keeper = new_member(admin, ORG_ADMIN)
    taken = f"Taken {uuid4()}"
    admin.ok("/sharing_groups/add", {"name": taken, "releasability": "x"})
    free = f"Free {uuid4()}"
    for name in (taken, free):
        rules = {"OR": {"org_id": [keeper.organisation_id, "1"]}}
        keeper.api.ok("/sharing_group_blueprints/add", {"name": name, "rules": rules})
    done = admin.ok("/sharing_group_blueprints/execute")
    assert "2 sharing group blueprint(s) matched" in done["message"]
    assert "Created: 1. Updated: 1. Failed to create: 1." in done["message"]
    groups = [one["SharingGroup"]["name"] for one in keeper.api.view("/sharing_groups/index")["response"]]
    assert groups == [free]
    logged = admin.view("/admin/audit_logs/index/model:SharingGroup/limit:50")
    mine = [one["AuditLog"] for one in logged if one["AuditLog"]["model_title"] == free]
    assert {one["user_id"] for one in mine} == {"1"}, "whoever executed it"
    assert {one["org_id"] for one in mine} == {"1"}


# STIX


def bundle(*reports: str) -> bytes:
    times = {
        "created": "2026-01-05T10:00:00.000Z",
        "modified": "2026-01-05T10:00:00.000Z",
        "spec_version": "2.1",
    }
    objects: list[dict[str, Any]] = []
    for uuid in reports:
        indicator = f"indicator--{uuid4()}"
        pattern = f"[domain-name:value = '{uuid4()}.example']"
        objects.append(
            {
                "type": "indicator",
                "id": indicator,
                "pattern_type": "stix",
                "valid_from": times["created"],
                "pattern": pattern,
                **times,
            }
        )
        objects.append(
            {
                "type": "report",
                "id": f"report--{uuid}",
                "name": f"Report {uuid}",
                "published": times["created"],
                "object_refs": [indicator],
                **times,
            }
        )
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid4()}", "objects": objects}).encode()


def test_the_events_of_a_document_are_added_together_or_not(admin: Api, owner: Member) -> None:
    unwanted = str(uuid4())
    admin.ok("/eventBlocklists/add", {"uuids": [unwanted]})
    fine = str(uuid4())
    answer = owner.api.raw("POST", "/events/upload_stix/2", bundle(fine, unwanted))
    assert answer.status_code == 403, answer.text
    assert owner.api.get(f"/events/view/{fine}").status_code == 404
    answer = owner.api.raw("POST", "/events/upload_stix/2", bundle(fine, str(uuid4())))
    assert answer.status_code == 200, answer.text


def test_a_document_that_cannot_be_published_is_not_added(
    server: Instance, admin: Api, owner: Member
) -> None:
    folder = server.folder / "misp-taxonomies" / "asked"
    folder.mkdir(parents=True)
    taxonomy = {
        "namespace": "asked",
        "description": "Asked for before publication",
        "version": 1,
        "predicates": [{"value": "yes", "expanded": "Yes"}],
    }
    (folder / "machinetag.json").write_text(json.dumps(taxonomy))
    server.cli("knowledge", "import", folder.parent)
    (asked,) = [t["Taxonomy"] for t in admin.view("/taxonomies/index")]
    admin.ok(f"/taxonomies/enable/{asked['id']}")
    admin.ok(f"/taxonomies/toggleRequired/{asked['id']}", {"Taxonomy": {"required": True}})
    uuid = str(uuid4())
    document = bundle(uuid)
    try:
        refused = owner.api.raw("POST", "/events/upload_stix/2/publish:1", document)
        assert refused.status_code == 403, refused.text
        assert "asked" in refused.json()["message"]
        assert owner.api.get(f"/events/view/{uuid}").status_code == 404
    finally:
        admin.ok(f"/taxonomies/toggleRequired/{asked['id']}", {"Taxonomy": {"required": False}})
    answer = owner.api.raw("POST", "/events/upload_stix/2/publish:1", document)
    assert answer.status_code == 200, answer.text
    assert answer.json()["Event"]["published"] is True
