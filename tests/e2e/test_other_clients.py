"""Clients of other makers: each says what it says to a MISP, and reads what it reads there.

The clients are in `tests/clients`, one file each, with the published source of each named in it. Here they
meet a server with something in it, and what they make of its answers is looked at. Those that go through
PyMISP, those that fetch lists, and another MISP have files of their own.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from clients.elastic import ElasticAgent, Filebeat
from clients.splunk import Splunk
from clients.thehive import TheHive
from clients.wazuh import Wazuh
from harness.api import Api
from harness.instance import ADMIN_KEY, ORGANISATION, Instance
from harness.people import PUBLISHER, Member, new_member
from harness.scenes import DAY, NEW_YEAR, a_domain, a_tag, an_event, changed_at, published
from pymisp import PyMISP


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def member(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


# ---- TheHive ----------------------------------------------------------------------------------------


def test_thehive_starts_with_the_version_and_its_organisation(server: Instance) -> None:
    thehive = TheHive(server.url, ADMIN_KEY)
    assert [int(part) for part in thehive.version().split(".")][:2] == [2, 5]
    assert thehive.organisation_name() == ORGANISATION


def test_thehive_is_told_in_json_that_its_key_is_wrong(server: Instance) -> None:
    answer = TheHive(server.url, "k" * 40).connection.get("users/view/me")
    assert answer.status_code == 403
    said = answer.json()
    assert set(said) >= {"name", "message", "url"}
    assert "User" not in said
    assert said["url"] == "/users/view/me"


def test_thehive_lists_the_events_changed_since_its_last_look(server: Instance, admin: Api) -> None:
    wanted, unwanted, hidden = a_tag(admin), a_tag(admin), a_tag(admin, exportable=False)
    first = an_event(admin, a_domain(), tag=wanted)
    second = an_event(admin, a_domain(), a_domain(), Tag=[{"name": wanted}, {"name": hidden}])
    an_event(admin, a_domain(), Tag=[{"name": wanted}, {"name": unwanted}])
    thehive = TheHive(server.url, ADMIN_KEY)

    found = {event.id: event for event in thehive.search_events(tags=[wanted, f"!{unwanted}"])}
    assert set(found) == {first["id"], second["id"]}
    event = found[second["id"]]
    assert (event.info, event.org, event.orgc) == (second["info"], ORGANISATION, ORGANISATION)
    assert (event.published, event.published_at, event.attribute_count) == (False, 0, 2)
    assert event.distribution == 1
    assert [tag.name for tag in event.tags] == [wanted], "a list has only the tags that may leave"
    assert {tag.colour for tag in event.tags} == {"#112233"}

    moment = int(first["timestamp"])
    assert first["id"] in {e.id for e in thehive.search_events(since=moment - 1, tags=[wanted])}
    assert thehive.search_events(since=moment + 10 * DAY, tags=[wanted]) == []


def test_thehive_lists_the_events_of_the_organisations_it_trusts(
    server: Instance, admin: Api, member: Member
) -> None:
    tag = a_tag(admin)
    ours, theirs = an_event(admin, a_domain(), tag=tag), an_event(member.api, a_domain(), tag=tag)
    name = admin.view(f"/organisations/view/{member.organisation_id}")["Organisation"]["name"]
    thehive = TheHive(server.url, ADMIN_KEY)
    assert [e.id for e in thehive.search_events(tags=[tag], organisations=[name])] == [theirs["id"]]
    assert [e.id for e in thehive.search_events(tags=[tag], organisations=[f"!{name}"])] == [ours["id"]]


def test_thehive_takes_the_attributes_of_an_event_with_their_files(server: Instance, admin: Api) -> None:
    thehive = TheHive(server.url, ADMIN_KEY)
    note = {"type": "attachment", "value": "a note.txt", "data": "bm90ZQ==", "category": "External analysis"}
    domain = {"type": "domain", "value": a_domain(), "first_seen": "2026-01-02T03:04:05.000000+00:00"}
    event = an_event(admin, Attribute=[note, domain | {"Tag": [{"name": a_tag(admin)}]}])

    found = {attribute.kind: (attribute, file) for attribute, file in thehive.search_attributes(event["id"])}
    assert set(found) == {"attachment", "domain"}
    attribute, file = found["attachment"]
    assert file is not None
    assert (file[0], file[2]) == ("a note.txt", b"note")
    attribute, file = found["domain"]
    assert file is None
    assert (attribute.event_id, attribute.deleted, len(attribute.tags)) == (event["id"], False, 1)
    assert attribute.distribution == 5

    assert thehive.search_attributes(event["id"], since=attribute.timestamp + DAY) == []
    assert thehive.search_attributes(event["id"], deleted_only=True) == []
    admin.ok(f"/attributes/delete/{attribute.id}")
    gone = thehive.search_attributes(event["id"], deleted_only=True)
    assert [(a.value, a.deleted) for a, _ in gone] == [(attribute.value, True)]


def test_thehive_exports_a_case_with_its_files(server: Instance, admin: Api) -> None:
    thehive = TheHive(server.url, ADMIN_KEY)
    extended = an_event(admin)
    domain, tag = a_domain(), f"client:{uuid4()}"
    attributes = [
        {
            "category": "Network activity",
            "type": "domain",
            "value": domain,
            "comment": "of a case",
            "Tag": [{"name": tag}],
        }
    ]
    tags = [{"name": "tlp:amber", "colour": "#ffc000"}]
    content = f"not a virus {uuid4()}".encode()
    made = thehive.create_event("A case", "2026-03-04", attributes, tags, None, {"a.exe": content})

    event = admin.view(f"/events/view/{made}")["Event"]
    assert (event["info"], event["date"], event["published"]) == ("A case", "2026-03-04", False)
    assert (event["distribution"], event["extends_uuid"]) == ("0", "")
    assert [one["name"] for one in event["Tag"]] == ["tlp:amber"]
    (one,) = event["Attribute"]
    assert (one["value"], one["comment"], [t["name"] for t in one["Tag"]]) == (domain, "of a case", [tag])
    held = [one for o in event["Object"] for one in o["Attribute"] if one["type"] == "malware-sample"]
    _, kind, sealed = thehive.download(held[0]["id"])
    assert kind != "application/json"
    with zipfile.ZipFile(io.BytesIO(sealed)) as archive:
        assert content in [archive.read(name, pwd=b"infected") for name in archive.namelist()]

    more = thehive.create_event("More of it", "2026-03-04", [], tags, extended["uuid"])
    assert admin.view(f"/events/view/{more}")["Event"]["extends_uuid"] == extended["uuid"]


# ---- Elastic ----------------------------------------------------------------------------------------


def test_elastic_pages_through_attributes_in_the_order_of_their_changes(server: Instance, admin: Api) -> None:
    moment = NEW_YEAR + 100 * DAY
    domains = [a_domain() for _ in range(5)]
    event = changed_at(admin, moment, *domains)
    agent = ElasticAgent(server.url, ADMIN_KEY, moment, {"eventid": event["id"]})

    assert [one["value"] for one in agent.attributes(limit=2)] == domains
    assert agent.pages == 4, "two, two, one and the empty one that ends it"
    assert agent.cursor == str(moment + 4)
    assert [one["value"] for one in agent.attributes(limit=2)] == domains[-1:], "its cursor is inclusive"

    late = a_domain()
    body = {"type": "domain", "value": late, "timestamp": str(moment + 9)}
    admin.ok(f"/attributes/add/{event['id']}", body)
    assert [one["value"] for one in agent.attributes(limit=2)] == [domains[-1], late]


def test_elastic_pages_through_events_and_begins_again_where_it_stopped(server: Instance, admin: Api) -> None:
    moment, tag = NEW_YEAR + 200 * DAY, a_tag(admin)
    events = [changed_at(admin, moment + n, a_domain(), Tag=[{"name": tag}]) for n in range(12)]
    agent = ElasticAgent(server.url, ADMIN_KEY, moment, {"tags": tag})

    assert [one["uuid"] for one in agent.events()] == [event["uuid"] for event in events]
    assert agent.pages == 3, "ten, two and the empty one"
    assert agent.cursor == str(moment + 11)
    assert [one["uuid"] for one in agent.events()] == [events[-1]["uuid"]]


def test_filebeat_begins_with_a_date_as_unix_writes_it(server: Instance, admin: Api) -> None:
    moment, tag = NEW_YEAR + 300 * DAY, a_tag(admin)
    changed_at(admin, moment - 5, a_domain(), Tag=[{"name": tag}])
    new = changed_at(admin, moment + 5, a_domain(), Tag=[{"name": tag}])
    found = Filebeat(server.url, ADMIN_KEY).first_interval(moment, {"tags": [tag]})
    assert [event["uuid"] for event in found] == [new["uuid"]]


# ---- Splunk -----------------------------------------------------------------------------------------


def test_splunk_gets_indicators_by_tags_and_without_tags(server: Instance, admin: Api) -> None:
    wanted, unwanted = a_tag(admin), a_tag(admin)
    good = [a_domain() for _ in range(3)]
    an_event(admin, *good, tag=wanted)
    an_event(admin, a_domain(), Tag=[{"name": wanted}, {"name": unwanted}])
    rows = Splunk(server.url, ADMIN_KEY).mispgetioc(limit=2, last="1d", tags=wanted, not_tags=unwanted)
    assert rows == [], "`last` asks when an event was published, and none was"

    rows = Splunk(server.url, ADMIN_KEY).mispgetioc(limit=2, timestamp="1d", tags=wanted, not_tags=unwanted)
    assert sorted(row["misp_value"] for row in rows) == sorted(good)
    assert all(row["misp_tag"] == [wanted] for row in rows), "the tags of the event are given with each"


def test_splunk_tells_apart_when_something_was_published_changed_and_dated(
    server: Instance, admin: Api
) -> None:
    tag, moment = a_tag(admin), NEW_YEAR + 20 * DAY
    event = changed_at(admin, moment, a_domain(), Tag=[{"name": tag}], date="2026-02-03")
    splunk = Splunk(server.url, ADMIN_KEY)
    assert splunk.mispgetioc(last="1d", tags=tag) == []
    assert len(splunk.mispgetioc(timestamp=str(moment), tags=tag)) == 1
    assert splunk.mispgetioc(timestamp=str(moment + 1), tags=tag) == []
    assert len(splunk.mispgetioc(timestamp=[str(moment - 9), str(moment + 9)], tags=tag)) == 1

    assert len(splunk.mispgetevent(date="2026-02-03", tags=tag)) == 1
    assert len(splunk.mispgetevent(date="2026-01-31", tags=tag)) == 1, "a single day is the first of them"
    assert splunk.mispgetevent(date="2026-02-04", tags=tag) == []
    assert len(splunk.mispgetevent(date=["2026-02-01", "2026-02-05"], tags=tag)) == 1
    assert splunk.mispgetevent(date=["2026-02-04", "2026-02-05"], tags=tag) == []
    assert len(splunk.mispgetioc(date="2026-02-04", tags=tag)) == 1, "no filter of attributes in a MISP"

    admin.ok(f"/events/publish/{event['id']}")
    assert len(splunk.mispgetioc(last="1d", tags=tag)) == 1
    assert len(splunk.mispgetioc(publish_timestamp="1h", tags=tag)) == 1


def test_splunk_gets_indicators_by_lists_of_types_events_and_categories(server: Instance, admin: Api) -> None:
    address = {"type": "ip-dst", "value": "198.51.100.77", "to_ids": True}
    first = an_event(admin, Attribute=[address, {"type": "domain", "value": a_domain(), "to_ids": False}])
    second = an_event(admin, Attribute=[{"type": "text", "value": "words", "category": "Other"}])
    splunk = Splunk(server.url, ADMIN_KEY)
    events = {"OR": [first["id"], second["id"]]}
    assert len(splunk.mispgetioc(eventid=events)) == 3
    assert len(splunk.mispgetioc(eventid=events, type="ip-dst,text")) == 2
    assert len(splunk.mispgetioc(eventid=events, type="domain")) == 1
    assert len(splunk.mispgetioc(eventid=events, category="Network activity,Payload delivery")) == 2
    assert len(splunk.mispgetioc(eventid=events, to_ids=True)) == 1
    assert len(splunk.mispgetioc(eventid=first["uuid"], to_ids=False)) == 1


def test_splunk_reports_sightings_and_counts_them(server: Instance, admin: Api) -> None:
    domain, moment = a_domain(), NEW_YEAR + DAY
    event = an_event(admin, domain)
    splunk = Splunk(server.url, ADMIN_KEY)
    splunk.alert_sighting_by_value([domain, a_domain()], moment, "a search")
    (row,) = splunk.mispsearch(domain)
    splunk.alert_sighting_by_uuid(row["misp_attribute_uuid"], moment + 60, "another search")
    splunk.alert_sighting_by_uuid(row["misp_attribute_uuid"], moment, "it was wrong", kind="1")

    (row,) = splunk.mispsearch(domain)
    assert (row["misp_sight_t0_count"], row["misp_sight_t0_last"]) == (2, moment + 60)
    assert row["misp_event_id"] == event["id"]
    assert splunk.mispsearch(a_domain()) == []
    assert splunk.mispgetattribute(row["misp_attribute_uuid"])["value"] == domain


def test_splunk_makes_an_event_of_an_alert_and_adds_to_it(server: Instance, admin: Api) -> None:
    splunk = Splunk(server.url, ADMIN_KEY)
    domain, tags = a_domain(), ["tlp:green", "PAP:AMBER"]
    rows = [
        {"misp_ip_dst": "203.0.113.5", "misp_comment": "alert"},
        {"no_domain": domain, "no_ip": "192.0.2.1"},
    ]
    event = splunk.alert_create_event("An alert", "2026-05-06", tags, rows)
    assert [tag["name"] for tag in event["Tag"]] == tags
    admin.ok(f"/events/publish/{event['id']}")
    (seen,) = splunk.mispgetevent(eventid=event["id"])
    assert (seen["published"], seen["misp_tag"], seen["attribute_count"]) == (True, tags, "3")
    assert "Attribute" not in seen

    edited = splunk.alert_edit_event(event["uuid"], [{"misp_domain": a_domain()}])
    assert (edited["published"], edited["info"]) == (False, "An alert")
    (seen,) = splunk.mispgetevent(eventid=event["id"], getioc=True)
    assert seen["published"] is False, "an edit takes back what was published"
    assert [one["type"] for one in seen["Attribute"]] == ["ip-dst", "domain"]
    (held,) = seen["Object"]
    assert [one["value"] for one in held["attributes"]] == [domain, "192.0.2.1"]


def test_splunk_says_in_a_list_of_one_what_is_to_be_detected(server: Instance, admin: Api) -> None:
    rows = [{"misp_domain": a_domain(), "misp_to_ids": "True"}]
    event = Splunk(server.url, ADMIN_KEY).alert_create_event("An alert", "2026-05-06", ["tlp:green"], rows)
    assert [one["to_ids"] for one in event["Attribute"]] == [True]


def test_splunk_gets_events_by_whether_they_are_published(server: Instance, admin: Api) -> None:
    tag = a_tag(admin)
    drafts, public = an_event(admin, a_domain(), tag=tag), published(admin, a_domain(), tag=tag)
    splunk = Splunk(server.url, ADMIN_KEY)

    def found(**more: Any) -> list[str]:
        return [event["id"] for event in splunk.mispgetevent(tags=tag, **more)]

    assert found() == [drafts["id"], public["id"]]
    for yes in (True, 1, "1"):
        assert found(published=yes) == [public["id"]]
    for no in (False, 0, "0"):
        assert found(published=no) == [drafts["id"]]
    assert found(published=[0, 1]) == [drafts["id"], public["id"]]


def test_splunk_can_leave_out_local_tags(server: Instance, admin: Api) -> None:
    event, shared, local = an_event(admin, a_domain()), a_tag(admin), a_tag(admin)
    admin.ok("/tags/attachTagToObject", {"uuid": event["uuid"], "tag": shared, "local": False})
    admin.ok("/tags/attachTagToObject", {"uuid": event["uuid"], "tag": local, "local": True})
    splunk = Splunk(server.url, ADMIN_KEY)
    assert splunk.mispgetevent(eventid=event["id"])[0]["misp_tag"] == [shared, local]
    (seen,) = splunk.mispgetevent(eventid=event["id"], excludeLocalTags=True)
    assert seen["misp_tag"] == [shared]


# ---- Wazuh ------------------------------------------------------------------------------------------


def test_wazuh_asks_for_a_value_in_the_address(server: Instance, admin: Api) -> None:
    digest = uuid4().hex * 2
    attribute = {"type": "sha256", "value": digest, "comment": "a dropper", "category": "Payload delivery"}
    event = an_event(admin, Attribute=[attribute], threat_level_id=1)
    wazuh = Wazuh(server.url, ADMIN_KEY)
    expected = {
        "event_id": event["id"],
        "category": "Payload delivery",
        "value": digest,
        "type": "sha256",
        "comment": "a dropper",
        "event": int(event["id"]),
    }
    assert wazuh.by_address(digest) == wazuh.by_body(digest) == expected
    assert wazuh.threat_level(event["id"]) == "1"
    assert wazuh.by_address("0" * 64) is wazuh.by_body("0" * 64) is None


def test_wazuh_asks_for_addresses_and_urls_too(server: Instance, admin: Api) -> None:
    url = f"http://{a_domain()}/a?b=c"
    values = {"ip-src": "2001:db8::77", "domain": a_domain(), "url": url}
    an_event(admin, Attribute=[{"type": kind, "value": value} for kind, value in values.items()])
    wazuh = Wazuh(server.url, ADMIN_KEY)
    for kind in ("ip-src", "domain"):
        found = wazuh.by_address(values[kind])
        assert found is not None
        assert (found["type"], found["value"]) == (kind, values[kind])
    found = wazuh.by_body(url)
    assert found is not None
    assert found["value"] == url


# ---- What several of them rely on -------------------------------------------------------------------


def test_addresses_are_spelt_in_several_ways(server: Instance, admin: Api) -> None:
    domain = a_domain()
    event = an_event(admin, domain)
    same = [
        admin.view(f"/events/{path}")["Event"]["uuid"]
        for path in (event["id"], f"view/{event['id']}", f"view/{event['uuid']}.json", f"{event['id']}.json")
    ]
    assert set(same) == {event["uuid"]}
    for path in (
        "attributes/restSearch",
        "attributes/restSearch.json",
        "attributes/rest_search",
        "attributes/restSearch/json",
    ):
        answer = admin.post(f"/{path}", {"value": domain})
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert len(answer.json()["response"]["Attribute"]) == 1, path
    for path in ("servers/getVersion", "servers/getVersion.json", "servers/getPyMISPVersion.json"):
        assert isinstance(admin.view(f"/{path}")["version"], str), path
    for path in ("event_reports/index", "eventReports/index", "eventReports/index.json"):
        assert isinstance(admin.view(f"/{path}"), list), path


def test_a_search_says_how_much_it_found(admin: Api) -> None:
    event = an_event(admin, a_domain(), a_domain(), a_domain())
    answer = admin.post("/attributes/restSearch", {"eventid": event["id"], "limit": 2})
    assert len(answer.json()["response"]["Attribute"]) == 2
    assert answer.headers["X-Result-Count"] == "3"
    assert answer.headers["X-Skipped-Elements-Count"] == "0"
    answer = admin.post("/events/index", {"eventid": event["id"]})
    assert isinstance(answer.json(), list)
    assert answer.headers["X-Result-Count"] == "1"


def test_bodies_may_be_wrapped_in_request(admin: Api) -> None:
    domain = a_domain()
    event = an_event(admin, domain)
    for path in ("/events/restSearch", "/attributes/restSearch"):
        assert admin.ok(path, {"request": {"value": domain}}) == admin.ok(path, {"value": domain})
    assert [
        one["Event"]["id"]
        for one in admin.ok("/events/restSearch", {"request": {"value": domain}})["response"]
    ] == [event["id"]]
    added = admin.ok(f"/attributes/add/{event['id']}", {"request": {"type": "domain", "value": a_domain()}})
    assert added["Attribute"]["event_id"] == event["id"]


def test_faults_are_told_in_the_words_that_clients_look_for(server: Instance, admin: Api) -> None:
    answer = admin.get("/events/view/99999999")
    assert answer.status_code == 404
    assert {"name", "message", "url"} <= set(answer.json())
    answer = admin.post("/events/add", {"distribution": 1})
    assert answer.status_code in (403, 400)
    said = answer.json()
    assert said["saved"] is False
    assert "info" in said["errors"]["Event"]
    refused: Any = PyMISP(server.url, ADMIN_KEY, ssl=False).get_event(99_999_999)
    assert refused["errors"][0] == 404
