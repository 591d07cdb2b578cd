"""Instances that are connected with one another, as operators of MISP connect them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from .api import Api
from .instance import Instance
from .people import SYNC_USER

# How long a job may take before it counts as stuck; nothing here waits for this long in good health.
PATIENCE = 30
DONE, FAILED = "4", "3"


@dataclass(frozen=True)
class Link:
    """A connection as one side keeps it."""

    here: Api
    server_id: str

    def pull(self, technique: str = "full") -> str:
        return self._run("pull", technique)

    def push(self, technique: str = "full") -> str:
        return self._run("push", technique)

    def begin(self, what: str, technique: str = "full") -> str:
        """Queues a `pull` or `push`; the job's number."""
        return self.here.ok(f"/servers/{what}/{self.server_id}/{technique}")["message"].rsplit(" ", 1)[-1]

    def fails(self, what: str, technique: str = "full") -> str:
        """What a `pull` or `push` says that has to fail."""
        status, message = job_end(self.here, self.begin(what, technique))
        assert status == FAILED, message
        return message

    def _run(self, what: str, technique: str) -> str:
        """Queues the job, waits for its end and returns what it said; a failed one fails the test."""
        status, message = job_end(self.here, self.begin(what, technique))
        assert status == DONE, message
        return message

    def ledger(self, **which: Any) -> list[dict[str, Any]]:
        return self.here.ok(f"/servers/ledger/{self.server_id}", which)["Entry"]

    def entry(self, uuid: str, direction: str) -> dict[str, Any]:
        found = self.ledger(uuid=uuid, direction=direction)
        assert len(found) == 1, found
        return found[0]


def job_end(api: Api, job: str) -> tuple[str, str]:
    """Waits until a job is over; its status and what it said."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = [j["Job"] for j in api.view("/jobs/index") if j["Job"]["id"] == job]
        if found and found[0]["status"] in (DONE, FAILED):
            return found[0]["status"], found[0]["message"]
        time.sleep(0.05)
    raise AssertionError(f"job {job} did not end: {found}")


def until(what: Any, condition: Any) -> Any:
    """Asks again until the answer meets the condition; returns it."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = what()
        if condition(answer):
            return answer
        assert time.monotonic() < end, answer
        time.sleep(0.05)


def host_organisation(api: Api) -> dict[str, str]:
    return api.view("/users/view/me")["Organisation"]


def sync_user(there: Api, organisation: dict[str, str]) -> str:
    """The key of a sync user of this organisation over there."""
    known = [
        o["Organisation"]
        for o in there.view("/organisations/index/scope:all")
        if o["Organisation"]["uuid"] == organisation["uuid"]
    ]
    named = {"name": organisation["name"], "uuid": organisation["uuid"]}
    org = known[0] if known else there.ok("/admin/organisations/add", named)["Organisation"]
    asked = {"email": f"{uuid4()}@sync.test", "org_id": org["id"], "role_id": SYNC_USER}
    return there.ok("/admin/users/add", asked)["User"]["authkey"]


def remote_organisation(here: Api, organisation: dict[str, str]) -> str:
    known = [
        o["Organisation"]
        for o in here.view("/organisations/index/scope:all")
        if o["Organisation"]["uuid"] == organisation["uuid"]
    ]
    if known:
        return known[0]["id"]
    named = {"name": organisation["name"], "uuid": organisation["uuid"], "local": False}
    return here.ok("/admin/organisations/add", named)["Organisation"]["id"]


def connect(here: Instance, there: Instance, **more: Any) -> Link:
    """Connects `there` with `here`, which pulls from and pushes to it unless told otherwise."""
    ours, theirs = here.api(), there.api()
    key = sync_user(theirs, host_organisation(ours))
    server = {
        "name": f"Peer {uuid4()}",
        "url": there.url,
        "authkey": key,
        "remote_org_id": remote_organisation(ours, host_organisation(theirs)),
        "pull": True,
        "push": True,
        "push_sightings": True,
        "pull_galaxy_clusters": True,
        "push_galaxy_clusters": True,
        "pull_analyst_data": True,
        "push_analyst_data": True,
    } | more
    for rules in ("pull_rules", "push_rules"):
        if rules in server:
            server[rules] = json.dumps(server[rules])
    return Link(ours, ours.ok("/servers/add", {"Server": server})["Server"]["id"])


def contents(api: Api, events: set[str]) -> dict[str, Any]:
    """What there is of these events, without what differs from server to server: numbers, and who keeps a copy."""
    return {uuid: _bare(api.view(f"/events/view/{uuid}/deleted[]:0/deleted[]:1")["Event"]) for uuid in sorted(events)}


# Numbers of rows, when it was taken over, and who keeps the copy.
_OWN = {"id", "org_id", "orgc_id", "event_id", "object_id", "attribute_id", "old_id", "sharing_group_id", "tag_id"}
_OWN |= {"publish_timestamp", "sighting_timestamp", "Org", "event_creator_email", "RelatedEvent", "source_id"}
_OWN |= {"referenced_id", "numerical_value", "user_id", "email", "event_org_id"}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items() if name not in _OWN}
    if isinstance(value, list):
        bare = [_bare(item) for item in value]
        return sorted(bare, key=lambda item: json.dumps(item, sort_keys=True))
    return value
