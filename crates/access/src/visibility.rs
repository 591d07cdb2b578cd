//! Who may read what (MISP semantics 3.2): the ten lines that every SQL predicate is compared with.

use std::collections::HashSet;

/// What decides whether an event can be read.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts {
    pub org_id: i64,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub published: bool,
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
pub struct AnalystFacts {
    pub org_id: i64,
    pub orgc_id: i64,
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
    /// Setting: unpublished events are for their owner alone.
    pub unpublished_private: bool,
}

impl Visibility {
    pub fn event(&self, event: EventFacts) -> bool {
        self.sees_all
            || event.org_id == self.org_id
            || (self.reaches(event.distribution, event.sharing_group_id, false)
                && (event.published || !self.unpublished_private))
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

    /// Default sighting policy: the event's owner sees all, others their own.
    pub fn sighting(&self, event: EventFacts, attribute_visible: bool, sighting_org: i64) -> bool {
        attribute_visible && (self.owns(event) || sighting_org == self.org_id)
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
        let event = EventFacts { org_id: 1, distribution: 0, sharing_group_id: 0, published: true };
        let reader = |org_id| Visibility { org_id, ..Visibility::default() };
        assert!(reader(1).event(event));
        assert!(!reader(2).event(event));
        assert!(Visibility { sees_all: true, ..reader(2) }.event(event));
    }

    #[test]
    fn an_attribute_in_a_restricted_object_is_hidden_with_it() {
        let event = EventFacts { org_id: 1, distribution: 3, sharing_group_id: 0, published: true };
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
