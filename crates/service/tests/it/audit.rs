//! What the log says of the core use cases: who, what, from what to what.

use crate::*;
use pisax_access::{Origin, Via};
use pisax_model::attribute::AttributeDraft;
use pisax_service::{attribute, tag};
use pisax_store::audit::{Entry, EntryQuery};
use pisax_store::changes::{Action, Noun};

impl Here {
    /// The rows of the log on one noun and action, oldest first.
    fn logged(&self, noun: Noun, action: Action) -> Vec<Entry> {
        let query = EntryQuery {
            nouns: vec![noun as i64],
            actions: vec![action as i64],
            limit: 100,
            ..EntryQuery::default()
        };
        let mut found = Vec::new();
        let mut keep = |entry| {
            found.push(entry);
            Ok(())
        };
        self.service.read(&self.admin(), |r| Ok(r.audit(&query, &mut keep)?)).unwrap();
        found.reverse();
        found
    }
}

fn field<'e>(entry: &'e Entry, name: &str) -> Option<(&'e str, &'e str)> {
    entry.fields.iter().find(|f| f.name == name).map(|f| (f.old.as_str(), f.new.as_str()))
}

#[test]
fn an_edit_leaves_who_what_from_where_and_both_values() {
    let here = here();
    let mut admin = here.admin();
    let address = "198.51.100.9".parse().unwrap();
    admin.origin = Origin { via: Via::Api, address: Some(address), key_id: 7 };
    let (event, id) = here.seen_by_all(&admin, "first");

    let draft = AttributeDraft { value: Some("second".into()), ..AttributeDraft::default() };
    attribute::edit(&here.service, &admin, Ref::Id(id), draft).unwrap();

    let logged = here.logged(Noun::Attribute, Action::Edit);
    let [edit] = &logged[..] else { panic!("{logged:?}") };
    assert_eq!((edit.user_id, edit.org_id, edit.event_id, edit.record_id), (1, admin.org_id, event, id));
    assert_eq!((edit.address.as_str(), edit.via, edit.key_id), ("198.51.100.9", Via::Api as i64, 7));
    assert_eq!(edit.title, "text first");
    assert_eq!(field(edit, "value"), Some(("first", "second")));
    assert_eq!(field(edit, "category"), None, "what stayed is not told");
    assert_eq!(edit.email.as_deref(), Some(here.created.email.as_str()));
}

#[test]
fn what_was_deleted_is_still_told() {
    let here = here();
    let admin = here.admin();
    let (event, id) = here.seen_by_all(&admin, "gone");
    attribute::remove(&here.service, &admin, Ref::Id(id), true).unwrap();
    let logged = here.logged(Noun::Attribute, Action::Delete);
    assert_eq!(field(&logged[0], "value"), Some(("gone", "")));
    pisax_service::event::remove(&here.service, &admin, Ref::Id(event)).unwrap();
    assert_eq!(here.logged(Noun::Event, Action::Delete)[0].title, "An event");
}

#[test]
fn a_tag_is_told_by_its_name() {
    let here = here();
    let admin = here.admin();
    let (event, _) = here.seen_by_all(&admin, "x");
    let target = attribute::Target::Event(Ref::Id(event));
    let change = tag::TagChange { name: Some("tlp:green".into()), ..tag::TagChange::default() };
    tag::add(&here.service, &admin, change).unwrap();
    attribute::tag(&here.service, &admin, target, &["tlp:green".into()], false, None).unwrap();
    attribute::untag(&here.service, &admin, target, &["tlp:green".into()]).unwrap();
    assert_eq!(field(&here.logged(Noun::EventTag, Action::Add)[0], "tag"), Some(("", "tlp:green")));
    assert_eq!(field(&here.logged(Noun::EventTag, Action::Delete)[0], "tag"), Some(("tlp:green", "")));
}
