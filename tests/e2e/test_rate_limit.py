"""How much a role may ask."""

from __future__ import annotations

from uuid import uuid4

from harness.community import refused
from harness.instance import Instance
from harness.people import new_member


def test_a_role_may_make_so_many_searches(server: Instance) -> None:
    admin = server.api()
    asked = {"name": f"R {uuid4()}", "permission": 1, "perm_auth": True}
    limited = admin.ok("/admin/roles/add", asked | {"enforce_rate_limit": True, "rate_limit_count": 2})
    barred = admin.ok("/admin/roles/add", asked | {"name": f"R {uuid4()}", "enforce_rate_limit": True})
    member = new_member(admin, int(limited["Role"]["id"]))
    for left in ["1", "0"]:
        answer = member.api.post("/events/restSearch", {"limit": 1})
        assert answer.status_code == 200
        assert (answer.headers["X-Rate-Limit-Limit"], answer.headers["X-Rate-Limit-Remaining"]) == ("2", left)
        assert 0 < int(answer.headers["X-Rate-Limit-Reset"]) <= 900
    answer = member.api.post("/attributes/restSearch", {"limit": 1})
    refused(answer, 429, "Rate limit exceeded.")
    assert answer.headers["X-Rate-Limit-Remaining"] == "0"
    # Searches alone are counted, and each user's own.
    assert member.api.post("/events/index", {}).status_code == 200
    other = new_member(admin, int(limited["Role"]["id"]))
    assert other.api.post("/attributes/restSearch", {"limit": 1}).headers["X-Rate-Limit-Remaining"] == "1"
    nobody = new_member(admin, int(barred["Role"]["id"]))
    answer = nobody.api.post("/events/restSearch", {"limit": 1})
    refused(answer, 405, "API searches are not allowed for this user role.")
    assert "X-Rate-Limit-Limit" not in admin.post("/events/restSearch", {"limit": 1}).headers
