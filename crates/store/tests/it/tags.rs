//! Tags and their attachments.

use crate::{NOW_MS, Trial, event, filled_event, member, on_each_engine, org, system};
use pisax_model::tag::{Tag, TagDraft, colour_of};
use pisax_store::tags::NewAttachment;
use pisax_store::{Error, Result};

fn draft(name: &str) -> TagDraft {
    TagDraft { name: name.into(), ..TagDraft::default() }
}

pub fn tag(name: &str) -> Tag {
    Tag {
        id: 0,
        name: name.into(),
        colour: "#ff0000".into(),
        exportable: true,
        org_id: 0,
        user_id: 0,
        hide_tag: false,
        numerical_value: None,
        is_galaxy: false,
        is_custom_galaxy: false,
        local_only: false,
    }
}

fn global(tag_id: i64) -> NewAttachment {
    NewAttachment { tag_id, local: false, relationship_type: None }
}

#[test]
fn a_tag_is_added_changed_and_found_in_any_case() {
    on_each_engine("tags", |t| {
        let id = t.write(|w| w.add_tag(&tag("TLP:Amber")));
        assert_eq!(t.read(|r| r.tag_named("tlp:AMBER")).unwrap().id, id);
        assert!(matches!(t.refusal(|w| w.add_tag(&tag("tlp:amber"))), Error::Conflict("name")));
        let other = t.write(|w| w.add_tag(&tag("PAP_x:Überwachung")));
        assert!(matches!(
            t.refusal(|w| w.edit_tag(&Tag { id: other, ..tag("Tlp:amber") })),
            Error::Conflict("name")
        ));
        t.write(|w| w.edit_tag(&Tag { id, numerical_value: Some(50), hide_tag: true, ..tag("tlp:amber") }));
        let found = t.read(|r| r.tag(id)).unwrap();
        assert_eq!(
            (found.name.as_str(), found.numerical_value, found.hide_tag),
            ("tlp:amber", Some(50), true)
        );
        let names =
            |pattern: &str| -> Vec<i64> { t.read(|r| r.search_tags(pattern)).iter().map(|t| t.id).collect() };
        assert_eq!(names("%AMBER%"), [id]);
        assert_eq!(names("pap_X:ÜBER%"), [other]);
        assert_eq!(names("tlp"), [] as [i64; 0]);
        assert_eq!(names("tlp:amber\\"), [] as [i64; 0]);
        assert_eq!(t.read(|r| r.tags(Some("uberw"))).len(), 1);
        assert_eq!(t.read(|r| r.tags(Some("_"))).len(), 1, "a plain search has no wildcards");
        assert!(matches!(t.refusal(|w| w.edit_tag(&Tag { id: 99, ..tag("new") })), Error::NotFound(_)));
    });
}

#[test]
fn names_resolve_to_tags_and_unknown_ones_are_added_by_those_who_may() {
    on_each_engine("resolve", |t| {
        let known = t.write(|w| w.add_tag(&tag("Known")));
        let mut drafts: Vec<TagDraft> = (0..700).map(|i| draft(&format!("feed:n=\"{i}\""))).collect();
        drafts.extend([draft("KNOWN"), draft("New"), draft("new "), draft("  ")]);
        drafts.push(TagDraft { colour: Some("#00ff00".into()), exportable: Some(false), ..draft("green") });
        drafts.push(draft("misp-galaxy:tool=\"X\""));
        let drafts: Vec<&TagDraft> = drafts.iter().collect();
        assert_eq!(t.write(|w| w.resolve_tags(&drafts, false)).len(), 1);
        let found = t.write(|w| w.resolve_tags(&drafts, true));
        assert_eq!(found.len(), 704);
        assert_eq!(found["known"].id, known);
        assert_eq!((found["new"].name.as_str(), &found["new"].colour), ("New", &colour_of("New")));
        assert_eq!((found["green"].colour.as_str(), found["green"].exportable), ("#00ff00", false));
        assert!(found["misp-galaxy:tool=\"x\""].is_galaxy);
        assert_eq!(t.write(|w| w.resolve_tags(&drafts, true)), found, "nothing is added twice");
        assert_eq!(t.read(|r| r.tags(None)).len(), 704);
    });
}

#[test]
fn writers_that_add_the_same_tag_at_once_get_the_same_one() {
    on_each_engine("tag_race", |t| {
        let names: Vec<String> = (0..40).map(|i| format!("race:{i}")).collect();
        let resolve = |flip: bool| {
            let mut drafts: Vec<TagDraft> = names.iter().map(|n| draft(n)).collect();
            if flip {
                drafts.reverse();
                drafts.iter_mut().for_each(|d| d.name = d.name.to_uppercase());
            }
            let drafts: Vec<&TagDraft> = drafts.iter().collect();
            t.store.write(&system(), NOW_MS, |w| w.resolve_tags(&drafts, true)).unwrap()
        };
        let (one, two) = std::thread::scope(|s| {
            let other = s.spawn(|| resolve(true));
            (resolve(false), other.join().unwrap())
        });
        assert_eq!(one, two);
        assert_eq!(t.read(|r| r.tags(None)).len(), names.len());
    });
}

struct Tagged {
    event: i64,
    attributes: Vec<i64>,
    tags: Vec<i64>,
}

fn tagged(t: &Trial, org_id: i64, distribution: i64) -> Tagged {
    t.write(|w| {
        let mut tags = Vec::new();
        for name in ["a", "b", "c"] {
            tags.push(w.resolve_tags(&[&draft(name)], true)?[name].id);
        }
        let values = [("domain", "a.example"), ("domain", "b.example")];
        let (event, attributes) = filled_event(w, &event(org_id, distribution, 0), &values)?;
        Ok(Tagged { event, attributes, tags })
    })
}

#[test]
fn the_first_attachment_decides_whether_a_tag_is_local() {
    on_each_engine("attach", |t| {
        let org = t.write(|w| org(w, "o"));
        let e = tagged(t, org, 3);
        let local =
            NewAttachment { local: true, relationship_type: Some("describes".into()), ..global(e.tags[0]) };
        let new =
            t.write(|w| w.attach_event_tags(e.event, &[local.clone(), global(e.tags[0]), global(e.tags[1])]));
        assert_eq!(new, e.tags[..2]);
        assert!(t.write(|w| w.attach_event_tags(e.event, &[global(e.tags[0])])).is_empty());
        let found = t.read(|r| r.event_tags(&[e.event, 99]));
        let attached: Vec<_> =
            found[&e.event].iter().map(|a| (a.tag.id, a.local, a.relationship_type.as_deref())).collect();
        assert_eq!(attached, [(e.tags[0], true, Some("describes")), (e.tags[1], false, None)]);
        assert!(t.write(|w| w.detach_event_tag(e.event, e.tags[0])));
        assert!(!t.write(|w| w.detach_event_tag(e.event, e.tags[0])));

        let a = e.attributes[0];
        let rows = [(a, local.clone()), (a, global(e.tags[0])), (e.attributes[1], global(e.tags[2]))];
        let new = t.write(|w| w.attach_attribute_tags(e.event, &rows));
        assert_eq!(new, [(a, e.tags[0]), (e.attributes[1], e.tags[2])]);
        let dense = t.read(|r| r.attribute_tags(&e.attributes));
        let sparse = t.read(|r| r.attribute_tags(&[e.attributes[0], e.attributes[1], 1_000_000]));
        assert_eq!(dense, sparse);
        assert_eq!(t.read(|r| r.attribute_tags_of_event(e.event)), dense);
        assert!(dense[&a][0].local);
        assert!(t.write(|w| w.detach_attribute_tag(a, e.tags[0])));
        assert!(!t.write(|w| w.detach_attribute_tag(a, e.tags[0])));
        t.write(|w| w.delete_tag(e.tags[2]));
        assert!(t.read(|r| r.attribute_tags_of_event(e.event)).is_empty());
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn many_attachments_go_in_at_once() {
    on_each_engine("attach_many", |t| {
        let o = t.write(|w| org(w, "o"));
        let e = tagged(t, o, 3);
        t.write(|w| {
            let values: Vec<String> = (0..500).map(|i| format!("h{i}.example")).collect();
            let values: Vec<(&str, &str)> = values.iter().map(|v| ("domain", v.as_str())).collect();
            let (event, ids) = filled_event(w, &event(o, 3, 0), &values)?;
            let rows: Vec<_> =
                ids.iter().flat_map(|id| e.tags.iter().map(|tag| (*id, global(*tag)))).collect();
            assert_eq!(w.attach_attribute_tags(event, &rows)?.len(), 1500);
            assert_eq!(w.attach_attribute_tags(event, &rows)?.len(), 0);
            assert_eq!(w.attribute_tags(&ids)?.len(), 500);
            assert_eq!(w.attribute_tags(&ids[10..12])?.len(), 2);
            Ok(())
        });
    });
}

#[test]
fn counts_are_of_what_the_reader_sees() {
    on_each_engine("tag_counts", |t| {
        let (a, b) = t.write(|w| Ok((org(w, "a")?, org(w, "b")?)));
        let (open, own) = (tagged(t, a, 3), tagged(t, a, 0));
        for e in [&open, &own] {
            t.write(|w| -> Result<()> {
                w.attach_event_tags(e.event, &[global(e.tags[0])])?;
                w.attach_attribute_tags(
                    e.event,
                    &e.attributes.iter().map(|id| (*id, global(e.tags[0]))).collect::<Vec<_>>(),
                )?;
                Ok(())
            });
        }
        t.tamper(&format!("update attributes set deleted = 1 where id = {}", open.attributes[0]));
        let counts = |actor| {
            let tag = t.store.read(&actor, |r| r.counted_tag(open.tags[0])).unwrap().unwrap();
            (tag.events, tag.attributes)
        };
        assert_eq!([counts(system()), counts(member(a)), counts(member(b))], [(2, 3), (2, 3), (1, 1)]);
        let listed = t.store.read(&member(b), |r| r.tags(None)).unwrap();
        assert_eq!(
            listed.iter().map(|c| (c.events, c.attributes)).collect::<Vec<_>>(),
            [(1, 1), (0, 0), (0, 0)]
        );
    });
}

#[test]
fn a_tag_deleted_since_it_was_looked_up_is_not_attached() {
    on_each_engine("deleted_tag", |t| {
        t.write(|w| {
            let (event_id, ids) = crate::filled_event(w, &crate::event(1, 3, 0), &[("text", "x")])?;
            let gone = NewAttachment { tag_id: 99, local: false, relationship_type: None };
            assert!(w.attach_event_tags(event_id, std::slice::from_ref(&gone))?.is_empty());
            assert!(w.attach_attribute_tags(event_id, &[(ids[0], gone)])?.is_empty());
            Ok(())
        });
    });
}
