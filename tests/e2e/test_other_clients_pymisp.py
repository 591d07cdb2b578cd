"""Clients of other makers that go through PyMISP; see test_other_clients.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from clients.cortex import analyse
from clients.intelmq import collect, look_up, put_out
from clients.opencti import OpenCti, check
from clients.pdnssoc import PdnsSoc, resolved
from harness.api import Api
from harness.instance import ADMIN_KEY, Instance
from harness.people import PUBLISHER, Member, new_member
from harness.scenes import DAY, NEW_YEAR, a_domain, a_tag, an_event, changed_at, published


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def member(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


# ---- IntelMQ ----------------------------------------------------------------------------------------


def test_intelmq_collects_events_once_by_moving_a_tag(server: Instance, admin: Api) -> None:
    to_process, processed = a_tag(admin), f"client:{uuid4()}"
    domains = [a_domain(), a_domain()]
    for domain in domains:
        an_event(admin, domain, tag=to_process)
    reports = collect(server.url, to_process, processed)
    assert [report["Attribute"][0]["value"] for report in reports] == domains
    assert collect(server.url, to_process, processed) == []
    assert len(collect(server.url, processed)) == 2
    assert collect(server.url, processed) == []


def test_intelmq_looks_up_where_an_address_is_known_from(server: Instance, admin: Api) -> None:
    event = an_event(admin, Attribute=[{"type": "ip-src", "value": "203.0.113.199"}])
    expected = {"misp.attribute_uuid": event["Attribute"][0]["uuid"], "misp.event_uuid": event["uuid"]}
    assert look_up(server.url, "203.0.113.199") == expected
    assert look_up(server.url, "203.0.113.198") == {}


INTELMQ_EVENT = {
    "name": "intelmq_event",
    "meta-category": "network",
    "template_uuid": "491ac7d2-25a1-4078-8246-b04a132d003d",
    "template_version": "5",
}
SIGNIFICANT = ["source.fqdn", "source.ip"]


def message() -> dict[str, Any]:
    return {
        "feed.provider": "A provider",
        "feed.name": "A feed",
        "source.fqdn": a_domain(),
        "source.ip": "192.0.2.99",
        "source.asn": 64500,
    }


def put_out_as(admin: Api, tag: str) -> list[dict[str, Any]]:
    """The events that the output made, with all that is in them, oldest first."""
    found = admin.ok("/events/restSearch", {"tags": [tag]})["response"]
    return [one["Event"] for one in found]


def test_intelmq_puts_out_one_event_for_what_is_significant(server: Instance, admin: Api) -> None:
    tag, sent = f"intelmq:{uuid4()}", message()
    put_out(server.url, tag, SIGNIFICANT, sent)
    (event,) = put_out_as(admin, tag)
    assert event["published"] is True
    assert [one["name"] for one in event["Tag"]] == [
        tag,
        'IntelMQ:feed.provider="A provider"',
        'IntelMQ:feed.name="A feed"',
    ]
    (held,) = event["Object"]
    values = {one["object_relation"]: one for one in held["Attribute"]}
    assert {name: values[name]["value"] for name in sent} == {name: str(sent[name]) for name in sent}
    assert values["source.ip"]["disable_correlation"] is False
    assert values["source.asn"]["disable_correlation"] is True

    # All significant values have to be in one event.
    put_out(server.url, tag, SIGNIFICANT, sent, sent | {"source.ip": "192.0.2.98"})
    known, other = put_out_as(admin, tag)
    assert known["uuid"] == event["uuid"] and known["Object"] == event["Object"]
    assert {one["value"] for one in other["Object"][0]["Attribute"]} >= {sent["source.fqdn"], "192.0.2.98"}


def test_intelmq_makes_a_known_event_younger(server: Instance, admin: Api) -> None:
    tag, sent = f"intelmq:{uuid4()}", message()
    kinds = {"feed.provider": "text", "source.fqdn": "domain", "source.ip": "ip-src"}
    attributes = [
        {"type": kind, "object_relation": relation, "value": sent[relation], "timestamp": str(NEW_YEAR)}
        for relation, kind in kinds.items()
    ]
    held = INTELMQ_EVENT | {"timestamp": str(NEW_YEAR), "Attribute": attributes}
    event = an_event(admin, Object=[held], Tag=[{"name": tag}], timestamp=str(NEW_YEAR))
    assert event["timestamp"] == str(NEW_YEAR)
    put_out(server.url, tag, SIGNIFICANT, sent)
    younger = admin.view(f"/events/view/{event['uuid']}")["Event"]
    assert int(younger["timestamp"]) > NEW_YEAR
    assert younger["Object"][0]["Attribute"] == event["Object"][0]["Attribute"], "nothing else has changed"
    assert len(put_out_as(admin, tag)) == 1


# ---- pDNSSOC ----------------------------------------------------------------------------------------


def test_pdnssoc_finds_who_asked_for_a_domain_that_an_event_names(
    server: Instance, admin: Api, tmp_path: Path
) -> None:
    tag, recent, old, forgotten = a_tag(admin), a_domain(), a_domain(), a_domain()
    hidden, address = {"type": "domain", "value": a_domain(), "to_ids": False}, "198.51.100.77"
    dangerous = [{"type": "domain|ip", "value": f"{recent}|{address}", "to_ids": True}, hidden]
    an_event(admin, Attribute=dangerous)
    named = changed_at(admin, NEW_YEAR - 300 * DAY, old, Tag=[{"name": tag}])
    changed_at(admin, NEW_YEAR - 299 * DAY, forgotten)

    program = PdnsSoc(tmp_path, server.url, tag)
    domains, addresses = program.fetch()
    assert {recent, old} <= domains and not {forgotten, hidden["value"]} & domains
    assert address in addresses

    asked = [
        resolved(old, "198.51.100.1"),
        resolved(forgotten, "198.51.100.2"),
        resolved(a_domain(), address),
    ]
    found, by_answer = program.correlate(*asked)
    assert (found["query"], found["client_ip"]) == (old, "192.0.2.53")
    assert by_answer["query"] == asked[2]["dns"]["qname"]
    (event,) = found["correlation"]["misp"]["events"]
    assert (event["uuid"], event["ioc"], event["organization"]) == (named["uuid"], old, "ORGNAME")
    assert [one["name"] for one in event["tags"]] == [tag]


# ---- Cortex -----------------------------------------------------------------------------------------


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


# ---- OpenCTI ----------------------------------------------------------------------------------------


def test_opencti_pages_through_events_in_the_order_it_asks_for(server: Instance, admin: Api) -> None:
    tag, moment = a_tag(admin), NEW_YEAR + 40 * DAY
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
