"""What several organisations do on one instance: events to share, settings for a while, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from .api import Api
from .people import Member

NO_PERMISSION = "You do not have permission to use this functionality."


def an_event(member: Member, distribution: int = 3, **more: Any) -> dict[str, Any]:
    attributes = [{"type": "domain", "value": f"{uuid4()}.example", "comment": "as it was"} for _ in range(2)]
    body = {"info": f"Shared {uuid4()}", "distribution": distribution, "Attribute": attributes} | more
    return member.api.ok("/events/add", body)["Event"]


@contextmanager
def setting(admin: Api, name: str, value: Any, usual: Any) -> Iterator[None]:
    admin.ok(f"/servers/serverSettingsEdit/{name}", {"value": value})
    try:
        yield
    finally:
        admin.ok(f"/servers/serverSettingsEdit/{name}", {"value": usual})


def refused(answer: Any, status: int, message: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert message in answer.json()["message"]
