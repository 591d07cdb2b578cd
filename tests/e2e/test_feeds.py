"""Feeds that are fetched: every line is accounted for, and nothing that others send does harm."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from harness.api import Api
from harness.feeds import (
    FeedServer,
    a_feed,
    an_event_file,
    cached,
    fetched,
    gzipped,
    publish,
    reasons,
    runs,
    zipped,
)
from harness.instance import Instance
from harness.people import ORG_ADMIN, new_member
from harness.scenes import a_domain, a_tag

PRIVATE = "/servers/serverSettingsEdit/PISAX.fetch_private_addresses"
# A folder of indicator lists of some hundred thousand lines, where there is one.
LISTS = os.environ.get("PISAX_TEST_INDICATORS", "")


@pytest.fixture(scope="module")
def api(server: Instance) -> Api:
    admin = server.api()
    # The feeds of these tests are on this machine.
    admin.ok(PRIVATE, {"value": True})
    return admin


@pytest.fixture(scope="module")
def web() -> Iterator[FeedServer]:
    with FeedServer() as feeds:
        yield feeds


def a_list(web: FeedServer, text: str | bytes) -> str:
    path = f"/{uuid4()}.txt"
    web.files[path] = text.encode() if isinstance(text, str) else text
    return path


def event_of(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    return api.view(f"/events/view/{run['event_id']}")["Event"]


def values_of(event: dict[str, Any]) -> set[str]:
    return {attribute["value"] for attribute in event["Attribute"]}


# ---- Lists ----------------------------------------------------------------------------------------------


def test_every_line_of_a_list_is_accounted_for(api: Api, web: FeedServer) -> None:
    one, two = a_domain(), a_domain()
    text = (
        f"# a list\n\n{one}\n{two} # seen twice\n{one}\nnothing to see here\n203.0.113.9\tx\n{'y' * 70_000}\n"
    )
    path = a_list(web, text.encode() + b"\xff\xfe.example\n")
    feed = a_feed(api, web.url + path)
    run = fetched(api, feed)
    assert (run["outcome"], run["error"]) == ("done", "")
    assert (run["lines"], run["remarks"], run["taken"], run["duplicate"]) == (9, 2, 3, 1)
    assert run["unrecognised"] + run["refused"] == 3
    told = dict(reasons(api, run))
    assert told[6] == "no indicator recognised"
    assert "longer than 65536 bytes" in told[8]
    event = event_of(api, run)
    assert values_of(event) == {one, two, "203.0.113.9"}
    assert event["info"].endswith(" feed")
    assert (event["analysis"], event["threat_level_id"]) == ("2", "4")
    assert {a["distribution"] for a in event["Attribute"]} == {"5"}


def test_a_list_that_did_not_change_is_not_fetched_again(api: Api, web: FeedServer) -> None:
    path = a_list(web, one := a_domain())
    feed = a_feed(api, web.url + path)
    first = fetched(api, feed)
    assert first["taken"] == 1
    assert fetched(api, feed)["outcome"] == "unchanged"
    assert "if-none-match" in web.asked[-1][1]
    again = fetched(api, feed, "/whole")
    assert (again["outcome"], again["known"], again["taken"]) == ("done", 1, 0)
    assert "if-none-match" not in web.asked[-1][1]
    # What it is read as is another thing now.
    api.ok(f"/feeds/edit/{feed}", {"settings": {"common": {"excluderegex": f"/^{one}$/"}}})
    assert fetched(api, feed)["excluded"] == 1


def test_what_is_gone_from_a_list_is_tombstoned_where_the_feed_says_so(api: Api, web: FeedServer) -> None:
    stays, goes, comes = a_domain(), a_domain(), a_domain()
    path = a_list(web, f"{stays}\n{goes}\n")
    feed = a_feed(api, web.url + path, fixed_event=True, delta_merge=True)
    event = fetched(api, feed)["event_id"]
    web.files[path] = f"{stays}\n{comes}\n".encode()
    run = fetched(api, feed)
    assert (run["event_id"], run["taken"], run["known"], run["removed"]) == (event, 1, 1, 1)
    assert values_of(event_of(api, run)) == {stays, comes}
    # An empty list is a broken one.
    web.files[path] = b"# nothing today\n"
    run = fetched(api, feed)
    assert (run["outcome"], run["removed"]) == ("failed", 0)
    assert "nothing was removed" in run["error"]
    found = api.view(f"/events/view/{event}")["Event"]
    assert values_of(found) == {stays, comes}


def test_a_feed_without_a_fixed_event_makes_one_each_time(api: Api, web: FeedServer) -> None:
    path = a_list(web, one := a_domain())
    tag = a_tag(api)
    number = next(t["id"] for t in api.view("/tags/index")["Tag"] if t["name"] == tag)
    feed = a_feed(api, web.url + path, fixed_event=False, tag_id=number, publish=True, override_ids=True)
    first, second = fetched(api, feed), fetched(api, feed, "/whole")
    assert first["event_id"] != second["event_id"]
    event = event_of(api, second)
    assert [t["name"] for t in event["Tag"]] == [tag]
    assert event["published"] is True
    assert [(a["value"], a["to_ids"]) for a in event["Attribute"]] == [(one, False)]


def test_a_target_event_that_is_gone_is_said(api: Api, web: FeedServer) -> None:
    feed = a_feed(api, web.url + a_list(web, a_domain()), fixed_event=True, event_id=999_999)
    run = fetched(api, feed)
    assert run["outcome"] == "failed"
    assert "The target event is no longer valid" in run["error"]
    assert run["refused"] == 1, "what was read and not stored is counted"


def test_a_table_is_read_in_the_columns_that_are_named(api: Api, web: FeedServer) -> None:
    one, two = a_domain(), a_domain()
    text = f'name;value\n# remark\n"a;b";{one}\nplain;"{two}"\nx;\n"open;{a_domain()}\n'
    settings = {"csv": {"value": "2", "delimiter": ";"}}
    feed = a_feed(api, web.url + a_list(web, text), source_format="csv", settings=settings)
    run = fetched(api, feed)
    assert (run["lines"], run["remarks"], run["taken"], run["unrecognised"]) == (6, 1, 2, 3)
    assert values_of(event_of(api, run)) == {one, two}
    api.ok(f"/feeds/edit/{feed}", {"settings": {"csv": {"value": "0"}}})
    run = fetched(api, feed)
    assert (run["outcome"], "settings.csv.value" in run["error"]) == ("failed", True)


@pytest.mark.parametrize("pack", [gzipped, lambda body: zipped("list.txt", body)], ids=["gzip", "zip"])
def test_what_is_packed_is_unpacked(api: Api, web: FeedServer, pack: Any) -> None:
    feed = a_feed(api, web.url + a_list(web, pack(f"{a_domain()}\n{a_domain()}\n".encode())))
    assert fetched(api, feed)["taken"] == 2


def test_a_file_of_this_machine_is_a_feed_too(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{a_domain()}\n")
    feed = a_feed(api, str(path), input_source="local")
    assert fetched(api, feed)["taken"] == 1
    assert fetched(api, feed)["outcome"] == "unchanged"
    path.write_text(f"{a_domain()}\n{a_domain()}\n")
    api.ok(f"/feeds/edit/{feed}", {"delete_local_file": True})
    assert fetched(api, feed)["taken"] == 2
    assert not path.exists()
    assert "cannot be read" in fetched(api, feed)["error"]
    for strange in ("/dev/zero", str(tmp_path)):
        assert "is no file" in fetched(api, a_feed(api, strange, input_source="local"))["error"]


def test_headers_go_to_the_feed_and_not_where_it_sends_on_to(api: Api, web: FeedServer) -> None:
    there = a_list(web, a_domain())
    with FeedServer() as other:
        other.answers["/list"] = (302, {"Location": web.url + there})
        feed = a_feed(api, f"{other.url}/list", headers="X-Key: secret\nAccept: text/plain")
        assert fetched(api, feed)["taken"] == 1
        assert other.asked[0][1]["x-key"] == "secret"
    assert "x-key" not in web.asked[-1][1]


# ---- What does harm -------------------------------------------------------------------------------------


def test_nothing_inside_is_reached_unless_it_is_allowed(api: Api, web: FeedServer) -> None:
    path = a_list(web, a_domain())
    feed = a_feed(api, web.url + path)
    named = a_feed(api, web.url.replace("127.0.0.1", "localhost") + path)
    api.ok(PRIVATE, {"value": False})
    try:
        for one in (feed, named):
            run = fetched(api, one)
            assert run["outcome"] == "failed"
            assert "not on the public Internet" in run["error"]
        assert api.get(f"/feeds/previewIndex/{feed}").status_code == 400
    finally:
        api.ok(PRIVATE, {"value": True})
    assert web.times(path) == 0


@pytest.mark.parametrize("status", [404, 500, 401])
def test_a_refusal_is_told(api: Api, web: FeedServer, status: int) -> None:
    path = f"/{uuid4()}"
    web.answers[path] = (status, {})
    run = fetched(api, a_feed(api, web.url + path))
    assert (run["outcome"], str(status) in run["error"]) == ("failed", True)


def test_who_sends_in_circles_or_elsewhere_is_left(api: Api, web: FeedServer) -> None:
    path = f"/{uuid4()}"
    web.answers[path] = (302, {"Location": path})
    assert "redirects were followed" in fetched(api, a_feed(api, web.url + path))["error"]
    assert web.times(path) == 6
    web.answers[path] = (302, {"Location": "file:///etc/passwd"})
    assert "http://" in fetched(api, a_feed(api, web.url + path))["error"]


def test_half_a_file_is_not_taken_for_a_whole_one(api: Api, web: FeedServer) -> None:
    path = a_list(web, "\n".join(a_domain() for _ in range(100)))
    web.broken.add(path)
    feed = a_feed(api, web.url + path)
    run = fetched(api, feed)
    assert (run["outcome"], run["lines"], run["event_id"]) == ("failed", 0, 0)
    web.broken.remove(path)
    assert fetched(api, feed)["taken"] == 100


def test_a_bomb_goes_off_nowhere(api: Api, web: FeedServer) -> None:
    bomb = gzipped(b"\0" * (1 << 30) + b"\n" * 1000)
    run = fetched(api, a_feed(api, web.url + a_list(web, bomb)))
    assert run["outcome"] == "failed"
    assert "larger than" in run["error"]


def test_garbage_is_no_manifest(api: Api, web: FeedServer) -> None:
    folder = f"/{uuid4()}"
    feed = a_feed(api, web.url + folder, source_format="misp")
    for garbage in (b"", b"<html>", b"[1]", b'{"a":', b"\xff\xfe"):
        web.files[f"{folder}/manifest.json"] = garbage
        run = fetched(api, feed)
        assert (run["outcome"], "manifest" in run["error"]) == ("failed", True)


# ---- Feeds of events ------------------------------------------------------------------------------------


def test_the_events_of_a_feed_are_taken_over_once(api: Api, web: FeedServer) -> None:
    value = a_domain()
    event, other = an_event_file(value), an_event_file(a_domain())
    folder = f"/{uuid4()}"
    feed = a_feed(api, publish(web, folder, event, other), source_format="misp", distribution=3)
    run = fetched(api, feed)
    assert (run["lines"], run["taken"]) == (2, 2)
    stored = api.view(f"/events/view/{event['uuid']}")["Event"]
    assert (stored["info"], stored["distribution"], stored["locked"]) == (event["info"], "3", True)
    assert stored["Orgc"]["name"] == event["Orgc"]["name"]
    assert [t["name"] for t in stored["Tag"]] == ["tlp:clear"]
    assert [a["distribution"] for a in stored["Attribute"]] == ["5"]
    assert fetched(api, feed)["outcome"] == "unchanged"
    newer = an_event_file(a_domain(), uuid=event["uuid"], timestamp="1767225700", Orgc=event["Orgc"])
    publish(web, folder, newer, other)
    run = fetched(api, feed)
    assert (run["taken"], run["known"]) == (1, 1)
    stored = api.view(f"/events/view/{event['uuid']}")["Event"]
    assert (stored["info"], len(stored["Attribute"])) == (newer["info"], 2)


def test_what_of_a_feed_is_not_right_is_refused_alone(api: Api, web: FeedServer) -> None:
    good, other, missing, broken = (an_event_file(a_domain()) for _ in range(4))
    half = an_event_file(a_domain())
    half["Attribute"].append({"type": "ip-dst", "category": "Network activity", "value": "no address"})
    folder = f"/{uuid4()}"
    url = publish(web, folder, good, other, missing, broken, half)
    del web.files[f"{folder}/{missing['uuid']}.json"]
    web.files[f"{folder}/{broken['uuid']}.json"] = b"{"
    web.files[f"{folder}/{other['uuid']}.json"] = web.files[f"{folder}/{good['uuid']}.json"]
    manifest = json.loads(web.files[f"{folder}/manifest.json"]) | {"../../etc/passwd": {"info": "x"}}
    web.files[f"{folder}/manifest.json"] = json.dumps(manifest).encode()
    run = fetched(api, a_feed(api, url, source_format="misp"))
    assert (run["outcome"], run["lines"], run["taken"], run["refused"], run["left_out"]) == (
        "done",
        6,
        2,
        4,
        1,
    )
    told = " ".join(why for _, why in reasons(api, run))
    for why in ("no uuid", "another event", "404", "no event", "value"):
        assert why in told, why


def test_a_feed_changes_no_event_of_ours_and_none_of_others(api: Api, web: FeedServer) -> None:
    ours = api.ok("/events/add", {"info": "ours", "timestamp": "1000", "distribution": 3})["Event"]
    theirs = an_event_file(a_domain())
    folder = f"/{uuid4()}"
    fetched(api, a_feed(api, publish(web, folder, theirs), source_format="misp"))
    stolen = an_event_file(a_domain(), uuid=theirs["uuid"], timestamp="1767999999")
    mine = an_event_file(a_domain(), uuid=ours["uuid"], timestamp="1767999999", Orgc=ours["Orgc"])
    run = fetched(api, a_feed(api, publish(web, f"/{uuid4()}", stolen, mine), source_format="misp"))
    assert (run["taken"], run["refused"]) == (0, 2)
    assert api.view(f"/events/view/{ours['uuid']}")["Event"]["info"] == "ours"
    assert api.view(f"/events/view/{theirs['uuid']}")["Event"]["info"] == theirs["info"]


def test_rules_decide_what_comes(api: Api, web: FeedServer) -> None:
    wanted, old = an_event_file(a_domain()), an_event_file(a_domain(), timestamp=1000)
    red = an_event_file(a_domain(), Tag=[{"name": "tlp:red"}])
    url = publish(web, f"/{uuid4()}", wanted, old, red)
    rules = {
        "tags": {"OR": [], "NOT": ["tlp:red"]},
        "orgs": {"OR": [], "NOT": []},
        "url_params": '{"timestamp": 5000}',
    }
    feed = a_feed(api, url, source_format="misp", rules=json.dumps(rules))
    run = fetched(api, feed)
    assert (run["taken"], run["excluded"]) == (1, 2)
    assert api.get(f"/events/view/{red['uuid']}").status_code == 404


# ---- Before it is enabled -------------------------------------------------------------------------------


def test_a_list_is_looked_at_before_it_is_enabled(api: Api, web: FeedServer) -> None:
    here = a_domain()
    api.ok("/events/add", {"info": "i", "Attribute": [{"type": "domain", "value": here}]})
    new = a_domain()
    feed = a_feed(api, web.url + a_list(web, f"{here}\n{new}\n{new}\nnothing at all\n"), enabled=False)
    seen = api.view(f"/feeds/previewIndex/{feed}")
    assert [(one["value"], one["pisax_here"]) for one in seen] == [(here, True), (new, False), (new, False)]
    assert {"default_type", "types", "category", "to_ids", "original_value"} <= set(seen[0])
    assert [one["value"] for one in api.view(f"/feeds/previewIndex/{feed}/page:2/limit:1")] == [new]
    told = api.view(f"/feeds/preview/{feed}")
    counts = {name: int(told[name]) for name in ("lines", "taken", "known", "duplicate", "unrecognised")}
    assert counts == {"lines": 4, "taken": 1, "known": 1, "duplicate": 1, "unrecognised": 1}
    assert (told["complete"], told["not_taken"][0]["line"]) == (True, "4")
    assert runs(api, feed) == []


def test_single_events_of_a_feed_are_looked_at_and_taken(api: Api, web: FeedServer) -> None:
    event, other = an_event_file(a_domain()), an_event_file(a_domain())
    url = publish(web, f"/{uuid4()}", event, other)
    feed = a_feed(api, url, source_format="misp", enabled=False, distribution=2)
    index = api.view(f"/feeds/previewIndex/{feed}")
    assert set(index) == {event["uuid"], other["uuid"]}
    assert (index[event["uuid"]]["info"], index[event["uuid"]]["pisax_would_be"]) == (event["info"], "added")
    assert list(api.view(f"/feeds/previewIndex/{feed}/searchall:{other['info']}")) == [other["uuid"]]
    seen = api.view(f"/feeds/previewEvent/{feed}/{event['uuid']}")["Event"]
    assert (seen["info"], seen["distribution"]) == (event["info"], "2")
    assert api.get(f"/events/view/{event['uuid']}").status_code == 404
    assert api.get(f"/feeds/getEvent/{feed}/{event['uuid']}").status_code == 403
    api.ok(f"/feeds/enable/{feed}")
    assert api.ok(f"/feeds/getEvent/{feed}/{event['uuid']}")["message"] == "Event added."
    assert api.ok(f"/feeds/getEvent/{feed}/{event['uuid']}")["message"] == "Event already up to date."
    assert api.view(f"/feeds/previewIndex/{feed}")[event["uuid"]]["pisax_would_be"] == "known"
    for missing in (uuid4(), "..", "manifest"):
        assert api.get(f"/feeds/previewEvent/{feed}/{missing}").status_code == 404


def test_who_does_not_run_the_instance_looks_into_no_feed(api: Api, web: FeedServer) -> None:
    feed = a_feed(api, web.url + a_list(web, a_domain()))
    stranger = new_member(api, ORG_ADMIN).api
    for path in ("previewIndex", "preview", "runs", "feedCoverage", "fetchFromFeed"):
        assert stranger.get(f"/feeds/{path}/{feed}").status_code == 403, path


# ---- What is cached -------------------------------------------------------------------------------------


def test_values_are_looked_up_in_what_is_cached(api: Api, web: FeedServer) -> None:
    both, alone, composite = a_domain(), a_domain(), "203.0.113.77"
    one = a_feed(api, web.url + a_list(web, f"{both}\n{alone}\n{composite}:8080\n"), enabled=False)
    event = an_event_file(both)
    events = a_feed(api, publish(web, f"/{uuid4()}", event), source_format="misp", lookup_visible=False)
    assert cached(api, one)["taken"] == 3
    assert cached(api, events)["taken"] == 1
    hits = [hit["Feed"] for hit in api.ok("/feeds/searchCaches", {"value": both.upper()})]
    assert [(hit["id"], hit["type"]) for hit in hits] == [(one, "Feed"), (events, "MISP Feed")]
    assert hits[1]["uuid"] == [event["uuid"]]
    assert hits[1]["direct_urls"][0]["url"].endswith(f"/feeds/previewEvent/{events}/{event['uuid']}")
    several = api.ok("/feeds/searchCaches", {"value": [alone, composite, a_domain()]})
    assert set(several) == {alone, composite}
    assert api.ok("/feeds/searchCaches", {"value": a_domain()}) == []
    # Who does not run the instance looks up in what is meant for that.
    stranger = new_member(api, ORG_ADMIN).api
    assert [hit["Feed"]["id"] for hit in stranger.ok("/feeds/searchCaches", {"value": both})] == [one]
    assert {f["Feed"]["id"] for f in stranger.view("/feeds/compareFeeds")}.isdisjoint({events})


def test_feeds_are_compared_by_what_is_cached(api: Api, web: FeedServer) -> None:
    common, rest = [a_domain() for _ in range(2)], [a_domain() for _ in range(6)]
    path = a_list(web, "\n".join(common + rest))
    big = a_feed(api, web.url + path, enabled=False)
    small = a_feed(api, web.url + a_list(web, "\n".join(common)), enabled=False)
    cached(api, big), cached(api, small)
    table = {f["Feed"]["id"]: f["Feed"] for f in api.view("/feeds/compareFeeds")}
    assert (table[big]["values"], table[small]["values"]) == (8, 2)

    def overlap(one: str, other: str) -> tuple[int, int]:
        (row,) = [row for row in table[one]["ComparedFeed"] if row["id"] == other]
        return row["overlap_count"], row["overlap_percentage"]

    assert (overlap(big, small), overlap(small, big)) == ((2, 25), (2, 100))
    assert api.view(f"/feeds/feedCoverage/{big}") == 25
    assert api.ok(f"/feeds/feedCoverage/{big}", {"Feed": [], "Server": []}) == 0
    assert api.ok(f"/feeds/feedCoverage/{big}", {"Feed": [small]}) == 25
    seen = api.view(f"/feeds/view/{big}")["Feed"]
    assert (seen["cached_elements"], seen["coverage_by_other_feeds"]) == (8, "25%")
    listed = {f["Feed"]["id"]: f["Feed"] for f in api.view("/feeds/index")}
    assert listed[big]["cache_timestamp"].isdigit()
    told = api.view(f"/feeds/preview/{big}")
    assert [(o["id"], o["overlap_count"]) for o in told["overlap"] if o["id"] == small] == [(small, "2")]
    # Cached anew, what is gone is gone.
    web.files[path] = rest[0].encode()
    cached(api, big)
    assert api.ok("/feeds/searchCaches", {"value": rest[1]}) == []
    api.ok(f"/feeds/delete/{small}")
    assert small not in {f["Feed"]["id"] for f in api.view("/feeds/compareFeeds")}


def test_a_feed_without_hashes_is_cached_from_its_events(api: Api, web: FeedServer) -> None:
    value = a_domain()
    folder = f"/{uuid4()}"
    url = publish(web, folder, an_event_file(value))
    del web.files[f"{folder}/hashes.csv"]
    feed = a_feed(api, url, source_format="misp")
    assert cached(api, feed)["taken"] == 1
    assert [hit["Feed"]["id"] for hit in api.ok("/feeds/searchCaches", {"value": value})] == [feed]


# ---- All of it ------------------------------------------------------------------------------------------


def test_a_list_of_any_size_is_imported_whole(api: Api, web: FeedServer) -> None:
    if LISTS:
        text = b"\n".join(path.read_bytes() for path in sorted(Path(LISTS).glob("*.txt")))
    else:
        text = "\n".join(
            [*(f"{n}.{uuid4()}.example" for n in range(12_000)), "# end", "no, nothing"]
        ).encode()
    feed = a_feed(api, web.url + a_list(web, text))
    run = fetched(api, feed)
    assert run["outcome"] == "done"
    lines = text.split(b"\n")
    remarks = sum(1 for line in lines if not line.strip() or line.strip().startswith(b"#"))
    assert (run["lines"], run["remarks"]) == (
        len(lines) - text.endswith(b"\n"),
        remarks - text.endswith(b"\n"),
    )
    asked = {"eventid": run["event_id"], "metadata": 1}
    (found,) = api.ok("/events/restSearch", asked)["response"]
    assert int(found["Event"]["attribute_count"]) == run["taken"]
