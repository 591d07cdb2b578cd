//! Event reports and analyst data: who may write them and what that does to the event.

use crate::*;
use pisax_access::Permission;
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind};
use pisax_model::org::OrgRef;
use pisax_model::report::ReportDraft;
use pisax_service::analyst;
use pisax_service::report::{self, Removal};
use pisax_store::analyst::AnalystQuery;

fn named(name: &str) -> ReportDraft {
    ReportDraft { name: Some(name.into()), content: Some("# Title".into()), ..ReportDraft::default() }
}

fn note(about: Uuid, uuid: u128) -> AnalystDraft {
    AnalystDraft {
        uuid: Some(Uuid::from_u128(uuid)),
        object_uuid: Some(about),
        object_type: Some("Event".into()),
        words: Some("a note".into()),
        distribution: Some(3),
        ..AnalystDraft::default()
    }
}

impl Here {
    fn event_uuid(&self, id: i64) -> Uuid {
        self.service.read(&self.admin(), |r| Ok(r.event(Ref::Id(id))?.unwrap().uuid)).unwrap()
    }

    fn notes(&self) -> Vec<pisax_model::analyst::AnalystData> {
        self.service.read(&self.admin(), |r| Ok(r.find_analyst_data(&AnalystQuery::default())?)).unwrap()
    }
}

#[test]
fn a_user_of_the_creator_may_change_a_report_that_another_of_them_wrote() {
    let here = here();
    let org = here.org("CERT Examplia");
    let writer = here.member(org, USER);
    let (event, _) = here.seen_by_all(&writer, "x");
    let id = report::add(&here.service, &writer, Ref::Id(event), named("first")).unwrap();
    // He may add, but change no event that is not his own.
    let mut colleague = here.member(org, USER);
    colleague.permissions = pisax_access::Permissions::of(&[Permission::Add, Permission::Auth]);
    report::edit(&here.service, &colleague, Ref::Id(id), named("second")).unwrap();
    let refused = report::add(&here.service, &colleague, Ref::Id(event), named("x"));
    assert!(matches!(refused, Err(Error::Forbidden)));
    let stranger = here.member(here.org("Elsewhere"), USER);
    let refused = report::remove(&here.service, &stranger, Ref::Id(id), Removal::Soft);
    assert!(matches!(refused, Err(Error::Forbidden)));
}

#[test]
fn a_tombstone_is_newer_than_what_it_buries() {
    let here = here();
    let admin = here.admin();
    let (event, _) = here.seen_by_all(&admin, "x");
    let old = ReportDraft { timestamp: Some(NOW - 1000), ..named("old") };
    let id = report::add(&here.service, &admin, Ref::Id(event), old).unwrap();
    report::remove(&here.service, &admin, Ref::Id(id), Removal::Soft).unwrap();
    let buried = here.service.read(&admin, |r| Ok(r.report(Ref::Id(id))?)).unwrap().unwrap();
    assert!(buried.deleted && buried.timestamp == NOW);
}

#[test]
fn a_report_that_is_refused_leaves_the_event_as_it_was() {
    let here = here();
    let admin = here.admin();
    let (event, _) = here.seen_by_all(&admin, "x");
    pisax_service::event::publish(&here.service, &admin, Ref::Id(event)).unwrap();
    for (draft, wrong) in [
        (ReportDraft::default(), "name"),
        (ReportDraft { distribution: Some(9), ..named("x") }, "distribution"),
        (ReportDraft { distribution: Some(4), ..named("x") }, "sharing_group_id"),
    ] {
        assert_eq!(field(report::add(&here.service, &admin, Ref::Id(event), draft)), wrong);
    }
    let after = here.service.read(&admin, |r| Ok(r.event(Ref::Id(event))?)).unwrap().unwrap();
    assert!(after.published);
}

#[test]
fn who_wrote_a_note_is_said_by_sync_users_alone() {
    let here = here();
    let (org, other) = (here.org("CERT Examplia"), here.org("Elsewhere"));
    let about = Uuid::from_u128(0xdead);
    let said = OrgRef { id: Some(other), ..OrgRef::default() };
    for (role, writer, uuid) in [(USER, org, 1), (SYNC, other, 2)] {
        let actor = here.member(org, role);
        let draft = AnalystDraft { orgc: Some(said.clone()), ..note(about, uuid) };
        analyst::add(&here.service, &actor, draft).unwrap();
        let kept = here.notes().pop().unwrap();
        assert_eq!((kept.orgc_id, kept.org_id, kept.event_id), (writer, org, 0));
    }
}

#[test]
fn a_push_renews_only_what_came_from_elsewhere_and_only_when_newer() {
    let here = here();
    let sync = here.member(here.org("Peer"), SYNC);
    let about = here.event_uuid(here.seen_by_all(&here.admin(), "x").0);
    let push = |draft: AnalystDraft| {
        let captured = analyst::push(&here.service, &sync, vec![draft]).unwrap();
        (captured.imported, captured.ignored, captured.failed)
    };
    let far = |modified: i64| AnalystDraft {
        locked: Some(true),
        modified: Some(modified),
        words: Some(format!("at {modified}")),
        ..note(about, 1)
    };
    assert_eq!(push(far(100)), (1, 0, 0));
    assert_eq!(push(far(100)), (0, 1, 0));
    assert_eq!(push(far(99)), (0, 1, 0));
    assert_eq!(push(far(101)), (1, 0, 0));
    assert_eq!(here.notes()[0].words, "at 101");
    analyst::add(&here.service, &here.admin(), note(about, 2)).unwrap();
    let over = AnalystDraft { modified: Some(NOW + 1), words: Some("taken over".into()), ..note(about, 2) };
    assert_eq!(push(over), (0, 0, 1));
    assert_eq!(here.notes()[1].words, "a note");
    // What was deleted here does not come back.
    let gone = Ref::Uuid(Uuid::from_u128(1));
    analyst::remove(&here.service, &here.admin(), Some(AnalystKind::Note), gone).unwrap();
    assert_eq!(push(far(500)), (0, 1, 0));
    let user = here.member(here.org("Plain"), USER);
    assert!(matches!(analyst::push(&here.service, &user, vec![far(600)]), Err(Error::Forbidden)));
}

#[test]
fn nothing_is_said_inside_an_event_about_what_its_sender_does_not_see() {
    let here = here();
    let hidden = here.event_uuid({
        let draft =
            EventDraft { info: Some("hidden".into()), distribution: Some(0), ..EventDraft::default() };
        event::add(&here.service, &here.admin(), draft).unwrap().id
    });
    let stranger = here.member(here.org("Elsewhere"), USER);
    // A note inside an event is about that event, whatever it says; one inside a note is about the note.
    let mut sly = note(hidden, 1);
    sly.children.push(note(hidden, 2));
    let draft = EventDraft {
        info: Some("mine".into()),
        distribution: Some(0),
        analyst_data: vec![sly],
        ..EventDraft::default()
    };
    let own = here.event_uuid(event::add(&here.service, &stranger, draft).unwrap().id);
    let notes = here.notes();
    assert_eq!(notes.iter().map(|n| n.object_uuid).collect::<Vec<_>>(), [own, Uuid::from_u128(1)]);
    let refused = analyst::add(&here.service, &stranger, note(hidden, 3));
    assert!(matches!(refused, Err(Error::NotFound("event"))));
}
