"""Event reports, analyst data and event graphs, as scripts written for MISP use them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.people import PUBLISHER, READ_ONLY, SYNC_USER, Member, new_member

OWN, COMMUNITY, CONNECTED, ALL, GROUP, INHERIT = range(6)
GHOST = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def owner(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


@pytest.fixture(scope="module")
def stranger(admin: Api) -> Member:
    return new_member(admin)


def new_event(member: Member, **fields: Any) -> dict[str, Any]:
    body = {
        "info": f"Reported {uuid4()}",
        "distribution": ALL,
        "Attribute": [{"type": "ip-dst", "value": "203.0.113.77", "uuid": str(uuid4())}],
    }
    return member.api.ok("/events/add", body | fields)["Event"]


def new_report(member: Member, event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"name": f"Report {uuid4()}", "content": "# Title"} | fields
    return member.api.ok(f"/eventReports/add/{event['uuid']}", body)["EventReport"]


def event_of(api: Api, event: dict[str, Any], path: str = "") -> dict[str, Any]:
    return api.view(f"/events/view/{event['id']}{path}")["Event"]


# ---- Event reports ----------------------------------------------------------------------------------


def test_a_report_makes_its_event_newer_and_unpublished(owner: Member) -> None:
    event = new_event(owner, timestamp="1600000000")
    owner.api.ok(f"/events/publish/{event['id']}")
    report = new_report(owner, event)
    after = event_of(owner.api, event)
    assert int(after["timestamp"]) > 1600000000
    assert after["published"] is False
    assert [r["uuid"] for r in after["EventReport"]] == [report["uuid"]]

    for change in (
        lambda: owner.api.ok(f"/eventReports/edit/{report['uuid']}", {"content": "other"}),
        lambda: owner.api.ok(f"/eventReports/delete/{report['id']}"),
        lambda: owner.api.ok(f"/eventReports/restore/{report['id']}"),
        lambda: owner.api.ok(f"/eventReports/delete/{report['id']}/1"),
    ):
        owner.api.ok(f"/events/publish/{event['id']}")
        change()
        assert event_of(owner.api, event)["published"] is False


def test_a_tombstone_shows_where_it_is_asked_for_and_can_be_taken_away(
    owner: Member, stranger: Member
) -> None:
    event = new_event(owner)
    report = new_report(owner, event)
    said = owner.api.ok(f"/eventReports/delete/{report['uuid']}")
    assert said["message"] == f"Event Report {report['uuid']} soft deleted"
    assert event_of(owner.api, event)["EventReport"] == []
    (buried,) = event_of(owner.api, event, "/deleted[]:0/deleted[]:1")["EventReport"]
    assert buried["deleted"] is True
    assert event_of(stranger.api, event, "/deleted[]:0/deleted[]:1")["EventReport"] == []
    assert owner.api.view(f"/eventReports/index/event_id:{event['id']}") == []
    listed = owner.api.view(f"/eventReports/index/event_id:{event['uuid']}/context:deleted")
    assert [r["EventReport"]["id"] for r in listed] == [report["id"]]
    assert stranger.api.get(f"/eventReports/view/{report['id']}").status_code == 404

    owner.api.ok(f"/eventReports/restore/{report['uuid']}")
    assert event_of(stranger.api, event)["EventReport"][0]["deleted"] is False
    said = owner.api.ok(f"/eventReports/delete/{report['uuid']}", {"hard": True})
    assert said["message"] == f"Event Report {report['uuid']} hard deleted"
    assert owner.api.get(f"/eventReports/view/{report['id']}").status_code == 404


@pytest.mark.parametrize("level", [OWN, COMMUNITY, CONNECTED, ALL, INHERIT])
def test_a_report_narrows_what_its_event_opens(owner: Member, stranger: Member, level: int) -> None:
    event = new_event(owner)
    report = new_report(owner, event, distribution=str(level))
    sees = level != OWN
    assert len(event_of(owner.api, event)["EventReport"]) == 1
    assert len(event_of(stranger.api, event)["EventReport"]) == int(sees)
    assert stranger.api.get(f"/eventReports/view/{report['uuid']}").status_code == (200 if sees else 404)
    listed = [r["EventReport"]["id"] for r in stranger.api.view("/eventReports/index")]
    assert (report["id"] in listed) == sees


def test_a_report_of_a_hidden_event_does_not_exist(owner: Member, stranger: Member) -> None:
    event = new_event(owner, distribution=OWN)
    report = new_report(owner, event, distribution=ALL)
    for path in (f"view/{report['id']}", f"view/{report['uuid']}", f"getProxyMISPElements/{report['id']}"):
        assert stranger.api.get(f"/eventReports/{path}").json()["message"] == "Invalid report"
    assert stranger.api.view(f"/eventReports/index/event_id:{event['id']}") == []
    for action in ("edit", "delete", "restore", "extractAllFromReport"):
        assert stranger.api.post(f"/eventReports/{action}/{report['id']}", {"name": "x"}).status_code == 404
    assert stranger.api.post(f"/eventReports/add/{event['id']}", {"name": "x"}).status_code == 404


def test_only_the_creator_organisation_changes_a_report(owner: Member, stranger: Member, admin: Api) -> None:
    event = new_event(owner)
    report = new_report(owner, event)
    for action in ("edit", "delete", "restore", "extractAllFromReport"):
        answer = stranger.api.post(f"/eventReports/{action}/{report['id']}", {"name": "mine"})
        assert answer.status_code == 401, answer.text
        assert answer.json()["message"]
    assert stranger.api.post(f"/eventReports/add/{event['id']}", {"name": "x"}).status_code == 403
    assert event_of(owner.api, event)["EventReport"][0]["name"] == report["name"]
    edited = admin.ok(f"/eventReports/edit/{report['id']}", {"EventReport": {"name": "by the site admin"}})
    assert edited["EventReport"]["name"] == "by the site admin"
    assert edited["EventReport"]["content"] == "# Title"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "no name"}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x", "distribution": 6}, "distribution"),
        ({"name": "x", "distribution": 4, "sharing_group_id": 424242}, "sharing_group_id"),
        ({"name": "x", "uuid": "nonsense"}, "uuid"),
    ],
)
def test_a_wrong_report_is_refused_by_its_field(owner: Member, body: dict[str, Any], field: str) -> None:
    event = new_event(owner)
    answer = owner.api.post(f"/eventReports/add/{event['id']}", body)
    assert answer.status_code == 403
    assert list(answer.json()["errors"]) == [field]
    assert event_of(owner.api, event)["EventReport"] == []
    assert event_of(owner.api, event)["timestamp"] == event["timestamp"]


def test_a_uuid_is_one_reports_alone(owner: Member, stranger: Member) -> None:
    report = new_report(owner, new_event(owner, distribution=OWN))
    other = new_event(stranger)
    answer = stranger.api.post(f"/eventReports/add/{other['id']}", {"name": "x", "uuid": report["uuid"]})
    assert answer.status_code == 403
    # An event that brings it leaves it alone, here and where it is.
    brought = {"info": "x", "EventReport": [{"name": "stolen", "uuid": report["uuid"]}]}
    added = stranger.api.ok("/events/add", brought)["Event"]
    assert added["EventReport"] == []
    assert owner.api.view(f"/eventReports/view/{report['id']}")["EventReport"]["name"] == report["name"]


def test_reports_travel_with_their_event_and_the_newer_wins(owner: Member) -> None:
    kept, other = str(uuid4()), str(uuid4())
    event = new_event(
        owner,
        EventReport=[
            {"uuid": kept, "name": "first", "content": "1", "timestamp": "1600000000", "distribution": "5"},
            {"uuid": str(uuid4()), "name": "", "content": "has no name and is left out"},
        ],
    )
    assert [(r["name"], r["timestamp"]) for r in event["EventReport"]] == [("first", "1600000000")]

    def edit(*reports: dict[str, Any]) -> dict[str, dict[str, Any]]:
        answer = owner.api.ok(f"/events/edit/{event['id']}", {"EventReport": list(reports)})
        assert {r["uuid"] for r in answer["Event"]["EventReport"]} <= {kept, other}
        everything = event_of(owner.api, event, "/deleted:1")["EventReport"]
        return {r["uuid"]: r for r in everything}

    same = edit({"uuid": kept, "name": "same age", "timestamp": "1600000000"})
    assert same[kept]["name"] == "first"
    newer = edit({"uuid": kept, "name": "newer", "timestamp": "1600000001"}, {"uuid": other, "name": "new"})
    assert (newer[kept]["name"], newer[kept]["content"]) == ("newer", "1")
    assert newer[other]["name"] == "new"
    gone = edit({"uuid": kept, "timestamp": "1600000002", "deleted": "1"})
    assert gone[kept]["deleted"] is True
    assert gone[other]["deleted"] is False


def test_an_event_of_reports_alone_is_in_the_minimal_index(owner: Member) -> None:
    bare = new_event(owner, Attribute=[])
    reported = new_event(owner, Attribute=[])
    new_report(owner, reported)
    minimal = {e["uuid"] for e in owner.api.ok("/events/index", {"minimal": 1})}
    assert reported["uuid"] in minimal
    assert bare["uuid"] not in minimal


def test_a_search_leaves_reports_out_where_it_is_asked_to(owner: Member) -> None:
    event = new_event(owner)
    new_report(owner, event)
    asked = {"returnFormat": "json", "eventid": event["id"]}
    with_them = owner.api.ok("/events/restSearch", asked)["response"][0]["Event"]
    without = owner.api.ok("/events/restSearch", asked | {"noEventReports": 1})["response"][0]["Event"]
    assert (len(with_them["EventReport"]), without["EventReport"]) == (1, [])


def test_indicators_of_a_report_become_attributes_and_references(owner: Member) -> None:
    known = str(uuid4())
    event = new_event(owner, Attribute=[{"type": "domain", "value": "known.example.com", "uuid": known}])
    owner.api.ok("/events/addTag/" + event["id"], {"tag": "tlp:amber", "local": 0})
    owner.api.ok("/events/removeTag/" + event["id"], {"tag": "tlp:amber"})
    text = (
        "Seen: http://evil.example.com/x, 198.51.100.23 and 198.51.100.234.\n"
        f"Also known.example.com and @[attribute]({known}). This is tlp:amber."
    )
    report = new_report(owner, event, content=text)
    seen = owner.api.view(f"/eventReports/extractFromReport/{report['id']}")
    assert {c["value"] for c in seen["complexTypeToolResult"]} >= {"198.51.100.23", "known.example.com"}
    assert event_of(owner.api, event)["attribute_count"] == "1"

    answer = owner.api.ok(f"/eventReports/extractAllFromReport/{report['id']}", {"tag_event": 1})
    after = event_of(owner.api, event)
    by_value = {a["value"]: a["uuid"] for a in after["Attribute"]}
    assert by_value["known.example.com"] == known
    assert {"http://evil.example.com/x", "198.51.100.23", "198.51.100.234"} <= by_value.keys()
    content = answer["report"]["EventReport"]["content"]
    for value in ("http://evil.example.com/x", "198.51.100.23", "198.51.100.234"):
        assert f"@[attribute]({by_value[value]})" in content
    assert content.count(f"@[attribute]({known})") == 2
    assert "evil.example.com" not in content
    again = owner.api.ok(f"/eventReports/extractAllFromReport/{report['id']}")
    assert again["report"]["EventReport"]["content"] == content
    assert event_of(owner.api, event)["attribute_count"] == str(len(by_value))

    elements = owner.api.view(f"/eventReports/getProxyMISPElements/{report['id']}")
    assert set(elements["attribute"]) == set(by_value.values())


def test_no_address_of_ones_own_network_is_fetched_for_a_report(owner: Member) -> None:
    event = new_event(owner)
    answer = owner.api.post(f"/eventReports/importReportFromUrl/{event['id']}", {"url": "http://127.0.0.1/"})
    assert answer.status_code == 403
    assert answer.json()["errors"]["url"] == [
        "Could not fetch report from URL: 127.0.0.1 is not on the public Internet."
    ]
    assert owner.api.post(f"/eventReports/importReportFromUrl/{event['id']}", {}).status_code == 405


# ---- Analyst data -----------------------------------------------------------------------------------


def note_on(member: Member, about: str, kind: str, **fields: Any) -> dict[str, Any]:
    body = {"note": f"Note {uuid4()}", "distribution": ALL} | fields
    return member.api.ok(f"/analyst_data/add/Note/{about}/{kind}", body)["Note"]


def test_notes_are_shown_with_what_they_are_about(owner: Member, stranger: Member) -> None:
    held = {
        "name": "domain-ip",
        "uuid": str(uuid4()),
        "distribution": INHERIT,
        "Attribute": [{"object_relation": "ip", "type": "ip-dst", "value": "198.51.100.9"}],
    }
    event = new_event(owner, Object=[held])
    report = new_report(owner, event)
    attribute = event["Attribute"][0]["uuid"]
    note_on(stranger, event["uuid"], "Event")
    note_on(stranger, attribute, "Attribute")
    note_on(stranger, held["uuid"], "Object")
    note_on(stranger, report["uuid"], "EventReport")
    seen = event_of(owner.api, event)
    for record in (seen, seen["Attribute"][0], seen["Object"][0], seen["EventReport"][0]):
        assert [n["orgc_uuid"] for n in record["Note"]] == [stranger.organisation_uuid]
    assert owner.api.view(f"/attributes/view/{attribute}")["Attribute"]["Note"]
    assert owner.api.view(f"/objects/view/{held['uuid']}")["Object"]["Note"]
    assert owner.api.view(f"/eventReports/view/{report['uuid']}")["Note"]

    for scope, about in (("attributes", attribute), ("objects", held["uuid"]), ("events", event["uuid"])):
        asked = {"returnFormat": "json", "uuid": about}
        if scope == "objects":
            asked = {"returnFormat": "json", "eventid": event["id"]}
        plain = json.dumps(owner.api.ok(f"/{scope}/restSearch", asked))
        noted = json.dumps(owner.api.ok(f"/{scope}/restSearch", asked | {"includeAnalystData": 1}))
        assert '"Note"' not in plain
        assert '"Note"' in noted


def test_a_note_never_reaches_who_does_not_see_what_it_is_about(owner: Member, stranger: Member) -> None:
    event = new_event(owner, distribution=OWN)
    note = note_on(owner, event["uuid"], "Event")
    opinion = owner.api.ok(
        f"/analyst_data/add/Opinion/{note['uuid']}/Note", {"opinion": 10, "comment": "c", "distribution": ALL}
    )["Opinion"]
    for kind, data in (("Note", note), ("Opinion", opinion), ("all", note)):
        assert stranger.api.get(f"/analyst_data/view/{kind}/{data['uuid']}").status_code == 404
        for action in ("edit", "delete"):
            assert stranger.api.post(f"/analyst_data/{action}/{kind}/{data['uuid']}").status_code == 404
    assert stranger.api.view(f"/analyst_data/index/Note/uuid[]:{note['uuid']}.json") == []
    assert note["uuid"] not in json.dumps(stranger.api.ok("/analyst_data/indexMinimal"))
    # Nor can he attach one: the event is missing to him.
    for about, kind in (
        (event["uuid"], "Event"),
        (note["uuid"], "Note"),
        (event["Attribute"][0]["uuid"], "Attribute"),
    ):
        answer = stranger.api.post(f"/analyst_data/add/Note/{about}/{kind}", {"note": "x"})
        assert answer.status_code == 404
    assert "Opinion" in owner.api.view(f"/analyst_data/view/Note/{note['uuid']}")["Note"]

    owner.api.ok(f"/events/edit/{event['id']}", {"distribution": ALL})
    assert stranger.api.view(f"/analyst_data/view/all/{note['uuid']}")["Note"]["note"] == note["note"]
    owner.api.ok(f"/events/delete/{event['id']}")
    assert stranger.api.get(f"/analyst_data/view/Note/{note['uuid']}").status_code == 404
    assert stranger.api.get(f"/analyst_data/view/Opinion/{opinion['uuid']}").status_code == 404


def test_a_note_on_a_hidden_cluster_is_hidden_and_goes_with_it(admin: Api, stranger: Member) -> None:
    galaxy = {
        "uuid": str(uuid4()),
        "name": f"Galaxy {uuid4()}",
        "type": f"reports-{uuid4()}",
        "description": "",
        "version": "1",
        "icon": "user",
        "namespace": "e2e",
    }
    cluster = {"uuid": str(uuid4()), "value": "Secret", "version": 1, "distribution": "0", "Galaxy": galaxy}
    admin.ok("/galaxies/import", [{"GalaxyCluster": cluster | {"type": galaxy["type"]}}])
    note = admin.ok(
        f"/analyst_data/add/Note/{cluster['uuid']}/GalaxyCluster", {"note": "x", "distribution": ALL}
    )
    uuid = note["Note"]["uuid"]
    assert stranger.api.get(f"/analyst_data/view/Note/{uuid}").status_code == 404
    answer = stranger.api.post(f"/analyst_data/add/Note/{cluster['uuid']}/GalaxyCluster", {"note": "x"})
    assert answer.status_code == 404
    admin.ok(f"/galaxy_clusters/delete/{cluster['uuid']}/1")
    assert admin.get(f"/analyst_data/view/Note/{uuid}").status_code == 404


def test_only_its_organisation_changes_a_note_and_a_deleted_one_stays_away(
    owner: Member, stranger: Member, admin: Api
) -> None:
    note = note_on(owner, GHOST, "Event")
    for action in ("edit", "delete"):
        answer = stranger.api.post(f"/analyst_data/{action}/Note/{note['id']}", {"note": "mine"})
        assert answer.status_code == 405
        assert answer.json()["message"] == "You are not authorised to do that."
    edited = owner.api.ok(
        f"/analyst_data/edit/Note/{note['uuid']}", {"Note": {"note": "better", "language": "fr"}}
    )
    assert (edited["Note"]["note"], edited["Note"]["language"]) == ("better", "fr")
    assert owner.api.ok(f"/analyst_data/delete/Note/{note['uuid']}")["message"] == "Note deleted."
    again = owner.api.post(f"/analyst_data/add/Note/{GHOST}/Event", {"note": "x", "uuid": note["uuid"]})
    assert again.status_code == 403
    listed = admin.view("/analystDataBlocklists/index")
    (entry,) = [e["AnalystDataBlocklist"] for e in listed if note["uuid"] in json.dumps(e)]
    assert entry["analyst_data_info"] == "better"
    assert owner.api.get("/analystDataBlocklists/index").status_code == 403
    admin.ok(f"/analystDataBlocklists/edit/{note['uuid']}", {"comment": "spam"})
    admin.ok(f"/analystDataBlocklists/delete/{note['uuid']}")
    owner.api.ok(f"/analyst_data/add/Note/{GHOST}/Event", {"note": "x", "uuid": note["uuid"]})


def test_nobody_speaks_for_another_organisation(owner: Member, stranger: Member, admin: Api) -> None:
    said = {"orgc_uuid": stranger.organisation_uuid, "Orgc": {"uuid": stranger.organisation_uuid}}
    assert note_on(owner, GHOST, "Event", **said)["orgc_uuid"] == owner.organisation_uuid
    inside = {"note": "inside", "distribution": ALL, "uuid": str(uuid4())} | said
    event = new_event(owner, Note=[inside])
    (kept,) = event_of(owner.api, event)["Note"]
    assert (kept["orgc_uuid"], kept["locked"]) == (owner.organisation_uuid, False)
    syncing = new_member(admin, SYNC_USER)
    assert note_on(syncing, GHOST, "Event", **said)["orgc_uuid"] == stranger.organisation_uuid
    reader = new_member(admin, READ_ONLY)
    assert reader.api.post(f"/analyst_data/add/Note/{GHOST}/Event", {"note": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("Note", {}, "note"),
        ("Note", {"note": "x", "distribution": 9}, "distribution"),
        ("Note", {"note": "x", "distribution": 4, "sharing_group_id": 424242}, "sharing_group_id"),
        ("Note", {"note": "x", "uuid": "nonsense"}, "uuid"),
        ("Note", {"note": "x", "uuid": GHOST}, "object_uuid"),
        ("Opinion", {"opinion": 101, "comment": "x"}, "opinion"),
        ("Opinion", {"comment": "x"}, "opinion"),
        ("Relationship", {"relationship_type": "is"}, "related_object_uuid"),
        ("Relationship", {"relationship_type": "is", "related_object_uuid": GHOST}, "related_object_uuid"),
        (
            "Relationship",
            {"relationship_type": "is", "related_object_uuid": str(uuid4()), "related_object_type": "Car"},
            "related_object_type",
        ),
    ],
)
def test_wrong_analyst_data_is_refused_by_its_field(
    owner: Member, kind: str, body: dict[str, Any], field: str
) -> None:
    answer = owner.api.post(f"/analyst_data/add/{kind}/{GHOST}/Event", body)
    assert answer.status_code == 403, answer.text
    assert list(answer.json()["errors"]) == [field]


def test_what_is_no_kind_or_no_record_is_refused(owner: Member) -> None:
    assert owner.api.get("/analyst_data/view/Rumour/1").status_code == 405
    assert owner.api.get("/analyst_data/view/Note/424242").json()["message"] == "Invalid Note."
    assert owner.api.get("/analyst_data/view/all/nonsense").status_code == 404
    answer = owner.api.post(f"/analyst_data/add/Note/{GHOST}/Server", {"note": "x"})
    assert list(answer.json()["errors"]) == ["object_type"]
    answer = owner.api.post("/analyst_data/add/Note/nonsense/Event", {"note": "x"})
    assert list(answer.json()["errors"]) == ["object_uuid"]


def test_nesting_ends_and_a_circle_harms_nobody(owner: Member, admin: Api) -> None:
    about, kind = GHOST, "Event"
    for _ in range(5):
        about, kind = note_on(owner, about, kind)["uuid"], "Note"
    answer = owner.api.post(f"/analyst_data/add/Note/{about}/Note", {"note": "x"})
    assert list(answer.json()["errors"]) == ["object_uuid"]
    one, two = str(uuid4()), str(uuid4())
    note_on(owner, two, "Note", uuid=one)
    assert owner.api.post(f"/analyst_data/add/Note/{one}/Note", {"note": "x", "uuid": two}).status_code < 500
    for uuid in (one, two):
        assert owner.api.get(f"/analyst_data/view/Note/{uuid}").status_code < 500
        assert admin.get(f"/analyst_data/view/Note/{uuid}").status_code == 200
    said: dict[str, Any] = {"note": "deep"}
    for _ in range(30):
        said = {"note": "deep", "Note": [said]}
    assert owner.api.post(f"/analyst_data/add/Note/{GHOST}/Event", said).status_code == 200


def test_a_relationship_shows_its_other_end_to_those_who_see_it(owner: Member, stranger: Member) -> None:
    open_one, hidden = new_event(owner), new_event(owner, distribution=OWN)
    said = {
        "relationship_type": "follows",
        "related_object_uuid": hidden["uuid"],
        "related_object_type": "Event",
        "distribution": ALL,
    }
    owner.api.ok(f"/analyst_data/add/Relationship/{open_one['uuid']}/Event", said)
    ours = event_of(owner.api, open_one)["Relationship"][0]
    theirs = event_of(stranger.api, open_one)["Relationship"][0]
    assert ours["related_object"]["Event"]["info"] == hidden["info"]
    assert theirs["related_object"] == []


def test_analyst_data_travels_between_servers(owner: Member, admin: Api) -> None:
    syncing = new_member(admin, SYNC_USER)
    event = new_event(owner)
    note = {
        "uuid": str(uuid4()),
        "object_uuid": event["uuid"],
        "object_type": "Event",
        "note": "first",
        "authors": "far away",
        "created": "2026-01-01 00:00:00",
        "modified": "2026-01-01 00:00:00",
        "distribution": "1",
        "locked": True,
        "Orgc": {"uuid": str(uuid4()), "name": f"Far {uuid4()}"},
        "note_type_name": "Note",
    }
    offer = {"Note": {note["uuid"]: note["modified"], GHOST: "nonsense"}, "Rumour": {}}
    wanted = syncing.api.ok("/analyst_data/filterAnalystDataForPush", offer)
    assert wanted == {"Note": {note["uuid"]: note["modified"]}, "Opinion": [], "Relationship": []}
    said = syncing.api.ok("/analyst_data/pushAnalystData", {"Note": note})
    assert said["message"].startswith("Analyst Data imported. 1 imported, 0 ignored, 0 failed.")
    kept = owner.api.view(f"/analyst_data/view/Note/{note['uuid']}")["Note"]
    assert (kept["orgc_uuid"], kept["locked"], kept["modified"]) == (
        note["Orgc"]["uuid"],
        True,
        "2026-01-01 00:00:00",
    )
    assert syncing.api.ok("/analyst_data/filterAnalystDataForPush", offer)["Note"] == []
    again = syncing.api.post("/analyst_data/pushAnalystData", {"Note": note})
    assert again.status_code == 403
    assert "0 imported, 1 ignored" in again.json()["errors"]
    newer = note | {"note": "second", "modified": "2026-01-02 00:00:00"}
    syncing.api.ok("/analyst_data/pushAnalystData", {"Note": newer})
    listed = owner.api.view(f"/analyst_data/index/Note/uuid[]:{note['uuid']}/uuid[]:{GHOST}.json")
    assert [n["Note"]["note"] for n in listed] == ["second"]
    minimal = owner.api.ok("/analyst_data/indexMinimal", {"orgc_name": [note["Orgc"]["name"]]})
    assert minimal == {"Note": {note["uuid"]: "2026-01-02 00:00:00"}}
    assert owner.api.ok("/analyst_data/indexMinimal", {"orgc_name": ["Nobody at all"]}) == []

    # What was written here is changed here alone.
    local = note_on(owner, event["uuid"], "Event")
    mine = note | {"uuid": local["uuid"], "note": "taken over", "modified": "2099-01-01 00:00:00"}
    answer = syncing.api.post("/analyst_data/pushAnalystData", {"Note": mine})
    assert answer.status_code == 403
    assert owner.api.view(f"/analyst_data/view/Note/{local['uuid']}")["Note"]["note"] == local["note"]
    assert owner.api.post("/analyst_data/pushAnalystData", {"Note": note}).status_code == 403


# ---- Event graphs -----------------------------------------------------------------------------------


def test_an_organisation_keeps_its_drawings_of_an_event(owner: Member, stranger: Member) -> None:
    event = new_event(owner)
    drawing = {"network_json": json.dumps({"nodes": []}), "network_name": "first", "preview_img": "aGk="}
    said = owner.api.ok(f"/eventGraph/add/{event['id']}", {"EventGraph": drawing})
    assert said == {"saved": True, "success": "eventGraph saved."}
    (kept,) = owner.api.view(f"/event_graph/view/{event['uuid']}")
    assert kept["EventGraph"]["network_json"] == drawing["network_json"]
    assert kept["User"]["email"] == owner.email
    number = kept["EventGraph"]["id"]
    assert owner.api.view(f"/eventGraph/view/{event['id']}/{number}") == [kept]
    assert stranger.api.view(f"/eventGraph/view/{event['id']}") == []
    assert stranger.api.post(f"/eventGraph/delete/{number}").status_code == 404
    assert stranger.api.post(f"/eventGraph/add/{event['id']}", {"EventGraph": drawing}).status_code == 403
    assert owner.api.post(f"/eventGraph/add/{event['id']}", {"network_json": "{"}).status_code == 405
    long = {"network_json": json.dumps("x" * (5 << 20))}
    assert owner.api.post(f"/eventGraph/add/{event['id']}", long).status_code in (403, 413)
    assert owner.api.ok(f"/eventGraph/delete/{number}")["success"] == "EventGraph deleted."
    assert owner.api.view(f"/eventGraph/view/{event['id']}") == []


def test_an_event_is_drawn_as_far_as_its_reader_sees_it(owner: Member, stranger: Member) -> None:
    hidden = {"type": "text", "value": "for the owner", "distribution": OWN, "uuid": str(uuid4())}
    shown = {"type": "domain", "value": "drawn.example.com", "uuid": str(uuid4()), "distribution": INHERIT}
    held = {
        "name": "domain-ip",
        "uuid": str(uuid4()),
        "distribution": INHERIT,
        "first_seen": "2026-01-01T00:00:00+00:00",
        "Attribute": [{"object_relation": "ip", "type": "ip-dst", "value": "198.51.100.9"}],
        "ObjectReference": [
            {"referenced_uuid": hidden["uuid"], "relationship_type": "hides"},
            {"referenced_uuid": shown["uuid"], "relationship_type": "shows"},
        ],
    }
    event = new_event(owner, Attribute=[hidden, shown], Object=[held])
    path = f"{event['id']}/event.json"
    for reader, edges, labels in (
        (owner, {"hides", "shows"}, {"for the owner", "drawn.example.com", ""}),
        (stranger, {"shows"}, {"drawn.example.com", ""}),
    ):
        drawn = reader.api.view(f"/events/getEventGraphReferences/{path}")
        assert {edge["type"] for edge in drawn["relations"]} == edges
        assert {node["label"] for node in drawn["items"]} == labels
        nodes = {node["id"] for node in drawn["items"]}
        assert all(edge["from"] in nodes and edge["to"] in nodes for edge in drawn["relations"])
        generic = reader.api.ok(f"/events/getEventGraphGeneric/{path}", {"keyType": "type"})
        assert {n["label"] for n in generic["items"] if n["node_type"] == "keyType"} >= {"domain", "ip-dst"}
        assert reader.api.view(f"/events/getEventGraphTags/{path}")["relations"] == []
        items = reader.api.view(f"/events/getEventTimeline/{path}")["items"]
        assert len(items) == len(labels)
        assert [i["first_seen"][:10] for i in items if i["group"] == "object"] == ["2026-01-01"]
        counts = reader.api.view(f"/events/getDistributionGraph/{path}")
        assert counts["attribute"][str(OWN)] == len(labels) - 2
        assert counts["obj_attr"][str(ALL)] == 1
    secret = new_event(owner, distribution=OWN)
    for action in (
        "getEventGraphReferences",
        "getEventGraphTags",
        "getEventGraphGeneric",
        "getEventTimeline",
        "getDistributionGraph",
    ):
        assert stranger.api.get(f"/events/{action}/{secret['id']}").status_code == 404


# ---- Bad input --------------------------------------------------------------------------------------

ODD_BODIES: list[Any] = [
    [],
    [1, "x"],
    "text",
    7,
    None,
    {"EventReport": [[]], "Note": "x", "EventGraph": []},
    {"EventReport": {"name": {"a": 1}, "content": []}, "Note": {"note": [1]}, "network_json": [[]]},
    {"name": "\u0000", "content": "\u0000", "note": "\u0000", "network_json": "\u0000"},
    {"uuids": [{}, 1, None], "orgc_name": {"a": []}, "Opinion": {"x": {}}, "distribution": "x"},
    {"Note": {"00000000-0000-4000-8000-000000000001": []}, "opinion": 1e300, "created": "9" * 40},
    {
        "note": "x",
        "modified": "not a time",
        "related_object_uuid": 5,
        "object_uuid": [],
        "sharing_group_id": {},
    },
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=lambda body: json.dumps(body)[:40])
def test_no_body_breaks_anything(owner: Member, admin: Api, body: Any) -> None:
    event = new_event(owner)
    report = new_report(owner, event)
    note = note_on(owner, event["uuid"], "Event")
    for api, path in (
        (owner.api, f"/eventReports/add/{event['id']}"),
        (owner.api, f"/eventReports/edit/{report['id']}"),
        (owner.api, "/eventReports/index"),
        (owner.api, f"/eventReports/extractAllFromReport/{report['id']}"),
        (owner.api, f"/eventReports/importReportFromUrl/{event['id']}"),
        (owner.api, f"/analyst_data/add/Note/{event['uuid']}/Event"),
        (owner.api, f"/analyst_data/add/Opinion/{event['uuid']}"),
        (owner.api, f"/analyst_data/edit/Note/{note['id']}"),
        (owner.api, "/analyst_data/index/Note"),
        (owner.api, "/analyst_data/indexMinimal"),
        (admin, "/analyst_data/filterAnalystDataForPush"),
        (admin, "/analyst_data/pushAnalystData"),
        (admin, "/analystDataBlocklists/add"),
        (owner.api, f"/eventGraph/add/{event['id']}"),
        (owner.api, f"/events/getEventGraphGeneric/{event['id']}"),
    ):
        answer = api.raw("POST", path, json.dumps(body).encode())
        assert answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:300]}"
        answer.json()
    assert owner.api.raw("POST", f"/eventReports/add/{event['id']}", b'{"name": ').status_code == 405
    assert owner.api.raw("POST", "/analyst_data/add/Note/" + GHOST + "/Event", b"{").status_code == 405
    after = event_of(owner.api, event)
    assert after["EventReport"][0]["id"] == report["id"]


@pytest.mark.parametrize("id", ["0", "-1", "nonsense", "9" * 30, GHOST, "%00", "1;drop"])
def test_no_id_breaks_anything(owner: Member, id: str) -> None:
    for path in (
        f"/eventReports/view/{id}",
        f"/eventReports/index/event_id:{id}/limit:{id}/page:{id}",
        f"/analyst_data/view/Note/{id}",
        f"/analyst_data/index/Note/uuid[]:{id}/limit:{id}/page:{id}",
        f"/analyst_data/getRelatedElement/Event/{id}",
        f"/analyst_data/getChildren/Note/{id}",
        f"/eventGraph/view/{id}/{id}",
        f"/events/getReferenceData/{id}",
    ):
        assert owner.api.get(path).status_code in (200, 404), path
