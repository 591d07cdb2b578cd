"""Protected events: the instance signs what it shows of them, and lets in what their keys signed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.gpg import Gpg, new_gpg
from harness.instance import Instance
from harness.people import SYNC_USER, USER, new_member


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpg")


@pytest.fixture(scope="module")
def gpg(api: Api, folder: Path) -> Gpg:
    """GnuPG that knows the instance's key."""
    answer = api.get("/users/getGpgPublicKey")
    assert answer.headers["Content-Type"].startswith("text/plain")
    gpg = new_gpg(folder)
    imported = gpg.run("--import", text=answer.content)
    assert imported.returncode == 0, imported.stderr
    return gpg


def test_what_is_shown_of_a_protected_event_is_signed_by_the_instance(api: Api, gpg: Gpg) -> None:
    event = api.ok("/events/add", {"info": "Signed in part", "Attribute": [{"type": "text", "value": "a b"}]})
    place = f"/events/view/{event['Event']['id']}"
    assert "x-pgp-signature" not in api.get(place).headers
    said = api.ok(f"/events/protect/{event['Event']['uuid']}")
    assert said["message"] == "Event switched to protected mode."
    answer = api.get(place)
    assert answer.json()["Event"]["protected"] is True
    assert gpg.verifies(answer.content, answer.headers["x-pgp-signature"])
    assert not gpg.verifies(answer.content + b"x", answer.headers["x-pgp-signature"])
    api.ok(f"/events/unprotect/{event['Event']['id']}")
    assert "x-pgp-signature" not in api.get(place).headers


def test_the_key_of_an_instance_stays_the_same(server: Instance, api: Api, gpg: Gpg) -> None:
    before = api.get("/users/getGpgPublicKey").content
    signed = api.raw("POST", "/cryptographicKeys/serverSign", b"some text")
    assert gpg.verifies(b"some text", signed.json()["signature"])
    server.stop()
    server.start()
    again = server.api()
    api.url = again.url
    assert again.get("/users/getGpgPublicKey").content == before


def test_keys_are_added_shown_revoked_and_deleted(api: Api, folder: Path) -> None:
    event = api.ok("/events/add", {"info": "With keys", "distribution": 0})["Event"]
    text = new_gpg(folder).new_key()
    place = f"/cryptographicKeys/add/Event/{event['uuid']}"
    key = api.ok(place, {"type": "pgp", "key_data": text})["CryptographicKey"]
    assert re.fullmatch("[0-9A-F]{40}", key["fingerprint"])
    assert (key["parent_id"], key["revoked"]) == (event["id"], False)
    for bad in ({"key_data": text}, {"key_data": "no key"}, {}, {"type": "x509", "key_data": text}):
        answer = api.post(place, bad)
        assert answer.status_code == 403
        assert next(iter(answer.json()["errors"])) in ("key_data", "type")
    assert api.view(f"/events/view/{event['id']}")["Event"]["CryptographicKey"] == [key]
    stranger = new_member(api, USER)
    assert stranger.api.get(f"/cryptographicKeys/view/{key['uuid']}").status_code == 404
    assert stranger.api.post(f"/cryptographicKeys/delete/{key['id']}").status_code == 404
    api.ok(f"/cryptographicKeys/revoke/{key['id']}")
    assert api.view(f"/cryptographicKeys/view/{key['id']}")["CryptographicKey"]["revoked"] is True
    api.ok(f"/cryptographicKeys/delete/{key['id']}")
    assert api.view(f"/cryptographicKeys/index/{event['id']}") == []


def send(api: Api, path: str, event: dict[str, Any], signature: str | None) -> tuple[int, str]:
    api.session.headers.pop("x-pgp-signature", None)
    if signature is not None:
        api.session.headers["x-pgp-signature"] = signature
    answer = api.raw("POST", path, json.dumps(event, indent=1).encode())
    api.session.headers.pop("x-pgp-signature", None)
    return answer.status_code, answer.json().get("message", "")


NO_KEY = "Protected event failed signature validation as no key was provided."
WRONG = "Protected event failed signature validation."


def test_from_others_a_protected_event_comes_signed_or_not_at_all(api: Api, folder: Path) -> None:
    sync = new_member(api, SYNC_USER)
    theirs, another = new_gpg(folder), new_gpg(folder)
    key = {"type": "pgp", "key_data": theirs.new_key()}
    another.new_key()
    event: dict[str, Any] = {
        "Event": {
            "info": "From elsewhere",
            "uuid": str(uuid4()),
            "distribution": 3,
            "protected": True,
            "locked": True,
            "timestamp": 1_700_000_000,
            "Orgc": {"name": f"Elsewhere {uuid4()}", "uuid": str(uuid4())},
            "CryptographicKey": [key],
        }
    }

    def text() -> bytes:
        return json.dumps(event, indent=1).encode()

    assert send(sync.api, "/events/add", event, None) == (405, NO_KEY)
    assert send(sync.api, "/events/add", event, another.sign(text())) == (405, WRONG)
    assert send(sync.api, "/events/add", event, "no base64!") == (405, WRONG)
    assert api.get(f"/events/view/{event['Event']['uuid']}").status_code == 404
    assert send(sync.api, "/events/add", event, theirs.sign(text()))[0] == 200

    place = f"/events/edit/{event['Event']['uuid']}"
    signed = theirs.sign(text())
    event["Event"] |= {"info": "Changed elsewhere", "timestamp": 1_700_000_100}
    assert send(sync.api, place, event, None) == (405, NO_KEY)
    assert send(sync.api, place, event, signed) == (405, WRONG), "that was signed over the first text"
    # A key that the change itself brings proves nothing.
    event["Event"]["CryptographicKey"] = [
        {"type": "pgp", "key_data": another.run("--armor", "--export").stdout.decode()}
    ]
    assert send(sync.api, place, event, another.sign(text())) == (405, WRONG)
    event["Event"]["CryptographicKey"] = [key]
    assert send(sync.api, place, event, theirs.sign(text()))[0] == 200
    assert api.view(f"/events/view/{event['Event']['uuid']}")["Event"]["info"] == "Changed elsewhere"
    stored = api.view(f"/cryptographicKeys/index/{event['Event']['uuid']}")
    api.ok(f"/cryptographicKeys/revoke/{stored[0]['CryptographicKey']['id']}")
    event["Event"] |= {"info": "Signed with a revoked key", "timestamp": 1_700_000_200}
    assert send(sync.api, place, event, theirs.sign(text())) == (405, WRONG)
