"""The command line: where settings come from, the database's care, people, imports, the demo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.instance import ADMIN_EMAIL, ADMIN_KEY, KNOWLEDGE, ORGANISATION, Instance

KEY = re.compile(r"\b[A-Za-z0-9]{40}\b")


def an_event(**more: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid4()),
        "info": f"Imported {uuid4()}",
        "date": "2026-03-01",
        "timestamp": "1772323200",
        "distribution": "3",
        "threat_level_id": "2",
        "analysis": "2",
        "published": False,
        "Orgc": {"name": "Elsewhere CERT", "uuid": "5f1c2d3e-4a5b-4c6d-8e7f-0123456789ab"},
        "Tag": [{"name": "tlp:green"}],
        "Attribute": [
            {
                "uuid": str(uuid4()),
                "type": "domain",
                "category": "Network activity",
                "value": f"{uuid4()}.example",
            },
            {
                "uuid": str(uuid4()),
                "type": "ip-dst",
                "category": "Network activity",
                "value": "198.51.100.44",
            },
        ],
    } | more


def feed(folder: Path, events: list[dict[str, Any]]) -> Path:
    """A feed as MISP publishes it: a manifest, hashes, one file for each event."""
    folder.mkdir(parents=True)
    named = ("info", "date", "timestamp", "threat_level_id", "analysis", "Orgc", "Tag")
    manifest = {event["uuid"]: {name: event[name] for name in named} for event in events}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "hashes.csv").write_text("")
    for event in events:
        (folder / f"{event['uuid']}.json").write_text(json.dumps({"Event": event}))
    return folder


def seen(api: Api) -> dict[str, dict[str, Any]]:
    return {event["uuid"]: event for event in api.view("/events/index")}


def line_about(setting: str, output: str) -> str:
    found = [line for line in output.splitlines() if re.match(rf"\W*{setting}\b", line.strip())]
    assert len(found) == 1, output
    return found[0]


# Settings


def test_a_flag_goes_before_the_environment_and_that_before_the_file(new_instance: NewInstance) -> None:
    instance = new_instance()
    setting, variable = "listen", "PISAX_LISTEN"

    def effective() -> str:
        return line_about(setting, instance.cli("config").stdout)

    assert "127.0.0.1:8080" in effective()
    (instance.folder / "pisax.toml").write_text(f'{setting} = "127.0.0.1:7001"\n')
    assert "127.0.0.1:7001" in effective()
    assert "pisax.toml" in effective()
    instance.environment[variable] = "127.0.0.1:7002"
    assert "127.0.0.1:7002" in effective()
    assert variable in effective()
    # The data folder comes as a flag in every call of these tests.
    data = line_about("data", instance.cli("config").stdout)
    assert str(instance.data) in data
    assert "--data" in data


def test_the_effective_settings_hide_what_is_secret(new_instance: NewInstance) -> None:
    output = new_instance().cli("config").stdout
    assert ADMIN_KEY not in output


def test_a_setting_nobody_knows_is_refused(new_instance: NewInstance) -> None:
    instance = new_instance()
    (instance.folder / "pisax.toml").write_text('lisen = "127.0.0.1:7001"\n')
    refused = instance.cli("config", check=False)
    assert refused.returncode != 0
    assert "lisen" in refused.stderr


# The first start


def test_the_first_start_makes_the_administrator_it_is_told_of(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    me = instance.api().view("/users/view/me")
    assert (me["User"]["email"], me["Organisation"]["name"]) == (ADMIN_EMAIL, ORGANISATION)
    assert me["Role"]["perm_site_admin"] is True
    for path in ("/healthz", "/readyz"):
        assert instance.api(None).get(path).status_code == 200
    assert "# TYPE " in instance.api(None).get("/metrics").text
    assert instance.stop() == 0


def test_the_first_start_prints_a_key_once_when_told_of_nobody(new_instance: NewInstance) -> None:
    instance = new_instance()
    for name in ("EMAIL", "PASSWORD", "KEY"):
        instance.environment[f"PISAX_ADMIN_{name}"] = None
    instance.start()
    keys = [key for key in KEY.findall(instance.log.read_text()) if key != ADMIN_KEY]
    assert len(keys) == 1
    assert instance.api(keys[0]).view("/users/view/me")["Role"]["perm_site_admin"] is True
    instance.stop()
    instance.log.write_text("")
    instance.start()
    assert KEY.findall(instance.log.read_text()) == []
    assert instance.api(keys[0]).get("/users/view/me").status_code == 200
    instance.stop()


# The database


def test_a_backup_brings_everything_back(new_instance: NewInstance) -> None:
    first = new_instance().start()
    added = first.api().ok("/events/add", an_event())["Event"]
    backup = first.folder / "backup"
    first.cli("db", "backup", backup)  # while it serves
    first.api().ok("/events/add", an_event())
    first.stop()

    second = new_instance()
    second.cli("db", "restore", backup)
    second.cli("db", "check")
    second.start()
    assert list(seen(second.api())) == [added["uuid"]]
    assert second.api().view(f"/events/view/{added['uuid']}")["Event"] == added
    second.stop()


def test_migrating_twice_changes_nothing(new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.cli("db", "migrate")
    instance.cli("db", "migrate")
    instance.cli("db", "check")


def test_check_finds_what_is_broken(new_instance: NewInstance, engine: str) -> None:
    if engine != "sqlite":
        pytest.skip("a file is what can be broken from outside")
    import sqlite3

    instance = new_instance().start()
    instance.api().ok("/events/add", an_event())
    instance.stop()
    instance.cli("db", "check")
    with sqlite3.connect(instance.data / "pisax.db") as database:
        database.execute("pragma foreign_keys = off")
        database.execute("delete from attributes where id = (select max(id) from attributes)")
    database.close()
    assert instance.cli("db", "check", check=False).returncode != 0


# Organisations, users, keys


def test_people_are_made_from_the_command_line(new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.cli("org", "add", "Command CERT")
    assert "Command CERT" in instance.cli("org", "list").stdout

    made = instance.cli("user", "add", "desk@command.test", "--org", "Command CERT", "--role", "User")
    assert "desk@command.test" in instance.cli("user", "list").stdout
    made_key = instance.cli("key", "add", "desk@command.test", "--comment", "for a script")
    keys = KEY.findall(made_key.stdout)
    assert len(keys) == 1
    listed = instance.cli("key", "list").stdout
    assert "for a script" in listed
    assert keys[0] not in listed
    assert made.returncode == 0

    instance.start()
    me = instance.api(keys[0]).view("/users/view/me")
    assert (me["User"]["email"], me["Organisation"]["name"]) == ("desk@command.test", "Command CERT")
    instance.stop()


def test_a_user_of_no_organisation_is_refused_with_a_reason(new_instance: NewInstance) -> None:
    refused = new_instance().cli("user", "add", "a@b.test", "--org", "Nobody", check=False)
    assert refused.returncode != 0
    assert "Nobody" in refused.stderr


# Imports


def test_event_files_and_feed_folders_are_imported_once(new_instance: NewInstance, tmp_path: Path) -> None:
    single, events = an_event(), [an_event() for _ in range(20)]
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"Event": single}))
    folder = feed(tmp_path / "feed", events)
    instance = new_instance()

    instance.cli("import", file, folder)
    instance.cli("import", file, folder)
    instance.cli("db", "check")

    api = instance.start().api()
    there = seen(api)
    assert set(there) == {single["uuid"]} | {event["uuid"] for event in events}
    event = api.view(f"/events/view/{single['uuid']}")["Event"]
    assert [a["value"] for a in event["Attribute"]] == [a["value"] for a in single["Attribute"]]
    assert (event["info"], event["date"], event["timestamp"]) == (
        single["info"],
        single["date"],
        single["timestamp"],
    )
    assert event["Orgc"]["name"] == "Elsewhere CERT"
    assert len(event["RelatedEvent"]) == len(events)
    instance.stop()


def test_a_newer_file_updates_and_an_older_one_does_not(new_instance: NewInstance, tmp_path: Path) -> None:
    event = an_event()
    file = tmp_path / "one.json"
    instance = new_instance()
    for change in (
        {},
        {"info": "Newer", "timestamp": "1772323300"},
        {"info": "Older", "timestamp": "1772323100"},
    ):
        file.write_text(json.dumps({"Event": event | change}))
        instance.cli("import", file, check=False)
    api = instance.start().api()
    assert seen(api)[event["uuid"]]["info"] == "Newer"
    instance.stop()


def test_a_file_that_is_no_event_is_named_and_the_others_are_imported(
    new_instance: NewInstance, tmp_path: Path
) -> None:
    good = an_event()
    (tmp_path / "good.json").write_text(json.dumps({"Event": good}))
    (tmp_path / "broken.json").write_text('{"Event": {"info"')
    instance = new_instance()
    done = instance.cli("import", tmp_path / "broken.json", tmp_path / "good.json", check=False)
    assert done.returncode != 0
    assert "broken.json" in done.stdout + done.stderr
    assert list(seen(instance.start().api())) == [good["uuid"]]
    instance.stop()


# Demo and knowledge


def test_the_demo_brings_events_that_correlate(new_instance: NewInstance) -> None:
    instance = new_instance()
    instance.cli("demo")
    instance.cli("db", "check")
    api = instance.start().api()
    events = [api.view(f"/events/view/{uuid}")["Event"] for uuid in seen(api)]
    assert len(events) >= 3
    assert any(event["RelatedEvent"] for event in events)
    assert all(int(event["attribute_count"]) > 0 for event in events)
    instance.stop()


def test_a_start_without_knowledge_says_what_is_missing(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    said = instance.log.read_text()
    for library in ("object templates", "taxonomies", "galaxies", "warninglists"):
        assert library in said
    instance.stop()


@pytest.fixture(scope="module")
def knowing(new_instance: NewInstance) -> Instance:
    """A server that has loaded every package of knowledge/pins.txt."""
    packages = sorted(KNOWLEDGE.glob("*.whl"))
    if len(packages) < 4:
        pytest.skip("the knowledge packages are not there: tools/fetch-knowledge")
    instance = new_instance()
    instance.cli("knowledge", "import", KNOWLEDGE)
    return instance.start()


def test_loaded_knowledge_is_there_to_be_asked(knowing: Instance) -> None:
    api = knowing.api()
    templates = {t["ObjectTemplate"]["name"] for t in api.view("/objectTemplates/index")}
    assert {"domain-ip", "file", "asn"} <= templates
    namespaces = {t["Taxonomy"]["namespace"] for t in api.view("/taxonomies/index")}
    assert {"tlp", "admiralty-scale"} <= namespaces
    galaxies = {g["Galaxy"]["type"] for g in api.view("/galaxies/index")}
    assert "mitre-attack-pattern" in galaxies
    assert len(api.view("/warninglists/index")["Warninglists"]) > 50


def test_loading_the_same_knowledge_again_changes_nothing(knowing: Instance) -> None:
    before = knowing.api().view("/warninglists/index")
    knowing.cli("knowledge", "import", KNOWLEDGE)
    assert knowing.api().view("/warninglists/index") == before
