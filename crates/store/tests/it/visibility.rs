//! The SQL predicate against the ten-line oracle, over random worlds of organisations, groups, distributions.

use crate::{NOW_MS, Trial, on_each_engine, system};
use pisax_access::{
    Actor, AttributeFacts, EventFacts, ObjectFacts, ProposalFacts, ReadingRules, SightingPolicy, Visibility,
};
use pisax_model::attribute::{AttributeDraft, Defaults, NewAttribute, complete};
use pisax_model::event::Event;
use pisax_model::filter::{Filter, Scope};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::object::Object;
use pisax_model::org::OrgDraft;
use pisax_model::permission::{Permission, Permissions};
use pisax_model::sharing::SharingGroup;
use pisax_model::sighting::SightingKind;
use pisax_model::tag::TagDraft;
use pisax_model::{Distribution, Uuid};
use pisax_store::Writer;
use pisax_store::proposals::{NewProposal, ProposalQuery};
use pisax_store::sightings::{NewSighting, SightingQuery};
use pisax_store::tags::NewAttachment;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const ORGS: usize = 3;
const GROUPS: usize = 3;

/// Where a record may go: distribution and (for 4) which group.
pub(crate) type Reach = (i64, usize);

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Per group: which organisations are members, whether it is open to all.
    groups: Vec<([bool; ORGS], bool)>,
    events: Vec<EventPlan>,
    /// Whether delegation is on, which policy holds for sightings, who runs the instance.
    settings: (bool, i64, usize),
}

#[derive(Debug, Clone)]
pub(crate) struct EventPlan {
    org: usize,
    reach: Reach,
    published: bool,
    /// Who is asked to take it over.
    delegated: Option<usize>,
    /// Who proposes a new attribute, and whether that is closed.
    proposal: (usize, bool),
    objects: Vec<Reach>,
    /// Attribute: object it is in (if that exists), reach, one of few values, who sighted it, and proposes to
    /// change it (closed or not).
    attributes: Vec<(Option<usize>, Reach, u8, usize, bool)>,
}

pub(crate) fn reach(most: i64) -> impl Strategy<Value = Reach> {
    (0..=most, 0..GROUPS)
}

fn event() -> impl Strategy<Value = EventPlan> {
    let attribute = (proptest::option::of(0..2usize), reach(5), 0..3u8, 0..ORGS, any::<bool>());
    (
        0..ORGS,
        reach(4),
        any::<bool>(),
        proptest::option::weighted(0.3, 0..ORGS),
        (0..ORGS, any::<bool>()),
        proptest::collection::vec(reach(5), 0..3),
        proptest::collection::vec(attribute, 0..5),
    )
        .prop_map(|(org, reach, published, delegated, proposal, objects, attributes)| EventPlan {
            org,
            reach,
            published,
            delegated,
            proposal,
            objects,
            attributes,
        })
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let groups = proptest::collection::vec((any::<[bool; ORGS]>(), proptest::bool::weighted(0.2)), GROUPS);
    let settings = (any::<bool>(), 0..4i64, 0..ORGS);
    (groups, proptest::collection::vec(event(), 1..6), settings)
        .prop_map(|(groups, events, settings)| World { groups, events, settings })
}

/// The world as stored: row numbers with the facts the oracle needs.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) orgs: Vec<i64>,
    groups: Vec<i64>,
    pub(crate) events: BTreeMap<i64, EventFacts>,
    objects: BTreeMap<i64, (i64, ObjectFacts)>,
    pub(crate) attributes: BTreeMap<i64, StoredAttribute>,
    /// Sighting: attribute, organisation.
    sightings: BTreeMap<i64, (i64, i64)>,
    /// Proposal: event, attribute it is about, facts.
    proposals: BTreeMap<i64, (i64, Option<i64>, ProposalFacts)>,
}

pub(crate) struct StoredAttribute {
    pub(crate) event: i64,
    object: Option<ObjectFacts>,
    facts: AttributeFacts,
    value: u8,
}

pub(crate) fn build(w: &mut Writer<'_>, world: &World) -> pisax_store::Result<Stored> {
    let mut stored = Stored::default();
    for n in 0..ORGS {
        let draft = OrgDraft { name: Some(format!("Org {n}")), ..OrgDraft::default() };
        stored.orgs.push(w.add_org(&draft, new_uuid(NOW_MS), true)?);
    }
    for (n, (members, open)) in world.groups.iter().enumerate() {
        let group = SharingGroup {
            id: 0,
            uuid: new_uuid(NOW_MS),
            name: format!("Group {n}"),
            releasability: String::new(),
            description: String::new(),
            organisation_uuid: Uuid::nil(),
            // Owning a group gives no right to read what is shared with it.
            org_id: stored.orgs[0],
            sync_user_id: 0,
            active: true,
            local: true,
            roaming: false,
            created: 0,
            modified: 0,
            members: Vec::new(),
            servers: Vec::new(),
        };
        let id = w.add_sharing_group(&group)?;
        for (org, member) in stored.orgs.clone().iter().zip(members) {
            if *member {
                w.add_sharing_group_org(id, *org, false)?;
            }
        }
        w.add_sharing_group_server(id, 0, *open)?;
        stored.groups.push(id);
    }
    for plan in &world.events {
        build_event(w, plan, &mut stored)?;
    }
    Ok(stored)
}

pub(crate) fn group_of(stored: &Stored, reach: Reach) -> i64 {
    if reach.0 == 4 { stored.groups[reach.1] } else { 0 }
}

fn build_event(w: &mut Writer<'_>, plan: &EventPlan, stored: &mut Stored) -> pisax_store::Result<()> {
    let facts = EventFacts {
        org_id: stored.orgs[plan.org],
        distribution: plan.reach.0,
        sharing_group_id: group_of(stored, plan.reach),
        published: plan.published,
        delegated_to: plan.delegated.map_or(0, |n| stored.orgs[n]),
    };
    let orgc_id = stored.orgs[(plan.org + 1) % ORGS];
    let event_id = w.insert_event(&Event {
        id: 0,
        uuid: new_uuid(NOW_MS),
        org_id: facts.org_id,
        // The creator is somebody else: creating grants no reading.
        orgc_id,
        user_id: 0,
        date: "2026-01-01".into(),
        info: "an event".into(),
        threat_level_id: 4,
        analysis: 0,
        published: plan.published,
        publish_timestamp: 0,
        timestamp: 1,
        sighting_timestamp: 0,
        attribute_count: 0,
        distribution: facts.distribution,
        sharing_group_id: facts.sharing_group_id,
        locked: false,
        proposal_email_lock: false,
        disable_correlation: false,
        extends_uuid: None,
        protected: None,
    })?;
    stored.events.insert(event_id, facts);
    if facts.delegated_to != 0 {
        let event = w.event(Ref::Id(event_id))?.unwrap();
        w.add_delegation(&event, facts.delegated_to, "", -1, 0)?;
    }
    propose(w, (event_id, orgc_id), 0, plan.proposal, stored)?;
    let mut about = Vec::new();
    let mut objects = Vec::new();
    for reach in &plan.objects {
        let facts = ObjectFacts { distribution: reach.0, sharing_group_id: group_of(stored, *reach) };
        let id = w.insert_object(&object(event_id, facts))?;
        stored.objects.insert(id, (event_id, facts));
        objects.push((id, facts));
    }
    for (object, reach, value, sighted_by, closed) in &plan.attributes {
        let object = object.and_then(|n| objects.get(n)).copied();
        let facts = AttributeFacts { distribution: reach.0, sharing_group_id: group_of(stored, *reach) };
        let relation = object.map(|_| "text");
        let new = text(&format!("value {value}"), facts.distribution, relation, facts.sharing_group_id);
        let id = w.insert_attributes(event_id, &[(object.map_or(0, |o| o.0), &new)])?[0];
        let object = object.map(|o| o.1);
        stored.attributes.insert(id, StoredAttribute { event: event_id, object, facts, value: *value });
        about.push((id, (*sighted_by, *closed)));
        let org_id = stored.orgs[*sighted_by];
        let sighting = NewSighting {
            uuid: new_uuid(NOW_MS),
            attribute_id: id,
            event_id,
            org_id,
            date_sighting: 1,
            source: String::new(),
            kind: SightingKind::Seen,
        };
        stored.sightings.insert(w.add_sightings(&[sighting])?[0], (id, org_id));
        let draft = TagDraft { name: "a:tag".into(), ..TagDraft::default() };
        let tag_id = w.resolve_tags(&[&draft], true)?.into_values().next().unwrap().id;
        w.attach_attribute_tags(
            event_id,
            &[(id, NewAttachment { tag_id, local: false, relationship_type: None })],
        )?;
    }
    for (attribute_id, who) in about {
        propose(w, (event_id, orgc_id), attribute_id, who, stored)?;
    }
    Ok(())
}

fn propose(
    w: &mut Writer<'_>,
    (event_id, event_orgc_id): (i64, i64),
    attribute_id: i64,
    (org, closed): (usize, bool),
    stored: &mut Stored,
) -> pisax_store::Result<()> {
    let facts = ProposalFacts { org_id: stored.orgs[org], event_orgc_id, closed };
    let id = w.add_proposal(&NewProposal {
        attribute: text("proposed", 5, None, 0),
        event_id,
        attribute_id,
        org_id: facts.org_id,
        user_id: 0,
        email: String::new(),
        deleted: closed,
        to_delete: false,
    })?;
    stored.proposals.insert(id, (event_id, Some(attribute_id).filter(|id| *id > 0), facts));
    Ok(())
}

fn text(value: &str, distribution: i64, relation: Option<&str>, group: i64) -> NewAttribute {
    let draft = AttributeDraft {
        kind: Some("text".into()),
        value: Some(value.into()),
        distribution: Some(distribution),
        object_relation: relation.map(str::to_owned),
        ..AttributeDraft::default()
    };
    let defaults = Defaults { now_ms: NOW_MS, distribution: Distribution::Inherit };
    complete(draft, relation.is_some(), group, &defaults).unwrap()
}

fn object(event_id: i64, facts: ObjectFacts) -> Object {
    Object {
        id: 0,
        uuid: new_uuid(NOW_MS),
        event_id,
        name: "thing".into(),
        meta_category: String::new(),
        description: String::new(),
        template_uuid: String::new(),
        template_version: String::new(),
        timestamp: 1,
        distribution: facts.distribution,
        sharing_group_id: facts.sharing_group_id,
        comment: String::new(),
        deleted: false,
        first_seen: None,
        last_seen: None,
    }
}

impl Stored {
    pub(crate) fn sees(&self, sight: &Visibility, a: &StoredAttribute) -> bool {
        sight.attribute(self.events[&a.event], a.object, a.facts)
    }

    /// What the oracle says this reader sees: events, objects, attributes, sightings, related events.
    fn expected(&self, sight: &Visibility, sync: bool) -> Seen {
        let visible: BTreeMap<_, _> = self.attributes.iter().filter(|(_, a)| self.sees(sight, a)).collect();
        let sighted = |(attribute, org): &(i64, i64)| {
            let a = &self.attributes[attribute];
            let own = |(attribute, org): &(i64, i64)| {
                *org == sight.org_id && self.attributes[attribute].event == a.event
            };
            let reporter = self.sightings.values().any(own);
            sight.sighting(self.events[&a.event], self.sees(sight, a), *org, reporter)
        };
        let proposed = |(event, attribute, facts): &(i64, Option<i64>, ProposalFacts)| {
            let about = attribute.is_none_or(|id| self.sees(sight, &self.attributes[&id]));
            sight.proposal(self.events[event], about, *facts, sync)
        };
        let mut related = BTreeMap::new();
        for ours in visible.values() {
            for theirs in visible.values().filter(|t| t.event != ours.event && t.value == ours.value) {
                *related.entry((ours.event, theirs.event)).or_default() += 1;
            }
        }
        Seen {
            events: self.events.iter().filter(|(_, e)| sight.event(**e)).map(|(id, _)| *id).collect(),
            objects: self
                .objects
                .iter()
                .filter(|(_, (event, o))| sight.object(self.events[event], *o))
                .map(|(id, _)| *id)
                .collect(),
            attributes: visible.keys().map(|id| **id).collect(),
            tagged: visible.keys().map(|id| **id).collect(),
            sightings: self.sightings.iter().filter(|(_, s)| sighted(s)).map(|(id, _)| *id).collect(),
            proposals: self.proposals.iter().filter(|(_, p)| proposed(p)).map(|(id, _)| *id).collect(),
            related,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    events: BTreeSet<i64>,
    objects: BTreeSet<i64>,
    attributes: BTreeSet<i64>,
    /// Attributes found by their tag.
    tagged: BTreeSet<i64>,
    sightings: BTreeSet<i64>,
    proposals: BTreeSet<i64>,
    /// Pairs of events with the number of correlating pairs of attributes.
    related: BTreeMap<(i64, i64), i64>,
}

fn looked_up(trial: &Trial, actor: &Actor) -> Seen {
    let seen = trial.store.read::<Seen, pisax_store::Error>(actor, |r| {
        let events: BTreeSet<i64> = r.find(Scope::Events, &Filter::new())?.into_iter().collect();
        let tagged = Filter { tags: pisax_model::filter::Terms::one("a:tag"), ..Filter::new() };
        let mut related = BTreeMap::new();
        for event in r.events_by_ids(&events.iter().copied().collect::<Vec<_>>())? {
            for other in r.related_events(&event)? {
                related.insert((event.id, other.event_id), other.count);
            }
        }
        Ok(Seen {
            objects: r.find(Scope::Objects, &Filter::new())?.into_iter().collect(),
            attributes: r.find(Scope::Attributes, &Filter::new())?.into_iter().collect(),
            tagged: r.find(Scope::Attributes, &tagged)?.into_iter().collect(),
            sightings: r.search_sightings(&SightingQuery::default())?.iter().map(|s| s.id).collect(),
            proposals: r.find_proposals(&ProposalQuery::default())?.into_iter().collect(),
            related,
            events,
        })
    });
    seen.unwrap()
}

pub(crate) fn wipe(trial: &Trial) {
    let tables = [
        "proposals",
        "event_delegations",
        "sightings",
        "attribute_tags",
        "postings",
        "attributes",
        "objects",
        "events",
        "sharing_group_orgs",
        "sharing_group_servers",
        "sharing_groups",
        "orgs",
    ];
    trial.tamper(&tables.map(|t| format!("delete from {t};")).join("\n"));
}

/// What the world's settings say about reading.
pub(crate) fn rules(world: &World, stored: &Stored) -> ReadingRules {
    let (delegation, policy, host) = world.settings;
    ReadingRules {
        delegation,
        sightings: SightingPolicy::from_code(policy).unwrap(),
        host_org_id: stored.orgs[host],
        ..ReadingRules::default()
    }
}

pub(crate) fn readers(world: &World, stored: &Stored) -> Vec<(Actor, Visibility)> {
    let rules = rules(world, stored);
    let mut readers = vec![(system(), Visibility { sees_all: true, ..Visibility::default() })];
    for (n, org_id) in stored.orgs.iter().enumerate() {
        let member = |(i, (members, open)): (usize, &([bool; ORGS], bool))| {
            (members[n] || *open).then_some(stored.groups[i])
        };
        let groups = world.groups.iter().enumerate().filter_map(member).collect();
        // Neither an organisation's admin nor a sync user sees more events than its plain users.
        for extra in [Permission::Add, Permission::Admin, Permission::Sync] {
            let permissions = Permissions::of(&[extra]);
            let actor = Actor {
                user_id: 9,
                org_id: *org_id,
                permissions,
                host_org: true,
                reason: None,
                origin: Default::default(),
            };
            let sight = Visibility {
                org_id: *org_id,
                groups: std::clone::Clone::clone(&groups),
                rules,
                ..Visibility::default()
            };
            readers.push((actor, sight));
        }
    }
    readers
}

#[test]
fn every_read_shows_what_the_oracle_shows() {
    on_each_engine("visibility", |trial| {
        let cases = if matches!(trial.address, pisax_store::Address::Sqlite(_)) { 96 } else { 32 };
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&world(), |world| {
            wipe(trial);
            let stored = trial.write(|w| build(w, &world));
            trial.store.set_rules(rules(&world, &stored));
            for (actor, sight) in readers(&world, &stored) {
                let sync = actor.has(Permission::Sync);
                prop_assert_eq!(looked_up(trial, &actor), stored.expected(&sight, sync), "as {:?}", actor);
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

#[test]
fn with_the_setting_an_unpublished_event_is_invisible_to_other_organisations() {
    let trial = Trial::on_sqlite("private");
    let plan = |published| EventPlan {
        org: 0,
        reach: (3, 0),
        published,
        delegated: None,
        proposal: (0, false),
        objects: Vec::new(),
        attributes: Vec::new(),
    };
    let groups = vec![([false; ORGS], false); GROUPS];
    let world = World { groups, events: vec![plan(false), plan(true)], settings: (false, 0, 0) };
    let stored = trial.write(|w| build(w, &world));
    let options = pisax_store::Options { unpublished_private: true, ..crate::options() };
    let store = pisax_store::Store::open(&trial.address, options).unwrap();
    let found = |org: i64| -> usize {
        let ids = store
            .read::<_, pisax_store::Error>(&crate::member(org), |r| r.find(Scope::Events, &Filter::new()));
        ids.unwrap().len()
    };
    assert_eq!(found(stored.orgs[0]), 2);
    assert_eq!(found(stored.orgs[1]), 1);
}
