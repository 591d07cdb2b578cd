//! Who may read what (MISP semantics 3.2): the ten lines that every SQL predicate is compared with.

use std::collections::HashSet;

/// What decides whether an event can be read.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts {
    pub org_id: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub published: bool,
    /// The organisation that is asked to take it over; 0 for none.
    pub delegated_to: i64,
}

/// Who sees the sightings of others (`Plugin.Sightings_policy`). Codes are MISP's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum SightingPolicy {
    /// The event's owner.
    #[default]
    EventOwner = 0,
    /// Also whoever has sighted something in the event.
    Reporters = 1,
    /// Whoever sees the attribute.
    Everyone = 2,
    /// The owner; others see those of the organisation that runs the instance beside their own.
    HostOrg = 3,
}

impl SightingPolicy {
    pub fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            0 => Self::EventOwner,
            1 => Self::Reporters,
            2 => Self::Everyone,
            3 => Self::HostOrg,
            _ => return None,
        })
    }
}

/// What the instance's settings say about reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadingRules {
    /// Unpublished events are for their owner alone.
    pub unpublished_private: bool,
    /// Who is asked to take an event over sees it.
    pub delegation: bool,
    pub sightings: SightingPolicy,
    /// Which organisation made a sighting is for itself to know.
    pub anonymous_sightings: bool,
    /// The organisation that runs the instance.
    pub host_org_id: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct ObjectFacts {
    pub distribution: i64,
    pub sharing_group_id: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct AttributeFacts {
    pub distribution: i64,
    pub sharing_group_id: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct ProposalFacts {
    /// Who proposed it.
    pub org_id: i64,
    pub event_orgc_id: i64,
    pub closed: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct AnalystFacts {
    pub org_id: i64,
    pub orgc_id: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
}

/// What decides whether a galaxy cluster can be read.
#[derive(Debug, Clone, Copy)]
pub struct ClusterFacts {
    /// It did not come with a library.
    pub custom: bool,
    pub org_id: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
}

/// What one reader can see.
#[derive(Debug, Clone, Default)]
pub struct Visibility {
    pub sees_all: bool,
    pub org_id: i64,
    /// Sharing groups that list the reader's organisation, or that are open to all organisations here.
    pub groups: HashSet<i64>,
    pub rules: ReadingRules,
}

impl Visibility {
    pub fn event(&self, event: EventFacts) -> bool {
        self.sees_all
            || event.org_id == self.org_id
            || (self.rules.delegation && event.delegated_to == self.org_id)
            || (self.reaches(event.distribution, event.sharing_group_id, false)
                && (event.published || !self.rules.unpublished_private))
    }

    pub fn object(&self, event: EventFacts, object: ObjectFacts) -> bool {
        self.event(event)
            && (self.owns(event) || self.reaches(object.distribution, object.sharing_group_id, true))
    }

    pub fn attribute(
        &self,
        event: EventFacts,
        object: Option<ObjectFacts>,
        attribute: AttributeFacts,
    ) -> bool {
        self.event(event)
            && (self.owns(event)
                || (self.reaches(attribute.distribution, attribute.sharing_group_id, true)
                    && object.is_none_or(|o| self.reaches(o.distribution, o.sharing_group_id, true))))
    }

    /// `reporter`: the reader's organisation has sighted something in the event.
    pub fn sighting(&self, event: EventFacts, attribute_visible: bool, by: i64, reporter: bool) -> bool {
        let policy = match self.rules.sightings {
            SightingPolicy::EventOwner => false,
            SightingPolicy::Reporters => reporter,
            SightingPolicy::Everyone => true,
            SightingPolicy::HostOrg => by == self.rules.host_org_id,
        };
        attribute_visible && (self.owns(event) || by == self.org_id || policy)
    }

    /// A proposal of a new attribute is seen with its event, one about an attribute with that attribute. A closed
    /// one is for the event's owner and creator, for who proposed it, and for those who synchronise.
    pub fn proposal(
        &self,
        event: EventFacts,
        about_visible: bool,
        proposal: ProposalFacts,
        sync: bool,
    ) -> bool {
        let involved = [event.org_id, proposal.event_orgc_id, proposal.org_id].contains(&self.org_id);
        self.event(event) && about_visible && (!proposal.closed || self.sees_all || sync || involved)
    }

    /// An event report is visible as an object is.
    pub fn report(&self, event: EventFacts, report: ObjectFacts) -> bool {
        self.object(event, report)
    }

    /// Analyst data is for its own organisations and for whom it is distributed to, and for nobody who does not
    /// see what it is about (`target`: none when that is not here). What inherits is as visible as that.
    pub fn analyst_data(&self, facts: AnalystFacts, target: Option<bool>) -> bool {
        let own = facts.org_id == self.org_id || facts.orgc_id == self.org_id;
        let inherits = target == Some(true);
        self.sees_all
            || (target != Some(false)
                && (own || self.reaches(facts.distribution, facts.sharing_group_id, inherits)))
    }

    /// What came with a library is everybody's; a custom cluster reaches as far as an event would, published or not.
    pub fn cluster(&self, cluster: ClusterFacts) -> bool {
        self.sees_all
            || !cluster.custom
            || cluster.org_id == self.org_id
            || self.reaches(cluster.distribution, cluster.sharing_group_id, false)
    }

    /// A relation may reach less far than the cluster it starts at, except for the cluster's owner.
    pub fn cluster_relation(&self, cluster: ClusterFacts, distribution: i64, group: i64) -> bool {
        self.cluster(cluster)
            && (self.sees_all || cluster.org_id == self.org_id || self.reaches(distribution, group, false))
    }

    fn owns(&self, event: EventFacts) -> bool {
        self.sees_all || event.org_id == self.org_id
    }

    fn reaches(&self, distribution: i64, group: i64, may_inherit: bool) -> bool {
        match distribution {
            1..=3 => true,
            4 => self.groups.contains(&group),
            5 => may_inherit,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_only_event_is_for_its_owner() {
        let event =
            EventFacts { org_id: 1, distribution: 0, sharing_group_id: 0, published: true, delegated_to: 0 };
        let reader = |org_id| Visibility { org_id, ..Visibility::default() };
        assert!(reader(1).event(event));
        assert!(!reader(2).event(event));
        assert!(Visibility { sees_all: true, ..reader(2) }.event(event));
    }

    #[test]
    fn who_is_asked_to_take_an_event_sees_it_where_delegation_is_on() {
        let event =
            EventFacts { org_id: 1, distribution: 0, sharing_group_id: 0, published: false, delegated_to: 2 };
        let reader = |org_id, delegation| Visibility {
            org_id,
            rules: ReadingRules { delegation, ..ReadingRules::default() },
            ..Visibility::default()
        };
        assert!(reader(2, true).event(event));
        assert!(!reader(2, false).event(event));
        assert!(!reader(3, true).event(event));
    }

    #[test]
    fn each_policy_opens_the_sightings_of_others_a_little_more() {
        let event =
            EventFacts { org_id: 1, distribution: 3, sharing_group_id: 0, published: true, delegated_to: 0 };
        let sees = |policy, by, reporter| {
            let rules = ReadingRules { sightings: policy, host_org_id: 9, ..ReadingRules::default() };
            Visibility { org_id: 2, rules, ..Visibility::default() }.sighting(event, true, by, reporter)
        };
        for policy in (0..4).filter_map(SightingPolicy::from_code) {
            assert!(sees(policy, 2, true), "{policy:?}: one's own");
            assert_eq!(
                sees(policy, 3, true),
                matches!(policy, SightingPolicy::Reporters | SightingPolicy::Everyone)
            );
            assert_eq!(sees(policy, 3, false), policy == SightingPolicy::Everyone);
            assert_eq!(
                sees(policy, 9, false),
                matches!(policy, SightingPolicy::Everyone | SightingPolicy::HostOrg)
            );
        }
    }

    #[test]
    fn an_attribute_in_a_restricted_object_is_hidden_with_it() {
        let event =
            EventFacts { org_id: 1, distribution: 3, sharing_group_id: 0, published: true, delegated_to: 0 };
        let reader = Visibility { org_id: 2, ..Visibility::default() };
        let attribute = AttributeFacts { distribution: 5, sharing_group_id: 0 };
        assert!(reader.attribute(event, None, attribute));
        let object = ObjectFacts { distribution: 0, sharing_group_id: 0 };
        assert!(!reader.attribute(event, Some(object), attribute));
    }

    #[test]
    fn a_note_is_never_seen_by_who_does_not_see_what_it_is_about() {
        let reader = Visibility { org_id: 2, ..Visibility::default() };
        let note =
            |org_id, distribution| AnalystFacts { org_id, orgc_id: 1, distribution, sharing_group_id: 0 };
        for (facts, target, seen) in [
            (note(1, 3), Some(true), true),
            (note(1, 3), None, true),
            (note(1, 3), Some(false), false),
            (note(2, 0), Some(false), false),
            (note(2, 0), None, true),
            (note(1, 0), Some(true), false),
            (note(1, 5), Some(true), true),
            (note(1, 5), None, false),
        ] {
            assert_eq!(reader.analyst_data(facts, target), seen, "{facts:?} {target:?}");
        }
    }
}
