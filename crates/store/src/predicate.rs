//! `access::Visibility` in SQL, written once. Every select on events, objects, attributes, sightings and
//! correlations composes one of these; a property test compares them with the oracle on both engines.

use crate::Reader;
use pisax_access::{Permission, SightingPolicy};

impl Reader<'_> {
    /// Sharing groups the actor's organisation belongs to, or that are open to everybody here.
    pub(crate) fn groups(&self) -> String {
        let own = match self.actor.audience_group() {
            Some(group) => format!("id as sharing_group_id from sharing_groups where id = {group}"),
            None => {
                format!("sharing_group_id from sharing_group_orgs where org_id = {}", self.actor.org_id)
            }
        };
        format!(
            "(select {own} \
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
        let published = if self.rules.unpublished_private {
            format!(" and {alias}.published = 1")
        } else {
            String::new()
        };
        let org = self.actor.org_id;
        let delegated = match self.rules.delegation {
            true => {
                format!(" or {alias}.id in (select event_id from event_delegations where org_id = {org})")
            }
            false => String::new(),
        };
        format!("({alias}.org_id = {org} or ({reaches}{published}){delegated})")
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

    /// Whether the sighting is visible, given that its attribute is: the event's owner sees all, others their own
    /// and what the policy opens.
    pub(crate) fn sees_sighting(&self, event: &str, sighting: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        let open = match self.rules.sightings {
            SightingPolicy::EventOwner => String::new(),
            SightingPolicy::Reporters => {
                format!(" or {event}.id in (select event_id from sightings where org_id = {org})")
            }
            SightingPolicy::Everyone => return "1 = 1".into(),
            SightingPolicy::HostOrg => format!(" or {sighting}.org_id = {}", self.rules.host_org_id),
        };
        format!("({event}.org_id = {org} or {sighting}.org_id = {org}{open})")
    }

    /// The organisation of a sighting as the actor may know it: 0 instead of another's where they are anonymous.
    pub(crate) fn shown_sighter(&self, sighting: &str) -> String {
        // The system speaks to nobody: what it reads it shows to no one as it is.
        if !self.rules.anonymous_sightings || self.actor.reason.is_some() {
            return format!("{sighting}.org_id");
        }
        format!("(case when {sighting}.org_id = {0} then {0} else 0 end)", self.actor.org_id)
    }

    /// Whether the proposal is visible, given its event, and its attribute and that one's object (`left join`ed).
    pub(crate) fn sees_proposal(&self, event: &str, object: &str, attribute: &str, proposal: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        let closed = match self.actor.has(Permission::Sync) {
            true => "1 = 1".to_owned(),
            false => format!(
                "({proposal}.deleted = 0 or {org} in ({event}.org_id, {event}.orgc_id, {proposal}.org_id))"
            ),
        };
        format!(
            "({} and ({proposal}.attribute_id = 0 or {}) and {closed})",
            self.sees_event(event),
            self.sees_attribute(event, object, attribute)
        )
    }

    /// Whether the event report is visible, given its event: as an object is.
    pub(crate) fn sees_report(&self, event: &str, report: &str) -> String {
        self.sees_object(event, report)
    }

    /// Whether analyst data is visible: its own organisations see it, and whom it is distributed to, but nobody
    /// who does not see the record that it is about in the end, or analyst data in between.
    pub(crate) fn sees_analyst_data(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let root = format!("{alias}.root_uuid");
        let sees_event = self.sees_event("te");
        let hidden = [
            format!("select 1 from events te where te.id = {alias}.event_id and not ({sees_event})"),
            format!("select 1 from events te where te.uuid = {root} and not ({sees_event})"),
            format!(
                "select 1 from attributes ta join events te on te.id = ta.event_id \
                 left join objects tz on tz.id = ta.object_id and ta.object_id > 0 \
                 where ta.uuid = {root} and not ({} and {})",
                self.sees_attribute("te", "tz", "ta"),
                self.sees_tombstone("te", "ta")
            ),
            format!(
                "select 1 from objects tz join events te on te.id = tz.event_id \
                 where tz.uuid = {root} and not ({} and {})",
                self.sees_object("te", "tz"),
                self.sees_tombstone("te", "tz")
            ),
            format!(
                "select 1 from event_reports tr join events te on te.id = tr.event_id \
                 where tr.uuid = {root} and not ({} and {})",
                self.sees_report("te", "tr"),
                self.sees_tombstone("te", "tr")
            ),
            format!(
                "select 1 from sharing_groups tg where tg.uuid = {root} and not ({})",
                self.sees_group("tg")
            ),
            format!("select 1 from clusters tc where tc.uuid = {root} and not ({})", self.sees_cluster("tc")),
        ];
        let hidden: Vec<String> = hidden.iter().map(|sql| format!("not exists ({sql})")).collect();
        format!("({} and {})", self.reaches_analyst_data(alias, 1), hidden.join(" and "))
    }

    /// Whether analyst data is the actor's or for him, and the same of what it is about, level by level. At the
    /// last level what is about yet other analyst data is hidden: nothing is written that deep here, and a
    /// circle ends.
    fn reaches_analyst_data(&self, alias: &str, depth: usize) -> String {
        let (org, groups, about) = (self.actor.org_id, self.groups(), format!("{alias}.object_uuid"));
        let here: Vec<String> = [
            "events",
            "attributes",
            "objects",
            "event_reports",
            "analyst_data",
            "sharing_groups",
            "orgs",
            "galaxies",
            "clusters",
        ]
        .iter()
        .map(|table| format!("select 1 from {table} th where th.uuid = {about}"))
        .collect();
        let above = match depth {
            pisax_model::analyst::DEEPEST => "1 = 0".to_owned(),
            _ => self.reaches_analyst_data(&format!("t{depth}"), depth + 1),
        };
        format!(
            "(({alias}.org_id = {org} or {alias}.orgc_id = {org} or {alias}.distribution in (1, 2, 3) \
             or ({alias}.distribution = 4 and {alias}.sharing_group_id in {groups}) \
             or ({alias}.distribution = 5 and exists ({}))) \
             and not exists (select 1 from analyst_data t{depth} where t{depth}.uuid = {about} and not {above}))",
            here.join(" union all ")
        )
    }

    /// Whether the cluster in `alias` is visible: one of a library is, a custom one as an event would be.
    pub(crate) fn sees_cluster(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let reaches = self.reaches(alias, "1, 2, 3");
        format!("({alias}.custom = 0 or {alias}.org_id = {} or {reaches})", self.actor.org_id)
    }

    /// Whether the relation is visible, given the cluster it starts at.
    pub(crate) fn sees_cluster_relation(&self, cluster: &str, relation: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let reaches = self.reaches(relation, "1, 2, 3");
        let owner = self.actor.org_id;
        format!("({} and ({cluster}.org_id = {owner} or {reaches}))", self.sees_cluster(cluster))
    }

    /// Whether the tag collection in `alias` is visible: the owner's, or one for all.
    pub(crate) fn sees_tag_collection(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        format!("({alias}.all_orgs = 1 or {alias}.org_id = {})", self.actor.org_id)
    }

    /// Whether the feed in `alias` is visible: to those who run the instance, and where it is meant for all.
    pub(crate) fn sees_feed(&self, alias: &str) -> String {
        if self.actor.sees_all() || self.actor.host_org {
            return "1 = 1".into();
        }
        format!("{alias}.lookup_visible = 1")
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
