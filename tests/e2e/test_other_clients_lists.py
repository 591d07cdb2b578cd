"""Sensors and scheduled jobs that fetch lists and rules; see test_other_clients.py."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from clients.jobs import WGET, Job, rules, zeek_intel
from clients.zeek import ZeekJs
from harness.api import Api
from harness.instance import ADMIN_KEY, Instance
from harness.scenes import DAY, a_domain, a_tag, an_event, published


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


# ---- Zeek -------------------------------------------------------------------------------------------


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


# ---- Scheduled jobs ---------------------------------------------------------------------------------


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
