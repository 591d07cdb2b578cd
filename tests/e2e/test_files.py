"""Attachments and samples: sealed as MISP seals them, kept outside the database, all or nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from conftest import NewInstance
from harness.api import Api
from harness.events import an_event
from harness.instance import Instance
from harness.people import USER, new_member
from harness.s3 import Bucket, Gate
from pymisp import MISPEvent, MISPObject, PyMISP

PASSWORD = b"infected"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
DAY = 86_400


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def event(api: Api) -> dict[str, Any]:
    return api.ok("/events/add", {"info": f"Files {uuid4()}", "distribution": 0})["Event"]


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def digest(name: str, content: bytes) -> str:
    return hashlib.new(name, content, usedforsecurity=False).hexdigest()


def a_sample() -> bytes:
    return f"not a virus {uuid4()} ".encode() * 50


def sealed(content: bytes) -> dict[str, bytes]:
    """The members of a sealed sample, which opens with nothing but the password of the field."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            assert member.flag_bits & 1, f"{member.filename} is not encrypted"
            assert member.compress_type != 99, "AES: older tools cannot open it"
        return {name: archive.read(name, pwd=PASSWORD) for name in archive.namelist()}


def with_data(api: Api, event: str) -> list[dict[str, Any]]:
    found = api.ok("/attributes/restSearch", {"eventid": event, "withAttachments": 1})
    return found["response"]["Attribute"]


def test_a_bare_sample_is_sealed(api: Api, event: dict[str, Any]) -> None:
    content = a_sample()
    md5 = digest("md5", content)
    body = {"type": "malware-sample", "value": "invoice.exe", "data": encoded(content), "encrypt": True}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    assert added["value"] == f"invoice.exe|{md5}"
    assert "data" not in added
    (kept,) = with_data(api, event["id"])
    expected = {md5: content, f"{md5}.filename.txt": b"invoice.exe"}
    assert sealed(base64.b64decode(kept["data"])) == expected

    downloaded = api.get(f"/attributes/downloadAttachment/{added['id']}")
    assert downloaded.status_code == 200
    assert sealed(downloaded.content) == expected
    assert 'filename="invoice.exe.zip"' in downloaded.headers["content-disposition"]
    assert api.get(f"/attributes/download/{added['uuid']}").content == downloaded.content
    assert api.get(f"/attributes/downloadAttachment/download/{added['id']}").content == downloaded.content


def test_a_sealed_sample_stays_as_it_was_sent(api: Api, event: dict[str, Any]) -> None:
    content = a_sample()
    body = {"type": "malware-sample", "value": f"a.exe|{'0' * 32}", "data": encoded(content)}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    assert api.get(f"/attributes/download/{added['id']}").content == content


def test_data_is_there_for_who_asks_for_it(api: Api, event: dict[str, Any]) -> None:
    body = {"type": "attachment", "value": "notes.txt", "data": encoded(b"notes")}
    api.ok(f"/attributes/add/{event['id']}", body)
    data = encoded(b"notes")
    viewed = api.view(f"/events/view/{event['id']}")["Event"]["Attribute"][0]
    assert viewed["data"] == data, "a view carries it"
    without = api.ok(f"/events/view/{event['id']}", {"includeAttachments": 0})["Event"]["Attribute"][0]
    assert "data" not in without
    assert with_data(api, event["id"])[0]["data"] == data
    plain = api.ok("/attributes/restSearch", {"eventid": event["id"]})["response"]["Attribute"]
    assert "data" not in plain[0]
    for flag in ("withAttachments", "includeAttachments"):
        found = api.ok("/events/restSearch", {"eventid": event["id"], flag: True})["response"]
        assert found[0]["Event"]["Attribute"][0]["data"] == data
    found = api.ok("/events/restSearch", {"eventid": event["id"]})["response"]
    assert "data" not in found[0]["Event"]["Attribute"][0]
    made = {"name": "file", "Attribute": [{**attachment(b"inside"), "object_relation": "attachment"}]}
    api.ok(f"/objects/add/{event['id']}", made)
    found = api.ok("/objects/restSearch", {"eventid": event["id"], "withAttachments": 1})["response"]
    assert found[0]["Object"]["Attribute"][0]["data"] == encoded(b"inside")
    found = api.ok("/objects/restSearch", {"eventid": event["id"]})["response"]
    assert "data" not in found[0]["Object"]["Attribute"][0]


def test_an_edit_brings_other_bytes_and_keeps_them_otherwise(api: Api, event: dict[str, Any]) -> None:
    body = {"type": "attachment", "value": "a.txt", "data": encoded(b"one")}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    api.ok(f"/attributes/edit/{added['id']}", {"comment": "renamed"})
    assert api.get(f"/attributes/download/{added['id']}").content == b"one"
    api.ok(f"/attributes/edit/{added['id']}", {"data": encoded(b"two")})
    assert api.get(f"/attributes/download/{added['id']}").content == b"two"
    edit = {"Attribute": [{"uuid": added["uuid"], "type": "attachment", "data": encoded(b"three")}]}
    api.ok(f"/events/edit/{event['id']}", edit)
    assert api.get(f"/attributes/download/{added['id']}").content == b"three"


def test_a_sample_is_replaced_under_its_name(api: Api, event: dict[str, Any]) -> None:
    body = {"type": "malware-sample", "value": "a.exe", "data": encoded(a_sample()), "encrypt": 1}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    content = a_sample()
    edit = {"data": encoded(content), "encrypt": True}
    edited = api.ok(f"/attributes/edit/{added['id']}", edit)["Attribute"]
    assert edited["value"] == f"a.exe|{digest('md5', content)}"
    members = sealed(api.get(f"/attributes/download/{added['id']}").content)
    assert members[digest("md5", content)] == content


def test_a_file_gets_the_extension_of_its_bytes(api: Api, event: dict[str, Any]) -> None:
    body = {"type": "attachment", "value": "screenshot", "data": encoded(PNG)}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    assert added["value"] == "screenshot.png"
    assert added["disable_correlation"] is True, "pictures are called alike everywhere"
    assert api.view(f"/attributes/viewPicture/{added['id']}") == encoded(PNG)
    text = {"type": "attachment", "value": "notes.txt", "data": encoded(b"text")}
    added = api.ok(f"/attributes/add/{event['id']}", text)["Attribute"]
    assert added["disable_correlation"] is False
    assert api.get(f"/attributes/viewPicture/{added['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "malware-sample", "value": "a.exe", "data": "no base64!", "encrypt": True}, "data"),
        ({"type": "attachment", "value": "a.txt", "data": ["x"]}, "data"),
        ({"type": "malware-sample", "value": "", "data": encoded(b"x"), "encrypt": True}, "value"),
        ({"type": "malware-sample", "value": "no hash.exe", "data": encoded(b"x")}, "value"),
    ],
)
def test_wrong_files_are_refused_by_their_field(
    api: Api, event: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    answer = api.post(f"/attributes/add/{event['id']}", body)
    assert answer.status_code == 403, answer.text
    assert list(answer.json()["errors"]) == [field]
    assert with_data(api, event["id"]) == []


def test_others_do_not_get_the_bytes(api: Api, event: dict[str, Any]) -> None:
    body = {"type": "attachment", "value": "secret.txt", "data": encoded(b"secret")}
    added = api.ok(f"/attributes/add/{event['id']}", body)["Attribute"]
    stranger = new_member(api, USER).api
    for path in ("downloadAttachment", "download"):
        answer = stranger.get(f"/attributes/{path}/{added['id']}")
        assert answer.status_code == 404
        assert b"secret" not in answer.content
    assert stranger.get(f"/attributes/viewPicture/{added['id']}").status_code == 405


def test_pymisp_reads_back_what_it_sent(misp: PyMISP) -> None:
    content = a_sample()
    event = an_event()
    event.add_attribute("malware-sample", "first.exe", data=io.BytesIO(content))
    inside = MISPObject("file")
    inside.add_attribute("filename", value="second.exe")
    inside.add_attribute("malware-sample", value="second.exe", data=io.BytesIO(content))
    event.add_object(inside)
    added = misp.add_event(event)
    assert isinstance(added, MISPEvent), added
    viewed = misp.get_event(added)
    binaries = [viewed.attributes[0].malware_binary]
    binaries += [a.malware_binary for a in viewed.objects[0].attributes if a.type == "malware-sample"]
    assert [b.getvalue() for b in binaries] == [content, content]
    assert viewed.attributes[0].malware_filename == "first.exe"


def test_an_uploaded_sample_becomes_a_file_object(api: Api, event: dict[str, Any]) -> None:
    content = a_sample()
    body = {"files": [{"filename": "drop.exe", "data": encoded(content)}], "comment": "from the mail"}
    done = api.ok(f"/events/upload_sample/{event['id']}", body)
    assert (done["name"], done["id"]) == ("Success", event["id"])
    (made,) = api.view(f"/events/view/{event['id']}")["Event"]["Object"]
    assert (made["name"], made["comment"]) == ("file", "from the mail")
    values = {a["object_relation"]: a["value"] for a in made["Attribute"]}
    md5 = digest("md5", content)
    assert values == {
        "malware-sample": f"drop.exe|{md5}",
        "filename": "drop.exe",
        "md5": md5,
        "sha1": digest("sha1", content),
        "sha256": digest("sha256", content),
        "size-in-bytes": str(len(content)),
    }
    (kept,) = [a for a in made["Attribute"] if a["type"] == "malware-sample"]
    assert sealed(base64.b64decode(kept["data"]))[md5] == content

    body["distribution"] = 0
    alone = api.ok("/events/upload_sample", body)
    assert alone["id"] != event["id"]
    assert len(api.view(f"/events/view/{alone['id']}")["Event"]["Object"]) == 1
    assert api.post(f"/events/upload_sample/{event['id']}", {"files": []}).status_code == 400
    assert api.post("/events/upload_sample/999999", body).status_code == 404


# Where they are kept


@pytest.fixture(params=["folder", "bucket", "database"])
def kept(request: pytest.FixtureRequest, new_instance: NewInstance) -> Iterator[Instance]:
    """An installation that keeps attachments in each of the places there are."""
    instance = new_instance()
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        instance.environment |= bucket.environment(prefix=f"t{uuid4().hex}")
    elif request.param == "database":
        instance.environment["PISAX_ATTACHMENTS"] = "database"
    instance.start()
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with Bucket.start(tmp_path_factory.mktemp("s3")) as one:
        yield one


def attach(api: Api, content: bytes) -> tuple[str, str]:
    """A new event with these bytes: their ids."""
    body = {"info": f"Kept {uuid4()}", "Attribute": [attachment(content)]}
    added = api.ok("/events/add", body)["Event"]
    return added["id"], added["Attribute"][0]["id"]


def attachment(content: bytes) -> dict[str, Any]:
    return {"type": "attachment", "value": f"{uuid4()}.bin", "data": encoded(content)}


def test_bytes_survive_a_restart_a_backup_and_a_check(kept: Instance, new_instance: NewInstance) -> None:
    content = os.urandom(3_000_000)
    _, attribute = attach(kept.api(), content)
    kept.cli("db", "backup", kept.folder / "copy")
    in_database = kept.environment.get("PISAX_ATTACHMENTS") == "database"
    swept = kept.cli("db", "sweep").stdout.strip()
    assert swept == f"Removed 0; {0 if in_database else 1} are in use."
    kept.stop()
    kept.cli("db", "check")
    kept.start()
    assert kept.api().get(f"/attributes/download/{attribute}").content == content

    other = new_instance()
    other.cli("db", "restore", kept.folder / "copy")
    other.cli("db", "check")
    other.start()
    assert other.api().get(f"/attributes/download/{attribute}").content == content
    other.stop()


def files_of(instance: Instance) -> list[Path]:
    return [path for path in (instance.data / "attachments").rglob("*") if path.is_file()]


def grown_old(instance: Instance) -> None:
    """As if what is there had been there since the day before."""
    for path in files_of(instance):
        before = path.stat().st_mtime - DAY
        os.utime(path, (before, before))


def test_what_no_attribute_names_is_swept_when_it_is_old(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    _, attribute = attach(instance.api(), b"wanted")
    (wanted,) = files_of(instance)
    assert wanted.read_bytes() == b"wanted"
    assert wanted.stat().st_mode & 0o077 == 0, "others can read it"
    lost = wanted.with_name(wanted.name[:2] + uuid4().hex[2:])
    partial = wanted.with_name(wanted.name[:2] + uuid4().hex[2:] + ".partial")
    foreign = wanted.with_name("README")
    for path in (lost, partial, foreign):
        path.write_bytes(b"left behind")
    instance.cli("db", "sweep")
    assert lost.exists(), "it might be on its way to its row"
    grown_old(instance)
    instance.cli("db", "sweep")
    assert not lost.exists()
    assert not partial.exists()
    assert foreign.exists(), "PISAX did not make it"
    assert instance.api().get(f"/attributes/download/{attribute}").content == b"wanted"
    instance.stop()


def test_lost_bytes_are_found_by_the_check_and_hide_nothing_else(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    event, attribute = attach(instance.api(), b"soon gone")
    (path,) = files_of(instance)
    path.write_bytes(b"something else")
    checked = instance.cli("db", "check", check=False)
    assert checked.returncode != 0
    assert f"attribute {attribute}" in checked.stdout
    assert instance.api().view(f"/events/view/{event}")["Event"]["Attribute"][0]["id"] == attribute
    assert instance.api().get(f"/attributes/download/{attribute}").status_code == 404
    instance.stop()


def test_a_refused_event_leaves_no_bytes(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    event, _ = attach(instance.api(), b"here")
    stranger = new_member(instance.api(), USER).api
    before = files_of(instance)
    assert stranger.post(f"/attributes/add/{event}", attachment(b"unwanted")).status_code == 403
    assert instance.api().post("/attributes/add/999999", attachment(b"nowhere")).status_code == 404
    assert files_of(instance) == before
    instance.stop()


def test_attachments_move_to_another_place(new_instance: NewInstance, bucket: Bucket) -> None:
    instance = new_instance()
    prefix = f"moved-{uuid4().hex}"
    instance.environment["PISAX_ATTACHMENTS"] = "database"
    instance.start()
    _, attribute = attach(instance.api(), b"well travelled")
    steps = [({"PISAX_ATTACHMENTS": f"dir:{instance.data / 'attachments'}"}, [])]
    steps.append((bucket.environment(prefix), ["--from", f"dir:{instance.data / 'attachments'}"]))
    for environment, words in steps:
        instance.stop()
        instance.environment |= environment
        assert "Moved 1." in instance.cli("db", "move-attachments", *words).stdout
        instance.cli("db", "check")
        instance.start()
        assert instance.api().get(f"/attributes/download/{attribute}").content == b"well travelled"
    assert len(bucket.names(prefix)) == 1
    instance.stop()


def test_a_bucket_that_is_gone_refuses_and_loses_nothing(new_instance: NewInstance, bucket: Bucket) -> None:
    instance = new_instance()
    instance.environment |= bucket.environment("gone")
    instance.start()
    event, attribute = attach(instance.api(), b"safe")
    instance.stop()
    there = dict(instance.environment)
    instance.environment["PISAX_ATTACHMENTS"] = "s3://gone?endpoint=http://127.0.0.1:9"
    instance.start()
    api = instance.api()
    assert api.post(f"/attributes/add/{event}", attachment(b"new")).status_code >= 500
    assert api.ok(f"/attributes/add/{event}", {"type": "text", "value": "still works"})
    assert len(api.ok("/attributes/restSearch", {"eventid": event})["response"]["Attribute"]) == 2
    instance.stop()
    instance.environment = there
    instance.start()
    assert instance.api().get(f"/attributes/download/{attribute}").content == b"safe"
    instance.stop()


def test_a_slow_bucket_holds_no_connection(new_instance: NewInstance, bucket: Bucket) -> None:
    gate = Gate(bucket.url)
    instance = new_instance()
    environment = bucket.environment(f"slow-{uuid4().hex}")
    environment["PISAX_ATTACHMENTS"] = str(environment["PISAX_ATTACHMENTS"]).replace(bucket.url, gate.url)
    instance.environment |= environment | {"PISAX_CONNECTIONS": "2"}
    instance.start()
    content = os.urandom(200_000)
    text = encoded(content)
    event, attribute = attach(instance.api(), content)
    bundle = {"returnFormat": "stix2", "withAttachments": 1, "eventid": event}
    ways: list[Callable[[Api], str]] = [
        lambda api: api.get(f"/events/view/{event}").text,
        lambda api: api.post("/events/restSearch", {"eventid": event, "withAttachments": 1}).text,
        lambda api: api.post("/attributes/restSearch", {"eventid": event, "withAttachments": 1}).text,
        lambda api: api.post("/events/restSearch", bundle).text,
    ]
    ways += [lambda api: encoded(api.get(f"/attributes/download/{attribute}").content)] * 3
    gate.shut()
    with ThreadPoolExecutor(len(ways)) as pool:
        asking = [pool.submit(way, instance.api()) for way in ways]
        try:
            assert gate.holds(len(ways))
            other = new_member(instance.api()).api
            assert [one["id"] for one in other.view("/events/index")] == [event]
            assert other.ok("/attributes/restSearch", {"eventid": event})["response"]["Attribute"]
        finally:
            gate.open()
        assert all(text in one.result() for one in asking)
    merged = instance.api().ok("/events/add", {"info": "Merged"})["Event"]["id"]
    instance.api().ok(f"/events/merge/{merged}/{event}")
    assert text in instance.api().get(f"/events/view/{merged}").text
    instance.stop()


def test_wrong_keys_are_refused_by_the_bucket(new_instance: NewInstance, bucket: Bucket) -> None:
    instance = new_instance()
    instance.environment |= bucket.environment("x") | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    instance.start()
    answer = instance.api().post("/events/add", {"info": "x", "Attribute": [attachment(b"x")]})
    assert answer.status_code >= 500
    assert "wrong" not in answer.text
    assert instance.api().view("/events/index") == []
    instance.stop()


def test_a_killed_server_keeps_every_acknowledged_attachment_whole(new_instance: NewInstance) -> None:
    instance = new_instance()
    acknowledged: dict[str, bytes] = {}
    lock = threading.Lock()
    for _ in range(4):
        instance.start()
        enough = threading.Event()

        def send(enough: threading.Event = enough) -> None:
            api = instance.api()
            while True:
                content = os.urandom(200_000)
                body = {"info": f"Crash {uuid4()}", "Attribute": [attachment(content), attachment(b"small")]}
                try:
                    answer = api.post("/events/add", body)
                except requests.RequestException:
                    return
                assert answer.status_code == 200, answer.text
                with lock:
                    acknowledged[answer.json()["Event"]["Attribute"][0]["id"]] = content
                    enough.set()

        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(send) for _ in range(4)]
            assert enough.wait(60)
            instance.kill()
            for one in running:
                one.result()
    instance.cli("db", "check")
    instance.start()
    api = instance.api()
    for attribute, content in acknowledged.items():
        assert api.get(f"/attributes/download/{attribute}").content == content
    instance.stop()
