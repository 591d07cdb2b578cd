"""Formats: what leaves can be read by the tools it is for, and what comes in becomes an event."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import stix2
from conftest import NewInstance
from harness.api import Api
from harness.instance import KNOWLEDGE, Instance
from harness.people import USER, new_member

MD5 = "b2a5abfeef9e36964281a31e17b57c97"
TECHNIQUE = 'misp-galaxy:mitre-attack-pattern="Phishing - T1566"'

VALUES = [
    ("ip-src", "192.0.2.7"),
    ("ip-dst", "2001:db8::7"),
    ("ip-dst", "198.51.100.0/24"),
    ("ip-dst|port", "192.0.2.8|443"),
    ("domain", "evil.example"),
    ("hostname", "www.evil.example"),
    ("domain|ip", "both.example|192.0.2.9"),
    ("url", "http://evil.example/it's?a=b;c|d"),
    ("email-src", "bad@evil.example"),
    ("md5", MD5),
    ("filename|md5", f"drop.exe|{MD5}"),
    ("AS", "AS64500"),
    ("regkey", "HKLM\\Software\\Evil"),
    ("user-agent", 'Evil "1.0"; x'),
    ("yara", 'rule evil { strings: $a = "evil" condition: $a }'),
    ("snort", 'alert tcp any any -> any 80 (msg:"old"; content:"evil\\;"; sid:1; rev:2;)'),
    ("vulnerability", "CVE-2026-0001"),
    ("mutex", "evil mutex"),
]


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


def an_event() -> dict[str, Any]:
    attributes = [
        {"type": kind, "value": value, "to_ids": True, "comment": "seen <twice> & more"}
        for kind, value in VALUES
    ]
    attributes.append({"type": "text", "value": "said in passing", "to_ids": False})
    attributes[0]["Tag"] = [{"name": TECHNIQUE}, {"name": "tlp:green"}]
    return {
        "info": f"Formats {uuid4()}",
        "date": "2026-02-03",
        "distribution": 3,
        "Attribute": attributes,
        "Tag": [{"name": "tlp:amber"}, {"name": "format:event"}],
        "Object": [
            {
                "name": "domain-ip",
                "meta-category": "network",
                "uuid": (uuid := str(uuid4())),
                "Attribute": [
                    {"type": "domain", "object_relation": "domain", "value": "object.example"},
                    {"type": "ip-dst", "object_relation": "ip", "value": "192.0.2.10"},
                ],
            },
            {
                "name": "of-our-own",
                "meta-category": "misc",
                "Attribute": [{"type": "text", "object_relation": "text", "value": "free"}],
                "ObjectReference": [{"referenced_uuid": uuid, "relationship_type": "related-to"}],
            },
        ],
    }


@pytest.fixture(scope="module")
def event(api: Api) -> dict[str, Any]:
    added = api.ok("/events/add", an_event())["Event"]
    api.ok(f"/events/publish/{added['id']}")
    return api.view(f"/events/view/{added['id']}")["Event"]


def exported(api: Api, scope: str, form: str, event: dict[str, Any], **more: Any) -> Any:
    answer = api.post(f"/{scope}/restSearch", {"returnFormat": form, "eventid": event["id"], **more})
    assert answer.status_code == 200, answer.text[:500]
    return answer


def names(one: dict[str, Any]) -> list[str]:
    return sorted(tag["name"] for tag in one.get("Tag", []))


def facts(a: dict[str, Any]) -> tuple[Any, ...]:
    return (a["uuid"], a["type"], a["category"], a["value"], a["to_ids"], a["comment"], *names(a))


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """What has to survive a journey through another format."""
    return {
        "event": (event["uuid"], event["info"], event["date"], event["timestamp"], *names(event)),
        "attributes": sorted(facts(a) for a in event["Attribute"]),
        "objects": sorted(
            (o["uuid"], o["name"], *sorted((a["object_relation"], *facts(a)) for a in o["Attribute"]))
            for o in event["Object"]
        ),
        "references": sorted(
            (r["relationship_type"], r["referenced_uuid"])
            for o in event["Object"]
            for r in o["ObjectReference"]
        ),
    }


def parsed(xml: bytes) -> ElementTree.Element:
    """XML of the server under test, which is not out to harm us."""
    return ElementTree.fromstring(xml)  # noqa: S314


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_an_event_goes_out_as_stix_and_comes_back_the_same(
    server: Instance, new_instance: NewInstance, api: Api, event: dict[str, Any], version: str
) -> None:
    bundle = exported(api, "events", "stix2", event, **{"stix-version": version}).content
    elsewhere = new_instance().start().api()
    answer = elsewhere.raw("POST", "/events/upload_stix/2/distribution:3", bundle)
    assert answer.status_code == 200, answer.text[:500]
    back = elsewhere.view(f"/events/view/{answer.json()['Event']['id']}")["Event"]
    assert shape(back) == shape(event)
    assert back["distribution"] == "3"
    assert back["published"] is False


@pytest.mark.parametrize("scope", ["events", "attributes"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_a_bundle_is_what_the_standard_wants(
    api: Api, event: dict[str, Any], version: str, scope: str
) -> None:
    answer = exported(api, scope, "stix2", event, **{"stix-version": version})
    bundle = answer.json()
    stix2.parse(bundle, allow_custom=True, version=version)
    ids = {one["id"] for one in bundle["objects"]}
    assert len(ids) == len(bundle["objects"])
    for one in bundle["objects"]:
        own = {key: value for key, value in one.items() if not key.startswith("x_misp_")}
        custom = one["type"].startswith("x-misp-") or "x-misp-" in json.dumps(one)
        stix2.parse(own, allow_custom=custom, version=version)
        for key in ("source_ref", "target_ref", "created_by_ref", "sighting_of_ref"):
            assert one.get(key, one["id"]) in ids
        assert set(one.get("object_refs", [])) <= ids
    kinds = [one["type"] for one in bundle["objects"]]
    # Published events are reports; attributes alone have none.
    assert kinds.count("report") == (1 if scope == "events" else 0)
    assert kinds.count("indicator") >= 12
    assert answer.headers["X-Result-Count"] == ("1" if scope == "events" else "22")


def test_sightings_travel_as_sightings(api: Api, event: dict[str, Any]) -> None:
    attribute = next(a for a in event["Attribute"] if a["type"] == "domain")
    api.ok(f"/sightings/add/{attribute['uuid']}", {"source": "resolver"})
    objects = exported(api, "events", "stix2", event).json()["objects"]
    [sighting] = [one for one in objects if one["type"] == "sighting"]
    assert sighting["sighting_of_ref"] == f"indicator--{attribute['uuid']}"
    assert sighting["description"] == "resolver"


def test_stix_shows_nobody_more_than_the_event_does(api: Api, server: Instance) -> None:
    secret = an_event() | {"distribution": 0}
    added = api.ok("/events/add", secret)["Event"]
    member = new_member(api, USER)
    theirs = Api(server.url, member.key)
    for form in ("stix2", "stix-xml", "stix-json", "suricata", "csv", "xml", "yara", "openioc", "context"):
        answer = exported(theirs, "events", form, added, published=[0, 1])
        assert answer.headers["X-Result-Count"] == "0", form
        assert "evil.example" not in answer.text, form


def test_a_tag_that_is_not_wanted_leaves_its_attributes_out(api: Api, event: dict[str, Any]) -> None:
    for form in ("stix2", "csv", "suricata", "yara", "stix-xml", "xml"):
        whole = exported(api, "events", form, event).text
        trimmed = exported(api, "events", form, event, tags={"NOT": [TECHNIQUE]}).text
        assert "192.0.2.7" in whole, form
        assert "192.0.2.7" not in trimmed, form
        assert "evil.example" in trimmed, form


def test_clusters_are_domain_objects(new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.cli("knowledge", "import", KNOWLEDGE)
    api = instance.start().api()
    tag = technique(api)
    attribute = {"type": "domain", "value": "evil.example", "to_ids": True, "Tag": [{"name": tag}]}
    body = {"info": "With a technique", "distribution": 3, "Attribute": [attribute], "Tag": [{"name": tag}]}
    event = api.ok("/events/add", body)["Event"]
    for version in ("2.0", "2.1"):
        bundle = exported(api, "events", "stix2", event, **{"stix-version": version}).json()
        stix2.parse(bundle, allow_custom=True, version=version)
        [pattern] = [one for one in bundle["objects"] if one["type"] == "attack-pattern"]
        assert tag in pattern["labels"]
        assert pattern["external_references"][0]["external_id"] in tag
        assert pattern["name"] in tag
        indicates = [one for one in bundle["objects"] if one.get("relationship_type") == "indicates"]
        assert [one["target_ref"] for one in indicates] == [pattern["id"]]


def technique(api: Api) -> str:
    """The tag of any technique the instance knows."""
    galaxies = api.view("/galaxies/index")
    number = next(g["Galaxy"]["id"] for g in galaxies if g["Galaxy"]["type"] == "mitre-attack-pattern")
    return str(api.view(f"/galaxies/view/{number}")["GalaxyCluster"][0]["tag_name"])


def test_bundles_of_others_become_events(api: Api) -> None:
    ids = {
        name: f"{name}--{uuid4()}" for name in ("identity", "indicator", "malware", "report", "relationship")
    }
    times = {
        "created": "2026-01-05T10:00:00.000Z",
        "modified": "2026-01-05T10:00:00.000Z",
        "spec_version": "2.1",
    }
    objects: list[dict[str, Any]] = [
        {"type": "identity", "name": "Somebody", "identity_class": "organization"},
        {
            "type": "indicator",
            "pattern_type": "stix",
            "valid_from": times["created"],
            "pattern": "[ipv4-addr:value = '203.0.113.77' OR domain-name:value = 'foreign.example']",
        },
        {"type": "malware", "name": "Evil", "is_family": True},
        {
            "type": "relationship",
            "relationship_type": "indicates",
            "source_ref": ids["indicator"],
            "target_ref": ids["malware"],
        },
        {
            "type": "report",
            "name": "Foreign report",
            "published": times["created"],
            "object_refs": [ids["indicator"], ids["malware"], ids["relationship"]],
        },
    ]
    objects = [{"id": ids[one["type"]], **one, **times} for one in objects]
    bundle = {"type": "bundle", "id": f"bundle--{uuid4()}", "objects": objects}
    answer = api.raw("POST", "/events/upload_stix/2", json.dumps(bundle).encode())
    assert answer.status_code == 200, answer.text[:500]
    event = answer.json()["Event"]
    assert (event["info"], event["uuid"]) == ("Foreign report", ids["report"].split("--")[1])
    found = {(a["type"], a["value"], a["to_ids"]) for a in event["Attribute"]}
    assert found == {("ip-dst", "203.0.113.77", True), ("domain", "foreign.example", True)}
    again = api.raw("POST", "/events/upload_stix/2", json.dumps(bundle).encode())
    assert again.status_code == 404
    assert again.headers["Location"].endswith(f"/events/{event['id']}")


def test_whoever_may_not_publish_uploads_without_publishing(api: Api, server: Instance) -> None:
    event = api.ok("/events/add", an_event())["Event"]
    bundle = exported(api, "events", "stix2", event).content
    api.ok(f"/events/delete/{event['id']}")
    api.ok(f"/eventBlocklists/delete/{event['uuid']}")
    theirs = Api(server.url, new_member(api, USER).key)
    before = len(api.view("/events/index"))
    refused = theirs.raw("POST", "/events/upload_stix/2/publish:1", bundle)
    assert refused.status_code == 403, refused.text[:300]
    assert len(api.view("/events/index")) == before
    answer = theirs.raw("POST", "/events/upload_stix/2", bundle)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.json()["Event"]["Orgc"]["uuid"] != event["Orgc"]["uuid"]


@pytest.mark.parametrize(
    ("version", "body", "status", "names"),
    [
        ("2", b"{", 405, ""),
        ("2", b"[]", 403, "bundle"),
        ("2", b'{"type": "bundle", "objects": [{"type": "indicator"}]}', 403, "objects[0].id"),
        ("2", b"[" * 100_000, 405, ""),
        ("1", b"", 403, "STIX_Package"),
        ("1", b"<a><b></a>", 403, "STIX_Package"),
        ("1", b'<!DOCTYPE x [<!ENTITY a "b">]><STIX_Package>&a;</STIX_Package>', 403, "STIX_Package"),
        ("1", b"<a>" * 100_000, 403, "STIX_Package"),
        ("1", b"\xff\xfe\x00", 403, "STIX_Package"),
        ("9", b"{}", 400, ""),
    ],
)
def test_what_is_no_stix_is_refused_with_its_place(
    api: Api, version: str, body: bytes, status: int, names: str
) -> None:
    before = len(api.view("/events/index"))
    answer = api.raw("POST", f"/events/upload_stix/{version}", body)
    assert answer.status_code == status, answer.text[:300]
    if names:
        assert names in answer.json()["errors"]
    assert len(api.view("/events/index")) == before


def test_stix_1_goes_out_and_comes_back(api: Api, new_instance: NewInstance, event: dict[str, Any]) -> None:
    document = exported(api, "events", "stix-xml", event)
    assert document.headers["Content-Type"].startswith("application/xml")
    parsed(document.content)
    elsewhere = new_instance().start().api()
    answer = elsewhere.raw("POST", "/events/upload_stix/1", document.content)
    assert answer.status_code == 200, answer.text[:500]
    back = answer.json()["Event"]
    assert (back["info"], back["uuid"], back["date"]) == (event["info"], event["uuid"], event["date"])
    found = {(a["type"], a["value"]) for a in back["Attribute"]}
    lost = {(a["type"], a["value"]) for a in event["Attribute"]} - found
    assert not lost
    assert {tag["name"] for tag in back["Tag"]} == {"tlp:amber", "format:event"}
    package = exported(api, "events", "stix-json", event).json()["related_packages"]["related_packages"][0][
        "package"
    ]
    indicators = package["incidents"][0]["related_indicators"]["indicators"]
    addresses = [i["indicator"]["observable"]["object"]["properties"] for i in indicators[:1]]
    assert addresses[0]["address_value"] == {"value": "192.0.2.7", "condition": "Equals"}


@pytest.mark.skipif(shutil.which("yara") is None, reason="YARA is not installed: tools/prepare-machine")
def test_yara_loads_the_rules(api: Api, event: dict[str, Any], tmp_path: Path) -> None:
    rules, sample = tmp_path / "misp.yara", tmp_path / "sample"
    rules.write_bytes(exported(api, "events", "yara", event).content)
    sample.write_text("look, evil on www.evil.example")
    done = subprocess.run(["yara", "-w", rules, sample], capture_output=True, text=True, check=False)  # noqa: S607
    assert (done.returncode, done.stderr) == (0, "")
    hits = {line.split()[0] for line in done.stdout.splitlines()}
    hostname = next(a for a in event["Attribute"] if a["type"] == "hostname")
    assert {"evil", "MISP_hostname_" + hostname["uuid"].replace("-", "")} <= hits


@pytest.mark.parametrize("engine_name", ["snort", "suricata"])
def test_every_rule_has_a_number_and_ends(api: Api, event: dict[str, Any], engine_name: str) -> None:
    answer = exported(api, "events", engine_name, event)
    assert answer.headers["X-Response-Format"] == "rules"
    rules = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    numbers = [rule.split("sid:")[1].split(";")[0] for rule in rules]
    assert len(set(numbers)) == len(numbers) >= 15
    for rule in rules:
        assert rule.startswith("alert ")
        assert rule.endswith(f"/events/view/{event['id']};)")
        assert rule.replace('\\"', "").count('"') % 2 == 0
    assert any("snort-rule | old" in rule and "sid:1;" not in rule for rule in rules)


def test_restrictive_formats_carry_what_is_published_and_for_detection(api: Api) -> None:
    added = api.ok("/events/add", an_event())["Event"]
    for form in ("snort", "suricata", "openioc", "kunai", "text", "rpz"):
        assert exported(api, "events", form, added).headers["X-Result-Count"] == "0", form
        assert exported(api, "events", form, added, published=[0, 1]).headers["X-Result-Count"] == "1", form
    for form in ("yara", "stix2", "stix-xml", "csv", "xml", "context"):
        assert exported(api, "events", form, added).headers["X-Result-Count"] == "1", form


def test_xml_says_what_json_says(api: Api, event: dict[str, Any]) -> None:
    answer = exported(api, "events", "xml", event)
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert answer.headers["X-Export-Module-Used"] == "xml"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="misp.event.{event["id"]}.xml"'
    root = parsed(answer.content)
    assert [one.findtext("info") for one in root.findall("Event")] == [event["info"]]
    values = [one.findtext("value") for one in root.findall("Event/Attribute")]
    assert values == [a["value"] for a in event["Attribute"]]
    view = api.session.get(
        f"{api.url}/events/view/{event['id']}", headers={"Accept": "application/xml"}, timeout=60
    )
    assert parsed(view.content).findtext("Event/uuid") == event["uuid"]
    rows = parsed(exported(api, "attributes", "xml", event, type="domain").content)
    assert sorted(one.findtext("value") for one in rows.findall("Attribute")) == [
        "evil.example",
        "object.example",
    ]


def test_context_formats_tell_of_techniques(api: Api, event: dict[str, Any]) -> None:
    [one] = exported(api, "events", "attack-sightings", event).json()
    assert one["techniques"] == [{"techniqueID": "T1566"}]
    assert "T1566" in exported(api, "events", "attack", event).text
    assert "- format:event (1)" in exported(api, "events", "context-markdown", event).text
    assert "<li>format:event (1)</li>" in exported(api, "events", "context", event).text


def test_exports_of_old_still_answer(api: Api, event: dict[str, Any]) -> None:
    number = event["id"]
    for path, needle in [
        (f"/events/csv/download/{number}", '"evil.example"'),
        (f"/events/xml/download/{number}", "<value>evil.example</value>"),
        (f"/events/nids/suricata/download/{number}", 'content:".evil.example"'),
        (f"/events/nids/snort/download/{number}", "|04|evil|07|example|00|"),
        ("/events/hids/md5/download", MD5),
        (f"/events/stix2/download/{number}", "evil.example"),
        (f"/events/stix/download/{number}", "evil.example"),
        (f"/events/downloadOpenIOCEvent/download/{number}", "evil.example"),
        ("/events/downloadExport/csv_sig", "evil.example"),
        (f"/attributes/text/download/domain/null/{number}", "evil.example\n"),
        (f"/attributes/rpz/download/null/{number}", "\nevil.example CNAME .\n"),
        (f"/attributes/bro/download/ip/null/{number}", "198.51.100.0/24\tIntel::SUBNET\t"),
    ]:
        answer = api.get(path)
        assert answer.status_code == 200, f"{path} {answer.text[:200]}"
        assert needle in answer.text, path
    zeek = api.get(f"/attributes/bro/download/ip/null/{number}").text
    assert "evil.example\tIntel::DOMAIN" not in zeek
    assert api.get("/events/nids/other/download").status_code == 404
    assert api.get("/events/downloadExport/nothing").status_code == 404


def test_a_bundle_is_imported_from_the_command_line(
    api: Api, new_instance: NewInstance, event: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(exported(api, "events", "stix2", event).content)
    elsewhere = new_instance()
    elsewhere.cli("import", file)
    [listed] = elsewhere.start().api().view("/events/index")
    assert (listed["uuid"], listed["info"]) == (event["uuid"], event["info"])
