"""What MISP's pages ask for as data: small pictures, totals, forms of widgets, news, reports of web pages."""

from __future__ import annotations

import base64
import struct
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.instance import Instance
from harness.modules import ModuleServer
from harness.people import ORG_ADMIN, READ_ONLY, USER, Member, new_member


@pytest.fixture(scope="module")
def admin(server: Instance) -> Api:
    return server.api()


@pytest.fixture
def member(admin: Api) -> Member:
    return new_member(admin, ORG_ADMIN)


def an_event(api: Api, **more: Any) -> dict[str, Any]:
    body = {"info": f"An event {uuid4()}", "distribution": 3} | more
    event: dict[str, Any] = api.ok("/events/add", body)["Event"]
    return event


# Small pictures


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """A grey picture; with other rows than it says, one that cannot be opened."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = rows if rows is not None else (b"\x00" + b"\x7f" * width) * height
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def attached(api: Api, name: str, data: bytes) -> str:
    event = an_event(api)
    sent = {"type": "attachment", "value": name, "data": base64.b64encode(data).decode()}
    attribute_id: str = api.ok(f"/attributes/add/{event['id']}", sent)["Attribute"]["id"]
    return attribute_id


def test_a_picture_comes_small_where_that_is_asked_for(admin: Api, member: Member) -> None:
    whole = png(800, 400)
    attribute = attached(member.api, "a.png", whole)
    assert base64.b64decode(member.api.view(f"/attributes/viewPicture/{attribute}")) == whole
    small = member.api.get(f"/attributes/viewPicture/{attribute}/1")
    assert small.status_code == 200 and small.headers["Content-Type"] == "image/png"
    assert small.headers["X-Content-Type-Options"] == "nosniff"
    assert size(small.content) == (200, 100)
    narrow = member.api.get(f"/attributes/viewPicture/{attribute}/1/width:50/height:1000")
    assert size(narrow.content) == (50, 25)
    tiny = attached(member.api, "b.png", png(20, 10))
    assert size(member.api.get(f"/attributes/viewPicture/{tiny}/1").content) == (20, 10)
    for wrong in ("0", "1001", "x", "-1"):
        refused = member.api.get(f"/attributes/viewPicture/{attribute}/1/width:{wrong}")
        assert refused.status_code == 403 and list(refused.json()["errors"]) == ["width"]
    hidden = an_event(admin, distribution=0)
    sent = {"type": "attachment", "value": "c.png", "data": base64.b64encode(whole).decode()}
    secret = admin.ok(f"/attributes/add/{hidden['id']}", sent)["Attribute"]["id"]
    assert member.api.get(f"/attributes/viewPicture/{secret}/1").status_code == 405


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.png", png(30_000, 30_000, rows=b"\x00" * 100)),
        ("broken.png", png(100, 100)[:60]),
        ("text.png", b"no picture at all"),
        ("script.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
    ],
)
def test_what_cannot_be_made_small_is_told(member: Member, name: str, data: bytes) -> None:
    attribute = attached(member.api, name, data)
    refused = member.api.get(f"/attributes/viewPicture/{attribute}/1")
    assert refused.status_code == 400
    assert refused.json()["message"].startswith("There is no small picture of it: ")
    assert base64.b64decode(member.api.view(f"/attributes/viewPicture/{attribute}")) == data


# Totals of sightings


def test_sightings_are_totalled_by_type_and_organisation(admin: Api, member: Member) -> None:
    event = an_event(member.api, Attribute=[{"type": "text", "value": str(uuid4())} for _ in range(2)])
    one, two = (attribute["id"] for attribute in event["Attribute"])
    for attribute, kind, at in [(one, 0, 100), (one, 0, 300), (one, 1, 200), (two, 2, 50)]:
        member.api.ok("/sightings/add", {"id": attribute, "type": kind, "timestamp": at})
    total = member.api.view(f"/sightings/advanced/{one}/attribute")
    counts = {"sighting": "2", "false_positive": "1", "expiration": "0", "last": "300"}
    assert total == {
        "context": "attribute",
        "id": one,
        **counts,
        "organisations": [{"name": total["organisations"][0]["name"], **counts}],
    }
    both = member.api.view(f"/sightings/advanced/{one}|{two}")
    assert both["expiration"] == "1" and both["sighting"] == "2"
    assert member.api.view(f"/sightings/advanced/{event['id']}/event")["expiration"] == "1"
    secret = an_event(admin, distribution=0, Attribute=[{"type": "text", "value": str(uuid4())}])
    refused = member.api.get(f"/sightings/advanced/{secret['Attribute'][0]['id']}")
    assert (refused.status_code, refused.json()["message"]) == (405, "Invalid attribute.")
    refused = member.api.get(f"/sightings/advanced/{secret['id']}/event")
    assert (refused.status_code, refused.json()["message"]) == (405, "Invalid event.")


# Forms of widgets


def test_a_form_tells_of_every_widget_that_can_be_drawn(member: Member) -> None:
    options = member.api.ok("/dashboards/getForm/add", {})["widget_options"]
    assert len(options) >= 5
    for name, option in options.items():
        assert option["widget"] == name and option["title"] and option["description"]
        member.api.ok("/dashboards/renderWidget/1", {"widget": name, "config": {}})
        config = {"alias": "Mine"}
        form = member.api.ok("/dashboards/getForm/edit", {"id": "w_1", "widget": name, "config": config})
        assert form["params"] == option["params"] and form["config"] == config
        assert {"alias", "widget_config"} <= set(form["params"])
    assert member.api.post("/dashboards/getForm/edit", {}).status_code == 400
    assert member.api.post("/dashboards/getForm/edit", {"widget": "Nothing"}).status_code == 404
    assert member.api.post("/dashboards/getForm/add", {"id": "<script>"}).status_code == 400
    assert member.api.post("/dashboards/getForm/remove", {}).status_code == 400


# News


def test_news_are_new_until_they_are_read(admin: Api) -> None:
    reader, other = new_member(admin, USER), new_member(admin, READ_ONLY)
    title = f"News {uuid4()}"
    made = admin.ok("/news/add", {"News": {"title": title, "message": "Something happened."}})["News"]
    assert set(made) == {"id", "message", "title", "user_id", "date_created"}
    quiet = admin.ok("/news/add", {"title": f"{title} two", "message": "No name.", "anonymise": 1})["News"]
    assert quiet["user_id"] == "0"

    def mine(api: Api, path: str = "/news/index") -> list[Any]:
        return [item for item in api.view(path) if item["News"]["title"].startswith(title)]

    first = mine(reader.api)
    assert [item["News"]["id"] for item in first] == [quiet["id"], made["id"]], "the newest first"
    assert [item["News"]["new"] for item in first] == [True, True]
    assert first[0]["User"]["email"] is None and first[1]["User"]["email"] == "admin@admin.test"
    assert [item["News"]["new"] for item in mine(reader.api)] == [False, False]
    assert [item["News"]["new"] for item in mine(other.api)] == [True, True], "each reads for himself"
    assert len(reader.api.view("/news/index/limit:1")) == 1
    assert reader.api.view("/news/index/limit:1/page:2")[0]["News"]["id"] == made["id"]
    unread = mine(admin, "/admin/news/index")
    assert unread == mine(admin, "/admin/news/index"), "who keeps them does not read them by that"
    changed = admin.ok(f"/news/edit/{made['id']}", {"message": "It was corrected."})["News"]
    assert changed["message"] == "It was corrected." and changed["title"] == title
    for field, sent in [
        ("title", {"message": "x"}),
        ("message", {"title": "x", "message": "  "}),
        ("message", {"title": "x", "message": "x" * 65_536}),
    ]:
        refused = admin.post("/news/add", sent)
        assert refused.status_code == 403 and list(refused.json()["errors"]) == [field]
    for path in ("/news/add", f"/news/edit/{made['id']}", f"/news/delete/{made['id']}"):
        assert reader.api.post(path, {"title": "x", "message": "x"}).status_code == 403
    for item in (made, quiet):
        assert admin.ok(f"/news/delete/{item['id']}")["message"] == "News deleted."
    assert mine(reader.api) == []
    assert admin.post(f"/news/delete/{made['id']}").json()["message"] == "Invalid news item."
    (row,) = admin.ok("/admin/logs/index", {"model": "News", "action": "edit", "title": title})
    assert row["Log"]["model"] == "News"
    admin.ok(f"/admin/users/delete/{reader.user_id}")


# Reports of web pages


class Site:
    """A web server that notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                kind, body = site.pages.get(self.path, (None, b""))
                if self.path == "/moved":
                    self.send_response(302)
                    self.send_header("Location", "/page")
                elif kind is None:
                    self.send_response(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        page = (
            "<html><head><title>t</title></head><body><h1>A campaign</h1><p>It calls "
            "<a href='https://evil.example/a'>evil.example</a> at 203.0.113.5.</p>"
            "<script>document.write('nothing')</script></body></html>"
        )
        self.pages: dict[str, tuple[str, bytes]] = {
            "/page": ("text/html; charset=utf-8", page.encode()),
            "/text": ("text/plain", b"Only text."),
            "/picture": ("image/png", png(1, 1)),
            "/empty": ("text/html", b"<html></html>"),
            "/long": ("text/html", b"x" * (5 << 20)),
            "/file.pdf": ("application/pdf", b"%PDF-1.4"),
        }
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


PRIVATE = "/servers/serverSettingsEdit/PISAX.fetch_private_addresses"


@pytest.fixture
def nearby(admin: Api) -> Iterator[None]:
    """Pages of one's own network may be fetched."""
    admin.ok(PRIVATE, {"value": True})
    yield
    admin.ok(PRIVATE, {"value": False})


def test_no_page_of_ones_own_network_is_fetched(member: Member, site: Site) -> None:
    event = an_event(member.api)
    port = site.url.rsplit(":", 1)[1]
    site.asked.clear()
    for host in ("127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "[::ffff:7f00:1]", "0"):
        refused = member.api.post(
            f"/eventReports/importReportFromUrl/{event['id']}", {"url": f"http://{host}:{port}/page"}
        )
        assert refused.status_code == 403, host
        assert "is not on the public Internet" in refused.json()["errors"]["url"][0], host
    for url in ("file:///etc/passwd", "ftp://a.example/", "x", "http://user:word@a.example/"):
        refused = member.api.post(f"/eventReports/importReportFromUrl/{event['id']}", {"url": url})
        assert "http://" in refused.json()["errors"]["url"][0], url
    assert site.asked == []
    assert member.api.view(f"/eventReports/index/event_id:{event['id']}") == []


@pytest.mark.usefixtures("nearby")
def test_a_page_becomes_a_report(admin: Api, member: Member, site: Site) -> None:
    event = an_event(member.api)
    path = f"/eventReports/importReportFromUrl/{event['id']}"
    report = member.api.ok(path, {"EventReport": {"url": f"{site.url}/moved"}})["EventReport"]
    assert report["name"].startswith(f"Report from - {site.url}/moved (")
    assert report["distribution"] == "5" and report["event_id"] == event["id"]
    assert (
        report["content"] == "# A campaign\n\nIt calls [evil.example](https://evil.example/a) at 203.0.113.5."
    )
    member.api.ok(f"/eventReports/extractAllFromReport/{report['id']}")
    found = member.api.view(f"/events/view/{event['id']}")["Event"]["Attribute"]
    assert "203.0.113.5" in {attribute["value"] for attribute in found}
    assert member.api.ok(path, {"url": f"{site.url}/text"})["EventReport"]["content"] == "Only text."
    for page, words in [
        ("/picture", "image/png is no text"),
        ("/empty", "there is no text on the page"),
        ("/nowhere", "the answer has the status 404"),
        ("/long", "larger than"),
        ("/file.pdf", "the module pdf_enrich is not enabled"),
    ]:
        refused = member.api.post(path, {"url": site.url + page})
        assert refused.status_code == 403 and words in refused.json()["errors"]["url"][0], refused.text
    site.asked.clear()
    stranger = new_member(admin, USER)
    assert stranger.api.post(path, {"url": f"{site.url}/page"}).status_code == 403
    assert (
        stranger.api.post("/eventReports/importReportFromUrl/999999999", {"url": site.url}).status_code == 404
    )
    assert site.asked == [], "nothing is fetched for who may not add to the event"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleServer]:
    folder: Path = tmp_path_factory.mktemp("modules")
    with ModuleServer.start(folder) as server:
        yield server


@pytest.mark.usefixtures("nearby")
def test_a_module_is_asked_where_it_is_enabled(
    admin: Api, member: Member, site: Site, modules: ModuleServer
) -> None:
    def on(name: str, value: Any) -> None:
        admin.ok(f"/servers/serverSettingsEdit/Plugin.Enrichment_{name}", {"value": value})

    on("services_enable", True)
    on("services_url", "http://127.0.0.1")
    on("services_port", modules.port)
    on("html_to_markdown_enabled", True)
    path = f"/eventReports/importReportFromUrl/{an_event(member.api)['id']}"
    # The module itself fetches nothing from this machine: that it refuses shows that it was asked.
    refused = member.api.post(path, {"url": f"{site.url}/page"})
    assert "the module made no text of it" in refused.json()["errors"]["url"][0], refused.text
    on("html_to_markdown_enabled", False)
    assert member.api.ok(path, {"url": f"{site.url}/page"})["EventReport"]["content"].startswith(
        "# A campaign"
    )
    on("services_enable", False)
