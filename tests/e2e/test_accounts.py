"""Accounts: what users set, who asks for an account, what the logs say, and mail."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from harness.api import Api
from harness.instance import ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, Instance
from harness.mailbox import Mailbox

NewInstance = Callable[[], Instance]

WAIT = 30


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


def a_member(admin: Api, role: int = 3, org: str | None = None, **more: Any) -> tuple[Api, dict[str, Any]]:
    """A new user, of a new organisation unless one is given, and a client with his key."""
    if org is None:
        made = admin.ok("/admin/organisations/add", {"name": f"Organisation {uuid4()}"})
        org = made["Organisation"]["id"]
    body = {"email": f"{uuid4()}@member.test", "org_id": org, "role_id": role} | more
    user = admin.ok("/admin/users/add", body)["User"]
    return Api(admin.url, user["authkey"]), user


def an_event(api: Api, **more: Any) -> dict[str, Any]:
    body = {"info": f"An event {uuid4()}", "distribution": 3} | more
    event: dict[str, Any] = api.ok("/events/add", body)["Event"]
    return event


def until(found: Callable[[], Any]) -> Any:
    """What a question answers once it answers something."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if answer := found():
            return answer
    raise AssertionError("it did not come")


def on(admin: Api, setting: str, value: Any) -> None:
    admin.ok(f"/servers/serverSettingsEdit/{setting}", {"value": value})


# Settings of users


def test_a_setting_is_set_shown_beside_its_user_and_taken_away(admin: Api) -> None:
    api, user = a_member(admin)
    assert api.view("/users/view/me")["UserSetting"] == []
    rule = {"AND": {"Tag.name": ["tlp:green"]}}
    made = api.ok("/userSettings/setSetting", {"setting": "publish_alert_filter", "value": rule})
    setting = made["UserSetting"]
    assert setting["value"] == rule and setting["user_id"] == user["id"]
    assert set(setting) == {"id", "setting", "value", "user_id", "timestamp"}
    text = '{"returnFormat": "json"}'
    api.ok("/user_settings/setSetting", {"setting": "default_restsearch_parameters", "value": text})
    shown = api.view("/users/view/me")["UserSetting"]
    assert shown == {
        "publish_alert_filter": rule,
        "default_restsearch_parameters": {"returnFormat": "json"},
    }
    got = api.ok("/userSettings/getSetting", {"setting": "publish_alert_filter"})
    assert got == setting
    assert api.view(f"/userSettings/view/{setting['id']}") == {"UserSetting": setting}
    listed = api.view("/userSettings/index")
    assert listed[0]["User"] == {"id": user["id"], "email": user["email"]}
    answer = api.ok("/userSettings/delete", {"setting": "publish_alert_filter"})
    assert answer["message"] == "Setting deleted."
    assert api.post("/userSettings/getSetting", {"setting": "publish_alert_filter"}).status_code == 404
    home = api.ok("/userSettings/setHomePage", {"path": "/events/index"})
    assert home["message"] == "Homepage set to /events/index"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"setting": "no_such_setting", "value": 1}, 405),
        ({"setting": "oidc", "value": 1}, 405),
        ({"setting": "dashboard_access", "value": 1}, 405),
        ({"value": 1}, 405),
        ({"setting": "homepage", "value": "{no json"}, 403),
        ({"setting": "homepage", "value": {}, "user_id": 1}, 404),
        ({"setting": "homepage", "value": "x" * 70000}, 403),
    ],
)
def test_a_setting_that_is_not_ones_to_set_is_refused(admin: Api, body: dict[str, Any], status: int) -> None:
    api, _ = a_member(admin)
    assert api.post("/userSettings/setSetting", body).status_code == status


def test_searches_heed_what_the_user_wants_of_all_of_them(admin: Api) -> None:
    api, _ = a_member(admin)
    for number in range(3):
        an_event(api, info=f"Mine {number}", distribution=0)
    search = {"eventinfo": "Mine%", "returnFormat": "json"}
    assert len(api.ok("/events/restSearch", search)["response"]) == 3
    setting = {"setting": "default_restsearch_parameters", "value": {"limit": 2}}
    api.ok("/userSettings/setSetting", setting)
    assert len(api.ok("/events/restSearch", search)["response"]) == 2
    assert len(api.ok("/events/restSearch", search | {"limit": 1})["response"]) == 1, "the search decides"
    assert api.post("/events/restSearch", {}).status_code == 400, "and has to say something"


# Asking for an account


def test_an_account_is_asked_for_without_a_key_and_given_by_an_administrator(
    server: Instance, admin: Api
) -> None:
    stranger = server.api(None)
    on(admin, "Security.allow_self_registration", False)
    email = f"{uuid4()}@newcomer.test"
    assert stranger.post("/users/register", {"email": email}).status_code == 405
    on(admin, "Security.allow_self_registration", True)
    answer = stranger.post("/users/register", {"email": email, "org_name": "Newcomers", "perm_sync": True})
    assert answer.status_code == 200 and answer.json()["saved"] is True
    assert stranger.post("/users/register", {"email": "no address"}).status_code == 403
    assert stranger.post("/users/register", {}).status_code == 400
    waiting = [one["Inbox"] for one in admin.view("/users/registrations/index")]
    (message,) = [one for one in waiting if one["data"]["email"] == email]
    assert message["data"]["org_name"] == "Newcomers" and message["ip"] == "127.0.0.1"
    accept = f"/users/acceptRegistrations/{message['id']}"
    refused = admin.post(accept, {"User": {"role_id": 3}})
    assert refused.status_code == 400
    assert refused.json()["message"] == "No organisation selected. Supply an Organisation ID"
    org = admin.ok("/admin/organisations/add", {"name": f"Newcomers {uuid4()}"})["Organisation"]
    assert admin.ok(accept, {"User": {"org_id": org["uuid"]}})["message"] == "Added 1 user(s)."
    (user,) = admin.view(f"/admin/users/index/value:{email}")
    assert user["User"]["org_id"] == org["id"] and user["User"]["change_pw"] is True
    assert admin.post(accept, {"User": {"org_id": org["id"]}}).status_code == 403, "it is answered"
    plain, _ = a_member(admin)
    assert plain.get("/users/registrations").status_code == 403


def test_nothing_else_is_open_to_strangers(server: Instance, admin: Api) -> None:
    stranger = server.api(None)
    for path in ["/users/registrations", "/events/index", "/users/view/me", "/admin/logs/index"]:
        assert stranger.get(path).status_code == 403, path
    assert stranger.get("/users/register").status_code == 403, "only asking is"
    on(admin, "Security.allow_self_registration", True)
    long = stranger.raw("POST", "/users/register", b'{"email":"' + b"x" * 100_000 + b'"}')
    assert long.status_code == 413


def test_one_address_cannot_flood_the_inbox(new_instance: NewInstance) -> None:
    instance = new_instance().start()
    admin, stranger = instance.api(), instance.api(None)
    on(admin, "Security.allow_self_registration", True)
    codes = [stranger.post("/users/register", {"email": f"n{n}@flood.test"}).status_code for n in range(25)]
    assert codes[:20] == [200] * 20 and set(codes[20:]) == {429}
    everything = "/".join(f"id[]:{one['Inbox']['id']}" for one in admin.view("/inbox/index"))
    answer = admin.ok(f"/users/discardRegistrations/{everything}")
    assert answer["name"] == "20 registration(s) discarded."


# Logs


def test_every_write_leaves_a_row_with_who_when_and_from_where(admin: Api) -> None:
    chief, user = a_member(admin, role=1)
    begun = int(time.time())
    event = an_event(chief, Attribute=[{"type": "ip-dst", "value": "198.51.100.9"}])
    attribute = event["Attribute"][0]
    writes: list[tuple[str, dict[str, Any], str]] = [
        (f"/events/edit/{event['id']}", {"info": "Other", "timestamp": begun + 100}, "Event"),
        (f"/attributes/edit/{attribute['id']}", {"value": "198.51.100.10"}, "Attribute"),
        (f"/sightings/add/{attribute['id']}", {}, "Sighting"),
        ("/tags/add", {"name": f"tag {uuid4()}"}, "Tag"),
        (f"/events/addTag/{event['id']}", {"tag": "tlp:red"}, "Event"),
        (f"/events/publish/{event['id']}", {}, "Event"),
        ("/objects/add/" + event["id"], {"name": "file", "Attribute": []}, "Object"),
        ("/admin/organisations/add", {"name": f"O {uuid4()}"}, "Organisation"),
        ("/admin/users/add", {"email": f"{uuid4()}@x.test", "org_id": 1}, "User"),
        ("/admin/roles/add", {"name": f"R {uuid4()}", "permission": 1}, "Role"),
        ("/auth_keys/add/me", {"comment": "a"}, "AuthKey"),
        ("/sharing_groups/add", {"name": f"G {uuid4()}", "releasability": "x"}, "SharingGroup"),
        ("/eventBlocklists/add", {"uuids": [str(uuid4())]}, "EventBlocklist"),
        ("/servers/serverSettingsEdit/MISP.extended_alert_subject", {"value": False}, "SystemSetting"),
        ("/userSettings/setSetting", {"setting": "homepage", "value": {"path": "/"}}, "UserSetting"),
        ("/users/change_pw", {"password": f"Correct-{uuid4()}"}, "User"),
        ("/bookmarks/add", {"name": "b", "url": "/events"}, "Bookmark"),
        ("/collections/add", {"name": "c", "type": "other"}, "Collection"),
        ("/sharing_group_blueprints/add", {"name": "x", "rules": {}}, "SharingGroupBlueprint"),
        ("/dashboards/saveTemplate", {"name": "d"}, "Dashboard"),
        (f"/events/delete/{event['id']}", {}, "Event"),
    ]
    for path, body, model in writes:
        before = {row["AuditLog"]["id"] for row in admin.view(f"/admin/audit_logs/index/user:{user['id']}")}
        chief.post(path, body)
        query = {"user": user["id"], "model": model, "limit": 1000}
        rows = admin.ok("/admin/audit_logs/index", query)
        new = [row for row in rows if row["AuditLog"]["id"] not in before]
        assert new, f"{path} left no row"
        row = new[0]["AuditLog"]
        assert row["ip"] == "127.0.0.1" and row["request_type"] == "1" and row["authkey_id"] != "0", path
        assert new[0]["User"]["email"] == user["email"] and re.match(r"\d{4}-\d\d-\d\d ", row["created"])


def test_a_change_tells_what_was_and_what_is_in_both_shapes_of_the_log(admin: Api) -> None:
    _, user = a_member(admin)
    admin.ok(f"/admin/users/edit/{user['id']}", {"email": f"changed-{user['email']}"})
    query = {"model": "User", "action": "edit", "change": "changed-", "created": "1h"}
    (row,) = [
        one["Log"] for one in admin.ok("/admin/logs/index", query) if one["Log"]["model_id"] == user["id"]
    ]
    assert row["change"] == f"email ({user['email']}) => (changed-{user['email']})"
    assert row["email"] == ADMIN_EMAIL and row["org"] == "ORGNAME" and row["ip"] == "127.0.0.1"
    rows = admin.ok("/admin/audit_logs/index", {"model": f"User:{user['id']}", "action": "edit"})
    assert rows[0]["AuditLog"]["change"] == {"email": [user["email"], f"changed-{user['email']}"]}
    assert admin.ok("/admin/logs/index", {"model": "User", "action": "no_such_action"}) == []
    assert admin.ok("/admin/logs/index", {"email": "nobody@nowhere"}) == []


def test_the_log_of_others_is_not_shown(admin: Api) -> None:
    api, user = a_member(admin)
    other, stranger = a_member(admin)
    event = an_event(api)
    mine = [one["Log"]["user_id"] for one in api.ok("/admin/logs/index", {"limit": 1000})]
    assert set(mine) == {user["id"]}
    assert other.ok("/admin/audit_logs/index", {"user": user["id"]}) == []
    assert other.view(f"/audit_logs/eventIndex/{event['id']}") == []
    seen = api.view(f"/audit_logs/eventIndex/{event['uuid']}")
    assert seen[0]["AuditLog"]["action"] == "add" and "ip" not in seen[0]["AuditLog"]
    assert stranger["id"] not in mine
    hidden = an_event(api, distribution=0)
    assert other.get(f"/audit_logs/eventIndex/{hidden['id']}").status_code == 404
    assert other.get("/admin/access_logs/index").status_code == 403


def test_who_is_turned_away_leaves_a_row(server: Instance, admin: Api) -> None:
    assert server.api("x" * 40).get("/users/view/me").status_code == 403
    (row,) = admin.ok("/admin/logs/index", {"action": "auth_fail", "title": "xxxx"})
    assert row["Log"]["ip"] == "127.0.0.1" and "x" * 10 not in row["Log"]["title"]
    page = requests.Session()
    form = page.get(f"{server.url}/users/login", timeout=WAIT).text
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token
    for password, action in [("wrong", "login_fail"), (ADMIN_PASSWORD, "login")]:
        fields = {"csrf": token.group(1), "email": ADMIN_EMAIL, "password": password, "next": ""}
        page.post(
            f"{server.url}/users/login",
            data=fields,
            headers={"Origin": server.url},
            timeout=WAIT,
            allow_redirects=False,
        )
        rows = admin.ok("/admin/logs/index", {"action": action})
        assert rows[-1]["Log"]["ip"] == "127.0.0.1" and rows[-1]["Log"]["title"] == ADMIN_EMAIL
    history = admin.view("/users/view_login_history/me")
    assert history[0]["Log"]["action"] == "login"


def test_a_pinned_key_is_good_from_its_address_alone(admin: Api) -> None:
    api, _ = a_member(admin)
    key = api.ok("/auth_keys/add/me", {})["AuthKey"]
    assert api.post(f"/auth_keys/pin/{key['id']}/nowhere").status_code == 403
    api.ok(f"/auth_keys/pin/{key['id']}/2001:db8::1")
    assert api.view(f"/auth_keys/view/{key['id']}")["AuthKey"]["allowed_ips"] == ["2001:db8::1"]
    api.ok(f"/auth_keys/pin/{key['id']}/192.0.2.1")
    assert api.view(f"/auth_keys/view/{key['id']}")["AuthKey"]["allowed_ips"] == ["192.0.2.1"]
    assert Api(admin.url, key["authkey_raw"]).get("/users/view/me").status_code == 403


def test_tampering_with_the_log_is_found(new_instance: NewInstance, engine: str) -> None:
    instance = new_instance().start()
    an_event(instance.api())
    instance.stop()
    whole = instance.cli("audit", "verify")
    head = whole.stdout.split()[-1]
    assert re.fullmatch(r"[0-9a-f]{64}", head)
    assert instance.cli("audit", "verify", "--head", head).returncode == 0
    other = instance.cli("audit", "verify", "--head", "1" * 64, check=False)
    assert other.returncode == 1 and "replaced or cut" in other.stderr
    assert "Event add" in instance.cli("audit", "list", "--limit", "5").stdout
    assert instance.cli("audit", "trim", "--older-than", "1").stdout.startswith("0 rows")
    if engine != "sqlite":
        return
    with sqlite3.connect(instance.data / "pisax.db") as database:
        (row,) = database.execute("select max(seq) - 1 from changes").fetchone()
        database.execute("update changes set address = '192.0.2.99' where seq = ?", (row,))
    database.close()
    broken = instance.cli("audit", "verify", check=False)
    assert broken.returncode == 1 and f"row {row} was changed" in broken.stderr


def test_requests_are_logged_where_that_is_wanted(server: Instance, admin: Api) -> None:
    marker = f"/events/view/{uuid4()}"
    admin.get(marker)
    on(admin, "MISP.log_paranoid", True)
    admin.get(marker + "0")
    found = until(lambda: admin.ok("/admin/access_logs/index", {"url": marker}))
    on(admin, "MISP.log_paranoid", False)
    (row,) = found
    access = row["AccessLog"]
    assert access["url"] == marker + "0", "not the one before"
    assert (access["controller"], access["action"], access["response_code"]) == ("events", "view", "404")
    assert row["User"]["email"] == ADMIN_EMAIL and access["ip"] == "127.0.0.1"
    assert ADMIN_KEY not in str(row)


# Mail


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def posting(new_instance: NewInstance, mailbox: Mailbox) -> Instance:
    instance = new_instance()
    instance.environment |= mailbox.settings()
    return instance.start()


def test_a_publication_is_told_by_mail_and_noted(posting: Instance, mailbox: Mailbox) -> None:
    admin = posting.api()
    _, reader = a_member(admin, autoalert=True)
    tags = [{"name": "tlp:green"}]
    attributes = [{"type": "url", "value": "http://evil.example/x", "category": "Network activity"}]
    event = an_event(admin, threat_level_id=1, Tag=tags, Attribute=attributes)
    an_event(admin, distribution=0)
    admin.ok(f"/events/alert/{event['id']}")
    mail = mailbox.next()
    assert mail["To"] == reader["email"] and mail["From"] == "PISAX <misp@exchange.test>"
    assert mail["Subject"] == f"[ORGNAME MISP] Event {event['id']} - High - TLP:GREEN"
    body = mail.get_content()
    assert "hxxp://evil[.]example/x" in body and event["info"] in body

    def noted() -> Any:
        return admin.ok("/admin/logs/index", {"model": "User", "action": "email", "created": "1h"})

    (row,) = until(noted)
    assert row["Log"]["title"] == f'Email  to {reader["email"]} sent, titled "{mail["Subject"]}".'


def test_who_reported_an_event_is_asked_by_mail(posting: Instance, mailbox: Mailbox) -> None:
    admin = posting.api()
    event = an_event(admin)
    asker, user = a_member(admin)
    answer = asker.ok(f"/events/contact/{event['id']}", {"message": "Tell me more"})
    assert answer["message"] == "Email sent to the reporter."
    mail = mailbox.next()
    assert mail["To"] == ADMIN_EMAIL and mail["Reply-To"] == user["email"]
    assert "Tell me more" in mail.get_content()
    assert asker.post(f"/events/contact/{event['id']}", {"message": ""}).status_code == 405
    hidden = an_event(admin, distribution=0)
    assert asker.post(f"/events/contact/{hidden['id']}", {"message": "x"}).status_code == 404
    on(admin, "MISP.disable_emailing", True)
    assert asker.post(f"/events/contact/{event['id']}", {"message": "x"}).status_code == 403
    on(admin, "MISP.disable_emailing", False)


def test_a_new_password_goes_by_mail_and_a_refused_one_is_given_up(
    posting: Instance, mailbox: Mailbox
) -> None:
    admin = posting.api()
    _, user = a_member(admin)
    assert admin.ok(f"/users/initiatePasswordReset/{user['id']}")["message"] == "New credentials sent."
    mail = mailbox.next()
    assert mail["To"] == user["email"] and "Password" in mail.get_content()
    _, lost = a_member(admin, email=f"{uuid4()}@refused.test")
    admin.ok(f"/users/initiatePasswordReset/{lost['id']}")

    def given_up() -> Any:
        return admin.ok("/admin/logs/index", {"title": "could not be sent"})

    (row,) = until(given_up)
    assert lost["email"] in row["Log"]["title"] and "550" in row["Log"]["change"]


def test_without_a_mail_server_a_password_is_not_reset_in_vain(admin: Api) -> None:
    _, user = a_member(admin)
    assert admin.post(f"/users/initiatePasswordReset/{user['id']}").status_code == 403


# Numbers, organisations, and what people keep


def test_statistics_have_misps_shapes(admin: Api) -> None:
    api, _ = a_member(admin)
    an_event(api, Tag=[{"name": "x"}], Attribute=[{"type": "text", "value": "y", "category": "Other"}])
    stats = api.view("/users/statistics/data")["stats"]
    assert int(stats["event_count"]) >= 1 and all(isinstance(value, str) for value in stats.values())
    orgs = api.view("/users/statistics/orgs")
    own = next(one for one in orgs.values() if one.get("eventCount") == "1")
    assert {"name", "userCount", "attributeCount", "orgActivity"} <= set(own)
    assert own["orgActivity"]["csv"].startswith("Date,Close\\n")
    assert set(api.view("/users/statistics/users")) == {"user", "org_local", "org_external"}
    assert set(api.view("/users/statistics/tags")) == {"flatData", "treemap"}
    assert api.view("/users/statistics/attributehistogram")[0]["org_name"] == "All organisations"
    assert set(api.view("/users/statistics/sightings")) == {"toplist", "eventids"}
    assert set(api.view("/users/statistics/galaxyMatrix")) == {"matrix", "scores", "instance-uuid"}
    assert api.get("/users/statistics/nothing").status_code == 404
    assert isinstance(api.view("/users/heartbeat"), str)


def test_a_merged_organisation_leaves_its_events_and_users_to_the_other(admin: Api) -> None:
    api, user = a_member(admin)
    event = an_event(api, distribution=0)
    _, other = a_member(admin)
    merge = f"/admin/organisations/merge/{user['org_id']}"
    assert admin.ok(merge, {"targetId": other["org_id"]})["saved"] is True
    assert admin.get(f"/organisations/view/{user['org_id']}").status_code == 404
    assert api.view(f"/events/view/{event['id']}")["Event"]["Orgc"]["id"] == other["org_id"]
    assert api.post("/admin/organisations/merge/1", {"targetId": 2}).status_code == 403


def test_bookmarks_collections_and_dashboards_are_kept(admin: Api) -> None:
    api, user = a_member(admin)
    bookmark = api.ok("/bookmarks/add", {"name": "Mine", "url": "/events/index"})["Bookmark"]
    assert bookmark["exposed_to_org"] is False
    edited = api.ok(f"/bookmarks/edit/{bookmark['id']}", {"name": "Ours", "exposed_to_org": True})
    assert edited["Bookmark"]["name"] == "Ours" and edited["Bookmark"]["exposed_to_org"] is False
    assert api.post("/bookmarks/add", {"name": "x", "url": "javascript:alert(1)"}).status_code == 403
    assert [one["Bookmark"]["name"] for one in api.view("/bookmarks/index")] == ["Ours"]
    assert api.ok(f"/bookmarks/delete/{bookmark['id']}")["message"] == "Bookmark deleted."

    event = an_event(api)
    made = api.ok("/collections/add", {"name": "C", "type": "campaign", "distribution": 0})["Collection"]
    add = f"/collectionElements/addElementToCollection/Event/{event['uuid']}"
    assert api.ok(add, {"collection_id": made["id"]})["message"] == "Element added to the Collection."
    assert api.post(add, {"collection_id": made["id"]}).status_code == 403
    whole = api.view(f"/collections/view/{made['uuid']}")["Collection"]
    assert [one["element_uuid"] for one in whole["CollectionElement"]] == [event["uuid"]]
    (listed,) = api.view("/collections/index/my_collections")
    assert listed["Collection"]["element_count"] == "1"
    other, _ = a_member(admin)
    assert other.get(f"/collections/view/{made['id']}").status_code == 404
    assert other.view("/collections/index") == []

    widgets = [{"widget": "MispStatusWidget", "config": {}, "position": {"x": "0", "y": "0"}}]
    kept = api.ok("/dashboards/updateSettings", {"Dashboard": {"value": widgets}})
    assert kept["message"] == "Settings updated."
    assert api.view("/dashboards/export") == widgets
    for widget in ["MispStatusWidget", "TrendingTagsWidget", "EventStreamWidget", "WhoamiWidget"]:
        api.ok("/dashboards/renderWidget/1", {"widget": widget, "config": "{}"})
    assert api.post("/dashboards/renderWidget/1", {"widget": "x"}).status_code == 404
    made_by = api.ok("/dashboards/renderWidget/1", {"widget": "OrgContributionToplistWidget"})
    assert 1 in made_by["data"].values()
    api.ok("/dashboards/saveTemplate", {"name": "T"})
    (template,) = api.view("/dashboards/listTemplates")
    assert template["Dashboard"]["value"] == widgets and template["Dashboard"]["user_id"] == user["id"]
    assert other.post(f"/dashboards/deleteTemplate/{template['Dashboard']['id']}").status_code == 404
    api.ok(f"/dashboards/deleteTemplate/{template['Dashboard']['uuid']}")


def test_a_blueprint_makes_a_sharing_group(admin: Api) -> None:
    api, user = a_member(admin, role=2)
    name = f"Exchanges {uuid4()}"
    rules = {"OR": {"org_id": [user["org_id"], "1"]}}
    made = api.ok("/sharing_group_blueprints/add", {"name": name, "rules": rules})["SharingGroupBlueprint"]
    assert len(api.view(f"/sharing_group_blueprints/viewOrgs/{made['id']}")) == 2
    done = api.ok(f"/sharing_group_blueprints/execute/{made['id']}")
    assert "Created: 1. Updated: 1. Failed to create: 0." in done["message"]
    groups = api.view("/sharing_groups/index")["response"]
    (group,) = [one for one in groups if one["SharingGroup"]["name"] == name]
    assert {one["org_id"] for one in group["SharingGroupOrg"]} == {user["org_id"], "1"}
    again = api.post(f"/sharing_group_blueprints/execute/{made['id']}")
    assert again.status_code == 403, "nothing to do, which MISP calls a failure"
    plain, _ = a_member(admin)
    assert plain.get("/sharing_group_blueprints/index").status_code == 403


# Bad input


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'"x"', b"null", b'{"User":7}', b'{"id":{"a":[1]}}', b"\xff\xfe"]
)
def test_no_body_breaks_anything(server: Instance, admin: Api, body: bytes) -> None:
    paths = [
        "/userSettings/setSetting",
        "/userSettings/getSetting",
        "/userSettings/delete",
        "/userSettings/setHomePage",
        "/userSettings/index/user_id:x",
        "/users/acceptRegistrations/999999",
        "/users/discardRegistrations/x",
        "/inbox/delete/0",
        "/admin/logs/index",
        "/admin/audit_logs/index",
        "/admin/access_logs/index",
        "/admin/logs/index/created:x/limit:-1/page:99999999999999999999",
        "/admin/organisations/merge/999999",
        "/events/contact/999999",
        "/events/alert/x",
        "/bookmarks/add",
        "/bookmarks/edit/999999999999999999999",
        "/collections/add",
        "/collectionElements/add/0",
        "/collectionElements/addElementToCollection/x/y",
        "/sharing_group_blueprints/add",
        "/sharing_group_blueprints/execute/x",
        "/dashboards/import",
        "/dashboards/updateSettings",
        "/dashboards/saveTemplate/x",
        "/dashboards/renderWidget/x",
        "/users/initiatePasswordReset/0",
    ]
    for path in paths:
        answer = admin.raw("POST", path, body)
        assert answer.status_code < 500, f"{path} {body!r}: {answer.status_code} {answer.text[:300]}"
        answer.json()
    stranger = server.api(None).raw("POST", "/users/register", body)
    assert stranger.status_code < 500
