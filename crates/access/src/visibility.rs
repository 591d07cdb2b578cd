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
}
