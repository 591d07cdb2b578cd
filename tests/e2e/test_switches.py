"""Correlation switched off for what correlates by nature, and blocklists cleared in numbers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.community import refused, setting
from harness.instance import Instance
from harness.people import PUBLISHER, Member, new_member
from harness.scenes import a_domain, published

NOT_PERMITTED = "Disabling the correlation is not permitted on this instance."


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture(scope="module")
def owner(admin: Api) -> Member:
    return new_member(admin, PUBLISHER)


def view(api: Api, event: dict[str, Any]) -> dict[str, Any]:
    return api.view(f"/events/view/{event['uuid']}")["Event"]


def related(api: Api, event: dict[str, Any]) -> set[str]:
    return {one["Event"]["uuid"] for one in view(api, event)["RelatedEvent"]}


@pytest.mark.parametrize("what", ["events", "attributes"])
def test_a_switch_takes_it_out_of_correlation_and_back_without_a_new_version(
    admin: Api, owner: Member, what: str
) -> None:
    domain = a_domain()
    event, other = published(owner.api, domain), published(owner.api, domain)
    held = event if what == "events" else event["Attribute"][0]
    path = f"/{what}/toggleCorrelation/{held['uuid']}"
    before = view(owner.api, event)
    assert related(owner.api, event) == {other["uuid"]}

    refused(owner.api.post(path), 405, NOT_PERMITTED)
    with setting(admin, "MISP.allow_disabling_correlation", True, False):
        said = owner.api.ok(path)
        assert (said["saved"], said["message"]) == (True, "Correlation disabled.")
        assert related(owner.api, event) == set() == related(owner.api, other)
        without = {"RelatedEvent", "Attribute", "disable_correlation"}
        after = view(owner.api, event)
        assert {k: v for k, v in after.items() if k not in without} == {
            k: v for k, v in before.items() if k not in without
        }
        kept = after if what == "events" else after["Attribute"][0]
        assert kept["disable_correlation"] is True
        assert after["Attribute"][0]["timestamp"] == before["Attribute"][0]["timestamp"]
        assert owner.api.ok(path)["message"] == "Correlation enabled."
        assert view(owner.api, event) == before

        stranger = new_member(admin, PUBLISHER)
        assert stranger.api.post(path).status_code == 403
        assert stranger.api.post(f"/{what}/toggleCorrelation/{uuid4()}").status_code == 404
        assert view(owner.api, event) == before
    assert admin.ok(path)["message"] == "Correlation disabled.", "site admins need no setting"


@pytest.mark.parametrize("what", ["eventBlocklists", "analystDataBlocklists", "galaxyClusterBlocklists"])
def test_entries_of_a_blocklist_are_removed_together(admin: Api, owner: Member, what: str) -> None:
    blocked = {str(uuid4()) for _ in range(4)}
    admin.ok(f"/{what}/add", {"uuids": sorted(blocked)})

    def entries() -> dict[str, str]:
        """Ids by the uuid that is blocked."""
        rows = [next(iter(one.values())) for one in admin.view(f"/{what}/index")]
        return {uuid: row["id"] for row in rows for uuid in blocked & set(map(str, row.values()))}

    ids = entries()
    kept, *removed = sorted(ids.values(), key=int)
    path = f"/{what}/massDelete"
    refused(owner.api.post(path, {"ids": removed}), 403)
    for wrong in ({}, {"ids": "no list"}, {"ids": [[]]}, {"ids": ["x"]}):
        refused(admin.post(path, wrong), 400, "ids: ")
    refused(admin.post(path, {"ids": [999999999]}), 404)
    assert entries() == ids

    admin.ok(path, {"ids": removed[:2]})
    admin.ok(path, {"ids": f"[{removed[2]}, 999999999]"})
    assert list(entries().values()) == [kept]
