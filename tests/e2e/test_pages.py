"""The pages, in a real browser: what an operator does in the first ten minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests
from conftest import NewInstance
from harness.browser import chromium
from harness.instance import ADMIN_EMAIL, ADMIN_PASSWORD, CACHE, Instance
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

SCREENSHOTS = CACHE / "screenshots"
WIDE, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def demo(new_instance: NewInstance) -> Instance:
    """A server with the sample events in it."""
    instance = new_instance()
    instance.cli("demo")
    return instance.start()


def open_context(browser: Browser, size: tuple[int, int]) -> BrowserContext:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(20_000)
    return context


def sign_in(page: Page, instance: Instance, password: str = ADMIN_PASSWORD) -> None:
    page.goto(f"{instance.url}/")
    page.get_by_label("E-mail address").fill(ADMIN_EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def complaint(message: ConsoleMessage) -> list[str]:
    """What the browser's console has against a page; that a form is sent back with 4xx is no fault."""
    refused_form = (
        "Failed to load resource" in message.text and "." not in message.location["url"].split("/")[-1]
    )
    return [message.text] if message.type == "error" and not refused_form else []


@pytest.fixture
def page(browser: Browser, demo: Instance) -> Iterator[Page]:
    """A signed-in page that fails its test when the browser had anything to complain about."""
    context = open_context(browser, WIDE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, demo)
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def phone(browser: Browser, demo: Instance) -> Iterator[Page]:
    context = open_context(browser, PHONE)
    page = context.new_page()
    sign_in(page, demo)
    yield page
    context.close()


def picture(page: Page, name: str, engine: str) -> None:
    if engine == "sqlite":
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")


def add_event(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Add event").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Threat level").select_option(label="High")
    page.get_by_role("button", name="Add event").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def add_attribute(page: Page, kind: str, value: str) -> None:
    page.get_by_role("link", name="Add attribute").first.click()
    page.get_by_label("Type", exact=True).select_option(kind)
    page.get_by_label("Value", exact=True).fill(value)
    page.get_by_role("button", name="Add attribute").click()
    expect(page.locator("#attributes").get_by_text(value, exact=True)).to_be_visible()


# Signing in and out


def test_a_wrong_password_is_refused_without_telling_why(
    browser: Browser, demo: Instance, engine: str
) -> None:
    context = open_context(browser, WIDE)
    page = context.new_page()
    sign_in(page, demo, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value(ADMIN_EMAIL)
    expect(page.get_by_label("Password")).to_have_value("")
    picture(page, "sign-in", engine)
    context.close()


def test_nothing_is_shown_to_who_is_not_signed_in(demo: Instance) -> None:
    for path in ("/", "/events", "/events/index", "/events/view/1", "/events/add"):
        answer = requests.get(
            demo.url + path, headers={"Accept": "text/html"}, allow_redirects=False, timeout=20
        )
        assert answer.status_code in (302, 303), path
        assert "/users/login" in answer.headers["Location"] or "/login" in answer.headers["Location"], path


def test_signing_out_ends_the_session(page: Page, demo: Instance) -> None:
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    # The old cookie is worth nothing, not merely forgotten.
    page.context.add_cookies(cookies)
    page.goto(f"{demo.url}/events/index")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


# Reading


def test_the_list_shows_the_events_and_pages_through_them(page: Page, demo: Instance, engine: str) -> None:
    events = demo.api().view("/events/index")
    rows = page.locator("table tbody tr")
    assert 0 < rows.count() <= len(events)
    expect(page.get_by_text(re.compile(rf"^{len(events)} event"))).to_be_visible()
    picture(page, "events", engine)


def test_the_search_finds_an_event_by_a_value_in_it(page: Page, demo: Instance) -> None:
    value = f"{uuid4()}.example"
    title = f"Found by its value {uuid4()}"
    body = {"info": title, "Attribute": [{"type": "domain", "value": value}]}
    demo.api().ok("/events/add", body)

    search = page.get_by_role("searchbox", name="Search events and values")
    search.fill(value)
    search.press("Enter")
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()

    page.get_by_role("searchbox", name="Search events and values").fill(str(uuid4()))
    page.get_by_role("searchbox", name="Search events and values").press("Enter")
    expect(page.get_by_text("Nothing you can see has this")).to_be_visible()


def test_an_event_shows_the_events_it_is_related_to(page: Page, demo: Instance, engine: str) -> None:
    api = demo.api()
    ids = [event["id"] for event in api.view("/events/index")]
    events = [api.view(f"/events/view/{number}")["Event"] for number in ids]
    richest = max(events, key=lambda event: len(event["RelatedEvent"]))
    others = [other["Event"]["info"] for other in richest["RelatedEvent"]]
    assert others, "the demo has events that correlate"

    page.goto(f"{demo.url}/events/view/{richest['id']}")
    related = page.get_by_role("region", name=re.compile("Related events"))
    for title in others[:5]:
        expect(related.get_by_role("link", name=title).first).to_be_visible()
    picture(page, "event", engine)
    related.get_by_role("link", name=others[0]).first.click()
    expect(page.get_by_role("heading", name=others[0])).to_be_visible()


def test_a_value_is_text_whatever_it_holds(page: Page, demo: Instance) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    event = demo.api().ok(
        "/events/add",
        {
            "info": hostile,
            "Tag": [{"name": hostile}],
            "Attribute": [{"type": "text", "value": hostile, "comment": hostile}],
        },
    )["Event"]
    for path in (f"/events/view/{event['id']}", "/events/index"):
        page.goto(demo.url + path)
        expect(page.get_by_text(hostile).first).to_be_visible()
        assert "owned" not in page.title().replace(hostile, "")
        assert page.locator("img[src=x]").count() == 0


# Writing


def test_an_event_an_attribute_and_pasted_indicators_are_added(
    page: Page, demo: Instance, engine: str
) -> None:
    title = f"Seen at the exchange {uuid4()}"
    add_event(page, title)
    add_attribute(page, "domain", f"{uuid4()}.example")

    page.get_by_role("link", name="Paste indicators").first.click()
    page.get_by_label("Text").fill(
        "Mail from the NOC: hxxp://paste[.]example[.]com/a and 198.51.100.99\n"
        "dropper d41d8cd98f00b204e9800998ecf8427f"
    )
    picture(page, "paste", engine)
    page.get_by_role("button", name="Find indicators").click()
    expect(page.locator("table.review tbody tr")).to_have_count(3)
    picture(page, "review", engine)
    page.get_by_role("button", name=re.compile("^Add (3 attributes|the ticked)$")).click()

    expect(page.get_by_role("heading", name=title)).to_be_visible()
    number = page.url.rstrip("/").split("/")[-1].split("?")[0].split("#")[0]
    event = demo.api().view(f"/events/view/{number}")["Event"]
    assert (event["info"], event["threat_level_id"]) == (title, "1")
    kinds = sorted(attribute["type"] for attribute in event["Attribute"])
    assert kinds == ["domain", "ip-dst", "md5", "url"]
    picture(page, "event-added", engine)


def test_a_wrong_value_is_explained_and_what_was_typed_stays(page: Page) -> None:
    add_event(page, f"Typing errors {uuid4()}")
    page.get_by_role("link", name="Add attribute").first.click()
    page.get_by_label("Type", exact=True).select_option("ip-dst")
    page.get_by_label("Value", exact=True).fill("999.1.1.1")
    page.get_by_label("Comment").fill("kept")
    page.get_by_role("button", name="Add attribute").click()
    expect(page.get_by_label("Value", exact=True)).to_have_value("999.1.1.1")
    expect(page.get_by_label("Comment")).to_have_value("kept")
    expect(page.locator(".error").first).to_be_visible()


def test_an_event_is_published_and_shows_it(page: Page) -> None:
    add_event(page, f"To be published {uuid4()}")
    add_attribute(page, "text", str(uuid4()))
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=re.compile("^Publish")).click()
    expect(page.locator(".facts").get_by_text(re.compile("^Published"))).to_be_visible()


def test_the_pages_work_without_script(browser: Browser, demo: Instance) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, demo)
    add_event(page, f"Without script {uuid4()}")
    add_attribute(page, "domain", f"{uuid4()}.example")
    context.close()


# Defences


def test_every_page_is_served_under_a_strict_policy(demo: Instance) -> None:
    for path in ("/users/login", "/events/index", "/no/such/page"):
        answer = requests.get(demo.url + path, headers={"Accept": "text/html"}, timeout=20)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy or "default-src 'self'" in policy
        for weak in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
            assert weak not in policy, path
        for directive in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
            assert directive in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(page: Page) -> None:
    cookies = page.context.cookies()
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] in ("Lax", "Strict") for cookie in cookies)


def test_a_form_without_its_token_is_refused_and_changes_nothing(page: Page, demo: Instance) -> None:
    before = len(demo.api().view("/events/index"))
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    form = {
        "info": "Forged",
        "date": "2026-01-01",
        "distribution": "0",
        "threat_level_id": "4",
        "analysis": "0",
    }
    for token in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
        answer = requests.post(
            f"{demo.url}/events/add",
            data=form | token,
            cookies=cookies,
            headers={"Accept": "text/html"},
            allow_redirects=False,
            timeout=20,
        )
        assert answer.status_code in (400, 403), answer.status_code
    assert len(demo.api().view("/events/index")) == before


# On a phone


def test_the_pages_fit_a_phone(phone: Page, demo: Instance, engine: str) -> None:
    number = demo.api().view("/events/index")[0]["id"]
    for name, path in (
        ("phone-events", "/events/index"),
        ("phone-event", f"/events/view/{number}"),
        ("phone-add-event", "/events/add"),
    ):
        phone.goto(demo.url + path)
        expect(phone.get_by_role("heading").first).to_be_visible()
        overflow = phone.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} is {overflow} pixels wider than the screen"
        picture(phone, name, engine)


def test_what_programs_can_call_is_read_and_searched(page: Page, demo: Instance, engine: str) -> None:
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    expect(page.get_by_text("/events/restSearch")).to_have_count(2)
    picture(page, "api", engine)
    page.get_by_label("Find a call").fill("objectReferences delete")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("1 call.")).to_be_visible()
    expect(page.get_by_text("/objectReferences/delete/{reference}")).to_be_visible()
    page.get_by_label("Find a call").fill("no such call")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="No call has this")).to_be_visible()


def test_the_api_fits_a_phone(phone: Page, demo: Instance, engine: str) -> None:
    phone.goto(f"{demo.url}/api/openapi?find=tags")
    expect(phone.get_by_text("/tags/add")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(phone, "api-phone", engine)
