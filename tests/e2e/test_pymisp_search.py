"""PyMISP, unchanged, searches PISAX as it searches a MISP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from harness.events import a_word, an_event
from pymisp import MISPEvent, MISPObject, PyMISP


def test_the_index_filters_sorts_and_pages(misp: PyMISP) -> None:
    mark = str(uuid4())
    events = []
    for day in (3, 1, 2):
        event = MISPEvent()
        event.info, event.distribution = f"{mark} number {day}", 3
        event.set_date(f"2025-11-0{day}")
        event.add_attribute("text", a_word())
        events.append(misp.add_event(event))

    def days(**filters: object) -> list[int]:
        return [e.date.day for e in misp.search_index(eventinfo=mark, **filters)]

    assert sorted(days()) == [1, 2, 3]
    assert days(sort="date", desc=True) == [3, 2, 1]
    assert days(sort="date", limit=2, page=2) == [3]
    assert sorted(days(date_from="2025-11-02")) == [2, 3]
    misp.publish(events[0])
    assert days(published=True) == [3]


@pytest.fixture(scope="module")
def corpus(misp: PyMISP) -> dict[str, MISPEvent]:
    """Two events that differ in everything a filter can ask for."""
    wave = an_event("Wave against exchanges")
    wave.set_date("2026-01-10")
    wave.threat_level_id = 1
    wave.add_tag("corpus:wave")
    wave.add_attribute("ip-dst", "203.0.113.7", comment="first hop").add_tag("corpus:hop")
    wave.add_attribute("domain", "login.corpus.example")
    wave.add_attribute("text", "only talk", to_ids=False)
    seen = wave.add_attribute("ip-src", "203.0.113.64/26")
    seen.first_seen, seen.last_seen = "2025-06-01T00:00:00+00:00", "2025-06-30T00:00:00+00:00"

    tools = an_event("Tools of a gang")
    tools.set_date("2026-02-20")
    tools.add_tag("corpus:tools")
    tools.add_attribute("ip-dst", "203.0.113.7", comment="same hop")
    tools.add_attribute("filename|md5", "drop.exe|" + "cd" * 16)
    pair = tools.add_object(MISPObject("domain-ip"))
    pair.add_attribute("domain", "mirror.corpus.example")
    return {"wave": misp.add_event(wave), "tools": misp.add_event(tools)}


HOP, LOGIN, TALK, NET = "203.0.113.7", "login.corpus.example", "only talk", "203.0.113.64/26"
DROP, MIRROR = "drop.exe|" + "cd" * 16, "mirror.corpus.example"

ATTRIBUTE_FILTERS = [
    ({"value": HOP}, [HOP, HOP]),
    ({"value": "DROP.EXE"}, [DROP]),
    ({"value": "cd" * 16}, [DROP]),
    ({"value": ["login.corpus.example", "only talk"]}, [LOGIN, TALK]),
    ({"value": "%corpus.example"}, [LOGIN, MIRROR]),
    ({"value": "!203.0.113.7"}, [DROP, LOGIN, MIRROR, NET, TALK]),
    ({"type_attribute": "domain"}, [LOGIN, MIRROR]),
    ({"type_attribute": ["domain", "text"]}, [LOGIN, MIRROR, TALK]),
    ({"type_attribute": {"NOT": ["ip-dst", "domain"]}}, [DROP, NET, TALK]),
    ({"type_attribute": "ip%"}, [HOP, HOP, NET]),
    ({"category": "Payload delivery"}, [DROP]),
    ({"tags": ["corpus:hop"]}, [HOP]),
    ({"tags": ["corpus:tools"]}, [DROP, HOP, MIRROR]),
    ({"tags": {"OR": ["corpus:wave"], "NOT": ["corpus:hop"]}}, [LOGIN, NET, TALK]),
    ({"tags": {"AND": ["corpus:wave", "corpus:hop"]}}, [HOP]),
    ({"tags": ["corpus:nobody-knows"]}, []),
    ({"to_ids": 1}, [DROP, HOP, HOP, LOGIN, MIRROR, NET]),
    ({"to_ids": 0}, [TALK]),
    ({"eventinfo": "%Tools of a gang%"}, [DROP, HOP, MIRROR]),
    ({"date_from": "2026-02-01"}, [DROP, HOP, MIRROR]),
    ({"date_to": "2026-02-01"}, [HOP, LOGIN, NET, TALK]),
    ({"timestamp": "1h"}, [DROP, HOP, HOP, LOGIN, MIRROR, NET, TALK]),
    ({"timestamp": ["2020-01-01", "2020-01-02"]}, []),
    ({"timestamp": "5x"}, []),
    ({"published": True}, []),
    ({"threat_level_id": 1}, [HOP, LOGIN, NET, TALK]),
    ({"object_relation": "domain"}, [MIRROR]),
    ({"first_seen": "2025-05-31"}, [NET]),
    ({"last_seen": "2025-07-01"}, [NET]),
    ({"org": "ORGNAME"}, [DROP, HOP, HOP, LOGIN, MIRROR, NET, TALK]),
    ({"org": "!ORGNAME"}, []),
    ({"deleted": "only"}, []),
    ({"type_attribute": "ip-dst", "tags": ["corpus:wave"]}, [HOP]),
]


@pytest.mark.parametrize(("filters", "values"), ATTRIBUTE_FILTERS, ids=lambda case: str(case)[:60])
def test_an_attribute_search_finds_what_it_asks_for(
    misp: PyMISP, corpus: dict[str, MISPEvent], filters: dict[str, object], values: list[str]
) -> None:
    found = misp.search(controller="attributes", eventid=[e.id for e in corpus.values()], **filters)
    assert sorted(a.value for a in found) == sorted(values)


EVENT_FILTERS = [
    ({"value": HOP}, ["tools", "wave"]),
    ({"value": LOGIN}, ["wave"]),
    ({"type_attribute": "filename|md5"}, ["tools"]),
    ({"tags": ["corpus:hop"]}, ["wave"]),
    ({"tags": "corpus:%"}, ["tools", "wave"]),
    ({"event_tags": ["corpus:hop"]}, []),
    ({"event_tags": ["corpus:tools"]}, ["tools"]),
    ({"threat_level_id": 1}, ["wave"]),
    ({"eventinfo": "Wave against%"}, ["wave"]),
    ({"date_from": "2026-02-20", "date_to": "2026-02-20"}, ["tools"]),
    ({"event_timestamp": "1h"}, ["tools", "wave"]),
    ({"publish_timestamp": "1h"}, []),
    ({"published": False}, ["tools", "wave"]),
    ({"metadata": True}, ["tools", "wave"]),
]


@pytest.mark.parametrize(("filters", "names"), EVENT_FILTERS, ids=lambda case: str(case)[:60])
def test_an_event_search_finds_what_it_asks_for(
    misp: PyMISP, corpus: dict[str, MISPEvent], filters: dict[str, object], names: list[str]
) -> None:
    found = misp.search(eventid=[e.id for e in corpus.values()], **filters)
    by_uuid = {event.uuid: name for name, event in corpus.items()}
    assert sorted(by_uuid[e.uuid] for e in found) == names


def test_search_everywhere_reads_titles_comments_and_values(
    misp: PyMISP, corpus: dict[str, MISPEvent]
) -> None:
    for words in ("%against exchanges%", "%first hop%", "%login.corpus%"):
        assert corpus["wave"].uuid in [e.uuid for e in misp.search(searchall=words)]


def test_metadata_leaves_the_content_out(misp: PyMISP, corpus: dict[str, MISPEvent]) -> None:
    found = misp.search(eventid=corpus["wave"].id, metadata=True)[0]
    assert (found.info, found.attributes, found.objects) == (corpus["wave"].info, [], [])


def test_an_object_search_brings_whole_objects(misp: PyMISP, corpus: dict[str, MISPEvent]) -> None:
    found = misp.search(controller="objects", object_name="domain-ip", eventid=corpus["tools"].id)
    assert [[a.value for a in o.attributes] for o in found] == [[MIRROR]]


def test_pages_of_a_search_are_complete_and_do_not_overlap(misp: PyMISP) -> None:
    event = an_event()
    values = [a_word() for _ in range(23)]
    for value in values:
        event.add_attribute("text", value)
    event = misp.add_event(event)

    pages = [
        misp.search(controller="attributes", eventid=event.id, limit=10, page=page) for page in (1, 2, 3, 4)
    ]

    assert [len(page) for page in pages] == [10, 10, 3, 0]
    assert [a.value for page in pages for a in page] == values


def test_a_search_includes_context_correlations_and_sightings_when_asked(misp: PyMISP) -> None:
    shared = a_word()
    first, second = an_event("First"), an_event("Second")
    for event in (first, second):
        event.add_attribute("text", shared)
        event.add_tag("corpus:context")
    first, second = misp.add_event(first), misp.add_event(second)
    misp.add_sighting({"value": shared})

    plain, found = (
        misp.search(
            controller="attributes",
            value=shared,
            include_context=included,
            include_correlations=included,
            include_event_tags=included,
            include_sightings=included,
        )
        for included in (None, True)
    )

    assert not plain[0].tags
    assert [a.Event.uuid for a in found] == [first.uuid, second.uuid]
    assert [t.name for t in found[0].tags] == ["corpus:context"]
    assert found[0].RelatedAttribute[0].Event.uuid == second.uuid
    assert len(found[0].Sighting) == 1


def test_what_changed_lately_is_found_by_time(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    event = misp.add_event(event)
    soon = datetime.now(UTC) + timedelta(hours=1)

    assert event.uuid in [e.uuid for e in misp.search(timestamp="10m")]
    assert misp.search(timestamp=soon) == []
