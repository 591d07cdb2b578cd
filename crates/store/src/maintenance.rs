//! What an operator does with the data as a whole: check it, copy it away, bring it back, count it.

use crate::changes::{Action, Noun};
use crate::conn::{Conn, Row};
use crate::{
    Engine, Error, Reader, Result, Store, attributes, copy, dialect, event_locks, migrate, rest_history,
};
use pisax_access::Actor;
use pisax_model::AttributeType;
use pisax_model::correlation::{Net, net_of};
use rusqlite::{Connection, OpenFlags};
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};

/// Most complaints a check reports: more help nobody.
const COMPLAINTS: usize = 100;

/// Row counts for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub events: i64,
    /// Living ones, from the events' own counts.
    pub attributes: i64,
    pub objects: i64,
    pub sightings: i64,
    pub tags: i64,
    pub orgs: i64,
    pub users: i64,
    pub sharing_groups: i64,
    /// The newest change.
    pub last_change: i64,
}

/// Rows that point at something missing: a query for two numbers, and what they say.
const ORPHANS: &[(&str, &str)] = &[
    (
        "select a.id, a.event_id from attributes a left join events e on e.id = a.event_id where e.id is null",
        "attribute {1} is in event {2}, which does not exist",
    ),
    (
        "select a.id, a.object_id from attributes a left join objects o on o.id = a.object_id \
         and o.event_id = a.event_id where a.object_id <> 0 and o.id is null",
        "attribute {1} is in object {2}, which its event does not have",
    ),
    (
        "select o.id, o.event_id from objects o left join events e on e.id = o.event_id where e.id is null",
        "object {1} is in event {2}, which does not exist",
    ),
    (
        "select r.id, r.object_id from object_references r left join objects o on o.id = r.object_id \
         and o.event_id = r.event_id where o.id is null",
        "object reference {1} starts at object {2}, which its event does not have",
    ),
    (
        "select t.id, t.event_id from event_tags t left join events e on e.id = t.event_id where e.id is null",
        "tag attachment {1} is on event {2}, which does not exist",
    ),
    (
        "select x.id, x.tag_id from event_tags x left join tags t on t.id = x.tag_id where t.id is null",
        "event tag attachment {1} is of tag {2}, which does not exist",
    ),
    (
        "select x.id, x.attribute_id from attribute_tags x left join attributes a on a.id = x.attribute_id \
         and a.event_id = x.event_id where a.id is null",
        "tag attachment {1} is on attribute {2}, which its event does not have",
    ),
    (
        "select x.id, x.tag_id from attribute_tags x left join tags t on t.id = x.tag_id where t.id is null",
        "attribute tag attachment {1} is of tag {2}, which does not exist",
    ),
    (
        "select s.id, s.attribute_id from sightings s left join attributes a on a.id = s.attribute_id \
         and a.event_id = s.event_id where a.id is null",
        "sighting {1} is of attribute {2}, which its event does not have",
    ),
    (
        "select b.attribute_id, b.attribute_id from attachments b left join attributes a on a.id = b.attribute_id \
         where a.id is null",
        "attached bytes belong to attribute {1}, which does not exist",
    ),
    (
        "select p.id, p.event_id from proposals p left join events e on e.id = p.event_id where e.id is null",
        "proposal {1} is on event {2}, which does not exist",
    ),
    (
        "select p.id, p.attribute_id from proposals p left join attributes a on a.id = p.attribute_id \
         and a.event_id = p.event_id where p.attribute_id > 0 and a.id is null",
        "proposal {1} is about attribute {2}, which its event does not have",
    ),
    (
        "select b.proposal_id, b.proposal_id from proposal_attachments b left join proposals p \
         on p.id = b.proposal_id where p.id is null",
        "attached bytes belong to proposal {1}, which does not exist",
    ),
    (
        "select d.id, d.event_id from event_delegations d left join events e on e.id = d.event_id where e.id is null",
        "delegation {1} is of event {2}, which does not exist",
    ),
    (
        "select d.id, d.org_id from event_delegations d left join orgs o on o.id = d.org_id where o.id is null",
        "delegation {1} is to organisation {2}, which does not exist",
    ),
    (
        "select k.id, k.event_id from cryptographic_keys k left join events e on e.id = k.event_id \
         where e.id is null",
        "cryptographic key {1} is of event {2}, which does not exist",
    ),
    (
        "select f.id, f.tag_id from feeds f left join tags t on t.id = f.tag_id where f.tag_id <> 0 and t.id is null",
        "feed {1} attaches tag {2}, which does not exist",
    ),
    (
        "select f.id, f.orgc_id from feeds f left join orgs o on o.id = f.orgc_id \
         where f.orgc_id <> 0 and o.id is null",
        "feed {1} is of organisation {2}, which does not exist",
    ),
    (
        "select f.id, f.sharing_group_id from feeds f left join sharing_groups g on g.id = f.sharing_group_id \
         where f.sharing_group_id <> 0 and g.id is null",
        "feed {1} is shared with group {2}, which does not exist",
    ),
    (
        "select s.id, s.remote_org_id from servers s left join orgs o on o.id = s.remote_org_id where o.id is null",
        "server {1} is run by organisation {2}, which does not exist",
    ),
    (
        "select b.attribute_id, b.attribute_id from attachment_files b left join attributes a on a.id = b.attribute_id \
         where a.id is null",
        "attached bytes outside the database belong to attribute {1}, which does not exist",
    ),
    (
        "select e.id, e.org_id from events e left join orgs o on o.id = e.org_id where o.id is null",
        "event {1} is owned by organisation {2}, which does not exist",
    ),
    (
        "select e.id, e.orgc_id from events e left join orgs o on o.id = e.orgc_id where o.id is null",
        "event {1} was created by organisation {2}, which does not exist",
    ),
    (
        "select e.id, e.sharing_group_id from events e left join sharing_groups g on g.id = e.sharing_group_id \
         where e.distribution = 4 and g.id is null",
        "event {1} is for sharing group {2}, which does not exist",
    ),
    (
        "select e.id, e.sharing_group_id from objects e left join sharing_groups g on g.id = e.sharing_group_id \
         where e.distribution = 4 and g.id is null",
        "object {1} is for sharing group {2}, which does not exist",
    ),
    (
        "select e.id, e.sharing_group_id from attributes e left join sharing_groups g on g.id = e.sharing_group_id \
         where e.distribution = 4 and g.id is null",
        "attribute {1} is for sharing group {2}, which does not exist",
    ),
    (
        "select r.id, r.event_id from event_reports r left join events e on e.id = r.event_id where e.id is null",
        "report {1} is about event {2}, which does not exist",
    ),
    (
        "select e.id, e.sharing_group_id from event_reports e left join sharing_groups g on g.id = e.sharing_group_id \
         where e.distribution = 4 and g.id is null",
        "report {1} is for sharing group {2}, which does not exist",
    ),
    (
        "select d.id, d.event_id from analyst_data d left join events e on e.id = d.event_id \
         where d.event_id <> 0 and e.id is null",
        "analyst data {1} is about something in event {2}, which does not exist",
    ),
    (
        "select e.id, e.sharing_group_id from analyst_data e left join sharing_groups g on g.id = e.sharing_group_id \
         where e.distribution = 4 and g.id is null",
        "analyst data {1} is for sharing group {2}, which does not exist",
    ),
    (
        "select d.id, d.org_id from analyst_data d left join orgs o on o.id = d.org_id where o.id is null",
        "analyst data {1} is owned by organisation {2}, which does not exist",
    ),
    (
        "select d.id, d.orgc_id from analyst_data d left join orgs o on o.id = d.orgc_id where o.id is null",
        "analyst data {1} was written by organisation {2}, which does not exist",
    ),
    (
        "select g.id, g.event_id from event_graphs g left join events e on e.id = g.event_id where e.id is null",
        "drawing {1} is of event {2}, which does not exist",
    ),
    (
        "select u.id, u.org_id from users u left join orgs o on o.id = u.org_id where o.id is null",
        "user {1} is of organisation {2}, which does not exist",
    ),
    (
        "select u.id, u.role_id from users u left join roles r on r.id = u.role_id where r.id is null",
        "user {1} has role {2}, which does not exist",
    ),
    (
        "select k.id, k.user_id from auth_keys k left join users u on u.id = k.user_id where u.id is null",
        "API key {1} is of user {2}, who does not exist",
    ),
    (
        "select m.sharing_group_id, m.org_id from sharing_group_orgs m left join sharing_groups g \
         on g.id = m.sharing_group_id left join orgs o on o.id = m.org_id where g.id is null or o.id is null",
        "organisation {2} is a member of sharing group {1}: one of them does not exist",
    ),
    (
        "select s.sharing_group_id, s.server_id from sharing_group_servers s left join sharing_groups g \
         on g.id = s.sharing_group_id where g.id is null",
        "sharing group {1}, which lists server {2}, does not exist",
    ),
    (
        "select m.id, m.org_id from decaying_models m left join orgs o on o.id = m.org_id \
         where m.org_id <> 0 and o.id is null",
        "decaying model {1} is of organisation {2}, which does not exist",
    ),
    (
        "select c.id, c.galaxy_id from clusters c left join galaxies g on g.id = c.galaxy_id where g.id is null",
        "cluster {1} is in galaxy {2}, which does not exist",
    ),
    (
        "select x.id, x.cluster_id from cluster_relations x left join clusters c on c.id = x.cluster_id \
         and c.custom = 1 where c.id is null",
        "cluster relation {1} starts at custom cluster {2}, which does not exist",
    ),
    (
        "select x.relation_id, x.tag_id from cluster_relation_tags x left join cluster_relations r on r.id = x.relation_id \
         left join tags t on t.id = x.tag_id where r.id is null or t.id is null",
        "cluster relation {1} carries tag {2}, and one of them does not exist",
    ),
    (
        "select x.collection_id, x.tag_id from tag_collection_tags x left join tag_collections c on c.id = x.collection_id \
         left join tags t on t.id = x.tag_id where c.id is null or t.id is null",
        "tag collection {1} holds tag {2}, and one of them does not exist",
    ),
    (
        "select x.user_id, x.tag_id from favourite_tags x left join users u on u.id = x.user_id \
         left join tags t on t.id = x.tag_id where u.id is null or t.id is null",
        "user {1} has tag {2} as a favourite, and one of them does not exist",
    ),
    (
        "select c.id, c.org_id from clusters c left join orgs o on o.id = c.org_id where c.custom = 1 and o.id is null",
        "cluster {1} is owned by organisation {2}, which does not exist",
    ),
    (
        "select a.id, a.event_id from attributes a left join postings p on p.hash = a.hash1 \
         and p.event_id = a.event_id and p.attribute_id = a.id and p.correlates = a.correlates & 1 where p.hash is null",
        "attribute {1} of event {2} has no right posting for its first half",
    ),
    (
        "select a.id, a.event_id from attributes a left join postings p on p.hash = a.hash2 \
         and p.event_id = a.event_id and p.attribute_id = a.id and p.correlates = a.correlates >> 1 \
         where a.hash2 is not null and a.hash2 <> a.hash1 and p.hash is null",
        "attribute {1} of event {2} has no right posting for its second half",
    ),
    (
        "select p.attribute_id, p.event_id from postings p left join attributes a on a.id = p.attribute_id \
         and a.event_id = p.event_id and (a.hash1 = p.hash or a.hash2 = p.hash) where a.id is null",
        "a posting names attribute {1} of event {2}, which does not have that value",
    ),
    (
        "select s.id, s.user_id from user_settings s left join users u on u.id = s.user_id where u.id is null",
        "setting {1} is of user {2}, who does not exist",
    ),
    (
        "select b.id, b.user_id from bookmarks b left join users u on u.id = b.user_id where u.id is null",
        "bookmark {1} is of user {2}, who does not exist",
    ),
    (
        "select m.id, m.user_id from mails m left join users u on u.id = m.user_id where u.id is null",
        "mail {1} is for user {2}, who does not exist",
    ),
    (
        "select a.event_id, a.event_id from alerts a left join events e on e.id = a.event_id where e.id is null",
        "the publication of event {1} is to be told, and it does not exist",
    ),
    (
        "select x.id, x.collection_id from collection_elements x left join collections c on c.id = x.collection_id \
         where c.id is null",
        "element {1} is in collection {2}, which does not exist",
    ),
    (
        "select c.id, c.orgc_id from collections c left join orgs o on o.id = c.orgc_id where o.id is null",
        "collection {1} is of organisation {2}, which does not exist",
    ),
    (
        "select b.id, b.org_id from blueprints b left join orgs o on o.id = b.org_id where o.id is null",
        "blueprint {1} is of organisation {2}, which does not exist",
    ),
    (
        "select b.id, b.sharing_group_id from blueprints b left join sharing_groups g on g.id = b.sharing_group_id \
         where b.sharing_group_id <> 0 and g.id is null",
        "blueprint {1} made sharing group {2}, which does not exist",
    ),
];

impl Store {
    /// Everything that does not fit together, in words; empty when all is well. Reads the whole database.
    pub fn check(&self) -> Result<Vec<String>> {
        let mut found = self.check_rows()?;
        self.check_files(&mut |words| found.push(|| words))?;
        Ok(found.0)
    }

    fn check_rows(&self) -> Result<Complaints> {
        self.read(&Actor::system("check the database"), |r| {
            let mut found = Complaints(Vec::new());
            if let Some(sql) = dialect::integrity(r.conn.is_lite()) {
                r.conn.each(sql, &[], |row| {
                    let words = row.text(0)?;
                    if words != "ok" {
                        found.push(|| format!("database file: {words}"));
                    }
                    Ok(())
                })?;
            }
            for (sql, words) in ORPHANS.iter().chain([&rest_history::ORPHANS, &event_locks::ORPHANS]) {
                r.conn.each(&format!("{sql} limit {COMPLAINTS}"), &[], |row| {
                    let (one, two) = (row.int(0)?.to_string(), row.int(1)?.to_string());
                    found.push(|| words.replace("{1}", &one).replace("{2}", &two));
                    Ok(())
                })?;
            }
            counts_agree(r, &mut found)?;
            changes_agree(r, &mut found)?;
            hashes_agree(r, &mut found)?;
            nets_agree(r, &mut found)?;
            Ok(found)
        })
    }

    pub fn counts(&self) -> Result<Counts> {
        let sql = "select (select count(*) from events), \
                   (select cast(coalesce(sum(attribute_count), 0) as bigint) from events), \
                   (select count(*) from objects), (select count(*) from sightings), (select count(*) from tags), \
                   (select count(*) from orgs), (select count(*) from users), (select count(*) from sharing_groups), \
                   (select coalesce(max(seq), 0) from changes)";
        let counts = self.read(&Actor::system("count rows for metrics"), |r| {
            r.conn.first(sql, &[], |row| {
                Ok(Counts {
                    events: row.int(0)?,
                    attributes: row.int(1)?,
                    objects: row.int(2)?,
                    sightings: row.int(3)?,
                    tags: row.int(4)?,
                    orgs: row.int(5)?,
                    users: row.int(6)?,
                    sharing_groups: row.int(7)?,
                    last_change: row.int(8)?,
                })
            })
        })?;
        Ok(counts.unwrap_or_default())
    }

    /// Copies everything into a new SQLite file, whichever engine this is, as of one moment and while it is in
    /// use. The file is complete and on disk when it gets its name, and only its owner can read it.
    pub fn backup(&self, file: &Path) -> Result<()> {
        if file.exists() {
            return Err(Error::Address(format!("backup: {} exists already", file.display())));
        }
        let partial = partial(file);
        let copied = self.backup_to(&partial).and_then(|()| finish(&partial, file));
        if copied.is_err() {
            // What is left is worth nothing, and the first error says more than a failed removal.
            let _ = std::fs::remove_file(&partial);
        }
        copied
    }

    fn backup_to(&self, partial: &Path) -> Result<()> {
        create_private(partial)?;
        match &self.engine {
            Engine::Lite(lite) => lite.copy_to(partial)?,
            Engine::Pg(_) => {
                let target = Connection::open(partial)?;
                // Nobody sees the file before it is complete and synced.
                target.pragma_update(None, "journal_mode", "off")?;
                target.pragma_update(None, "synchronous", "off")?;
                target.pragma_update(None, "cache_size", -256 * 1024)?;
                target.execute_batch("begin")?;
                let mut to = Conn::Lite(&target);
                migrate::run(&mut to)?;
                self.read(&Actor::system("back up the database"), |r| {
                    for table in copy::tables(&mut to)? {
                        copy::copy(&table, &mut r.conn, &mut to)?;
                    }
                    for table in migrate::numbered_tables() {
                        let next = dialect::next_number(&mut r.conn, table)?;
                        dialect::set_next_number(&mut to, table, next)?;
                    }
                    Ok::<_, Error>(())
                })?;
                target.execute_batch("commit")?;
            }
        }
        // One file, with the bytes kept elsewhere in it and without a log beside it.
        let copy = Connection::open(partial)?;
        self.bring_home(&mut Conn::Lite(&copy))?;
        copy.pragma_update(None, "journal_mode", "delete")?;
        copy.close().map_err(|(_, e)| e)?;
        Ok(())
    }

    /// Fills this database, which must be empty, from a file made by [`backup`](Self::backup): all of it or
    /// nothing. Values are hashed with the file's own secret, so open the database anew before using it.
    pub fn restore(&self, file: &Path) -> Result<()> {
        let unusable = |why: String| Error::Address(format!("restore: {}: {why}", file.display()));
        let source = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|e| unusable(e.to_string()))?;
        source.execute_batch("begin").map_err(|e| unusable(e.to_string()))?;
        let mut from = Conn::Lite(&source);
        let version = from
            .number("select max(version) from migrations", &[])
            .map_err(|_| unusable("this is no PISAX backup".into()))?;
        if version > migrate::newest() {
            return Err(Error::TooNew { found: version, known: migrate::newest() });
        }
        if version < migrate::newest() {
            return Err(unusable(format!(
                "it has schema version {version}, this program needs {}: run `pisax db migrate` on a copy of it first",
                migrate::newest()
            )));
        }
        self.write(&Actor::system("restore a backup"), 0, |w| {
            let tables = copy::tables(&mut from)?;
            for table in tables.iter().filter(|t| t.name != "settings") {
                let sql = format!("select count(*) from (select 1 from {} limit 1) x", table.name);
                if w.conn.number(&sql, &[])? > 0 {
                    return Err(unusable(format!(
                        "the database to fill is not empty: there are {}",
                        table.name
                    )));
                }
            }
            w.conn.execute("delete from settings", &[])?;
            for table in &tables {
                match table.name.as_str() {
                    "attachments" if self.keeps_files_outside() => w.send_out(&mut from)?,
                    _ => copy::copy(table, &mut from, &mut w.conn)?,
                }
            }
            for table in migrate::numbered_tables() {
                let next = dialect::next_number(&mut from, table)?;
                dialect::set_next_number(&mut w.conn, table, next)?;
            }
            dialect::continue_changes(&mut w.conn)
        })
    }
}

/// Complaints, up to a number.
struct Complaints(Vec<String>);

impl Complaints {
    fn push(&mut self, words: impl FnOnce() -> String) {
        if self.0.len() < COMPLAINTS {
            self.0.push(words());
        }
    }
}

/// The kept number of living attributes against the rows.
fn counts_agree(r: &mut Reader<'_>, found: &mut Complaints) -> Result<()> {
    let sql = format!(
        "select e.id, e.attribute_count, coalesce(n.living, 0) from events e left join \
         (select event_id, count(*) as living from attributes where deleted = 0 group by event_id) n \
         on n.event_id = e.id where e.attribute_count <> coalesce(n.living, 0) limit {COMPLAINTS}"
    );
    r.conn.each(&sql, &[], |row| {
        let (event, kept, living) = (row.int(0)?, row.int(1)?, row.int(2)?);
        found.push(|| format!("event {event} says it has {kept} attributes and has {living}"));
        Ok(())
    })
}

/// Every event against the change log that should have announced it, where retention has removed nothing of it.
fn changes_agree(r: &mut Reader<'_>, found: &mut Complaints) -> Result<()> {
    if r.audit_mark("anchor")?.is_some() {
        return Ok(());
    }
    let sql = format!(
        "select e.id from events e left join (select distinct uuid from changes where kind = {} and action = {}) c \
         on c.uuid = e.uuid where c.uuid is null limit {COMPLAINTS}",
        Noun::Event as i64,
        Action::Add as i64
    );
    r.conn.each(&sql, &[], |row| {
        let event = row.int(0)?;
        found.push(|| format!("event {event} is missing from the change log"));
        Ok(())
    })
}

/// The kept hashes against the values. That postings fit the kept hashes is among [`ORPHANS`].
fn hashes_agree(r: &mut Reader<'_>, found: &mut Complaints) -> Result<()> {
    let key = r.key;
    let sql = "select id, kind, value1, value2, hash1, hash2, correlates, disable_correlation from attributes order by id";
    r.conn.each(sql, &[], |row| {
        let id = row.int(0)?;
        let Some(kind) = AttributeType::from_code(row.int(1)?) else {
            found.push(|| format!("attribute {id} is of a type this program does not know"));
            return Ok(());
        };
        let keys = attributes::keys(key, kind, row.text(2)?, row.text(3)?, row.flag(7)?);
        if (row.int(4)?, row.opt_int(5)?) != (keys.first, keys.second) {
            found.push(|| format!("attribute {id} is not kept under its value"));
        } else if row.int(6)? != keys.correlates {
            found.push(|| format!("attribute {id} does not say rightly whether it correlates"));
        }
        Ok(())
    })
}

/// Address rows against the values they come from: each row from its own side, then none may be missing.
fn nets_agree(r: &mut Reader<'_>, found: &mut Complaints) -> Result<()> {
    let holds_net = |kind: &AttributeType| net_of(*kind, "192.0.2.1", "192.0.2.1").is_some();
    let kinds: Vec<String> = AttributeType::all().filter(holds_net).map(|k| k.code().to_string()).collect();
    let attributes =
        format!("select id, kind, value1, value2 from attributes where kind in ({})", kinds.join(", "));
    for (table, shortest) in [("addresses", 128), ("networks", 127)] {
        let net_at = |row: &Row<'_>, at: usize| {
            let Some(kind) = row.opt_int(at)?.and_then(AttributeType::from_code) else { return Ok(None) };
            let net = net_of(kind, row.text(at + 1)?, row.text(at + 2)?);
            Ok::<_, Error>(net.filter(|net| net.len <= shortest))
        };
        let rows = format!(
            "select n.attribute_id, n.event_id, n.first, n.len, a.kind, a.value1, a.value2 from {table} n \
             left join attributes a on a.id = n.attribute_id and a.event_id = n.event_id"
        );
        let (mut right, mut expected) = (0u64, 0u64);
        r.conn.each(&rows, &[], |row| {
            let (attribute, event) = (row.int(0)?, row.int(1)?);
            if fits(row, net_at(row, 4)?)? {
                right += 1;
            } else {
                found.push(|| format!("{table} names attribute {attribute} of event {event} wrongly"));
            }
            Ok(())
        })?;
        r.conn.each(&attributes, &[], |row| {
            expected += u64::from(net_at(row, 1)?.is_some());
            Ok(())
        })?;
        if right == expected {
            continue;
        }
        let mut there = FxHashSet::default();
        r.conn.each(&rows, &[], |row| {
            if fits(row, net_at(row, 4)?)? {
                there.insert(row.int(0)?);
            }
            Ok(())
        })?;
        r.conn.each(&attributes, &[], |row| {
            let id = row.int(0)?;
            if net_at(row, 1)?.is_some() && !there.contains(&id) {
                found.push(|| format!("attribute {id} is missing from {table}"));
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether an address row (first address, prefix length in columns 2 and 3) is what its attribute says.
fn fits(row: &Row<'_>, net: Option<Net>) -> Result<bool> {
    let (first, len) = (row.blob(2)?, row.int(3)?);
    Ok(net.is_some_and(|net| net.first == first && i64::from(net.len) == len))
}

// ---- Files --------------------------------------------------------------------------------------------

fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn file_error(file: &Path) -> impl Fn(std::io::Error) -> Error {
    move |e| Error::Address(format!("{}: {e}", file.display()))
}

/// Makes an empty file that only its owner can read, in place of one left by a failed attempt.
fn create_private(file: &Path) -> Result<()> {
    if file.exists() {
        std::fs::remove_file(file).map_err(file_error(file))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(file_error(file))?;
    Ok(())
}

/// Puts the file on disk and gives it its name.
fn finish(partial: &Path, file: &Path) -> Result<()> {
    std::fs::File::open(partial).and_then(|f| f.sync_all()).map_err(file_error(partial))?;
    std::fs::rename(partial, file).map_err(file_error(file))?;
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(file_error(folder))
}
