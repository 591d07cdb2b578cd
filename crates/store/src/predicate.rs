//! `access::Visibility` in SQL, written once. Every select on events, objects, attributes, sightings and
//! correlations composes one of these; a property test compares them with the oracle on both engines.

use crate::Reader;
use pisax_access::Permission;

impl Reader<'_> {
    /// Sharing groups the actor's organisation belongs to, or that are open to everybody here.
    pub(crate) fn groups(&self) -> String {
        let org = self.actor.org_id;
        format!(
            "(select sharing_group_id from sharing_group_orgs where org_id = {org} \
             union select sharing_group_id from sharing_group_servers where server_id = 0 and all_orgs = 1)"
        )
    }

    fn reaches(&self, alias: &str, open: &str) -> String {
        let groups = self.groups();
        format!(
            "({alias}.distribution in ({open}) or ({alias}.distribution = 4 and {alias}.sharing_group_id in {groups}))"
        )
    }

    /// Whether the event in `alias` is visible.
    pub(crate) fn sees_event(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let reaches = self.reaches(alias, "1, 2, 3");
        let published =
            if self.unpublished_private { format!(" and {alias}.published = 1") } else { String::new() };
        format!("({alias}.org_id = {} or ({reaches}{published}))", self.actor.org_id)
    }

    /// Whether the object in `object` is visible, given its event in `event`.
    pub(crate) fn sees_object(&self, event: &str, object: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let reaches = self.reaches(object, "1, 2, 3, 5");
        format!("({} and ({event}.org_id = {} or {reaches}))", self.sees_event(event), self.actor.org_id)
    }

    /// Whether the attribute is visible, given its event and its object (`left join`ed: null when it has none).
    pub(crate) fn sees_attribute(&self, event: &str, object: &str, attribute: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let own = self.reaches(attribute, "1, 2, 3, 5");
        let inside = self.reaches(object, "1, 2, 3, 5");
        format!(
            "({} and ({event}.org_id = {} or ({own} and ({attribute}.object_id = 0 or {inside}))))",
            self.sees_event(event),
            self.actor.org_id
        )
    }

    /// Whether the record in `alias` lives, or its tombstone is for the actor: for those who synchronise, the
    /// event's owner, and its creator, who may take the tombstone away.
    pub(crate) fn sees_tombstone(&self, event: &str, alias: &str) -> String {
        if self.actor.sees_all() || self.actor.has(Permission::Sync) {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        format!("({alias}.deleted = 0 or {event}.org_id = {org} or {event}.orgc_id = {org})")
    }

    /// Whether the sighting is visible, given that its attribute is: the event's owner sees all, others their own.
    pub(crate) fn sees_sighting(&self, event: &str, sighting: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        format!("({event}.org_id = {org} or {sighting}.org_id = {org})")
    }

    /// Whether the collection is visible: as an event is, but whoever made it keeps seeing it, and publishing
    /// does not apply.
    pub(crate) fn sees_collection(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        let reaches = self.reaches(alias, "1, 2, 3");
        format!("({alias}.org_id = {org} or {alias}.orgc_id = {org} or {reaches})")
    }
}
