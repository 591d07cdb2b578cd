//! Proposals and delegations: found by every key, gone with what they belong to.

use crate::{NOW, Trial, attribute, event, filled_event, member, on_each_engine, org, system};
use pisax_access::ReadingRules;
use pisax_model::filter::{Filter, Scope, Tri};
use pisax_model::ids::Ref;
use pisax_model::proposal::Asks;
use pisax_store::changes::Action;
use pisax_store::delegations::Requests;
use pisax_store::proposals::{NewProposal, ProposalQuery};

/// An event of organisation 1 with two attributes, and a proposal of each kind by organisation 2.
struct Set {
    event: i64,
    attributes: Vec<i64>,
    addition: i64,
    change: i64,
    deletion: i64,
}

fn proposal(event_id: i64, attribute_id: i64, value: &str, to_delete: bool) -> NewProposal {
    NewProposal {
        attribute: attribute("domain", value),
        event_id,
        attribute_id,
        org_id: 2,
        user_id: 102,
        email: "b@example.org".into(),
        deleted: false,
        to_delete,
    }
}

fn set(t: &Trial) -> Set {
    t.write(|w| {
        for name in ["One", "Two", "Three"] {
            org(w, name)?;
        }
        let values = [("domain", "a.example"), ("domain", "b.example")];
        let (event, attributes) = filled_event(w, &event(1, 3, 0), &values)?;
        let with_file = NewProposal {
            attribute: pisax_model::attribute::NewAttribute {
                data: Some(pisax_model::content::Content::Bytes(vec![0, 255])),
                ..attribute("attachment", "note.txt")
            },
            ..proposal(event, 0, "x.example", false)
        };
        Ok(Set {
            event,
            addition: w.add_proposal(&with_file)?,
            change: w.add_proposal(&proposal(event, attributes[0], "c.example", false))?,
            deletion: w.add_proposal(&proposal(event, attributes[1], "b.example", true))?,
            attributes,
        })
    })
}

#[test]
fn each_key_of_a_search_for_proposals_counts() {
    on_each_engine("proposals", |t| {
        let set = set(t);
        let find = |query: ProposalQuery| t.read(|r| r.find_proposals(&query));
        let all = vec![set.addition, set.change, set.deletion];
        assert_eq!(find(ProposalQuery::default()), all);
        assert_eq!(find(ProposalQuery { event_id: Some(set.event), ..Default::default() }), all);
        assert!(find(ProposalQuery { event_id: Some(set.event + 1), ..Default::default() }).is_empty());
        assert_eq!(find(ProposalQuery { since: Some(NOW), ..Default::default() }), all);
        assert!(find(ProposalQuery { since: Some(NOW + 1), ..Default::default() }).is_empty());
        let text = |text: &str| ProposalQuery { text: Some(text.into()), ..Default::default() };
        assert_eq!(find(text("C.EXAMPLE")), [set.change]);
        assert_eq!(find(text("two")), all, "by who proposed it");
        assert!(find(text("%")).is_empty(), "a wildcard means itself");
        let closed = t.read(|r| Ok(r.proposal(Ref::Id(set.change))?.unwrap()));
        t.write(|w| w.close_proposal(&closed, Action::Discard));
        let deleted = |deleted| ProposalQuery { deleted: Tri::Only(deleted), ..Default::default() };
        assert_eq!(find(deleted(true)), [set.change]);
        assert_eq!(
            find(ProposalQuery { newest_first: true, ..deleted(false) }),
            [set.deletion, set.addition]
        );
        assert_eq!(t.read(|r| r.usage(NOW)).proposals, 2);
        let own = ProposalQuery { own_events: true, ..Default::default() };
        let seen = |org| t.store.read(&member(org), |r| r.find_proposals(&own)).unwrap().len();
        assert_eq!((seen(1), seen(2)), (3, 0));
        let asked = [set.deletion, set.addition];
        let read = t.read(|r| r.proposals_by_ids(&asked));
        assert_eq!(
            read.iter().map(|p| (p.id, p.asks())).collect::<Vec<_>>(),
            [(set.deletion, Asks::Deletion), (set.addition, Asks::Addition)]
        );
        assert_eq!((read[0].org_name.as_str(), read[0].attribute_uuid.is_some()), ("Two", true));
    });
}

#[test]
fn what_is_in_doubt_can_be_left_out_of_a_search() {
    on_each_engine("doubts", |t| {
        let set = set(t);
        let doubted = t.read(|r| r.attributes_in_doubt(&set.attributes));
        assert_eq!(doubted.into_iter().collect::<Vec<_>>(), [set.attributes[1]]);
        let found = |undoubted| {
            let filter = Filter { undoubted, ..Filter::new() };
            t.store.read(&member(2), |r| r.find(Scope::Attributes, &filter)).unwrap()
        };
        assert_eq!(found(false), set.attributes);
        assert_eq!(found(true), [set.attributes[0]]);
        let has = |has_proposal| {
            let filter = Filter { has_proposal, ..Filter::new() };
            t.store.read(&member(3), |r| r.find(Scope::Events, &filter)).unwrap().len()
        };
        assert_eq!((has(Tri::Any), has(Tri::Only(true)), has(Tri::Only(false))), (1, 1, 0));
    });
}

#[test]
fn proposals_go_with_their_attribute_and_everything_with_the_event() {
    on_each_engine("proposals_go", |t| {
        let set = set(t);
        t.write(|w| {
            let batch = w.attribute(Ref::Id(set.attributes[0]))?.unwrap();
            w.set_attribute_deleted(&batch.get(0), true)?;
            assert!(w.proposal(Ref::Id(set.change))?.unwrap().deleted, "a tombstone closes them");
            w.remove_attribute(&batch.get(0))?;
            w.recount_event(set.event)
        });
        assert_eq!(t.read(|r| r.proposal(Ref::Id(set.change))), None);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        let addition = t.read(|r| Ok(r.proposal(Ref::Id(set.addition))?.unwrap()));
        assert_eq!(t.read(|r| r.proposal_bytes(&addition)), Some(vec![0, 255]));
        t.write(|w| {
            let event = w.event_for_edit(Ref::Id(set.event), |_, _| true)?;
            w.add_delegation(&event, 3, "take it", -1, 0)?;
            w.remove_event(&event)
        });
        assert!(t.read(|r| r.find_proposals(&ProposalQuery::default())).is_empty());
        assert_eq!(t.read(|r| r.proposal_bytes(&addition)), None);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_proposal_that_points_nowhere_is_complained_of() {
    on_each_engine("proposal_orphans", |t| {
        let set = set(t);
        t.write(|w| {
            let event = w.event_for_edit(Ref::Id(set.event), |_, _| true)?;
            w.add_delegation(&event, 3, "", -1, 0)
        });
        t.tamper("update proposals set event_id = 99 where attribute_id = 0");
        t.tamper("update proposals set attribute_id = 77 where to_delete = 1");
        t.tamper("update event_delegations set org_id = 55");
        t.tamper("insert into proposal_attachments (proposal_id, bytes) values (44, '')");
        let complaints = t.store.check().unwrap().join("\n");
        for number in ["event 99", "attribute 77", "organisation 55", "proposal 44"] {
            assert!(complaints.contains(number), "{number} in {complaints}");
        }
    });
}

#[test]
fn a_request_is_for_the_two_organisations_it_is_between() {
    on_each_engine("delegations", |t| {
        let set = set(t);
        t.store.set_rules(ReadingRules { delegation: true, ..ReadingRules::default() });
        let id = t
            .store
            .write(&member(1), NOW * 1000, |w| {
                let event = w.event_for_edit(Ref::Id(set.event), |_, _| true)?;
                w.add_delegation(&event, 2, "please take it", 3, 0)
            })
            .unwrap();
        let sees = |org| t.store.read(&member(org), |r| r.delegation(id)).unwrap().is_some();
        assert_eq!((sees(1), sees(2), sees(3)), (true, true, false));
        let listed =
            |org, which, text| t.store.read(&member(org), |r| r.delegations(which, text)).unwrap().len();
        assert_eq!((listed(2, Requests::Pending, None), listed(1, Requests::Pending, None)), (1, 0));
        assert_eq!((listed(1, Requests::Issued, None), listed(2, Requests::Issued, None)), (1, 0));
        assert_eq!(listed(2, Requests::Pending, Some("TAKE")), 1);
        assert_eq!(listed(2, Requests::Pending, Some("leave")), 0);
        assert!(t.store.read(&system(), |r| r.delegation(id)).unwrap().is_some());
    });
}
