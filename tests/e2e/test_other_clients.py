"""Clients of other makers than PyMISP: each says what it says to a MISP, and reads what it reads there.

The clients are in `tests/clients`, one file each, with the published source of each named in it. Here they
meet a server with something in it, and what they make of its answers is looked at.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from clients.cortex import analyse
from clients.elastic import ElasticAgent, Filebeat
from clients.intelmq import Collector, Output, expert
from clients.jobs import WGET, Job, rules, zeek_intel
from clients.misp_sync import OtherMisp
from clients.opencti import OpenCti, check
from clients.splunk import Splunk
from clients.thehive import TheHive
from clients.wazuh import Wazuh
from clients.zeek import ZeekJs
from harness.api import Api
from harness.instance import ADMIN_KEY, ORGANISATION, Instance
from harness.people import PUBLISHER, SYNC_USER, Member, new_member
from pymisp import PyMISP

# Moments of changes that tests choose: every test takes its own, so that searches by time meet only them.
SPRING = 1_767_225_600
DAY = 86_400


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def member(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


def a_tag(api: Api, exportable: bool = True) -> str:
    name = f"client:{uuid4()}"
    api.ok("/tags/add", {"name": name, "colour": "#112233", "exportable": exportable})
    return name


def a_domain() -> str:
    return f"{uuid4()}.example"


def an_event(api: Api, *values: str, tag: str | None = None, **more: Any) -> dict[str, Any]:
    """An event of domains that are to be detected."""
    attributes = [{"type": "domain", "value": value, "to_ids": True} for value in values]
    body = {"info": f"Seen by clients {uuid4()}", "distribution": 1, "Attribute": attributes, **more}
    if tag:
        body["Tag"] = [{"name": tag}]
    return api.ok("/events/add", body)["Event"]


def published(api: Api, *values: str, tag: str | None = None, **more: Any) -> dict[str, Any]:
    event = an_event(api, *values, tag=tag, **more)
    api.ok(f"/events/publish/{event['id']}")
    return event


def changed_at(api: Api, moment: int, *values: str, **more: Any) -> dict[str, Any]:
    """An event whose attributes were changed one second after the other, from this moment on."""
    attributes = [
        {"type": "domain", "value": value, "to_ids": True, "timestamp": str(moment + number)}
        for number, value in enumerate(values)
    ]
    last = str(moment + max(len(values) - 1, 0))
    body = {"info": f"Changed {uuid4()}", "distribution": 1, "timestamp": last, "Attribute": attributes}
    return api.ok("/events/add", body | more)["Event"]


# ---- TheHive ------------------------------------------------------------------------------------------


def test_thehive_starts_with_the_version_and_its_organisation(server: Instance) -> None:
    thehive = TheHive(server.url, ADMIN_KEY)
    assert [int(part) for part in thehive.version().split(".")][:2] == [2, 5]
    assert thehive.organisation_name() == ORGANISATION


def test_thehive_takes_a_key_that_is_wrong_for_a_server_that_is_not_there(server: Instance) -> None:
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


# ---- Elastic ------------------------------------------------------------------------------------------


def test_elastic_pages_through_attributes_in_the_order_of_their_changes(server: Instance, admin: Api) -> None:
    moment = SPRING + 100 * DAY
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
    moment, tag = SPRING + 200 * DAY, a_tag(admin)
    events = [changed_at(admin, moment + n, a_domain(), Tag=[{"name": tag}]) for n in range(12)]
    agent = ElasticAgent(server.url, ADMIN_KEY, moment, {"tags": tag})

    assert [one["uuid"] for one in agent.events()] == [event["uuid"] for event in events]
    assert agent.pages == 3, "ten, two and the empty one"
    assert agent.cursor == str(moment + 11)
    assert [one["uuid"] for one in agent.events()] == [events[-1]["uuid"]]


def test_filebeat_begins_with_a_date_as_unix_writes_it(server: Instance, admin: Api) -> None:
    moment, tag = SPRING + 300 * DAY, a_tag(admin)
    changed_at(admin, moment - 5, a_domain(), Tag=[{"name": tag}])
    new = changed_at(admin, moment + 5, a_domain(), Tag=[{"name": tag}])
    found = Filebeat(server.url, ADMIN_KEY).first_interval(moment, {"tags": [tag]})
    assert [event["uuid"] for event in found] == [new["uuid"]]


# ---- Splunk -------------------------------------------------------------------------------------------


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
    tag, moment = a_tag(admin), SPRING + 20 * DAY
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
    domain, moment = a_domain(), SPRING + DAY
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


# ---- Wazuh --------------------------------------------------------------------------------------------


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


# ---- IntelMQ ------------------------------------------------------------------------------------------


def test_intelmq_collects_events_once_by_moving_a_tag(server: Instance, admin: Api) -> None:
    to_process, processed = a_tag(admin), f"client:{uuid4()}"
    domains = [a_domain(), a_domain()]
    for domain in domains:
        an_event(admin, domain, tag=to_process)
    collector = Collector(server.url, ADMIN_KEY, to_process, processed)
    reports = [json.loads(report) for report in collector.process()]
    assert [report["Attribute"][0]["value"] for report in reports] == domains
    assert collector.process() == []
    again = Collector(server.url, ADMIN_KEY, processed, None)
    assert len(again.process()) == 2


def test_intelmq_looks_up_where_an_address_is_known_from(server: Instance, admin: Api) -> None:
    event = an_event(admin, Attribute=[{"type": "ip-src", "value": "203.0.113.199"}])
    found = expert(server.url, ADMIN_KEY, "203.0.113.199")
    expected = {"misp.attribute_uuid": event["Attribute"][0]["uuid"], "misp.event_uuid": event["uuid"]}
    assert found == expected
    assert expert(server.url, ADMIN_KEY, "203.0.113.198") == {}


INTELMQ_EVENT = {
    "name": "intelmq_event",
    "meta-category": "network",
    "template_uuid": "2a9f4d3e-4c5a-4b8d-9c0e-4d0b0d0b8f0e",
    "template_version": "1",
}


def message() -> dict[str, str]:
    return {
        "feed.provider": "A provider",
        "feed.name": "A feed",
        "source.fqdn": a_domain(),
        "source.ip": "192.0.2.99",
        "source.asn": "64500",
        "extra.nothing": "not in the template",
    }


def test_intelmq_puts_out_one_event_for_what_is_significant(server: Instance, admin: Api) -> None:
    tag, sent = f"intelmq:{uuid4()}", message()
    output = Output(server.url, ADMIN_KEY, tag, ["source.fqdn", "source.ip"])
    made = output.process(sent)
    assert made is not None
    event = admin.view(f"/events/view/{made.uuid}")["Event"]
    assert event["published"] is True
    assert [one["name"] for one in event["Tag"]] == [
        tag,
        'IntelMQ:feed.provider="A provider"',
        'IntelMQ:feed.name="A feed"',
    ]
    (held,) = event["Object"]
    values = {one["object_relation"]: one for one in held["Attribute"]}
    assert set(values) == set(sent) - {"extra.nothing"}
    assert values["source.ip"]["disable_correlation"] is False
    assert values["source.asn"]["disable_correlation"] is True

    assert output.process(sent) is None
    assert len(admin.view(f"/events/view/{made.uuid}")["Event"]["Object"]) == 1
    other = output.process(sent | {"source.ip": "192.0.2.98"})
    assert other is not None
    assert other.uuid != made.uuid, "all significant values have to be in one event"


def test_intelmq_makes_a_known_event_younger(server: Instance, admin: Api) -> None:
    tag, sent = f"intelmq:{uuid4()}", message()
    kinds = {"feed.provider": "text", "source.fqdn": "domain", "source.ip": "ip-src"}
    attributes = [
        {"type": kind, "object_relation": relation, "value": sent[relation], "timestamp": str(SPRING)}
        for relation, kind in kinds.items()
    ]
    held = INTELMQ_EVENT | {"timestamp": str(SPRING), "Attribute": attributes}
    event = an_event(admin, Object=[held], Tag=[{"name": tag}], timestamp=str(SPRING))
    assert event["timestamp"] == str(SPRING)
    assert Output(server.url, ADMIN_KEY, tag, ["source.fqdn", "source.ip"]).process(sent) is None
    younger = admin.view(f"/events/view/{event['uuid']}")["Event"]
    assert int(younger["timestamp"]) > SPRING
    assert younger["Object"][0]["Attribute"] == event["Object"][0]["Attribute"], "nothing else has changed"


# ---- Cortex -------------------------------------------------------------------------------------------


def test_cortex_reports_the_events_that_know_a_value(server: Instance, admin: Api) -> None:
    digest, domain, tag = uuid4().hex, a_domain(), a_tag(admin)
    first = an_event(admin, domain, tag=tag, threat_level_id=4)
    file = {"type": "filename|md5", "value": f"a.exe|{digest}"}
    second = an_event(admin, Attribute=[file, {"type": "domain", "value": domain}])

    (only,) = analyse(server.url, ADMIN_KEY, "hash", digest)
    assert (only["id"], only["info"]) == (second["id"], second["info"])
    found = analyse(server.url, ADMIN_KEY, "url", domain)
    assert [one["id"] for one in found] == [first["id"], second["id"]]
    assert found[0]["tags"] == [tag]
    assert found[0]["threat_level_id"] == "4"
    assert analyse(server.url, ADMIN_KEY, "ip", domain) == []
    assert len(analyse(server.url, ADMIN_KEY, "other", domain)) == 2


# ---- OpenCTI ------------------------------------------------------------------------------------------


def test_opencti_pages_through_events_in_the_order_it_asks_for(server: Instance, admin: Api) -> None:
    tag, moment = a_tag(admin), SPRING + 40 * DAY
    unordered = [changed_at(admin, moment + n, a_domain(), Tag=[{"name": tag}]) for n in (30, 10, 20, 0, 40)]
    expected = [event["id"] for event in sorted(unordered, key=lambda e: int(e["timestamp"]))]
    opencti = OpenCti(server.url, ADMIN_KEY, page_size=2)
    since = datetime.fromtimestamp(moment, UTC)
    found = [event["id"] for event in opencti.search_events("timestamp", since, "timestamp", tags=[tag])]
    assert found == expected
    assert opencti.pages == 4
    since += timedelta(seconds=20)
    found = [event["id"] for event in opencti.search_events("timestamp", since, "timestamp", tags=[tag])]
    assert found == expected[2:]


def test_opencti_chooses_by_tags_creators_dates_and_words(
    server: Instance, admin: Api, member: Member
) -> None:
    wanted, unwanted, word = a_tag(admin), a_tag(admin), f"word{uuid4().hex}"
    ours = an_event(admin, a_domain(), tag=wanted, date="2026-04-05")
    theirs = published(member.api, a_domain(), tag=wanted, info=f"About {word}", date="2026-04-15")
    an_event(admin, a_domain(), Tag=[{"name": wanted}, {"name": unwanted}])
    name = admin.view(f"/organisations/view/{member.organisation_id}")["Organisation"]["name"]
    opencti = OpenCti(server.url, ADMIN_KEY)

    def found(
        field: str = "date_from", since: datetime = datetime(2026, 1, 1, tzinfo=UTC), **more: Any
    ) -> Any:
        order = "date" if field == "date_from" else field
        asked = {"tags": [wanted], "not_tags": [unwanted]} | more
        return [event["id"] for event in opencti.search_events(field, since, order, **asked)]

    assert found() == [ours["id"], theirs["id"]]
    assert found(since=datetime(2026, 4, 10, tzinfo=UTC)) == [theirs["id"]]
    assert found("publish_timestamp") == [theirs["id"]], "what was never published has no such moment"
    assert found(organisations=[name]) == [theirs["id"]]
    assert found(not_organisations=[name]) == [ours["id"]]
    assert found(keyword=f"%{word}%") == [theirs["id"]]


def test_opencti_finds_nothing_malformed_in_an_event_with_everything(server: Instance, admin: Api) -> None:
    tag, local = a_tag(admin), a_tag(admin)
    note = {"type": "attachment", "value": "note.txt", "data": "bm90ZQ==", "category": "External analysis"}
    seen = {"first_seen": "2026-01-02T03:04:05Z", "last_seen": "2026-01-03T03:04:05Z"}
    domain = {"type": "domain", "value": a_domain(), "Tag": [{"name": tag}], **seen}
    held = {
        "name": "domain-ip",
        "template_uuid": "43b3b146-77eb-4931-b4cc-b66c60f28734",
        "template_version": "11",
        "meta-category": "network",
        "Attribute": [{"type": "domain", "object_relation": "domain", "value": domain["value"]}],
    }
    event = an_event(admin, Attribute=[note, domain], Object=[held], Tag=[{"name": tag}], distribution=1)
    admin.ok("/tags/attachTagToObject", {"uuid": event["uuid"], "tag": local, "local": True})
    reference = {
        "object_uuid": event["Object"][0]["uuid"],
        "referenced_uuid": event["Attribute"][1]["uuid"],
        "relationship_type": "related-to",
    }
    admin.ok(f"/objectReferences/add/{event['Object'][0]['uuid']}", reference)
    admin.ok(f"/eventReports/add/{event['id']}", {"name": "A report", "content": "words"})
    other = new_member(admin, PUBLISHER)
    other.api.ok(f"/shadow_attributes/add/{event['id']}", {"type": "domain", "value": a_domain()})
    an_event(admin, str(domain["value"]))

    since = datetime(2026, 1, 1, tzinfo=UTC)
    found = OpenCti(server.url, ADMIN_KEY).search_events(
        "date_from", since, "timestamp", tags=[tag], with_attachments=True
    )
    (seen_event,) = list(found)
    assert {one["type"]: one.get("data") for one in seen_event["Attribute"]}["attachment"] == "bm90ZQ=="
    assert len(seen_event["Object"][0]["ObjectReference"]) == 1
    for key in ("EventReport", "ShadowAttribute", "Tag"):
        assert seen_event[key], f"{key} was to be looked at"
    viewed = admin.view(f"/events/view/{event['id']}")["Event"]
    assert viewed["RelatedEvent"]
    check("Event", viewed)
    assert {one["name"]: one["local"] for one in seen_event["Tag"]} == {tag: False, local: True}


# ---- Zeek ---------------------------------------------------------------------------------------------


def test_zeek_loads_intelligence_and_reports_what_it_saw(server: Instance, admin: Api) -> None:
    domain, tag = a_domain(), a_tag(admin)
    attributes = [
        {"type": "domain", "value": domain, "to_ids": True},
        {"type": "url", "value": f"https://{domain}/x", "to_ids": True},
        {"type": "ip-dst|port", "value": "198.51.100.9|8080", "to_ids": True},
        {"type": "yara", "value": "rule a { condition: true }", "to_ids": True},
        {"type": "text", "value": "words"},
    ]
    event = an_event(admin, Attribute=attributes, Tag=[{"name": tag}])
    zeek = ZeekJs(server.url, ADMIN_KEY)
    found = zeek.fixed_event(event["id"])
    assert {value: kind for value, (kind, _) in found.items()} == {
        domain: "Intel::DOMAIN",
        f"{domain}/x": "Intel::URL",
        "198.51.100.9": "Intel::ADDR",
    }
    assert set(zeek.across_events([tag], int(event["timestamp"]) - DAY)) == set(found)
    assert zeek.across_events([tag], int(event["timestamp"]) + 10 * DAY) == {}

    uuid = found[domain][1]
    sighting = zeek.matched(uuid)
    assert (sighting["type"], sighting["event_id"]) == ("0", event["id"])
    zeek.seen([domain])
    held = admin.ok("/sightings/restSearch/attribute", {"uuid": uuid, "last": "1d"})["response"]
    assert len(held) == 2


# ---- Scheduled jobs -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listed(admin: Api) -> dict[str, Any]:
    """A published event of everything that goes into lists, with a tag of its own."""
    tag = f"client:list-{uuid4()}"
    values = {
        "domain": a_domain(),
        "ip-dst": "198.51.100.201",
        "url": f"http://{a_domain()}/p",
        "md5": uuid4().hex,
    }
    attributes = [{"type": kind, "value": value, "to_ids": True} for kind, value in values.items()]
    attributes.append({"type": "domain", "value": a_domain(), "to_ids": False})
    event = published(admin, Attribute=attributes, Tag=[{"name": tag}])
    draft = a_domain()
    an_event(admin, draft, tag=tag)
    return {"id": event["id"], "tag": tag, "draft": draft, "quiet": attributes[-1]["value"], **values}


def test_a_firewall_reads_a_plain_list(server: Instance, listed: dict[str, Any]) -> None:
    job = Job(server.url, ADMIN_KEY)
    path = f"attributes/restSearch/returnFormat:text/type:domain/tags:{listed['tag']}"
    assert job.lines(path) == [listed["domain"]], "what is published and to be detected"
    everything = {listed["domain"], listed["quiet"], listed["draft"]}
    assert set(job.lines(f"{path}/to_ids:0||1/published:0||1")) == everything
    assert set(job.lines(f"{path}/ignore:1")) == everything
    assert set(job.lines(f"{path}/published:0||1")) == {listed["domain"], listed["draft"]}
    assert set(job.lines(f"{path}.json")) == set(job.lines(path)), "as MISP's own pages link it"
    both = f"attributes/restSearch/returnFormat:text/type:ip-dst||md5/eventid:{listed['id']}"
    assert set(job.lines(both)) == {listed["ip-dst"], listed["md5"]}
    but = f"attributes/restSearch/returnFormat:text/eventid:{listed['id']}/type:!domain||!url"
    assert set(job.lines(but)) == {listed["ip-dst"], listed["md5"]}
    some = f"attributes/restSearch/returnFormat:text/type:domain/tags:{listed['tag'][:-6]}%25"
    assert job.lines(some) == [listed["domain"]]
    none = f"attributes/restSearch/returnFormat:text/type:domain/tags:!{listed['tag']}/eventid:{listed['id']}"
    assert job.file(none).strip() == ""


def test_a_firewall_reads_a_list_by_its_old_name(server: Instance, listed: dict[str, Any]) -> None:
    found = Job(server.url, ADMIN_KEY).lines("attributes/text/download/ip-dst")
    assert listed["ip-dst"] in found
    found = Job(server.url, ADMIN_KEY).lines(
        f"attributes/text/download/domain/{listed['tag'].replace(':', ';')}"
    )
    assert found == [listed["domain"]], "published and to be detected"


def test_a_job_with_a_bad_key_gets_no_list(server: Instance, listed: dict[str, Any]) -> None:
    path = f"attributes/restSearch/returnFormat:text/eventid:{listed['id']}"
    for key in ("x" * 40, None):
        answer = Job(server.url, key).connection.get(path)
        assert answer.status_code in (302, 401, 403), answer.status_code
        assert str(listed["ip-dst"]) not in answer.text


def test_suricata_loads_rules(server: Instance, listed: dict[str, Any]) -> None:
    curl, wget = Job(server.url, ADMIN_KEY), Job(server.url, ADMIN_KEY, WGET)
    of_one = rules(curl.file(f"events/nids/suricata/download/{listed['id']}"))
    assert any(listed["ip-dst"] in rule for rule in of_one)
    assert any(listed["domain"] in rule for rule in of_one)
    assert not any(str(listed["quiet"]) in rule for rule in of_one)
    assert set(of_one) <= set(rules(wget.file("events/nids/suricata/download")))
    recent = "events/nids/suricata/download/false/false/false/false/false/5d"
    assert set(of_one) <= set(rules(curl.file(recent)))
    searched = (
        f"attributes/restSearch/returnFormat:suricata/to_ids:1/type:domain%7Cip-dst/eventid:{listed['id']}"
    )
    assert curl.file(searched) is not None
    either = (
        f"attributes/restSearch/returnFormat:suricata/to_ids:1/type:domain||ip-dst/eventid:{listed['id']}"
    )
    found = rules(curl.file(either))
    assert any(listed["ip-dst"] in rule for rule in found)
    assert not any(str(listed["draft"]) in rule for rule in rules(curl.file("events/nids/suricata/download")))


def test_zeek_loads_an_intel_file(server: Instance, listed: dict[str, Any]) -> None:
    wget, curl = Job(server.url, ADMIN_KEY, WGET), Job(server.url, ADMIN_KEY)
    found = zeek_intel(wget.file("attributes/bro/download/all"))
    assert found[listed["ip-dst"]]["indicator_type"] == "Intel::ADDR"
    assert found[listed["domain"]]["indicator_type"] == "Intel::DOMAIN"
    assert found[listed["md5"]]["indicator_type"] == "Intel::FILE_HASH"
    assert listed["draft"] not in found
    posted = zeek_intel(curl.posted("attributes/bro/download/all", {"request": {"type": "all"}}))
    assert set(posted) == set(found)
    body = {"request": {"eventid": [f"!{listed['id']}"], "type": "ip", "last": "30d"}}
    assert listed["ip-dst"] not in zeek_intel(curl.posted("attributes/bro/download/", body))
    body = {"request": {"type": "ip", "last": "30d"}}
    assert listed["domain"] not in (by_kind := zeek_intel(curl.posted("attributes/bro/download/", body)))
    assert listed["ip-dst"] in by_kind


# ---- Another MISP -------------------------------------------------------------------------------------


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
        "timestamp": str(SPRING),
        "publish_timestamp": str(SPRING),
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
            {"uuid": str(uuid4()), "type": "domain", "value": a_domain(), "timestamp": str(SPRING)}
            for _ in range(20)
        ],
    }
    answer = other_misp.push_event(event)
    assert answer.status_code == 200, answer.text
    stored = admin.view(f"/events/view/{event['uuid']}")["Event"]
    assert stored["SharingGroup"]["uuid"] == group
    assert stored["sharing_group_id"] == stored["SharingGroup"]["id"] != "4711"
    assert len(stored["Attribute"]) == 20

    event |= {"timestamp": str(SPRING + 1), "info": "Pushed again"}
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


# ---- What several of them rely on -----------------------------------------------------------------------


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
