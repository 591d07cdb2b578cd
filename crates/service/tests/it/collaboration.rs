//! Proposals and delegations: who may, and that each is one step.

use crate::*;
use pisax_model::attribute::AttributeDraft;
use pisax_model::delegation::DelegationDraft;
use pisax_model::proposal::{Asks, ProposalDraft};
use pisax_service::{attribute, delegation, event, proposal, setting};
use pisax_store::changes::{Action, Noun};

const PUBLISHER: i64 = 4;

fn domain(value: &str) -> AttributeDraft {
    AttributeDraft { kind: Some("domain".into()), value: Some(value.into()), ..AttributeDraft::default() }
}

fn actions(here: &Here, noun: Noun) -> Vec<i64> {
    let log = here.service.read(&Actor::system("a test"), |r| Ok(r.changes_after(0, 1000)?)).unwrap();
    log.iter().filter(|c| c.noun == noun as i64).map(|c| c.action).collect()
}

#[test]
fn a_refused_acceptance_changes_nothing() {
    let here = here();
    let (owner, friend) = (here.member(here.org("Own"), USER), here.member(here.org("Other"), USER));
    let (id, first) = here.seen_by_all(&owner, "one");
    attribute::add(
        &here.service,
        &owner,
        Ref::Id(id),
        vec![AttributeDraft { kind: Some("text".into()), value: Some("two".into()), ..Default::default() }],
        attribute::Twins::Refuse,
    )
    .unwrap();
    // It would make the first attribute equal to the second.
    let wish = AttributeDraft { value: Some("two".into()), ..AttributeDraft::default() };
    let made = proposal::change(&here.service, &friend, Ref::Id(first), wish).unwrap();
    assert_eq!(field(proposal::accept(&here.service, &owner, Ref::Id(made.id))), "value");
    here.service
        .read(&owner, |r| {
            assert!(!r.proposal(Ref::Id(made.id))?.unwrap().deleted);
            assert_eq!(r.attribute(Ref::Id(first))?.unwrap().get(0).value1, "one");
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_proposal_of_what_is_there_already_is_accepted_without_a_second_one() {
    let here = here();
    let (owner, friend) = (here.member(here.org("Own"), USER), here.member(here.org("Other"), USER));
    let (id, _) = here.seen_by_all(&owner, "one");
    let made = proposal::add(&here.service, &friend, Ref::Id(id), domain("new.example")).unwrap();
    let again = proposal::add(&here.service, &friend, Ref::Id(id), domain("NEW.example")).unwrap();
    assert_eq!(proposal::accept(&here.service, &owner, Ref::Id(made.id)).unwrap(), Asks::Addition);
    assert_eq!(proposal::accept(&here.service, &owner, Ref::Id(again.id)).unwrap(), Asks::Addition);
    let event = here.service.read(&owner, |r| Ok(r.event(Ref::Id(id))?.unwrap())).unwrap();
    assert_eq!((event.attribute_count, event.proposal_email_lock), (2, false));
    assert!(matches!(
        proposal::accept(&here.service, &owner, Ref::Id(made.id)),
        Err(Error::NotFound("proposal"))
    ));
    let (add, accept) = (Action::Add as i64, Action::Accept as i64);
    assert_eq!(actions(&here, Noun::Proposal), [add, add, accept, accept]);
}

#[test]
fn a_colleague_discards_only_with_the_right_to_change_what_is_the_organisations() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let (owner, friend) = (here.member(own, USER), here.member(other, USER));
    let (colleague, reader) = (here.member(other, ORG_ADMIN), here.member(other, 6));
    let (id, _) = here.seen_by_all(&owner, "one");
    let made = proposal::add(&here.service, &friend, Ref::Id(id), domain("new.example")).unwrap();
    assert!(matches!(proposal::discard(&here.service, &reader, Ref::Id(made.id)), Err(Error::Forbidden)));
    proposal::discard(&here.service, &colleague, Ref::Id(made.id)).unwrap();
    // The creator has not looked at it: its people stay told.
    let event = here.service.read(&owner, |r| Ok(r.event(Ref::Id(id))?.unwrap())).unwrap();
    assert!(event.proposal_email_lock);
}

#[test]
fn proposals_of_another_instance_come_through_sync_users_alone() {
    let here = here();
    let (owner, sync) = (here.member(here.org("Own"), USER), here.member(here.org("Link"), SYNC));
    let (id, first) = here.seen_by_all(&owner, "one");
    let (event, attribute) = here
        .service
        .read(&owner, |r| {
            Ok((r.event(Ref::Id(id))?.unwrap().uuid, r.attribute(Ref::Id(first))?.unwrap().get(0).uuid))
        })
        .unwrap();
    let draft = ProposalDraft {
        attribute: AttributeDraft { uuid: Some(attribute), ..domain("far.example") },
        of_attribute: true,
        to_delete: true,
        ..ProposalDraft::default()
    };
    let send = |actor: &Actor, draft: &ProposalDraft| {
        proposal::capture(&here.service, actor, event, vec![draft.clone()])
    };
    assert!(matches!(send(&owner, &draft), Err(Error::Forbidden)));
    assert_eq!(send(&sync, &draft).unwrap().added, 1);
    let unknown = ProposalDraft {
        attribute: AttributeDraft { uuid: Some(pisax_model::ids::new_uuid(0)), ..domain("far.example") },
        ..draft.clone()
    };
    assert_eq!(send(&sync, &unknown).unwrap().added, 0, "nothing here to delete");
    let foreign = ProposalDraft { event_uuid: Some(attribute), ..draft };
    assert!(send(&sync, &foreign).unwrap().refused);
}

#[test]
fn an_event_changes_hands_in_one_step() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let (owner, friend) = (here.member(own, PUBLISHER), here.member(other, PUBLISHER));
    let draft = pisax_model::event::EventDraft {
        info: Some("Mine".into()),
        distribution: Some(0),
        ..Default::default()
    };
    let id = event::add(&here.service, &owner, draft).unwrap().id;
    let wish = || DelegationDraft { org: Some(Ref::Id(other)), distribution: Some(-1), ..Default::default() };
    assert!(matches!(delegation::request(&here.service, &owner, Ref::Id(id), wish()), Err(Error::Forbidden)));
    setting::edit(&here.service, &here.admin(), "MISP.delegation", "1").unwrap();
    let far = DelegationDraft { distribution: Some(9), ..wish() };
    assert_eq!(field(delegation::request(&here.service, &owner, Ref::Id(id), far)), "distribution");
    let group = DelegationDraft { distribution: Some(4), sharing_group: Some(Ref::Id(99)), ..wish() };
    assert_eq!(field(delegation::request(&here.service, &owner, Ref::Id(id), group)), "sharing_group_id");
    let made = delegation::request(&here.service, &owner, Ref::Id(id), wish()).unwrap();
    assert!(matches!(delegation::accept(&here.service, &owner, made.id), Err(Error::Forbidden)));
    delegation::accept(&here.service, &friend, made.id).unwrap();
    here.service
        .read(&friend, |r| {
            let event = r.event(Ref::Id(id))?.unwrap();
            assert_eq!((event.org_id, event.orgc_id, event.user_id), (other, other, friend.user_id));
            assert_eq!((event.distribution, event.published), (0, false));
            assert_eq!(r.delegation(made.id)?, None);
            Ok(())
        })
        .unwrap();
    assert!(here.service.read(&owner, |r| Ok(r.event(Ref::Id(id))?)).unwrap().is_none());
    assert!(matches!(
        delegation::accept(&here.service, &friend, made.id),
        Err(Error::NotFound("delegation"))
    ));
    assert_eq!(actions(&here, Noun::Delegation), [Action::Add as i64, Action::Accept as i64]);
}
