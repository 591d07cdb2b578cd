"""Organisations and users made through the API, each with a client of its own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from .api import Api

# Stock roles, as clients written for MISP know them.
SITE_ADMIN, ORG_ADMIN, USER, PUBLISHER, SYNC_USER, READ_ONLY = 1, 2, 3, 4, 5, 6


@dataclass(frozen=True)
class Member:
    """A user of an organisation, signed in with his key."""

    api: Api
    user_id: str
    email: str
    key: str
    organisation_id: str
    organisation_uuid: str


def new_organisation(admin: Api) -> dict[str, str]:
    return admin.ok("/admin/organisations/add", {"name": f"Organisation {uuid4()}"})["Organisation"]


def new_member(admin: Api, role: int = USER, organisation: dict[str, str] | None = None) -> Member:
    """A user of a new organisation, or of the one given."""
    organisation = organisation or new_organisation(admin)
    asked = {"email": f"{uuid4()}@member.test", "org_id": organisation["id"], "role_id": role}
    user = admin.ok("/admin/users/add", asked)["User"]
    key = user["authkey"]
    return Member(
        Api(admin.url, key), user["id"], user["email"], key, organisation["id"], organisation["uuid"]
    )
