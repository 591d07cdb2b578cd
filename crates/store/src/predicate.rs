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

    /// Whether the event report is visible, given its event: as an object is.
    pub(crate) fn sees_report(&self, event: &str, report: &str) -> String {
        self.sees_object(event, report)
    }

    /// Whether analyst data is visible: its own organisations see it, and whom it is distributed to, but nobody
    /// who does not see what it is about.
    pub(crate) fn sees_analyst_data(&self, alias: &str) -> String {
        self.sees_analyst_data_at(alias, 1)
    }

    /// The same for data `depth` levels above what was asked for. At the last level what is about yet other
    /// analyst data is hidden: nothing is written that deep here, and a circle ends.
    fn sees_analyst_data_at(&self, alias: &str, depth: usize) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let org = self.actor.org_id;
        let groups = self.groups();
        let about = format!("{alias}.object_uuid");
        let (e, o, a) = (format!("e{depth}"), format!("o{depth}"), format!("a{depth}"));
        let (r, g, d) = (format!("r{depth}"), format!("g{depth}"), format!("d{depth}"));
        let sees_event = self.sees_event(&e);
        let above = match depth {
            pisax_model::analyst::DEEPEST => "1 = 0".to_owned(),
            _ => self.sees_analyst_data_at(&d, depth + 1),
        };
        let attribute = format!("{} and {}", self.sees_attribute(&e, &o, &a), self.sees_tombstone(&e, &a));
        let object = format!("{} and {}", self.sees_object(&e, &o), self.sees_tombstone(&e, &o));
        let report = format!("{} and {}", self.sees_report(&e, &r), self.sees_tombstone(&e, &r));
        let group = self.sees_group(&g);
        let hidden = [
            format!("select 1 from events {e} where {e}.id = {alias}.event_id and not ({sees_event})"),
            format!("select 1 from events {e} where {e}.uuid = {about} and not ({sees_event})"),
            format!(
                "select 1 from attributes {a} join events {e} on {e}.id = {a}.event_id \
                 left join objects {o} on {o}.id = {a}.object_id and {a}.object_id > 0 \
                 where {a}.uuid = {about} and not ({attribute})"
            ),
            format!(
                "select 1 from objects {o} join events {e} on {e}.id = {o}.event_id \
                 where {o}.uuid = {about} and not ({object})"
            ),
            format!(
                "select 1 from event_reports {r} join events {e} on {e}.id = {r}.event_id \
                 where {r}.uuid = {about} and not ({report})"
            ),
            format!("select 1 from sharing_groups {g} where {g}.uuid = {about} and not ({group})"),
            format!("select 1 from analyst_data {d} where {d}.uuid = {about} and not ({above})"),
        ];
        let hidden: Vec<String> = hidden.iter().map(|sql| format!("not exists ({sql})")).collect();
        let here: Vec<String> = [
            "events",
            "attributes",
            "objects",
            "event_reports",
            "sharing_groups",
            "analyst_data",
            "orgs",
            "galaxies",
            "clusters",
        ]
        .iter()
        .map(|table| format!("exists (select 1 from {table} h where h.uuid = {about})"))
        .collect();
        format!(
            "(({alias}.org_id = {org} or {alias}.orgc_id = {org} or {alias}.distribution in (1, 2, 3) \
             or ({alias}.distribution = 4 and {alias}.sharing_group_id in {groups}) \
             or ({alias}.distribution = 5 and ({}))) and {})",
            here.join(" or "),
            hidden.join(" and ")
        )
    }
}
