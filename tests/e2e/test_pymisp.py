"""PyMISP, unchanged, drives PISAX as it drives a MISP."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

from harness.events import a_word, an_attribute, an_event, related
from harness.instance import ADMIN_KEY, REPOSITORY, Instance
from pymisp import (
    MISPObject,
    MISPOrganisation,
    MISPSharingGroup,
    MISPSighting,
    MISPTag,
    MISPUser,
    PyMISP,
)


def a_user(misp: PyMISP, role: int = 3, organisation: MISPOrganisation | None = None) -> PyMISP:
    """A new user of the role, of a new organisation unless one is given, signed in."""
    if organisation is None:
        organisation = MISPOrganisation()
        organisation.name = f"Organisation {uuid4()}"
        organisation = misp.add_organisation(organisation)
    user = MISPUser()
    user.email = f"{uuid4()}@member.test"
    user.org_id = organisation.id
    user.role_id = role
    user = misp.add_user(user)
    client = PyMISP(misp.root_url, user.authkey, ssl=False)
    client.toggle_global_pythonify()
    return client


# Events


def test_an_event_is_read_back_as_it_was_added(misp: PyMISP) -> None:
    event = an_event("Read me back")
    event.set_date("2026-02-03")
    event.add_tag("tlp:green")
    address = event.add_attribute("ip-dst", "198.51.100.7", comment="c2", to_ids=True)
    address.add_tag("kill-chain:Command and Control")
    event.add_attribute("domain", "EVIL.Example.COM")
    event.add_attribute("filename|sha256", "bad.exe|" + "AB" * 32)

    added = misp.add_event(event)
    read = misp.get_event(added.uuid)

    assert (read.uuid, read.info, str(read.date)) == (event.uuid, event.info, "2026-02-03")
    assert (int(read.threat_level_id), int(read.analysis), int(read.distribution)) == (2, 1, 3)
    assert [tag.name for tag in read.tags] == ["tlp:green"]
    assert [a.value for a in read.attributes] == [
        "198.51.100.7",
        "evil.example.com",
        "bad.exe|" + "ab" * 32,
    ]
    assert [a.uuid for a in read.attributes] == [a.uuid for a in event.attributes]
    assert [tag.name for tag in read.attributes[0].tags] == ["kill-chain:Command and Control"]
    assert int(read.attribute_count) == 3
    assert not read.published


def test_an_event_changes_only_where_it_was_edited(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    event.add_attribute("text", a_word())
    event = misp.add_event(event)
    event.info = "A better title"
    event.attributes[0].comment = "seen twice"
    event.add_attribute("text", a_word())

    edited = misp.update_event(event)

    assert edited.info == "A better title"
    assert [a.comment for a in edited.attributes] == ["seen twice", "", ""]
    assert edited.attributes[1].timestamp == event.attributes[1].timestamp
    assert edited.timestamp >= event.timestamp


def test_an_attribute_missing_from_an_edit_stays(misp: PyMISP) -> None:
    event = an_event()
    kept = event.add_attribute("text", a_word())
    event = misp.add_event(event)
    event.attributes = []
    event.add_attribute("text", a_word())

    assert kept.value in [a.value for a in misp.update_event(event).attributes]


def test_existence_is_asked_with_head_by_id_and_uuid(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    event.add_object(MISPObject("domain-ip")).add_attribute("domain", "there.example")
    event = misp.add_event(event)

    assert misp.event_exists(event.id)
    assert misp.event_exists(event.uuid)
    assert misp.attribute_exists(event.attributes[0].id)
    assert misp.attribute_exists(event.attributes[0].uuid)
    assert misp.object_exists(event.objects[0].id)
    assert misp.object_exists(event.objects[0].uuid)
    assert misp.organisation_exists(event.Orgc.uuid)
    for exists in (misp.event_exists, misp.attribute_exists, misp.object_exists, misp.organisation_exists):
        assert not exists(str(uuid4()))


def test_publishing_is_undone_by_the_next_edit(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    event = misp.add_event(event)

    assert "errors" not in misp.publish(event)
    assert misp.get_event(event).published
    misp.add_attribute(event, an_attribute("text", a_word()))
    assert not misp.get_event(event).published

    misp.publish(event)
    misp.unpublish(event)
    assert not misp.get_event(event).published


def test_a_deleted_event_is_gone_and_does_not_come_back(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    added = misp.add_event(event)

    assert misp.delete_event(added)["message"] == "Event deleted."
    assert misp.get_event(added)["errors"][0] == 404
    assert not misp.event_exists(added)
    assert misp.search(controller="attributes", value=event.attributes[0].value) == []
    assert misp.add_event(event)["errors"][0] == 403


def test_an_event_and_its_echo_are_related(misp: PyMISP) -> None:
    shared = a_word()
    first, second = an_event("First"), an_event("Second")
    first.add_attribute("text", shared)
    second.add_attribute("text", shared)
    first, second = misp.add_event(first), misp.add_event(second)

    assert related(misp, first) == [second.uuid]
    assert related(misp, second) == [first.uuid]


def test_an_address_is_related_to_the_network_that_holds_it(misp: PyMISP) -> None:
    network, address, outside = an_event("Network"), an_event("Address"), an_event("Outside")
    network.add_attribute("ip-src", "2001:db8:77::/48")
    address.add_attribute("ip-dst", "2001:db8:77:1::5")
    outside.add_attribute("ip-dst", "2001:db8:78::5")
    network, address, outside = (misp.add_event(e) for e in (network, address, outside))

    assert related(misp, network) == [address.uuid]
    assert related(misp, address) == [network.uuid]
    assert related(misp, outside) == []


# Attributes


def test_an_attribute_is_added_edited_deleted_and_restored(misp: PyMISP) -> None:
    event = misp.add_event(an_event())
    attribute = misp.add_attribute(event, an_attribute("domain", f"{uuid4()}.example"))
    assert (attribute.category, attribute.to_ids) == ("Network activity", True)

    attribute.comment = "checked"
    attribute.to_ids = False
    edited = misp.update_attribute(attribute)
    assert (edited.comment, edited.to_ids, edited.value) == ("checked", False, attribute.value)

    assert misp.delete_attribute(attribute)["message"] == "Attribute deleted."
    assert misp.get_event(event).attributes == []
    assert [a.deleted for a in misp.get_event(event, deleted=[0, 1]).attributes] == [True]

    misp.restore_attribute(attribute)
    assert [a.uuid for a in misp.get_event(event).attributes] == [attribute.uuid]

    misp.delete_attribute(attribute, hard=True)
    assert misp.get_event(event, deleted=[0, 1]).attributes == []


def test_in_a_list_of_attributes_only_the_wrong_ones_are_refused(misp: PyMISP) -> None:
    event = misp.add_event(an_event())
    good, bad = f"{uuid4()}.example", "not an address"

    answer = PyMISP(misp.root_url, ADMIN_KEY, ssl=False).add_attribute(
        event,
        [{"type": "domain", "value": good}, {"type": "ip-dst", "value": bad}],
    )

    assert answer["errors"] == {"attribute_1": {"value": ["IP address has an invalid format."]}}
    assert [a.value for a in misp.get_event(event).attributes] == [good]


def test_the_same_attribute_twice_is_refused(misp: PyMISP) -> None:
    event = misp.add_event(an_event())
    twice = an_attribute("text", a_word())
    misp.add_attribute(event, twice)

    status, answer = misp.add_attribute(event, an_attribute("text", twice.value))["errors"]

    assert status == 403
    assert answer["errors"]["value"] == ["A similar attribute already exists for this event."]


def test_seen_times_keep_their_microseconds(misp: PyMISP) -> None:
    event = an_event()
    seen = event.add_attribute("ip-dst", "198.51.100.99")
    seen.first_seen = "2026-01-04T04:30:34.323242+00:00"
    seen.last_seen = "2026-01-04T06:30:34.323243+01:00"

    read = misp.get_event(misp.add_event(event)).attributes[0]

    assert read.first_seen == datetime(2026, 1, 4, 4, 30, 34, 323242, UTC)
    assert read.last_seen == datetime(2026, 1, 4, 5, 30, 34, 323243, UTC)


def test_an_attachment_comes_back_byte_for_byte(misp: PyMISP) -> None:
    content = bytes(range(256)) * 40
    event = an_event()
    event.add_attribute("attachment", "table.bin", data=BytesIO(content))
    added = misp.add_event(event)

    found = misp.search(controller="attributes", uuid=added.attributes[0].uuid, with_attachments=True)

    assert found[0].data.getvalue() == content


def test_the_vocabulary_is_the_one_pymisp_ships(misp: PyMISP) -> None:
    remote, local = misp.describe_types_remote, misp.describe_types_local
    assert sorted(remote["types"]) == sorted(local["types"])
    assert sorted(remote["categories"]) == sorted(local["categories"])
    assert remote["sane_defaults"] == local["sane_defaults"]
    for category, types in local["category_type_mappings"].items():
        assert sorted(remote["category_type_mappings"][category]) == sorted(types)


# Objects and references


def test_an_object_and_its_reference_are_added_edited_and_deleted(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("url", f"http://{uuid4()}.example/login")
    event = misp.add_event(event)
    pair = MISPObject("domain-ip")
    pair.add_attribute("domain", "pair.example")
    pair.add_attribute("ip", "198.51.100.20")
    pair.add_reference(event.attributes[0].uuid, "related-to", "served from there")

    added = misp.add_object(event, pair)
    assert sorted((a.object_relation, a.value) for a in added.attributes) == [
        ("domain", "pair.example"),
        ("ip", "198.51.100.20"),
    ]
    reference = misp.add_object_reference(pair.references[0])
    assert (reference.object_uuid, reference.referenced_uuid) == (pair.uuid, event.attributes[0].uuid)
    assert [r.relationship_type for r in misp.get_event(event).objects[0].references] == ["related-to"]

    added.add_attribute("ip", "198.51.100.21")
    assert len(misp.update_object(added).attributes) == 3

    assert misp.delete_object_reference(reference)["message"] == "ObjectReference deleted"
    assert misp.delete_object(added)["message"] == "Object deleted"
    assert misp.get_event(event).objects == []


def test_an_object_of_a_template_nobody_knows_is_kept(misp: PyMISP) -> None:
    event = misp.add_event(an_event())
    own = MISPObject("our-own-thing")
    own.template_uuid, own.description = str(uuid4()), "made here"
    own.add_attribute("codename", type="text", value="sparrow")

    added = misp.add_object(event, own)

    assert (added.name, added.attributes[0].object_relation) == ("our-own-thing", "codename")


# Tags, sightings


def test_tags_are_attached_found_and_removed(misp: PyMISP) -> None:
    tag = MISPTag()
    tag.name, tag.colour = f"exchange:{uuid4()}", "#0b6e74"
    tag = misp.add_tag(tag)
    event = an_event()
    value = event.add_attribute("text", a_word()).value
    event = misp.add_event(event)

    assert "successfully" in misp.tag(event, tag)["message"]
    assert "successfully" in misp.tag(event.attributes[0], tag.name)["message"]
    tagged = misp.get_event(event)
    assert [(t.name, t.colour) for t in tagged.tags] == [(tag.name, "#0b6e74")]
    assert [t.name for t in tagged.attributes[0].tags] == [tag.name]
    assert [e.uuid for e in misp.search(tags=[tag.name])] == [event.uuid]
    assert [a.value for a in misp.search(controller="attributes", tags=[tag.name])] == [value]

    misp.untag(event, tag.name)
    misp.untag(event.attributes[0], tag.name)
    assert misp.search(tags=[tag.name]) == []
    assert misp.delete_tag(tag)["message"] == "Tag deleted."


def test_sightings_of_a_value_reach_every_attribute_that_has_it(misp: PyMISP) -> None:
    shared = a_word()
    events = []
    for _ in range(2):
        event = an_event()
        event.add_attribute("text", shared)
        events.append(misp.add_event(event))

    sighting = MISPSighting()
    sighting.value, sighting.source, sighting.type = shared, "honeypot", "0"
    misp.add_sighting(sighting)

    for event in events:
        found = misp.sightings(event.attributes[0])
        assert [s.source for s in found] == ["honeypot"]
    assert misp.delete_sighting(misp.sightings(events[0].attributes[0])[0])["message"] == (
        "Sighting successfully deleted."
    )
    assert misp.sightings(events[0].attributes[0]) == []


# Organisations, users, keys, sharing groups


def test_organisations_users_and_keys_are_managed(misp: PyMISP) -> None:
    organisation = MISPOrganisation()
    organisation.name, organisation.nationality = f"Organisation {uuid4()}", "Luxembourg"
    organisation = misp.add_organisation(organisation)
    organisation.sector = "IXP"
    assert misp.update_organisation(organisation).sector == "IXP"

    user = MISPUser()
    user.email, user.org_id, user.role_id = f"{uuid4()}@member.test", organisation.id, 3
    user = misp.add_user(user)
    assert len(user.authkey) == 40
    assert user.email in [u.email for u in misp.users()]
    signed_in = PyMISP(misp.root_url, user.authkey, ssl=False)
    assert signed_in.get_user("me")["User"]["email"] == user.email

    second_key = misp.get_new_authkey(user)
    assert PyMISP(misp.root_url, second_key, ssl=False).get_user("me")["User"]["email"] == user.email

    user.email = f"{uuid4()}@member.test"
    assert misp.update_user(user).email == user.email
    assert "errors" not in misp.delete_user(user)
    assert signed_in.get_user("me")["errors"][0] == 403
    assert "errors" not in misp.delete_organisation(organisation)


def test_a_sharing_group_opens_an_event_to_its_members_alone(misp: PyMISP) -> None:
    inside = MISPOrganisation()
    inside.name = f"Organisation {uuid4()}"
    inside = misp.add_organisation(inside)
    member, stranger = a_user(misp, organisation=inside), a_user(misp)
    group = MISPSharingGroup()
    group.name, group.releasability = f"Group {uuid4()}", "its members"
    group = misp.add_sharing_group(group)
    event = an_event(distribution=4)
    event.sharing_group_id = group.id
    event.add_attribute("text", a_word())
    event = misp.add_event(event)

    assert misp.sharing_group_exists(group)
    assert not member.event_exists(event)
    assert misp.add_org_to_sharing_group(group, inside)["name"] == "Organisation added to the sharing group."
    assert member.event_exists(event)
    assert [g.name for g in member.sharing_groups()] == [group.name]
    assert not stranger.event_exists(event)
    assert stranger.sharing_groups() == []

    misp.remove_org_from_sharing_group(group, inside)
    assert not member.event_exists(event)


def test_a_member_does_not_change_what_another_organisation_wrote(misp: PyMISP) -> None:
    event = an_event()
    event.add_attribute("text", a_word())
    event = misp.add_event(event)
    stranger = a_user(misp)
    seen = stranger.get_event(event)
    seen.info = "Mine now"

    assert stranger.update_event(seen)["errors"][0] == 403
    assert stranger.delete_event(event)["errors"][0] == 403
    assert stranger.delete_attribute(event.attributes[0].id)  # PyMISP proposes the deletion instead
    read = misp.get_event(event)
    assert (read.info, len(read.attributes)) == (event.info, 1)


# Text, and the README


def test_freetext_becomes_attributes(misp: PyMISP) -> None:
    event = misp.add_event(an_event())
    text = "seen hxxp://free[.]example[.]com/a from 198.51.100.99, dropper d41d8cd98f00b204e9800998ecf8427f"

    misp.freetext(event, text, kw_params={"disable_background_processing": 1})

    assert sorted((a.type, a.value) for a in misp.get_event(event).attributes) == [
        ("ip-dst", "198.51.100.99"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427f"),
        ("url", "http://free.example.com/a"),
    ]


def test_the_script_of_the_readme_runs(server: Instance) -> None:
    block = re.search(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert block, "the README shows a first PyMISP script"
    script, replaced = re.subn(r"PyMISP\([^)\n]*\)", f"PyMISP({server.url!r}, {ADMIN_KEY!r})", block.group(1))
    assert replaced, "the script of the README calls PyMISP(…)"
    exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102
