"""Who reaches what: every route there is, tried by every role, on records of its own and of others.

The routes, their arguments and the permissions come from the server's own table (`/api/openapi.json` and
`queryACL`), so that a new route is tried without being named here. What a role may call at all is the table's
word; what it finds there is held against one law: of a record that was not shared with him nobody gets a
word, and nobody changes what is not his.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.people import ORG_ADMIN, PUBLISHER, READ_ONLY, SITE_ADMIN, SYNC_USER, USER, Member, new_member

REFUSED = "You do not have permission to use this functionality."
ROLES = [ORG_ADMIN, USER, PUBLISHER, SYNC_USER, READ_ONLY]
NOBODY = "999999999"
# Rules beyond the role: for the organisation that runs the instance alone.
HOST_ORGANISATION = {
    "feedsfeedcoverage",
    "feedspreview",
    "feedspreviewevent",
    "feedspreviewindex",
    "feedsview",
}
# It sends back what was sent.
ECHOES = "/servers/postTest"
# It takes the caller's own key away.
ENDS_THE_KEY = {"usersresetauthkey"}


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    # As `queryACL` lists it.
    name: str

    @property
    def arguments(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def to(self, values: dict[str, str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], NOBODY), self.path)


def plain(path: str) -> str:
    return path.replace("/", "").replace("_", "").lower()


@pytest.fixture(scope="module")
def admin(new_instance: NewInstance) -> Iterator[Api]:
    instance = new_instance()
    instance.start()
    yield instance.api()
    assert instance.stop() == 0
    instance.cli("db", "check")


@pytest.fixture(scope="module")
def calls(admin: Api) -> list[Call]:
    paths = admin.view("/api/openapi.json")["paths"]
    found = [
        Call(method.upper(), path, said["x-queryacl"])
        for path, methods in paths.items()
        for method, said in methods.items()
    ]
    return [call for call in found if plain(call.name) not in ENDS_THE_KEY]


@pytest.fixture
def people(admin: Api) -> dict[int, Member]:
    """A member of every role, all of one organisation that nothing belongs to; new ones for each test, since
    an organisation's admin may well remove the others."""
    first = new_member(admin, ROLES[0])
    there = {"id": first.organisation_id, "uuid": first.organisation_uuid}
    return {ROLES[0]: first} | {role: new_member(admin, role, there) for role in ROLES[1:]}


def said(answer: Any) -> str:
    try:
        return str(answer.json().get("message", ""))
    except (ValueError, AttributeError):
        return ""


def test_what_a_role_may_call_is_what_the_table_says(
    admin: Api, calls: list[Call], people: dict[int, Member]
) -> None:
    table = {
        int(role["Role"]["id"]): {plain(url) for url in role["urls"]}
        for role in admin.view("/servers/queryACL/printRoleAccess")
    }
    admin.ok("/servers/serverSettingsEdit/MISP.delegation", {"value": True})
    wrong = []
    for role, member in people.items():
        for call in calls:
            answer = member.api.raw(call.method, call.to({}), b"{}" if call.method == "POST" else None)
            refused = answer.status_code == 403 and said(answer) == REFUSED
            allowed = plain(call.name) in table[role] and plain(call.name) not in HOST_ORGANISATION
            if refused == allowed:
                wrong.append(
                    f"role {role} {call.method} {call.path}: {answer.status_code}, allowed: {allowed}"
                )
    assert not wrong, "\n".join(wrong)
    assert table[SITE_ADMIN] >= table[ORG_ADMIN] | table[SYNC_USER] | table[PUBLISHER]


def test_a_read_only_key_changes_nothing(admin: Api, calls: list[Call]) -> None:
    member = new_member(admin, SITE_ADMIN)
    key = admin.ok(f"/auth_keys/add/{member.user_id}", {"read_only": True})["AuthKey"]["authkey_raw"]
    reader = Api(admin.url, key)
    described = admin.view("/api/openapi.json")["paths"]
    for call in calls:
        if "Refused to read-only keys" in described[call.path][call.method.lower()]["description"]:
            answer = reader.raw(call.method, call.to({}), b"{}")
            assert (answer.status_code, said(answer)) == (403, REFUSED), call


def test_nothing_is_reachable_that_the_table_does_not_name(admin: Api, calls: list[Call]) -> None:
    known = {plain(call.name) for call in calls} | ENDS_THE_KEY
    controllers = {call.name.removeprefix("/admin").split("/")[1] for call in calls}
    actions = {call.name.rsplit("/", 1)[-1] for call in calls}
    for controller in sorted(controllers):
        for prefix in ("", "/admin"):
            for action in sorted(actions | {"beforefilter", "appmodel", "runtests", "invoke"}):
                path = f"{prefix}/{controller}/{action}"
                if plain(path) not in known:
                    answer = admin.get(f"{path}/{NOBODY}")
                    assert answer.status_code in (404, 405), f"{path}: {answer.status_code}"


class Secrets:
    """An event with everything in it, each text of which tells whose it is."""

    def __init__(self, admin: Api, distribution: int) -> None:
        self.admin = admin
        self.word = f"secret{uuid4().hex}"
        self.value = f"{self.word} a"
        attribute = {"type": "text", "value": self.value, "comment": f"{self.word} b"}
        inside = {"object_relation": "text", "type": "text", "value": f"{self.word} c"}
        thing = {"name": f"{self.word}-d", "meta-category": "misc", "Attribute": [inside]}
        self.event = admin.ok(
            "/events/add",
            {
                "info": f"{self.word} e",
                "distribution": distribution,
                "Attribute": [attribute, {"type": "ip-dst", "value": "203.0.113.77", "comment": self.word}],
                "Object": [thing],
                # Names of tags are everybody's vocabulary; which event carries one is not.
                "Tag": [{"name": "tlp:red"}],
            },
        )["Event"]
        self.known: dict[str, list[str]] = {}
        self.note("event", self.event)
        for one in self.event["Attribute"]:
            self.note("attribute", one)
        whole = self.event["Object"][0]
        self.note("object", whole)
        self.add("sighting", "/sightings/add", {"id": self.event["Attribute"][0]["id"], "source": self.word})
        target = {"object_uuid": whole["uuid"], "referenced_uuid": self.event["Attribute"][0]["uuid"]}
        self.add("reference", "/objectReferences/add", target | {"relationship_type": self.word})
        self.more()

    def more(self) -> None:
        """What else can hang on an event."""
        event, attribute = self.event["id"], self.event["Attribute"][0]
        text = {"name": f"{self.word} g", "content": f"{self.word} h", "distribution": 5}
        self.add("report", f"/eventReports/add/{event}", text)
        note = {"note": f"{self.word} i", "distribution": 5}
        self.add("note", f"/analyst_data/add/Note/{attribute['uuid']}/Attribute", note)
        self.add("proposal", f"/shadow_attributes/add/{event}", {"type": "text", "value": f"{self.word} j"})
        graph = {"network_name": f"{self.word} k", "network_json": "{}"}
        self.add("graph", f"/eventGraph/add/{event}", graph)

    def note(self, kind: str, record: dict[str, Any]) -> None:
        self.known.setdefault(kind, []).extend(
            [record["id"], record["uuid"]] if "uuid" in record else [record["id"]]
        )

    def add(self, kind: str, path: str, body: Any) -> None:
        answer = self.admin.post(path, body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        record = next(iter(answer.json().values()))
        if isinstance(record, dict) and "id" in record:
            self.note(kind, record)

    def seen(self) -> Any:
        """What the owner sees of it, without what others may add."""
        event = self.admin.view(f"/events/view/{self.event['id']}")["Event"]
        for key in (
            "ShadowAttribute",
            "RelatedEvent",
            "proposal_email_lock",
            "Note",
            "Opinion",
            "Relationship",
        ):
            event.pop(key, None)
        for one in event["Attribute"] + [a for o in event["Object"] for a in o["Attribute"]]:
            for key in ("ShadowAttribute", "Sighting", "Note", "Opinion", "Relationship"):
                one.pop(key, None)
        return event

    def targets(self, call: Call) -> Iterator[dict[str, str]]:
        """Values for the arguments of a call, each known name in turn."""
        named = [name for name in call.arguments if name in self.known]
        if not named:
            everything = [value for values in self.known.values() for value in values]
            for name in call.arguments[:1]:
                yield from ({name: value} for value in everything)
            return
        for name in named:
            yield from ({name: value} for value in self.known[name])

    def bodies(self) -> Iterator[bytes]:
        for kind in ("event", "attribute", "object"):
            for value in self.known[kind][:2]:
                body = {
                    "id": value,
                    "uuid": value,
                    "eventid": value,
                    "tag": "tlp:red",
                    "value": f"{self.word} a",
                }
                yield json.dumps(body | {"object_uuid": value, "uuids": [value]}).encode()


def walk(calls: list[Call], member: Member, secrets: Secrets) -> Iterator[tuple[str, Any]]:
    for call in calls:
        if call.method == "GET":
            for values in secrets.targets(call) if call.arguments else [{}]:
                path = call.to(values)
                yield f"GET {path}", member.api.get(path)
            continue
        for values in secrets.targets(call) if call.arguments else [{}]:
            path = call.to(values)
            yield (
                f"POST {path}",
                member.api.post(path, {"info": "taken over", "value": "taken over", "hard": 1}),
            )
        if not call.arguments:
            for body in secrets.bodies():
                yield f"POST {call.path} {body[:80]!r}", member.api.raw("POST", call.path, body)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_gets_a_word_of_what_was_not_shared(
    admin: Api, calls: list[Call], people: dict[int, Member], role: int
) -> None:
    secrets = Secrets(admin, distribution=0)
    before = secrets.seen()
    for what, answer in walk(calls, people[role], secrets):
        assert answer.status_code < 500, f"{what}: {answer.text[:300]}"
        if ECHOES in what:
            continue
        # A refusal may repeat the value that was sent with the request.
        told = answer.text.replace(secrets.value, "") if answer.status_code >= 400 else answer.text
        assert secrets.word not in told, f"{what}: {answer.status_code} {told[:600]}"
    assert secrets.seen() == before
    search = {"returnFormat": "json", "value": f"%{secrets.word}%"}
    for scope in ("events", "attributes", "objects"):
        assert secrets.word not in people[role].api.post(f"/{scope}/restSearch", search).text


@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_what_is_not_his(
    admin: Api, calls: list[Call], people: dict[int, Member], role: int
) -> None:
    secrets = Secrets(admin, distribution=3)
    before = secrets.seen()
    seen = people[role].api.view(f"/events/view/{secrets.event['id']}")["Event"]
    assert seen["info"] == f"{secrets.word} e", "it was shared"
    for what, answer in walk(calls, people[role], secrets):
        assert answer.status_code < 500, f"{what}: {answer.text[:300]}"
    assert secrets.seen() == before


def test_an_organisation_works_on_its_own_as_its_roles_allow(admin: Api, people: dict[int, Member]) -> None:
    """The same calls on one's own record are granted: the refusals above are not for want of the record."""
    body = {"info": f"Own {uuid4()}", "Attribute": [{"type": "text", "value": str(uuid4())}]}
    event = people[USER].api.ok("/events/add", body)["Event"]
    attribute = event["Attribute"][0]["id"]
    granted = {
        ORG_ADMIN: [200, 200, 200],
        USER: [200, 200, 403],
        PUBLISHER: [200, 200, 200],
        SYNC_USER: [200, 200, 200],
        READ_ONLY: [200, 403, 403],
    }
    for role, wanted in granted.items():
        api = people[role].api
        got = [
            api.get(f"/events/view/{event['id']}").status_code,
            api.post(f"/attributes/edit/{attribute}", {"comment": str(uuid4())}).status_code,
            api.post(f"/events/publish/{event['id']}").status_code,
        ]
        assert got == wanted, f"role {role}"
