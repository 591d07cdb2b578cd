"""The pages of connected servers and of jobs, in a real browser, between two instances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from conftest import NewInstance
from harness.api import Api
from harness.browser import chromium
from harness.instance import Instance
from harness.peers import Link, connect, host_organisation, sync_user, until
from harness.people import USER, new_member
from playwright.sync_api import Browser, Page, expect
from test_pages import PHONE, WIDE, complaint, open_context, picture, sign_in

PAGES = ("/servers/index", "/servers/add", "/jobs/index")


@dataclass(frozen=True)
class Pair:
    here: Instance
    there: Instance


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pair(new_instance: NewInstance) -> Pair:
    """Two instances that know nothing of one another yet."""
    made = []
    for organisation in ("NEAR", "FAR"):
        instance = new_instance()
        instance.environment["PISAX_ORG"] = f"{organisation} {uuid4()}"
        made.append(instance.start())
    return Pair(*made)


@pytest.fixture(scope="module")
def link(pair: Pair) -> Link:
    return connect(pair.here, pair.there, name="Hub of the exchanges")


@pytest.fixture
def page(browser: Browser, pair: Pair) -> Iterator[Page]:
    """A site admin's page that fails its test when the browser had anything to complain about."""
    context = open_context(browser, WIDE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, pair.here)
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def an_event(api: Api, **more: object) -> dict[str, object]:
    body = {
        "info": f"Event {uuid4()}",
        "distribution": 3,
        "Attribute": [
            {"type": "domain", "value": f"{uuid4()}.example"},
            {"type": "ip-dst", "value": "198.51.100.7", "distribution": 0},
        ],
    } | more
    event = api.ok("/events/add", body)["Event"]
    api.ok(f"/events/publish/{event['id']}")
    return event


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


# Who may


def test_only_site_admins_see_them(browser: Browser, pair: Pair, link: Link) -> None:
    member = new_member(pair.here.api(), USER)
    password = f"Right-{uuid4()}-9"
    pair.here.api().ok(f"/admin/users/edit/{member.user_id}", {"password": password, "change_pw": 0})
    context = open_context(browser, WIDE)
    page = context.new_page()
    page.goto(f"{pair.here.url}/")
    page.get_by_label("E-mail address").fill(member.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Servers")).to_have_count(0)
    number = link.server_id
    of_one = [
        f"/servers/{what}/{number}"
        for what in ("view", "edit", "delete", "guard", "dryRun", "pull", "push", "testConnection")
    ]
    for path in (*PAGES, *of_one):
        answer = page.goto(pair.here.url + path)
        assert answer is not None and answer.status == 403, path
        expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
        assert "Hub of the exchanges" not in page.content()
    context.close()


# Connecting


def test_a_server_is_connected_changed_and_disconnected_by_hand(
    page: Page, pair: Pair, engine: str
) -> None:
    far = host_organisation(pair.there.api())
    key = sync_user(pair.there.api(), host_organisation(pair.here.api()))
    name = f"Far {uuid4()}"
    page.get_by_role("navigation").get_by_role("link", name="Servers").click()
    expect(page.get_by_role("heading", name=re.compile("Connected servers"))).to_be_visible()
    page.get_by_role("link", name="Connect a server").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Address").fill(pair.there.url)
    page.get_by_label("Key", exact=True).fill("too short")
    page.get_by_label("Name of the organisation").fill(far["name"])
    page.get_by_label("Its UUID").fill(far["uuid"])
    page.get_by_label("Pull events").check()
    page.get_by_text("Rules", exact=True).click()
    page.get_by_label("Tagged with one of").first.fill("tlp:green\ntlp:clear")
    picture(page, "server-add", engine)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("A key has 40 letters and digits")).to_be_visible()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert key not in page.content()

    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("It answers as")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    assert key not in page.content()
    expect(page.get_by_label("Tagged with one of").first).to_have_value("tlp:green\ntlp:clear")
    page.get_by_label("Push events").check()
    page.get_by_label("Created by none of").last.fill(far["name"])
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("The connection was changed.")).to_be_visible()
    kept = [s for s in pair.here.api().view("/servers/index") if s["Server"]["name"] == name]
    server, remote = kept[0]["Server"], kept[0]["RemoteOrg"]
    assert (server["pull"], server["push"], remote["uuid"]) == (True, True, far["uuid"])
    assert '"OR":["tlp:green","tlp:clear"]' in server["pull_rules"]
    assert f'"NOT":["{remote["id"]}"]' in server["push_rules"], "kept by its number, as MISP keeps it"
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Created by none of").last).to_have_value(far["name"])

    page.get_by_role("button", name="Disconnect this server").click()
    expect(page.get_by_text("The server is disconnected")).to_be_visible()
    assert name not in [s["Server"]["name"] for s in pair.here.api().view("/servers/index")]


def test_a_certificate_that_is_none_is_told_at_its_field(page: Page, pair: Pair, link: Link) -> None:
    page.goto(f"{pair.here.url}/servers/edit/{link.server_id}")
    page.get_by_text("Certificates", exact=True).click()
    page.get_by_label("Certificate of its authority", exact=True).fill("no certificate")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#cert-error")).to_contain_text("holds no certificate")
    page.get_by_label("Certificate of its authority", exact=True).fill("")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("The connection was changed.")).to_be_visible()


# The ledger, the guard, dry runs


def test_the_ledger_says_what_became_of_each_record(
    page: Page, pair: Pair, link: Link, engine: str
) -> None:
    event = an_event(pair.there.api())
    own = an_event(pair.here.api(), distribution=1)
    sent = an_event(pair.here.api())
    for record in (own, sent):
        until(lambda uuid=record["uuid"]: link.ledger(uuid=uuid, direction="push"), bool)

    page.goto(f"{pair.here.url}/servers/view/{link.server_id}")
    page.get_by_role("button", name="Pull now").click()
    # The page follows the job: what was pulled appears without anybody's doing.
    rows = page.locator("table.ledger tbody tr")
    taken = rows.filter(has_text=str(event["info"])).filter(has_text="Taken")
    expect(taken).to_have_count(1)
    expect(page.locator("[data-follow]")).to_have_count(0)
    expect(rows.filter(has_text=str(sent["info"]))).to_contain_text("Sent")
    expect(rows.filter(has_text=str(own["info"]))).to_contain_text("Its distribution is this community only.")
    picture(page, "server", engine)

    page.get_by_label("Outcome").select_option("rule")
    page.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(len(link.ledger(outcome="rule")))
    expect(rows.filter(has_text=str(own["info"]))).to_have_count(1)
    page.get_by_label("Kind").select_option("cluster")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No line of the ledger is like this.")).to_be_visible()

    page.goto(f"{pair.here.url}/servers/index")
    row = page.locator("table.servers tbody tr").filter(has_text="Hub of the exchanges")
    expect(row).to_contain_text("Pulls and pushes")
    expect(row).to_contain_text(re.compile(r"Taken \d+"))
    picture(page, "servers", engine)


def test_a_guard_is_set_and_a_dry_run_shows_what_it_holds_back(
    page: Page, pair: Pair, engine: str
) -> None:
    link = connect(pair.here, pair.there, name=f"Guarded {uuid4()}", push=True)
    secret = f"{uuid4()}.example"
    amber = an_event(pair.here.api(), Tag=[{"name": "tlp:amber"}])
    green = an_event(
        pair.here.api(),
        Tag=[{"name": "tlp:green"}],
        Attribute=[
            {"type": "domain", "value": f"{uuid4()}.example"},
            {"type": "ip-dst", "value": "198.51.100.7", "distribution": 0, "comment": secret},
            {"type": "sha256", "value": uuid4().hex * 2},
        ],
    )
    page.goto(f"{pair.here.url}/servers/guard/{link.server_id}")
    page.get_by_label("Nothing above this leaves").select_option("tlp:green")
    page.get_by_label("Attribute types that stay here").fill("sha-256x")
    page.get_by_role("button", name="Save the guard").click()
    expect(page.locator("#blocked_types-error")).to_contain_text("sha-256x")
    expect(page.get_by_label("Nothing above this leaves")).to_have_value("green")
    page.get_by_label("Attribute types that stay here").fill("sha256")
    picture(page, "guard", engine)
    page.get_by_role("button", name="Save the guard").click()
    expect(page.get_by_text("Nothing above tlp:green; 1 type held back.")).to_be_visible()
    guard = link.here.view(f"/servers/guard/{link.server_id}")["Guard"]
    assert (guard["tlp_ceiling"], guard["blocked_types"]) == ("green", ["sha256"])

    before = len(link.ledger())
    page.get_by_role("link", name="What a push would send").click()
    rows = page.locator("table.dry tbody tr")
    expect(rows.filter(has_text=str(amber["info"]))).to_contain_text("nothing above tlp:green")
    picture(page, "dry-push", engine)
    page.get_by_label("One event").fill(str(green["uuid"]))
    page.get_by_role("button", name="Look").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("its distribution is your organisation only")
    shown = page.locator("pre.json")
    expect(shown).to_contain_text(str(green["uuid"]))
    assert secret not in shown.inner_text() and "sha256" not in shown.inner_text()
    picture(page, "dry-push-one", engine)

    pulled = an_event(pair.there.api())
    page.get_by_role("link", name="Pull", exact=True).click()
    expect(rows.filter(has_text=str(pulled["info"]))).to_contain_text("Added")
    picture(page, "dry-pull", engine)
    assert len(link.ledger()) == before, "a dry run leaves no trace"
    assert pair.here.api().get(f"/events/view/{pulled['uuid']}").status_code == 404


def test_a_peer_that_is_away_is_told_with_the_reason(page: Page, pair: Pair) -> None:
    link = connect(pair.here, pair.there, name=f"Away {uuid4()}")
    link.here.ok(f"/servers/edit/{link.server_id}", {"url": "http://127.0.0.1:1"})
    page.goto(f"{pair.here.url}/servers/view/{link.server_id}")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("alert")).to_contain_text("tried again by itself")
    page.get_by_role("button", name="Pull now").click()
    expect(page.get_by_text("Failed once")).to_be_visible()
    page.get_by_role("link", name="What a pull would take").click()
    expect(page.get_by_role("alert")).to_contain_text("This cannot be told.")
    link.here.ok(f"/servers/edit/{link.server_id}", {"url": pair.there.url})


# Jobs


def test_jobs_are_followed_and_cancelled(page: Page, pair: Pair, engine: str) -> None:
    # A push to a peer that is away waits for its next attempt: a job that stays long enough to be cancelled.
    link = connect(pair.here, pair.there, name=f"Slow {uuid4()}", pull=False)
    name = link.here.view("/servers/index")[-1]["Server"]["name"]
    link.here.ok(f"/servers/edit/{link.server_id}", {"url": "http://127.0.0.1:1"})
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    an_event(pair.here.api())
    # Nothing was clicked since: the page looks for itself.
    row = page.locator("#under-way tr").filter(has_text=name)
    expect(row).to_contain_text("Later", timeout=30_000)
    picture(page, "jobs", engine)
    row.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The job is cancelled")).to_be_visible()
    over = page.locator("#over tr").filter(has_text=name).first
    expect(over).to_contain_text("Cancelled.")
    expect(page.locator("#under-way tr").filter(has_text=name)).to_have_count(0)
    link.here.ok(f"/servers/edit/{link.server_id}", {"url": pair.there.url})


# Without script, on a phone, in the dark


def test_the_pages_work_without_script(browser: Browser, pair: Pair, link: Link) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, pair.here)
    event = an_event(pair.there.api())
    page.goto(f"{pair.here.url}/servers/view/{link.server_id}")
    page.get_by_role("button", name="Pull now").click()
    row = page.locator("table.ledger tbody tr").filter(has_text=str(event["info"])).filter(has_text="Taken")
    # The page asks for itself again every few seconds.
    expect(row).to_have_count(1, timeout=20_000)
    context.close()


def test_they_fit_a_phone_and_the_dark(browser: Browser, pair: Pair, link: Link, engine: str) -> None:
    an_event(pair.there.api())
    link.pull()
    number = link.server_id
    of_one = [f"/servers/view/{number}", f"/servers/guard/{number}", f"/servers/edit/{number}"]
    dry = [f"/servers/dryRun/{number}?direction=push", f"/servers/dryRun/{number}?direction=pull"]
    for name, size, scheme in (("phone", PHONE, "light"), ("dark", WIDE, "dark")):
        context = open_context(browser, size)
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)
        sign_in(page, pair.here)
        for at, path in enumerate((*PAGES, *of_one, *dry)):
            page.goto(pair.here.url + path)
            expect(page.get_by_role("heading").first).to_be_visible()
            assert fits(page), f"{path} is wider than the screen ({name})"
            picture(page, f"servers-{name}-{at}", engine)
        context.close()


def test_the_ledger_is_walked_by_keyboard(page: Page, pair: Pair, link: Link) -> None:
    event = an_event(pair.there.api())
    link.pull()
    page.goto(f"{pair.here.url}/servers/view/{link.server_id}?direction=pull&outcome=done")
    page.keyboard.press("j")
    expect(page.locator("table.ledger tbody tr").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=str(event["info"]))).to_be_visible()
