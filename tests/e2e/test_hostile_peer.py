"""Peers that answer garbage, slowly, endlessly, in somebody else's name or not at all: what they send is
refused with the reason in the ledger or the job, nothing is stored by halves, nobody else waits for them."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.gpg import new_gpg
from harness.hostile import (
    HostilePeer,
    Question,
    attribute,
    bomb,
    broken_off,
    connect_to,
    endless,
    endless_head,
    pieces,
    redirect,
    says,
    silence,
)
from harness.instance import Instance
from harness.peers import DONE, FAILED, Link, host_organisation, job_end, until

VIEW = "GET /events/view/"
INDEX = "POST /events/index"
# What this installation waits for and takes at most, so that tests of it are short.
BOUNDS = {"PISAX_PEER_TIMEOUT": "3", "PISAX_PEER_LIMIT": "1048576"}


@pytest.fixture(scope="module")
def node(new_instance: NewInstance) -> Iterator[Instance]:
    """Who pulls. Whatever was sent to it, its database is sound in the end."""
    instance = new_instance()
    instance.environment |= BOUNDS | {"PISAX_ORG": f"NODE {uuid4()}"}
    instance.start()
    yield instance
    assert instance.stop() == 0
    instance.cli("db", "check")


@pytest.fixture
def peer() -> Iterator[HostilePeer]:
    with HostilePeer() as peer:
        yield peer


@pytest.fixture
def link(node: Instance, peer: HostilePeer) -> Link:
    return connect_to(node, peer)


def stored(node: Instance) -> list[Any]:
    """Everything that a pull of events could have written, in short."""
    api = node.api()
    events = [(e["uuid"], e["timestamp"], e["info"], e["attribute_count"]) for e in api.view("/events/index")]
    groups = [
        (g["SharingGroup"]["uuid"], len(g["SharingGroupOrg"]))
        for g in api.view("/sharing_groups/index")["response"]
    ]
    return [sorted(events), sorted(groups)]


def there(node: Instance, uuid: str) -> dict[str, Any] | None:
    answer = node.api().get(f"/events/view/{uuid}")
    return answer.json()["Event"] if answer.status_code == 200 else None


def not_taken(link: Link, uuid: str, *words: str) -> None:
    """The ledger says that the event was not taken and why, in one line."""
    entry = link.entry(uuid, "pull")
    assert entry["outcome"] in ("refused", "failed"), entry
    for word in words:
        assert word in entry["reason"], entry
    assert entry["reason"].isprintable() and len(entry["reason"]) <= 500


def test_a_peer_that_behaves_is_pulled_from(node: Instance, peer: HostilePeer, link: Link) -> None:
    event = peer.event()
    assert "1 events pulled, 0 events could not" in link.pull()
    arrived = there(node, event["uuid"])
    assert arrived is not None and arrived["Orgc"]["uuid"] == peer.organisation["uuid"]
    assert link.entry(event["uuid"], "pull")["outcome"] == "done"


# ---- The list -------------------------------------------------------------------------------------------

ROW = b'{"uuid":"11111111-0000-4000-8000-000000000001","timestamp":"1","published":true},'
LISTS = {
    "no JSON": (says("<html><body>Welcome</body></html>", Content_Type="text/html"), "no MISP"),
    "no list": (says({"errors": "none"}), "no MISP"),
    "numbers for rows": (says([1, 2, 3]), "no MISP"),
    "invalid UTF-8": (says(b'[{"uuid":"\xff\xfe"}]'), "no MISP"),
    "deep": (says(b"[" + b"[" * 100_000), "no MISP"),
    "deep objects": (says(b'[{"uuid":"x","a":' + b'{"a":' * 100_000), "no MISP"),
    "cut short": (pieces([b"[", ROW]), "no MISP"),
    "cut before its length": (broken_off(b"[" + ROW), ""),
    "never ending": (endless(b"[", ROW * 1000), "larger than 4194304 bytes"),
    "never ending and empty": (endless(b"", b" " * 65536), "larger than 4194304 bytes"),
    "never ending head": (endless_head, ""),
    "gzip": (bomb("gzip"), "larger than 4194304 bytes"),
    "brotli": (bomb("br"), "larger than 4194304 bytes"),
    "no gzip": (says("[]", Content_Encoding="gzip"), ""),
    "a trickle": (endless(b"[", b" ", pause=0.02), "bytes a second"),
    "silence": (silence, "no answer in time"),
    "a redirect": (redirect("http://127.0.0.1:9/"), "it answered 302"),
    "an error": (
        says({"message": "Out\r\nof \u001b[31mmemory\u0000"}, 500),
        "it answered 500: Outof [31mmemory",
    ),
    "a long error": (says("x" * 3_000_000, 500), "it answered 500"),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_that_is_none_changes_nothing(
    node: Instance, peer: HostilePeer, link: Link, what: str
) -> None:
    answer, word = LISTS[what]
    peer.event()
    peer.on(INDEX, answer)
    before = stored(node)
    said = link.fails("pull")
    assert word in said and said.isprintable() and len(said) < 500, said
    state = link.here.ok(f"/servers/ledger/{link.server_id}")["State"]
    assert (state["failure"], state["failures_in_a_row"]) == (said, "1")
    assert stored(node) == before
    # Once it behaves, nothing of that stands in the way.
    peer.answers.clear()
    assert "1 events pulled" in link.pull()


def test_what_is_no_uuid_is_not_asked_for(node: Instance, peer: HostilePeer, link: Link) -> None:
    event = peer.event()
    rows = [
        {"uuid": bad, "timestamp": "1", "published": True}
        for bad in ("7", "../../users/view/me", "", "1' or 1")
    ]
    peer.on(INDEX, says([*rows, peer.row(event)]))
    assert "1 events pulled, 0 events could not" in link.pull()
    assert [p.split("/")[3] for p in peer.paths() if p.startswith("/events/view/")] == [event["uuid"]]


def test_an_event_that_is_listed_often_is_asked_for_once(peer: HostilePeer, link: Link) -> None:
    event = peer.event()
    peer.on(INDEX, says([peer.row(event)] * 5000))
    assert "1 events pulled, 0 events could not" in link.pull()
    assert sum(path.startswith("/events/view/") for path in peer.paths()) == 1


# ---- One event ------------------------------------------------------------------------------------------


def an_event(peer: HostilePeer, **more: Any) -> bytes:
    return json.dumps({"Event": peer.draft(**more)}).encode()


def a_million_attributes() -> Iterator[bytes]:
    yield b'{"Event":{"info":"Large","Attribute":['
    row = json.dumps(attribute()).encode()
    for _ in range(1000):
        yield (row + b",") * 1000
    yield row + b"]}}"


EVENTS = {
    "HTML": (says("<html></html>", Content_Type="text/html"), ""),
    "no event": (says([]), ""),
    "a text": (says('"Event"'), ""),
    "an empty event": (says({"Event": {}}), "another event"),
    "gzip": (bomb("gzip"), "larger than 1048576 bytes"),
    "brotli": (bomb("br"), "larger than 1048576 bytes"),
    "a million attributes": (pieces(a_million_attributes()), "larger than 1048576 bytes"),
    "never ending": (endless(b'{"Event":{"info":"', b"x" * 65536), "larger than 1048576 bytes"),
    "a trickle": (endless(b"{", b" ", pause=0.02), "bytes a second"),
    "silence": (silence, "no answer in time"),
    "reset": (broken_off(b'{"Event":{"info":"half'), ""),
    "deep": (says(b'{"Event":{"Attribute":' + b"[" * 100_000), ""),
    "invalid UTF-8": (says(b'{"Event":{"info":"\xc3\x28"}}'), ""),
    "a redirect": (redirect("http://127.0.0.1:9/"), "it answered 302"),
    "a wrong type": (says({"Event": {"info": {"a": 1}, "uuid": [7], "Attribute": "x"}}), ""),
}


@pytest.mark.parametrize("what", EVENTS)
def test_an_event_that_is_none_holds_up_no_other(
    node: Instance, peer: HostilePeer, link: Link, what: str
) -> None:
    answer, word = EVENTS[what]
    bad, good = peer.event(), peer.event()
    peer.on(VIEW + bad["uuid"], answer)
    before = stored(node)
    assert "1 events pulled, 1 events could not" in link.pull()
    not_taken(link, bad["uuid"], word)
    assert there(node, bad["uuid"]) is None and there(node, good["uuid"]) is not None
    (after, groups), (old, old_groups) = stored(node), before
    assert (len(after), groups) == (len(old) + 1, old_groups)


def test_another_event_than_was_asked_for_is_refused(node: Instance, peer: HostilePeer, link: Link) -> None:
    asked = peer.event()
    other = peer.draft()
    peer.on(VIEW, says({"Event": other}))
    link.pull()
    not_taken(link, asked["uuid"], "another event than was asked for")
    assert there(node, asked["uuid"]) is None and there(node, other["uuid"]) is None
    # The same version is not asked for again.
    count = len(peer.paths("GET"))
    link.pull()
    assert not [path for path in peer.paths("GET")[count:] if path.startswith("/events/view/")]


def test_redirects_lead_to_no_inside_address(peer: HostilePeer, link: Link) -> None:
    with HostilePeer() as inside:
        peer.event()
        for what in (INDEX, VIEW, "GET /shadow_attributes", "POST /analyst_data"):
            peer.answers = {what: redirect(f"{inside.url}/latest/meta-data/")}
            job_end(link.here, link.begin("pull"))
        assert link.here.ok(f"/servers/testConnection/{link.server_id}")["status"] == 1
        peer.on("GET /servers/getVersion", redirect(inside.url))
        assert link.here.ok(f"/servers/testConnection/{link.server_id}")["status"] == 3
        assert inside.asked == []


def test_every_second_event_fails_and_the_others_come(node: Instance, peer: HostilePeer, link: Link) -> None:
    events = [peer.event() for _ in range(40)]
    bad = events[::2]
    for event in bad:
        peer.on(VIEW + event["uuid"], says({"message": "Internal error"}, 500))
    assert "20 events pulled, 20 events could not" in link.pull()
    for event in bad:
        not_taken(link, event["uuid"], "it answered 500: Internal error")
        entry = link.entry(event["uuid"], "pull")
        assert (entry["outcome"], entry["attempts"]) == ("failed", "1") and int(entry["retry_at"]) > 0
    # A pull goes on where it stopped: what is here is not asked for again.
    peer.answers.clear()
    peer.asked.clear()
    assert "20 events pulled, 0 events could not" in link.pull()
    views = {path.split("/")[3] for path in peer.paths() if path.startswith("/events/view/")}
    assert views == {event["uuid"] for event in bad}
    assert all(there(node, event["uuid"]) for event in events)


def test_one_that_only_fails_counts_as_away(peer: HostilePeer, link: Link) -> None:
    for _ in range(100):
        peer.event()
    peer.on(VIEW, says({"message": "Busy"}, 503))
    assert "it answered 503: Busy" in link.fails("pull")
    # A few at a time, until it is clear that all would be the same.
    assert sum(path.startswith("/events/view/") for path in peer.paths()) < 40


def test_others_are_pulled_from_meanwhile(node: Instance, peer: HostilePeer, link: Link) -> None:
    """A peer whose answers wait until the test lets them go: everybody else is served before."""
    peer.event()

    def held(question: Question) -> None:
        assert question.over.wait(60)
        question.handler.close_connection = True

    node.stop()
    node.environment["PISAX_PEER_TIMEOUT"] = "60"
    node.start_at(node.url)
    try:
        with HostilePeer() as slow, HostilePeer() as good:
            links = [connect_to(node, slow) for _ in range(3)]
            slow.on(INDEX, held)
            jobs = [one.begin("pull") for one in links]
            until(lambda: len(slow.asked), lambda asked: asked == len(links))
            event = good.event()
            assert "1 events pulled" in connect_to(node, good).pull()
            assert there(node, event["uuid"]) is not None
            listed = {j["Job"]["id"]: j["Job"]["status"] for j in node.api().view("/jobs/index")}
            assert not {listed[job] for job in jobs} & {DONE, FAILED}
            slow.over.set()
            assert {job_end(node.api(), job)[0] for job in jobs} == {FAILED}
    finally:
        node.stop()
        node.environment |= BOUNDS
        node.start_at(node.url)


# ---- In somebody else's name ----------------------------------------------------------------------------


def test_an_event_in_the_name_of_an_organisation_of_here_is_refused(
    node: Instance, peer: HostilePeer, link: Link
) -> None:
    ours = host_organisation(node.api())
    claims = [
        {"uuid": ours["uuid"], "name": ours["name"]},
        {"uuid": ours["uuid"], "name": "Somebody"},
        {"name": ours["name"]},
        {"uuid": ours["uuid"].upper()},
    ]
    events = [peer.event(Orgc=claim | {"id": "1"}) for claim in claims]
    before = stored(node)
    peer.on(INDEX, says([peer.row(e | {"Orgc": peer.organisation}) for e in events]))
    assert "0 events pulled, 4 events could not" in link.pull()
    for event in events:
        not_taken(link, event["uuid"], "an organisation of this instance")
    assert stored(node) == before


def test_an_organisation_with_our_name_is_another_one(node: Instance, peer: HostilePeer, link: Link) -> None:
    ours = host_organisation(node.api())
    event = peer.event(Orgc={"uuid": str(uuid4()), "name": ours["name"]})
    link.pull()
    arrived = there(node, event["uuid"])
    assert arrived is not None
    assert arrived["Orgc"]["uuid"] != ours["uuid"] and arrived["Orgc"]["name"] != ours["name"]
    assert host_organisation(node.api()) == ours


def test_our_events_are_not_changed_from_elsewhere(node: Instance, peer: HostilePeer, link: Link) -> None:
    api = node.api()
    ours = api.ok("/events/add", {"info": "Ours", "distribution": 3, "Attribute": [attribute()]})["Event"]
    before = stored(node)
    peer.event(
        uuid=ours["uuid"], timestamp=str(int(ours["timestamp"]) + 1000), info="Theirs", Orgc=ours["Orgc"]
    )
    link.pull()
    not_taken(link, ours["uuid"], "event of this server")
    # By its uuid, past the list.
    assert "made here" in link.fails("pull", ours["uuid"])
    assert stored(node) == before


def test_uuids_of_others_are_not_to_be_had(node: Instance, peer: HostilePeer, link: Link) -> None:
    """A stranger's events claim uuids of an event, an attribute, an object and a report of somebody else."""
    with HostilePeer() as victim:
        reference = {
            "uuid": str(uuid4()),
            "name": "file",
            "meta-category": "file",
            "Attribute": [attribute()],
        }
        report = {"uuid": str(uuid4()), "name": "Report", "content": "True", "distribution": "5"}
        theirs = victim.event(Object=[reference], EventReport=[report])
        connect_to(node, victim).pull()
    later = str(int(theirs["timestamp"]) + 1000)
    parts = [theirs["Attribute"][0], reference["Attribute"][0]]
    whole = there(node, theirs["uuid"])
    event = peer.event(
        Attribute=[attribute(), *(p | {"value": "forged.example", "timestamp": later} for p in parts)],
        Object=[reference | {"comment": "forged", "timestamp": later, "Attribute": [attribute()]}],
        EventReport=[report | {"content": "False", "timestamp": later}],
    )
    peer.event(uuid=theirs["uuid"], timestamp=later, info="Forged", Orgc=peer.organisation)
    link.pull()
    assert there(node, theirs["uuid"]) == whole
    not_taken(link, theirs["uuid"], "somebody else made it")
    assert link.entry(event["uuid"], "pull")["reason"].startswith("left out")
    # The same once the stranger's own event is here.
    event |= {
        "timestamp": later,
        "Attribute": [p | {"value": "forged.example", "deleted": True} for p in parts],
    }
    link.pull()
    assert there(node, theirs["uuid"]) == whole


def a_group(peer: HostilePeer, *members: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid4()),
        "name": f"Group {uuid4()}",
        "releasability": "x",
        "description": "",
        "active": True,
        "roaming": True,
        "modified": "2026-01-01 00:00:00",
        "organisation_uuid": peer.organisation["uuid"],
        "Organisation": peer.organisation,
        "SharingGroupOrg": [{"extend": True, "Organisation": m} for m in (peer.organisation, *members)],
        "SharingGroupServer": [],
    } | more


def the_group(node: Instance, uuid: str) -> dict[str, Any] | None:
    answer = node.api().get(f"/sharing_groups/view/{uuid}")
    return answer.json() if answer.status_code == 200 else None


def test_a_group_in_our_name_is_not_made(node: Instance, peer: HostilePeer, link: Link) -> None:
    ours = host_organisation(node.api())
    named = {"name": ours["name"], "uuid": ours["uuid"]}
    groups = [
        a_group(peer, named, organisation_uuid=ours["uuid"], Organisation=named),
        a_group(peer, named, Organisation=named),
    ]
    events = [peer.event(distribution="4", sharing_group_id="1", SharingGroup=group) for group in groups]
    link.pull()
    for event, group in zip(events, groups, strict=True):
        assert the_group(node, group["uuid"]) is None
        arrived = there(node, event["uuid"])
        # What is shared with nobody that is known here stays with who pulled it.
        assert arrived is not None and (arrived["distribution"], arrived["sharing_group_id"]) == ("0", "0")


def test_a_stranger_does_not_write_himself_into_a_group(
    node: Instance, peer: HostilePeer, link: Link
) -> None:
    ours = host_organisation(node.api())
    named = {"name": ours["name"], "uuid": ours["uuid"]}
    own = node.api().ok("/sharing_groups/add", {"name": f"Ours {uuid4()}", "releasability": "x"})[
        "SharingGroup"
    ]
    with HostilePeer() as maker:
        group = a_group(maker, named)
        shared = maker.event(distribution="4", sharing_group_id="1", SharingGroup=group)
        connect_to(node, maker).pull()
    known = [the_group(node, uuid) for uuid in (group["uuid"], own["uuid"])]
    assert known[0] is not None and there(node, shared["uuid"])["distribution"] == "4"
    later = {"modified": "2036-01-01 00:00:00", "releasability": "everybody"}
    forged = [
        a_group(peer, named, uuid=group["uuid"], organisation_uuid=maker.organisation["uuid"], **later)
        | {"Organisation": maker.organisation},
        a_group(peer, named, uuid=group["uuid"], **later),
        a_group(peer, named, uuid=own["uuid"], **later),
    ]
    for one in forged:
        peer.event(distribution="4", sharing_group_id="1", SharingGroup=one)
    link.pull()
    assert [the_group(node, uuid) for uuid in (group["uuid"], own["uuid"])] == known


def test_a_protected_event_needs_the_signature_of_its_key(
    node: Instance, peer: HostilePeer, link: Link, tmp_path: Path
) -> None:
    gpg, stranger = new_gpg(tmp_path), new_gpg(tmp_path)
    key = {"uuid": str(uuid4()), "type": "pgp", "key_data": gpg.new_key(), "revoked": False}
    stranger.new_key()
    events = [peer.event(protected=True, CryptographicKey=[key]) for _ in range(5)]
    bodies = [json.dumps({"Event": event}).encode() for event in events]
    signatures = [
        None,
        "no base64 at all",
        base64.b64encode(b"nonsense").decode(),
        stranger.sign(bodies[3]),
        gpg.sign(bodies[0]),
    ]
    for event, body, signature in zip(events, bodies, signatures, strict=True):
        headers = {} if signature is None else {"x_pgp_signature": signature}
        peer.on(VIEW + event["uuid"], says(body, **headers))
    before = stored(node)
    assert "0 events pulled, 5 events could not" in link.pull()
    for event in events:
        not_taken(link, event["uuid"], "signature validation")
    assert stored(node) == before
    # What the key did sign comes in; what it did not does not change it.
    peer.on(VIEW + events[0]["uuid"], says(b""))
    signed = peer.event(protected=True, CryptographicKey=[key])
    body = json.dumps({"Event": signed}).encode()
    peer.on(VIEW + signed["uuid"], says(body, x_pgp_signature=gpg.sign(body)))
    link.pull()
    whole = there(node, signed["uuid"])
    assert whole is not None
    changed = signed | {"timestamp": str(int(signed["timestamp"]) + 10), "info": "Forged"}
    peer.events[signed["uuid"]] = changed
    for forged in (changed, changed | {"protected": False}):
        body = json.dumps({"Event": forged}).encode()
        peer.on(VIEW + signed["uuid"], says(body, x_pgp_signature=stranger.sign(body)))
        link.pull()
        assert there(node, signed["uuid"]) == whole
    not_taken(link, signed["uuid"], "signature validation")


# ---- What is in an event --------------------------------------------------------------------------------


def test_uuids_that_stand_twice_are_taken_once(node: Instance, peer: HostilePeer, link: Link) -> None:
    twice = attribute()
    inside = {"uuid": str(uuid4()), "name": "file", "meta-category": "file"}
    event = peer.event(
        Attribute=[
            twice,
            twice,
            twice | {"value": "other.example"},
            attribute(uuid="12"),
            attribute(uuid=12),
        ],
        Object=[
            inside | {"Attribute": [attribute(object_relation="filename"), twice]},
            inside | {"Attribute": [attribute(object_relation="filename")]},
        ],
    )
    link.pull()
    arrived = there(node, event["uuid"])
    assert arrived is not None
    uuids = [
        a["uuid"] for a in itertools.chain(arrived["Attribute"], *(o["Attribute"] for o in arrived["Object"]))
    ]
    assert len(uuids) == len(set(uuids)) == int(arrived["attribute_count"])
    assert [a["value"] for a in arrived["Attribute"] if a["uuid"] == twice["uuid"]] == [twice["value"]]
    assert [o["uuid"] for o in arrived["Object"]] == [inside["uuid"]]
    assert link.entry(event["uuid"], "pull")["reason"].startswith("left out")


def test_control_characters_reach_neither_the_ledger_nor_the_log(
    node: Instance, peer: HostilePeer, link: Link
) -> None:
    ugly = "A\u0000B\r\n2026-01-01T00:00:00Z  WARN forged: \u001b[31m\u0007\u202e end"
    event = peer.event(info=ugly, Attribute=[attribute(comment=ugly), attribute(type="text", value=ugly)])
    angry = peer.event(info=ugly)
    peer.on(VIEW + angry["uuid"], says({"message": ugly}, 500))
    job_end(link.here, link.begin("pull"))
    for uuid in (event["uuid"], angry["uuid"]):
        entry = link.entry(uuid, "pull")
        for text in (entry["title"], entry["reason"]):
            assert not any(ord(c) < 32 or c == "\u007f" for c in text), entry
    peer.on(INDEX, says({"message": ugly}, 500))
    said = link.fails("pull")
    assert not any(ord(c) < 32 for c in said), said
    log = node.log.read_text(errors="replace")
    assert "WARN forged" in log, "the reason is in the log"
    assert not [line for line in log.splitlines() if line.startswith("2026-01-01T00:00:00Z  WARN forged")]
    assert "\u001b[31m\u0007" not in log


def test_numbers_and_texts_out_of_range_stop_nothing(node: Instance, peer: HostilePeer, link: Link) -> None:
    odd: list[dict[str, Any]] = [
        {"timestamp": "9" * 40},
        {"timestamp": "-1"},
        {"timestamp": str(2**63 - 1)},
        {"distribution": "99"},
        {"distribution": "4", "sharing_group_id": "1"},
        {"analysis": "-7", "threat_level_id": "x"},
        {"date": "2026-99-99"},
        {"info": ""},
        {"info": "x" * 200_000},
        {"extends_uuid": "7"},
        {"Tag": [{"name": "x" * 100_000}, {"name": ""}, {"name": "\u0000"}]},
        {"Attribute": [attribute(type="no such type"), attribute(value=""), attribute(timestamp="9" * 30)]},
        {"Orgc": {"uuid": "7", "name": "x" * 100_000}},
        {"Orgc": {"uuid": str(uuid4()), "name": "\u0000"}},
    ]
    events = [peer.event(**more) for more in odd]
    peer.on(INDEX, says([peer.row(e | {"Orgc": peer.organisation}) for e in events]))
    good = peer.event()
    status, said = job_end(link.here, link.begin("pull"))
    assert status == DONE, said
    peer.answers.clear()
    peer.on(INDEX, says([peer.row(good)]))
    link.pull()
    assert there(node, good["uuid"]) is not None
    for event in events:
        entry = link.entry(event["uuid"], "pull")
        stands = there(node, event["uuid"])
        assert (entry["outcome"] == "done") == (stands is not None), entry
        assert entry["outcome"] in ("done", "refused", "failed") and "database" not in entry["reason"], entry


# ---- What goes along ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [says("<html>"), endless(b"[", b"{},"), says([{"uuid": 7}] * 9), bomb("br")]
)
def test_what_is_wrong_with_one_part_holds_up_no_other(
    node: Instance, peer: HostilePeer, answer: Any
) -> None:
    link = connect_to(node, peer, pull_galaxy_clusters=True, pull_analyst_data=True)
    event = peer.event()
    parts = ("POST /galaxy_clusters", "GET /galaxy_clusters", "GET /shadow_attributes", "POST /analyst_data")
    for part in parts:
        peer.on(part, answer)
    status, said = job_end(link.here, link.begin("pull"))
    assert "1 events pulled" in said and said.isprintable(), said
    assert status == DONE or "did not come" in said
    assert there(node, event["uuid"]) is not None


def test_another_cluster_than_was_asked_for_is_not_taken(node: Instance, peer: HostilePeer) -> None:
    link = connect_to(node, peer, pull_galaxy_clusters=True)
    asked, other = str(uuid4()), str(uuid4())
    listed = [{"GalaxyCluster": {"uuid": asked, "version": "1"}}]
    peer.on("POST /galaxy_clusters", says({"response": listed}))
    peer.on("GET /galaxy_clusters", says({"GalaxyCluster": {"uuid": other, "version": "1", "value": "x"}}))
    link.pull()
    entry = link.entry(asked, "pull")
    assert (entry["kind"], entry["outcome"]) == ("cluster", "failed")
    assert "another one than was asked for" in entry["reason"]


def test_sightings_that_are_none_are_told_and_the_event_stays(
    node: Instance, peer: HostilePeer, link: Link
) -> None:
    event = peer.event()
    link.pull()
    peer.on(INDEX, says([peer.row(event, sighting_timestamp=str(int(event["timestamp"]) + 50))]))
    for answer in (says("<html>"), endless(b"[", b"{},"), bomb("gzip"), says({"message": "No"}, 500)):
        peer.on("POST /sightings/restSearch", answer)
        link.pull()
        entries = [e for e in link.ledger(uuid=event["uuid"], direction="pull") if e["kind"] == "sightings"]
        assert [e["outcome"] for e in entries] == ["failed"] and entries[0]["reason"]
    assert there(node, event["uuid"]) is not None


# ---- To whom is pushed ----------------------------------------------------------------------------------


def test_what_was_not_offered_is_not_pushed(node: Instance, peer: HostilePeer) -> None:
    link = connect_to(node, peer, pull=False, push=True)
    api = node.api()
    event = api.ok("/events/add", {"info": "Open", "distribution": 3, "Attribute": [attribute()]})["Event"]
    secret = api.ok("/events/add", {"info": "Secret", "distribution": 0, "Attribute": [attribute()]})["Event"]
    peer.on("POST /events/filterEventIdsForPush", says([secret["uuid"], str(uuid4()), event["uuid"]]))
    api.ok(f"/events/publish/{event['id']}")
    until(lambda: [e["outcome"] for e in link.ledger(uuid=event["uuid"], direction="push")], bool)
    assert link.entry(event["uuid"], "push")["outcome"] == "done"
    sent = [json.loads(q.body)["Event"] for q in peer.asked if q.path.startswith("/events/add")]
    assert [e["uuid"] for e in sent] == [event["uuid"]]
    assert not [q for q in peer.asked if secret["uuid"] in q.path or b"Secret" in q.body]


@pytest.mark.parametrize(
    "what", ["POST /events/filterEventIdsForPush", "HEAD /events/view", "POST /events/add"]
)
@pytest.mark.parametrize(
    "answer",
    [
        says("<html>", Content_Type="text/html"),
        endless(b"[", b'"11111111-0000-4000-8000-000000000001",' * 1000),
        bomb("br"),
        broken_off(b"["),
        endless_head,
        silence,
        redirect("http://127.0.0.1:9/"),
        says({"message": "Internal error"}, 500),
    ],
    ids=["html", "endless", "bomb", "reset", "head", "silence", "redirect", "error"],
)
def test_a_push_ends_whatever_is_answered(node: Instance, peer: HostilePeer, what: str, answer: Any) -> None:
    link = connect_to(node, peer, pull=False, push=True)
    api = node.api()
    event = api.ok("/events/add", {"info": "Open", "distribution": 3, "Attribute": [attribute()]})["Event"]
    api.ok(f"/events/publish/{event['id']}")
    until(lambda: link.ledger(uuid=event["uuid"], direction="push"), bool)
    before = stored(node)
    peer.on(what, answer)
    status, said = job_end(api, link.begin("push", event["uuid"]))
    assert said.isprintable() and len(said) < 500, said
    entry = link.entry(event["uuid"], "push")
    assert status == FAILED or entry["outcome"] in ("done", "failed", "refused"), entry
    assert stored(node) == before
    # And then goes well.
    peer.answers.clear()
    assert "1 events pushed" in link.push(event["uuid"])
    assert link.entry(event["uuid"], "push")["outcome"] == "done"
