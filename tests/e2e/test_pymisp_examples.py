"""The example scripts that PyMISP is published with, run as they are, each by its own Python.

Not here: those that ask a third party first, and those that newer versions of PyMISP broke.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.pymisp_source import Examples
from harness.scenes import a_domain, a_tag, an_event, published


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def examples(server: Instance, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    return Examples(tmp_path_factory.mktemp("examples"), server.url)


def view(api: Api, event: str) -> dict[str, Any]:
    return api.view(f"/events/view/{event}")["Event"]


def test_scripts_make_an_event_fill_it_get_it_and_delete_it(examples: Examples, admin: Api) -> None:
    info = f"From a script {uuid4()}"
    assert info in examples.run("create_events", "-d", "1", "-i", info, "-a", "0", "-t", "2")
    (made,) = admin.ok("/events/index", {"eventinfo": info})
    event = made["id"]
    assert (made["distribution"], made["threat_level_id"]) == ("1", "2")

    examples.run("add_named_attribute", "-e", event, "-t", "ip-dst", "-v", "203.0.113.5")
    text = examples.file("text.txt", "Seen hxxp://evil[.]example[.]com/a today")
    assert "http://evil.example.com/a" in examples.run("freetext", "-e", event, "-i", text)
    examples.run("upload", "-u", examples.file("sample.bin", "not malware"), "-e", event, "-m")
    examples.run("add_generic_object", "-e", event, "-t", "domain-ip", "-l", '[{"domain": "a.example"}]')

    got = json.loads(examples.run("get", "-e", event))
    kinds = {one["type"]: one["value"] for one in got["Attribute"]}
    assert kinds["ip-dst"] == "203.0.113.5" and kinds["url"] == "http://evil.example.com/a"
    assert kinds["malware-sample"].startswith("sample.bin|")
    assert got["Object"][0]["Attribute"][0]["value"] == "a.example"
    found = examples.run("get_network_activity", "--event", event, "--no-ids-only")
    assert "203.0.113.5" in found

    assert "Event deleted" in examples.run("del", "-e", event)
    assert admin.get(f"/events/view/{event}").status_code == 404


def test_a_script_adds_what_a_csv_file_lists(examples: Examples, admin: Api) -> None:
    event, tag, domain, seen = an_event(admin), a_tag(admin), a_domain(), "2026-01-01T00:00:00.000000+00:00"
    lines = [
        f"{domain};Network activity;domain;from a list;1;{seen};{seen};{tag};tlp:green",
        "198.51.100.20;Network activity;ip-src;;0;;",
    ]
    examples.run(
        "add_attributes_from_csv", "-e", event["uuid"], "-f", examples.file("l.csv", "\n".join(lines))
    )
    first, second = view(admin, event["id"])["Attribute"]
    assert (first["value"], first["to_ids"], first["comment"]) == (domain, True, "from a list")
    assert first["first_seen"] == first["last_seen"] == seen
    assert [one["name"] for one in first["Tag"]] == [tag, "tlp:green"]
    assert (second["value"], second["to_ids"]) == ("198.51.100.20", False)

    objects = examples.file("objects.csv", f"domain,ip\n{domain},198.51.100.21\n")
    said = examples.run("load_csv", "-n", "domain-ip", "-p", objects, "-u", event["id"])
    assert "New domain-ip object added" in said
    (held,) = view(admin, event["id"])["Object"]
    assert {one["object_relation"]: one["value"] for one in held["Attribute"]} == {
        "domain": domain,
        "ip": "198.51.100.21",
    }


def test_scripts_take_lists_of_what_is_dangerous(examples: Examples, admin: Api) -> None:
    domain = a_domain()
    event, other = published(admin, a_domain()), published(admin, domain)
    hidden = an_event(admin, a_domain())
    latest = [json.loads(line) for line in examples.run("last", "-l", "1h", "-m", "1000").splitlines()]
    uuids = {one["uuid"] for one in latest}
    assert {event["uuid"], other["uuid"]} <= uuids and hidden["uuid"] not in uuids, "what was published"
    listed = examples.run("get_csv", "--controller", "attributes", "-e", other["id"], "-c")
    assert f'"{domain}"' in listed and other["info"] in listed


def test_a_script_takes_what_is_sighted_as_false_out_of_detection(examples: Examples, admin: Api) -> None:
    event = published(admin, a_domain(), a_domain())
    wrong, right = event["Attribute"]
    for attribute, kind in ((wrong, 1), (wrong, 1), (wrong, 0), (right, 0)):
        admin.ok(f"/sightings/add/{attribute['id']}", {"type": kind})
    said = examples.run("falsepositive_disabletoids")
    assert f"[{wrong['value']}]" in said and "FP: 2 TP: 1" in said
    assert right["value"] not in said
    after = view(admin, event["id"])
    assert {one["uuid"]: one["to_ids"] for one in after["Attribute"]} == {
        wrong["uuid"]: False,
        right["uuid"]: True,
    }
    assert after["published"] is True


def test_a_script_lifts_tags_of_attributes_to_their_event(examples: Examples, admin: Api) -> None:
    tag = a_tag(admin)
    event = an_event(admin, Attribute=[{"type": "domain", "value": a_domain(), "Tag": [{"name": tag}]}])
    assert "tagged with 1 tags" in examples.run("copyTagsFromAttributesToEvent", "-e", event["id"], "-y")
    assert [one["name"] for one in view(admin, event["id"])["Tag"]] == [tag]


def test_scripts_administer_people_and_organisations(examples: Examples, admin: Api) -> None:
    org = {"name": f"Member {uuid4()}", "uuid": str(uuid4())}
    group = admin.ok("/sharing_groups/add", {"name": f"Exchange {uuid4()}", "releasability": "members"})
    shared = group["SharingGroup"]["uuid"]
    heading = "org name,nationality,sector,type,contacts,uuid,local,sharingroup_uuid"
    lines = f"{heading}\n{org['name']},Germany,Telecom,Member,,{org['uuid']},1,{shared}\n"
    assert "1 organisations added" in examples.run("add_organisations", "-c", examples.file("o.csv", lines))
    made = admin.view(f"/organisations/view/{org['uuid']}")["Organisation"]
    assert (made["name"], made["sector"], made["local"]) == (org["name"], "Telecom", True)
    members = admin.view(f"/sharing_groups/view/{shared}")["SharingGroupOrg"]
    assert org["uuid"] in [one["Organisation"]["uuid"] for one in members]

    address = f"{uuid4()}@exchange.test"
    assert address in examples.run("add_user", "-e", address, "-o", made["id"], "-r", "3")
    assert address in examples.run("users_list")
    (user,) = admin.view(f"/admin/users/index/value:{address}")
    examples.run("delete_user", "-i", user["User"]["id"])
    assert address not in examples.run("users_list")


def test_a_script_reports_what_is_new(examples: Examples, admin: Api) -> None:
    def report() -> dict[str, int]:
        lines = [line.partition(": ") for line in examples.run("stats_report", "-t", "1d").splitlines()]
        return {name: int(number) for name, _, number in lines if number.isdigit()}

    before = report()
    published(admin, a_domain(), a_domain())
    an_event(admin, a_domain())
    after = report()
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {
        "New or updated events": 1,
        "New or updated attributes": 2,
        "New or updated attributes with IDS flag": 2,
        "Total events": 2,
        "Total attributes": 3,
    }
