//! One compiled search: a [`Filter`] and the actor's visibility become one statement that gives row numbers.
//!
//! Row numbers of every match are kept (8 bytes each), which gives the exact total before the first row is
//! sent; rows are then read in batches of them, each batch seeing what the actor sees at that moment.

use crate::attributes::{FROM, Trim};
use crate::conn::Val;
use crate::{Error, Reader, Result, dialect};
use pisax_access::Permission;
use pisax_model::filter::{Filter, Order, Range, Scope, SortKey, Terms, Tri};
use pisax_model::fold::fold;
use pisax_model::ids::Ref;
use pisax_model::{AttributeType, Category, Uuid};

mod clusters;
mod terms;
use terms::{Arg, Words};

/// A statement in the making: text and the values its `$n` stand for.
struct Where {
    lite: bool,
    conditions: Vec<String>,
    args: Vec<Arg>,
    /// One of the keys has more than a statement can carry.
    too_much: bool,
}

impl Where {
    fn new(lite: bool) -> Self {
        Self { lite, conditions: Vec::new(), args: Vec::new(), too_much: false }
    }

    /// Notes when a key has more than a statement can carry; then it must not be compiled.
    fn bears(&mut self, terms: &Terms) -> bool {
        let bears = terms::bearable(terms);
        self.too_much |= !bears;
        bears
    }

    fn check(&self) -> Result<()> {
        if self.too_much { Err(Error::TooMuch("too many or too long search patterns")) } else { Ok(()) }
    }

    fn arg(&mut self, value: impl Into<Arg>) -> String {
        self.args.push(value.into());
        format!("${}", self.args.len())
    }

    /// `column in (numbers)`.
    fn set(&mut self, column: &str, numbers: &[i64]) -> String {
        match numbers {
            [] => "1 = 0".into(),
            [one] => format!("{column} = {one}"),
            many => {
                let text = dialect::set_text(self.lite, many.iter().copied());
                self.args.push(Arg::Text(text));
                dialect::in_set(self.lite, column, self.args.len())
            }
        }
    }

    /// `column in (texts)` for each column.
    fn text_set(&mut self, columns: &[String], texts: &[String]) -> Vec<String> {
        match texts {
            [] => Vec::new(),
            [one] => {
                let arg = self.arg(one.clone());
                columns.iter().map(|column| format!("{column} = {arg}")).collect()
            }
            many => {
                self.args.push(Arg::Text(dialect::text_set_text(many.iter().map(String::as_str))));
                let place = self.args.len();
                columns.iter().map(|column| dialect::in_text_set(self.lite, column, place)).collect()
            }
        }
    }

    /// `column in (uuids)`.
    fn uuid_set(&mut self, column: &str, uuids: &[Uuid]) -> String {
        match uuids {
            [] => "1 = 0".into(),
            [one] => format!("{column} = {}", self.arg(one)),
            many => {
                self.args.push(Arg::Text(dialect::uuid_set_text(self.lite, many.iter())));
                dialect::in_uuid_set(self.lite, column, self.args.len())
            }
        }
    }

    /// `(one, two) in (pairs)`.
    fn pair_set(&mut self, columns: &str, pairs: &[(i64, i64)]) -> String {
        self.args.push(Arg::Text(dialect::pair_set_text(pairs.iter().copied())));
        dialect::in_pair_set(self.lite, columns, self.args.len())
    }

    fn and(&mut self, condition: String) {
        self.conditions.push(condition);
    }
}

/// Turns one item of a key into a condition.
type Compile<'f> = dyn Fn(&mut Where, &[String]) -> String + 'f;

impl Reader<'_> {
    /// Row numbers of all matches in the asked order, before paging.
    pub fn find(&mut self, scope: Scope, filter: &Filter) -> Result<Vec<i64>> {
        let (sql, args) = self.compile(scope, filter)?;
        let args: Vec<Val<'_>> = args.iter().map(Arg::val).collect();
        self.conn.all(&sql, &args, |r| r.int(0))
    }

    /// The number of all living attributes, when the actor sees all of them and the filter excludes none:
    /// known from the events without looking at a single attribute.
    pub fn count_everything(&mut self, filter: &Filter) -> Result<Option<i64>> {
        let plain = Filter { limit: None, page: 1, ..filter.clone() };
        if !self.actor.sees_all() || plain != Filter::new() {
            return Ok(None);
        }
        let sql = "select cast(coalesce(sum(attribute_count), 0) as bigint) from events";
        self.conn.number(sql, &[]).map(Some)
    }

    /// What the filter leaves out of the events that it finds.
    pub fn trim(&mut self, filter: &Filter) -> Result<Trim> {
        let mut w = Where::new(self.conn.is_lite());
        let mut rows = Vec::new();
        if !filter.tags.not.is_empty() && w.bears(&filter.tags) {
            rows.push(terms::tag_rows(&mut w, &filter.tags.not));
        }
        for (key, wanted) in filter.galaxy.iter().filter(|(_, wanted)| !wanted.not.is_empty()) {
            if w.bears(wanted) {
                rows.push(self.cluster_tag_rows(&mut w, key, &wanted.not));
            }
        }
        w.check()?;
        let mut trim = Trim { without_tags: Vec::new(), to_ids: filter.to_ids };
        if !rows.is_empty() {
            let args: Vec<Val<'_>> = w.args.iter().map(Arg::val).collect();
            trim.without_tags = self.conn.all(&rows.join(" union "), &args, |r| r.int(0))?;
        }
        Ok(trim)
    }

    fn compile(&self, scope: Scope, filter: &Filter) -> Result<(String, Vec<Arg>)> {
        let mut w = Where::new(self.conn.is_lite());
        let (from, id, sees) = match scope {
            Scope::Events => ("events e".to_owned(), "e.id", self.sees_event("e")),
            Scope::Attributes => (FROM.to_owned(), "a.id", self.sees_attribute("e", "o", "a")),
            Scope::Objects => (crate::objects::FROM.to_owned(), "o.id", self.sees_object("e", "o")),
        };
        w.and(sees);
        match &filter.searchall {
            Some(text) => self.search_all(&mut w, scope, text),
            None => {
                self.event_terms(&mut w, scope, filter);
                self.tag_terms(&mut w, scope, filter);
                self.attribute_terms(&mut w, scope, filter);
                self.object_terms(&mut w, scope, filter);
                self.ranges(&mut w, scope, filter);
            }
        }
        self.deleted(&mut w, scope, filter.deleted);
        w.check()?;
        let order = order_by(scope, &filter.order, id);
        let conditions = terms::joined(&w.conditions, " and ");
        Ok((format!("select {id} from {from} where {conditions} order by {order}"), w.args))
    }

    /// A condition on attributes (alias `a`) as a condition on the scope's rows.
    fn on_attributes(&self, scope: Scope, condition: &str) -> String {
        let column = match scope {
            Scope::Attributes => return condition.to_owned(),
            Scope::Events => ("e.id", "a.event_id"),
            Scope::Objects => ("o.id", "a.object_id"),
        };
        format!(
            "{} in (select {} from attributes a join events ae on ae.id = a.event_id \
             left join objects ao on ao.id = a.object_id and a.object_id > 0 \
             where {condition} and a.deleted = 0 and {})",
            column.0,
            column.1,
            self.sees_attribute("ae", "ao", "a")
        )
    }

    /// Adds one key: OR, AND and NOT groups are conjoined.
    fn conjoin(&self, w: &mut Where, terms: &Terms, wrap: &dyn Fn(String) -> String, compile: &Compile<'_>) {
        if !w.bears(terms) {
            return;
        }
        if !terms.or.is_empty() {
            let condition = compile(w, &terms.or);
            w.and(wrap(condition));
        }
        for item in &terms.and {
            let condition = compile(w, std::slice::from_ref(item));
            w.and(wrap(condition));
        }
        if !terms.not.is_empty() {
            let condition = compile(w, &terms.not);
            w.and(format!("not ({})", wrap(condition)));
        }
    }

    fn event_terms(&self, w: &mut Where, scope: Scope, f: &Filter) {
        let plain = |c: String| c;
        self.conjoin(w, &f.org, &plain, &|w, items| {
            format!("e.orgc_id in ({})", terms::named_rows(w, "orgs", items))
        });
        for (fact, wanted) in &f.org_facts {
            self.conjoin(w, wanted, &plain, &|w, items| {
                format!("e.orgc_id in ({})", terms::orgs_that(w, *fact, items))
            });
        }
        self.conjoin(w, &f.eventid, &plain, &|w, items| terms::refs(w, "e", items));
        self.conjoin(w, &f.event_uuid, &plain, &|w, items| terms::refs(w, "e", items));
        self.conjoin(w, &f.extends_uuid, &plain, &|w, items| terms::uuids(w, "e.extends_uuid", items));
        self.conjoin(w, &f.eventinfo, &plain, &|w, items| terms::folded(w, &["e.info"], items));
        self.conjoin(w, &f.threat_level, &plain, &|w, items| terms::numbers(w, "e.threat_level_id", items));
        self.conjoin(w, &f.analysis, &plain, &|w, items| terms::numbers(w, "e.analysis", items));
        let owner = if scope == Scope::Attributes { "a" } else { "e" };
        self.conjoin(w, &f.distribution, &plain, &|w, items| {
            terms::numbers(w, &format!("{owner}.distribution"), items)
        });
        self.conjoin(w, &f.sharing_group, &plain, &|w, items| {
            let groups = terms::named_rows(w, "sharing_groups", items);
            let event = format!("e.sharing_group_id in ({groups})");
            if scope != Scope::Attributes {
                return event;
            }
            let groups = terms::named_rows(w, "sharing_groups", items);
            format!("({event} or a.sharing_group_id in ({groups}))")
        });
        self.conjoin(w, &f.creator_email, &plain, &|w, items| {
            let emails: Vec<String> = items.iter().map(|i| i.to_lowercase()).collect();
            let set = w.text_set(&["email".to_owned()], &emails).join(" or ");
            format!("e.user_id in (select id from users where {set})")
        });
        if let Tri::Only(flag) = f.published {
            w.and(format!("e.published = {}", i64::from(flag)));
        }
        if let Tri::Only(flag) = f.protected {
            w.and(format!("coalesce(e.protected, 0) = {}", i64::from(flag)));
        }
        if f.non_empty {
            w.and(
                "(e.attribute_count > 0 or exists (select 1 from event_reports er where er.event_id = e.id))"
                    .into(),
            );
        }
        if let Some(from) = &f.date_from {
            let arg = w.arg(from.clone());
            w.and(format!("e.date >= {arg}"));
        }
        if let Some(to) = &f.date_to {
            let arg = w.arg(to.clone());
            w.and(format!("e.date <= {arg}"));
        }
    }

    fn tag_terms(&self, w: &mut Where, scope: Scope, f: &Filter) {
        let plain = |c: String| c;
        self.conjoin(w, &f.event_tags, &plain, &|w, items| {
            format!(
                "e.id in (select event_id from event_tags where tag_id in ({}))",
                terms::tag_rows(w, items)
            )
        });
        self.carried(w, scope, &f.tags, &terms::tag_rows);
        for (key, wanted) in &f.galaxy {
            self.carried(w, scope, wanted, &|w, items| self.cluster_tag_rows(w, key, items));
        }
    }

    /// Adds a key that names tags wherever they are; `rows` makes the `select id` of the tags that items name.
    fn carried(&self, w: &mut Where, scope: Scope, wanted: &Terms, rows: &Compile<'_>) {
        let plain = |c: String| c;
        let either = |w: &mut Where, items: &[String]| {
            let attribute = format!(
                "a.id in (select attribute_id from attribute_tags where tag_id in ({}))",
                rows(w, items)
            );
            let event = rows(w, items);
            let attribute = self.on_attributes(scope, &attribute);
            format!("({attribute} or e.id in (select event_id from event_tags where tag_id in ({event})))")
        };
        let positive = Terms { not: Vec::new(), ..wanted.clone() };
        self.conjoin(w, &positive, &plain, &either);
        if wanted.not.is_empty() || !w.bears(wanted) {
            return;
        }
        // Attributes are left out when they or their event carry the tag; events when they carry it themselves
        // (their attributes that carry it are trimmed when the event is written).
        let own = rows(w, &wanted.not);
        let condition = match scope {
            Scope::Attributes => {
                let event = rows(w, &wanted.not);
                format!(
                    "a.id not in (select attribute_id from attribute_tags where tag_id in ({own})) \
                     and a.event_id not in (select event_id from event_tags where tag_id in ({event}))"
                )
            }
            _ => format!("e.id not in (select event_id from event_tags where tag_id in ({own}))"),
        };
        w.and(condition);
    }

    fn attribute_terms(&self, w: &mut Where, scope: Scope, f: &Filter) {
        let wrap = |c: String| self.on_attributes(scope, &c);
        let key = self.key;
        self.conjoin(w, &f.value, &wrap, &|w, items| {
            terms::values(w, key, &["a.value1", "a.value2"], "", items)
        });
        self.conjoin(w, &f.value1, &wrap, &|w, items| terms::values(w, key, &["a.value1"], "a.hash1", items));
        self.conjoin(w, &f.value2, &wrap, &|w, items| terms::values(w, key, &["a.value2"], "a.hash2", items));
        self.conjoin(w, &f.kind, &wrap, &|w, items| {
            let words = Words::new(items, true);
            let known = AttributeType::all().filter(|k| words.name(k.name()));
            let codes: Vec<i64> = known.map(AttributeType::code).collect();
            w.set("a.kind", &codes)
        });
        self.conjoin(w, &f.category, &wrap, &|w, items| {
            let words = Words::new(items, false);
            let known = Category::all().filter(|c| words.name(c.name()));
            let codes: Vec<i64> = known.map(Category::code).collect();
            w.set("a.category", &codes)
        });
        self.conjoin(w, &f.comment, &wrap, &|w, items| terms::folded(w, &["a.comment"], items));
        self.conjoin(w, &f.object_relation, &wrap, &|w, items| terms::exact(w, "a.object_relation", items));
        if let Tri::Only(flag) = f.to_ids {
            w.and(self.on_attributes(scope, &format!("a.to_ids = {}", i64::from(flag))));
        }
        self.uuid_terms(w, scope, f);
    }

    /// The uuid of the event, or of the attribute or object itself.
    fn uuid_terms(&self, w: &mut Where, scope: Scope, f: &Filter) {
        self.conjoin(w, &f.uuid, &|c| c, &|w, items| {
            let event = terms::uuids(w, "uuid", items);
            let event = format!("(select id from events where {event})");
            let own = terms::uuids(w, "a.uuid", items);
            match scope {
                Scope::Attributes => format!("({own} or a.event_id in {event})"),
                Scope::Events => format!("(e.id in {event} or {})", self.on_attributes(scope, &own)),
                Scope::Objects => {
                    let object = terms::uuids(w, "o.uuid", items);
                    format!("({object} or o.event_id in {event} or {})", self.on_attributes(scope, &own))
                }
            }
        });
    }

    fn object_terms(&self, w: &mut Where, scope: Scope, f: &Filter) {
        let wrap = |c: String| match scope {
            Scope::Objects => c,
            Scope::Attributes => {
                format!("a.object_id in (select ox.id from objects ox where {})", c.replace("o.", "ox."))
            }
            Scope::Events => format!(
                "e.id in (select ox.event_id from objects ox join events oe on oe.id = ox.event_id where {} and {})",
                c.replace("o.", "ox."),
                self.sees_object("oe", "ox")
            ),
        };
        self.conjoin(w, &f.object_name, &wrap, &|w, items| terms::folded(w, &["o.name"], items));
        self.conjoin(w, &f.object_template_uuid, &wrap, &|w, items| {
            terms::exact(w, "o.template_uuid", items)
        });
        self.conjoin(w, &f.object_template_version, &wrap, &|w, items| {
            terms::exact(w, "o.template_version", items)
        });
    }

    fn ranges(&self, w: &mut Where, scope: Scope, f: &Filter) {
        let own = if scope == Scope::Attributes { "a.timestamp" } else { "e.timestamp" };
        for (column, range) in [
            (own, f.timestamp),
            ("e.timestamp", f.event_timestamp),
            ("e.publish_timestamp", f.publish_timestamp),
        ] {
            if let Some(condition) = within(column, range) {
                w.and(condition);
            }
        }
        for (column, range) in [
            ("a.timestamp", f.attribute_timestamp),
            ("a.first_seen", f.first_seen),
            ("a.last_seen", f.last_seen),
        ] {
            if let Some(condition) = within(column, range) {
                w.and(self.on_attributes(scope, &condition));
            }
        }
        if let Tri::Only(proposed) = f.has_proposal {
            let not = if proposed { "" } else { "not " };
            let sees = self.sees_proposal("e", "o", "a", "p");
            w.and(format!(
                "e.id {not}in (select p.event_id from {} where p.deleted = 0 and {sees})",
                crate::proposals::FROM
            ));
        }
        if f.undoubted && scope == Scope::Attributes {
            w.and(
                "not exists (select 1 from proposals p where p.attribute_id = a.id and p.attribute_id > 0 \
                 and p.deleted = 0 and (p.to_delete = 1 or p.to_ids = 0))"
                    .into(),
            );
        }
    }

    /// Tombstones: only the owner's, except for those who synchronise.
    fn deleted(&self, w: &mut Where, scope: Scope, deleted: Tri) {
        let alias = match scope {
            Scope::Events => return,
            Scope::Attributes => "a",
            Scope::Objects => "o",
        };
        match deleted {
            Tri::Only(flag) => w.and(format!("{alias}.deleted = {}", i64::from(flag))),
            Tri::Any => {}
        }
        let all = self.actor.has(Permission::Sync) || self.actor.sees_all();
        if deleted != Tri::Only(false) && !all {
            w.and(format!("({alias}.deleted = 0 or e.org_id = {})", self.actor.org_id));
        }
    }

    /// The wildcard search over everything readable; replaces every other selection.
    fn search_all(&self, w: &mut Where, scope: Scope, text: &str) {
        if !w.bears(&Terms::one(text)) {
            return;
        }
        let items = [text.to_owned()];
        let values = terms::folded(w, &["a.value1", "a.value2", "a.comment"], &items);
        let values = self.on_attributes(scope, &values);
        let info = terms::folded(w, &["e.info"], &items);
        let event_tags = terms::tag_rows_folded(w, &items);
        let attribute_tags = terms::tag_rows_folded(w, &items);
        let attribute_tags = self.on_attributes(
            scope,
            &format!("a.id in (select attribute_id from attribute_tags where tag_id in ({attribute_tags}))"),
        );
        w.and(format!(
            "({values} or {info} or {attribute_tags} or e.id in (select event_id from event_tags where tag_id in ({event_tags})))"
        ));
    }
}

fn within(column: &str, range: Option<Range>) -> Option<String> {
    let range = range?;
    match (range.from, range.to) {
        (Some(from), Some(to)) => Some(format!("{column} between {from} and {to}")),
        (Some(from), None) => Some(format!("{column} >= {from}")),
        (None, Some(to)) => Some(format!("{column} <= {to}")),
        (None, None) => None,
    }
}

fn order_by(scope: Scope, order: &[Order], id: &str) -> String {
    let mut list: Vec<String> = order
        .iter()
        .filter_map(|o| {
            let column = column(scope, o.key)?;
            Some(format!("{column}{}", if o.descending { " desc" } else { "" }))
        })
        .collect();
    let last = order.last().is_some_and(|o| o.descending);
    list.push(format!("{id}{}", if last { " desc" } else { "" }));
    list.dedup();
    list.join(", ")
}

fn column(scope: Scope, key: SortKey) -> Option<&'static str> {
    let attributes = scope == Scope::Attributes;
    Some(match key {
        SortKey::Id => return None,
        SortKey::Timestamp if attributes => "a.timestamp",
        SortKey::Timestamp => "e.timestamp",
        SortKey::PublishTimestamp => "e.publish_timestamp",
        SortKey::Date => "e.date",
        SortKey::Info => "e.info",
        SortKey::Org => "(select name from orgs where orgs.id = e.orgc_id)",
        SortKey::Analysis => "e.analysis",
        SortKey::ThreatLevel => "e.threat_level_id",
        SortKey::Distribution if attributes => "a.distribution",
        SortKey::Distribution => "e.distribution",
        SortKey::AttributeCount => "e.attribute_count",
        SortKey::Published => "e.published",
        SortKey::EventId => "e.id",
        SortKey::ObjectId if attributes => "a.object_id",
        SortKey::Type if attributes => "a.kind",
        SortKey::Category if attributes => "a.category",
        SortKey::Value if attributes => "a.value1",
        SortKey::ObjectRelation if attributes => "a.object_relation",
        _ => return None,
    })
}
