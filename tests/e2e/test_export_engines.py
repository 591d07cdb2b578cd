"""Exports as the engines read them: sample events, and values that mean something to an engine."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import REPOSITORY, Instance
from harness.people import ORG_ADMIN, new_member

# What ends a text, a field, an option, a line, a record, a rule, a comment or an element somewhere.
NASTY = [
    "quote \" and ' both",
    "semi; colon; sid:1;",
    '"; sid:1; rev:1;) \nalert ip any any -> any any (msg:"x',
    "line\nfeed\r\nand return",
    "tab\tin between",
    "pipe|41 42|pipe",
    "$(reboot) `reboot` $HOME ${IFS} && reboot",
    "back\\slash\\",
    "ends with \\",
    "üñí 漢字 🙂",
    '*/ /* // "} condition: true } rule x { strings: $a = "',
    "]]> <![CDATA[ & <b> --> &lt;",
    "!%s{}[]()#@^~",
    "x ) ( IN A 192.0.2.1 ; \\# 4",
    "\u2028\u0085\u200f\ufeffodd\x7f",
    "=cmd|'/C calc'!A0",
]
FREE = [
    "user-agent", "email-subject", "email-attachment", "filename", "uri", "mutex", "named pipe", "pdb",
    "regkey", "pattern-in-file", "pattern-in-traffic", "text", "comment", "email-src", "domain", "hostname",
    "ip-dst", "snort", "yara", "md5", "ja3-fingerprint-md5", "link", "AS", "filename|md5", "regkey|value",
    "domain|ip", "ip-src|port",
]  # fmt: skip
RULES = [
    'rule ours { strings: $a = "ours" condition: $a }',
    'import "math" rule entropic { condition: math.entropy(0, filesize) > 7 }',
    "private rule quiet { condition: filesize > 1MB }\nrule loud { condition: quiet }",
]
BROKEN_RULES = [
    "rule open { condition: true",
    'rule unended { strings: $a = "x condition: $a }',
    "rule commented { condition: true } /* and so on",
    "rule unknown { condition: no_such_thing }",
    'rule unused { strings: $a = "x" condition: true }',
    "rule missing { condition: $a }",
    "rule ours { condition: false }",
    'include "/etc/passwd"',
    "no rule at all",
    "rule elsewhere { condition: cuckoo.network.http_request(/x/) }",
    "rule regular { strings: $a = /(/ condition: $a }",
    "rule hexed { strings: $a = { ZZ } condition: $a }",
]
SNORT = [
    'alert tcp any any -> any 80 (msg:"given; one"; content:"evil\\;|22|"; sid:1; rev:2;)',
    "alert tcp any any -> any any (sid:1;)\nalert ip any any -> any any (sid:2;)",
    'alert tcp any any -> any any (msg:"open; sid:1;)',
]


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    """A server with the sample events, and an event in which everything is nasty, all published."""
    admin = server.api()
    for path in sorted((REPOSITORY / "crates/pisax/demo").glob("*.json")):
        event = admin.ok("/events/add", json.loads(path.read_text()))
        admin.ok(f"/events/publish/{event['Event']['id']}")
    organisation = admin.ok("/admin/organisations/add", {"name": 'Evil "Org"; | <b>$(x) \\'})["Organisation"]
    member = new_member(admin, ORG_ADMIN, organisation).api
    for number, nasty in enumerate(NASTY):
        values = [(kind, nasty) for kind in FREE]
        values += [("url", f"{scheme}://nasty.example/{nasty}") for scheme in ("http", "https", "ftp")]
        values += [("url", f"http://{nasty}/"), ("email-dst", f'"{nasty}"@nasty.example')]
        values += [("filename|md5", f"{nasty}|{number:032x}"), ("regkey|value", f"HKLM\\{nasty}|{nasty}")]
        values += [("domain", f"nasty-{number}.example"), ("ip-dst", f"192.0.2.{number + 1}")]
        attributes = [{"type": k, "value": v, "comment": nasty, "to_ids": True} for k, v in values]
        network = {"name": "network-connection", "meta-category": "network", "comment": nasty, "Attribute": [
            {"type": "ip-dst", "object_relation": "ip-dst", "value": "192.0.2.77"},
            {"type": "text", "object_relation": "layer4-protocol", "value": nasty},
        ]}  # fmt: skip
        event = member.post(
            "/events/add",
            {
                "info": nasty,
                "distribution": 3,
                "Attribute": attributes,
                "Object": [network],
                "Tag": [{"name": nasty}],
            },
        ).json()["Event"]
        member.ok(f"/events/publish/{event['id']}")
    rules = [("yara", rule) for rule in RULES + BROKEN_RULES] + [("snort", rule) for rule in SNORT]
    attributes = [{"type": k, "value": v, "to_ids": True, "comment": f"x\n{uuid4()}"} for k, v in rules]
    event = member.ok("/events/add", {"info": "Rules", "distribution": 3, "Attribute": attributes})["Event"]
    member.ok(f"/events/publish/{event['id']}")
    return admin


def export(api: Api, form: str, scope: str = "events", **more: object) -> str:
    answer = api.post(f"/{scope}/restSearch", {"returnFormat": form, **more})
    assert answer.status_code == 200, answer.text[:500]
    return answer.content.decode()


def run(*command: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("scope", ["events", "attributes"])
# Suricata reads the words of Snort 2 as well; Snort itself is no package of Debian's any more.
@pytest.mark.parametrize("form", ["suricata", "snort"])
def test_suricata_loads_every_rule(api: Api, form: str, scope: str, tmp_path: Path) -> None:
    text = export(api, form, scope)
    rules = tmp_path / "misp.rules"
    rules.write_text(text)
    log = tmp_path / "log"
    log.mkdir()
    wanted = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert len(wanted) > 150
    done = run(
        "suricata", "-T", "-v", "-c", "/etc/suricata/suricata.yaml", "-S", rules, "-l", log,
        "--set", "app-layer.protocols.tls.ja3-fingerprints=yes", "--runmode", "single",
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    loaded = re.search(r"(\d+) rules successfully loaded, (\d+) rules failed", said)
    assert loaded, said
    assert (int(loaded[1]), int(loaded[2])) == (len(wanted), 0), said


def test_rules_say_nothing_that_was_not_meant(api: Api) -> None:
    """Every rule has number, priority and message of this instance, once, outside of its texts."""
    for form in ("suricata", "snort"):
        for line in export(api, form).split("\n"):
            if not line or line.startswith("#"):
                continue
            bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
            assert re.match(r"alert (ip|tcp|udp|icmp|dns|tls|http) \S+ \S+ -> \S+ \S+ \(.*;\)$", bare), line
            for option in ("msg", "sid", "rev", "priority", "classtype"):
                assert len(re.findall(rf"[(; ]{option}:", bare)) == 1, line


@pytest.mark.parametrize("policy", ["DROP", "NXDOMAIN", "NODATA", "Local-Data", "PASSTHRU", "TCP-only"])
def test_bind_loads_the_policy_zone(api: Api, policy: str, tmp_path: Path) -> None:
    text = export(api, "rpz", policy=policy)
    zone = tmp_path / "rpz.zone"
    zone.write_text(text)
    done = run("named-checkzone", "-k", "fail", "-o", "-", "rpz.example", zone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nasty-3.example.rpz.example" in done.stdout


def test_yara_loads_the_rules_and_leaves_out_the_broken(api: Api, tmp_path: Path) -> None:
    rules, sample = tmp_path / "misp.yara", tmp_path / "sample"
    rules.write_text(export(api, "yara"))
    sample.write_bytes(b"ours; semi; colon; sid:1; and \x5cback\x5cslash\x5c")
    done = run("yara", "-w", rules, sample)
    assert (done.returncode, done.stderr) == (0, "")
    hits = [line.split()[0] for line in done.stdout.splitlines()]
    assert "ours" in hits
    # A value is found as it is, whatever it means to YARA.
    assert any(hit.startswith("MISP_user_agent_") for hit in hits)


def test_each_rule_of_the_list_is_what_the_list_says(api: Api, tmp_path: Path) -> None:
    listed = json.loads(export(api, "yara-json"))
    sample = tmp_path / "sample"
    sample.write_bytes(b"x")
    shared = {one["value"]: one["valid"] for one in listed["as-is"]}
    assert [rule for rule in RULES if not shared[rule]] == []
    assert [rule for rule in BROKEN_RULES if shared.get(rule)] == []
    assert all(one["valid"] for one in listed["generated"])


def test_openioc_is_read_by_an_xml_parser(api: Api) -> None:
    root = ElementTree.fromstring(export(api, "openioc"))  # noqa: S314 (of the server under test)
    space = "{http://schemas.mandiant.com/2010/ioc}"
    texts = [content.text or "" for content in root.iter(f"{space}Content")]
    assert len(texts) > 100
    for nasty in ("quote \" and ' both", "]]> <![CDATA[ & <b> --> &lt;", "back\\slash\\"):
        assert any(nasty in text for text in texts), nasty
    children = {child.tag for item in root.iter(f"{space}IndicatorItem") for child in item}
    assert children == {f"{space}Context", f"{space}Content"}


def test_iptables_takes_every_rule(api: Api) -> None:
    script = export(api, "netfilter", published=[0, 1])
    assert run("sh", "-n", given=script).returncode == 0
    lines = script.splitlines()
    assert len(lines) > 15
    for line in lines:
        program, *words = shlex.split(line)
        assert program in ("iptables", "ip6tables")
        assert shlex.join([program, *words]) == line, "nothing in it means something to a shell"
        done = run(f"{program}-translate", *words)
        assert done.returncode == 0, done.stderr


def test_lists_of_lines_have_a_line_for_each(api: Api) -> None:
    hosts = [line for line in export(api, "hosts").split("\n") if line and not line.startswith("#")]
    for line in hosts:
        assert re.fullmatch(r"0\.0\.0\.0 [^\s#]+", line), line
    for form, pattern in (("hashes", r"\S+"), ("cache", r"[0-9a-f]{32}")):
        for line in export(api, form, published=[0, 1]).split("\n"):
            assert re.fullmatch(f"({pattern})?", line), (form, line)


def zeek_fields(line: str) -> Iterator[str]:
    """A line as Zeek's ASCII reader takes it: fields between tabs, `\\x09` in them for a byte."""
    for field in line.split("\t"):
        yield re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), field)


def test_zeek_reads_seven_fields_in_a_line(api: Api) -> None:
    """As its ASCII reader splits them: Zeek is no package of Debian's."""
    lines = export(api, "bro").split("\n")
    assert lines[0].startswith("#fields\t")
    assert lines[-1] == ""
    assert len(lines) > 100
    for line in lines[1:-1]:
        fields = list(zeek_fields(line))
        assert len(fields) == 7, line
        assert re.fullmatch(r"Intel::[A-Z0-9_]+", fields[1]), line
        assert fields[5:] == ["T", "-"], line
        assert not line.startswith("#"), "it would be a comment"


@pytest.mark.parametrize("scope", ["events", "attributes"])
def test_csv_has_a_row_for_each_attribute(api: Api, scope: str) -> None:
    text = export(api, "csv", scope, includeContext=True, published=[0, 1])
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = [row for row in rows if row]
    assert {len(row) for row in rows} == {len(head)}
    value, info = head.index("value"), head.index("event_info")
    assert {row[info] for row in rows} >= {
        nasty.strip() for nasty in NASTY if "\n" not in nasty and "\t" not in nasty
    }
    assert any(row[value] == "quote \" and ' both" for row in rows)


def test_json_lists_are_json(api: Api) -> None:
    for form in ("kunai", "attack-sightings"):
        assert isinstance(json.loads(export(api, form)), list)
    assert json.loads(export(api, "stix2"))["type"] == "bundle"
    json.loads(export(api, "stix-json"))
    ElementTree.fromstring(export(api, "stix-xml"))  # noqa: S314
    ElementTree.fromstring(export(api, "xml"))  # noqa: S314


def test_pages_hold_no_element_of_a_value(api: Api) -> None:
    page = export(api, "context")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
