//! Sharing groups and blocklists.

use crate::*;
use pisax_model::sharing::{MemberDraft, ServerDraft, SharingGroupDraft};
use pisax_service::{blocklist, sharing_group as group};
use pisax_store::blocklist::Refused;

fn draft(name: &str, orgs: &[i64]) -> SharingGroupDraft {
    let member = |id: &i64| MemberDraft { org: Some(Ref::Id(*id)), ..MemberDraft::default() };
    SharingGroupDraft {
        name: Some(name.into()),
        orgs: Some(orgs.iter().map(member).collect()),
        ..SharingGroupDraft::default()
    }
}

#[test]
fn a_group_is_of_this_server_and_its_maker_is_no_member_of_himself() {
    let here = here();
    let made = group::add(&here.service, &here.admin(), draft("One", &[])).unwrap();
    assert!(made.active && made.members.is_empty());
    assert_eq!((made.servers[0].server_id, made.servers[0].all_orgs), (0, false));
    let roaming = SharingGroupDraft { roaming: Some(true), ..draft("Two", &[]) };
    assert!(group::add(&here.service, &here.admin(), roaming).unwrap().servers.is_empty());
    assert_eq!(field(group::add(&here.service, &here.admin(), draft("One", &[]))), "name");
    assert_eq!(field(group::add(&here.service, &here.admin(), draft(" ", &[]))), "name");
    assert_eq!(field(group::add(&here.service, &here.admin(), draft("Three", &[99]))), "SharingGroupOrg");
}

#[test]
fn who_is_no_site_admin_lists_his_own_organisation() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let maker = here.member(own, ORG_ADMIN);
    assert!(matches!(group::add(&here.service, &maker, draft("G", &[other])), Err(Error::Refused(_))));
    assert!(matches!(
        group::add(&here.service, &here.member(own, USER), draft("G", &[own])),
        Err(Error::Forbidden)
    ));
    let made = group::add(&here.service, &maker, draft("G", &[own])).unwrap();
    assert_eq!((made.org_id, made.members.len()), (own, 1));
}

#[test]
fn a_member_changes_a_group_only_where_it_may_extend_it() {
    let here = here();
    let (own, other, third) = (here.org("Own"), here.org("Other"), here.org("Third"));
    let (maker, friend) = (here.member(own, ORG_ADMIN), here.member(other, ORG_ADMIN));
    let made = group::add(&here.service, &maker, draft("G", &[own])).unwrap();
    let reference = Ref::Id(made.id);
    let add_third = || group::add_org(&here.service, &friend, reference, "Third", false);
    assert!(matches!(add_third(), Err(Error::NotFound("sharing group"))), "he does not see it");
    group::add_org(&here.service, &maker, Ref::Uuid(made.uuid), &other.to_string(), false).unwrap();
    assert!(matches!(add_third(), Err(Error::Forbidden)));
    group::add_org(&here.service, &maker, reference, &other.to_string(), true).unwrap();
    add_third().unwrap();
    assert_eq!(
        group::rights(
            &friend,
            &here.service.read(&friend, |r| Ok(r.sharing_group(reference)?)).unwrap().unwrap()
        ),
        (true, false)
    );
    assert!(matches!(group::delete(&here.service, &friend, reference), Err(Error::Forbidden)));
    group::remove_org(&here.service, &maker, reference, &third.to_string()).unwrap();
    assert!(matches!(
        group::remove_org(&here.service, &maker, reference, &third.to_string()),
        Err(Error::Refused(_))
    ));
    group::delete(&here.service, &maker, reference).unwrap();
}

#[test]
fn an_edit_keeps_what_it_does_not_name() {
    let here = here();
    let own = here.org("Own");
    let made = group::add(&here.service, &here.admin(), draft("G", &[own])).unwrap();
    let change = SharingGroupDraft {
        releasability: Some("new".into()),
        orgs: Some(Vec::new()),
        ..SharingGroupDraft::default()
    };
    let edited = group::edit(&here.service, &here.admin(), Ref::Id(made.id), change).unwrap();
    assert_eq!((edited.name.as_str(), edited.releasability.as_str(), edited.members.len()), ("G", "new", 1));
    let open = SharingGroupDraft {
        servers: Some(vec![ServerDraft { all_orgs: true, ..ServerDraft::default() }]),
        ..SharingGroupDraft::default()
    };
    assert!(group::edit(&here.service, &here.admin(), Ref::Id(made.id), open).unwrap().servers[0].all_orgs);
    assert!(matches!(
        group::add_server(&here.service, &here.admin(), Ref::Id(made.id), "7", true),
        Err(Error::NotFound("server"))
    ));
    group::remove_server(&here.service, &here.admin(), Ref::Id(made.id), "https://pisax.example/").unwrap();
}

#[test]
fn events_of_a_blocked_organisation_are_refused() {
    let here = here();
    let own = here.org("Own");
    let member = here.member(own, USER);
    let uuid = here.service.read(&member, |r| Ok(r.org(Ref::Id(own))?.unwrap().uuid)).unwrap();
    blocklist::add_orgs(
        &here.service,
        &here.admin(),
        Refused::Events,
        &[uuid],
        &blocklist::OrgNote::default(),
    )
    .unwrap();
    let draft = || EventDraft { info: Some("x".into()), ..EventDraft::default() };
    let refused = event::add(&here.service, &member, draft()).map(|added| added.id);
    assert_eq!(refused.unwrap_err().to_string(), "Event blocked by organisation blocklist.");
    assert_eq!(
        blocklist::list_orgs(&here.service, &here.admin(), Refused::Events).unwrap()[0].org_name,
        "Own"
    );
    assert!(matches!(blocklist::list_orgs(&here.service, &member, Refused::Events), Err(Error::Forbidden)));
    blocklist::remove_org(&here.service, &here.admin(), Refused::Events, Ref::Uuid(uuid)).unwrap();
    assert!(event::add(&here.service, &member, draft()).is_ok());
}

#[test]
fn the_blocklist_is_kept_by_the_organisation_that_runs_the_instance() {
    let here = here();
    let host = here.member(here.admin().org_id, USER);
    let uuid = pisax_model::Uuid::from_u128(7);
    let note = blocklist::Note { comment: Some("c".into()), ..blocklist::Note::default() };
    blocklist::add(&here.service, &host, &[uuid, uuid], &note).unwrap();
    let change = blocklist::Note { event_info: Some("foo".into()), ..blocklist::Note::default() };
    let edited = blocklist::edit(&here.service, &host, Ref::Uuid(uuid), change).unwrap();
    assert_eq!((edited.event_info.as_str(), edited.comment.as_str()), ("foo", "c"));
    let stranger = here.member(here.org("Own"), USER);
    assert!(matches!(blocklist::list(&here.service, &stranger), Err(Error::Forbidden)));
    blocklist::remove(&here.service, &host, &[Ref::Id(edited.id)]).unwrap();
    assert!(blocklist::list(&here.service, &host).unwrap().is_empty());
}
