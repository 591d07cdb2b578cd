//! Organisations: those with users here (local) and those known by what they shared.

use crate::changes::{Action, Change, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::org::{Org, OrgDraft, OrgRef};
use rustc_hash::FxHashMap;

pub(crate) const COLUMNS: &str = "id, uuid, name, description, kind, nationality, sector, contacts, local, \
                       restricted_to_domain, landingpage, created_by, date_created, date_modified";

/// What other records say of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgName {
    pub id: i64,
    pub name: String,
    pub uuid: Uuid,
    pub local: bool,
}

/// Columns of an [`OrgName`], for statements that join it.
pub(crate) const NAME_COLUMNS: [&str; 4] = ["id", "name", "uuid", "local"];

pub(crate) fn read_name(row: &Row<'_>, at: usize) -> Result<OrgName> {
    Ok(OrgName {
        id: row.int(at)?,
        name: row.string(at + 1)?,
        uuid: row.uuid(at + 2)?,
        local: row.flag(at + 3)?,
    })
}

pub(crate) fn read(row: &Row<'_>) -> Result<Org> {
    Ok(Org {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        name: row.string(2)?,
        description: row.opt_string(3)?,
        kind: row.string(4)?,
        nationality: row.string(5)?,
        sector: row.string(6)?,
        contacts: row.opt_string(7)?,
        local: row.flag(8)?,
        restricted_to_domain: list::words(row.text(9)?),
        landingpage: row.opt_string(10)?,
        created_by: row.int(11)?,
        date_created: row.int(12)?,
        date_modified: row.int(13)?,
    })
}

/// Overwrites what the draft names.
fn apply(org: &mut Org, draft: &OrgDraft) {
    fn set<T: Clone>(field: &mut T, new: &Option<T>) {
        if let Some(value) = new {
            field.clone_from(value);
        }
    }
    fn set_optional<T: Clone>(field: &mut Option<T>, new: &Option<T>) {
        if new.is_some() {
            field.clone_from(new);
        }
    }
    set(&mut org.name, &draft.name.as_deref().map(|n| n.trim().to_owned()));
    set(&mut org.kind, &draft.kind);
    set(&mut org.nationality, &draft.nationality);
    set(&mut org.sector, &draft.sector);
    set(&mut org.local, &draft.local);
    set(&mut org.restricted_to_domain, &draft.restricted_to_domain);
    set_optional(&mut org.description, &draft.description);
    set_optional(&mut org.contacts, &draft.contacts);
    set_optional(&mut org.landingpage, &draft.landingpage);
}

/// What changed of an organisation, against what it was.
fn note_org(change: &mut Change, old: Option<&Org>, new: &Org) {
    type Of = fn(&Org) -> String;
    let fields: [(&str, Of); 10] = [
        ("uuid", |o| o.uuid.to_string()),
        ("name", |o| o.name.clone()),
        ("description", |o| o.description.clone().unwrap_or_default()),
        ("type", |o| o.kind.clone()),
        ("nationality", |o| o.nationality.clone()),
        ("sector", |o| o.sector.clone()),
        ("contacts", |o| o.contacts.clone().unwrap_or_default()),
        ("local", |o| o.local.to_string()),
        ("restricted_to_domain", |o| o.restricted_to_domain.join(", ")),
        ("landingpage", |o| o.landingpage.clone().unwrap_or_default()),
    ];
    for (name, of) in fields {
        change.field(name, old.map(of).unwrap_or_default(), of(new));
    }
}

impl Reader<'_> {
    pub fn org(&mut self, reference: Ref) -> Result<Option<Org>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        self.conn.first(&format!("select {COLUMNS} from orgs where {column} = $1"), &[value], read)
    }

    pub fn org_by_name(&mut self, name: &str) -> Result<Option<Org>> {
        self.conn.first(&format!("select {COLUMNS} from orgs where name = $1"), &[name.into()], read)
    }

    /// Organisations by name: local ones, remote ones or all, whose texts contain `search`.
    pub fn orgs(&mut self, local: Option<bool>, search: Option<&str>) -> Result<Vec<Org>> {
        let pattern = search.map(list::containing);
        let (mut terms, mut args) = (vec!["1 = 1".to_owned()], Vec::new());
        if let Some(local) = local {
            args.push(Val::from(local));
            terms.push(format!("local = ${}", args.len()));
        }
        if let Some(pattern) = &pattern {
            args.push(Val::from(pattern));
            let like: Vec<String> = ["name", "description", "kind", "nationality", "sector", "contacts"]
                .iter()
                .map(|column| format!("pisax_fold({column}) like ${} escape '\\'", args.len()))
                .collect();
            terms.push(format!("({})", like.join(" or ")));
        }
        let sql =
            format!("select {COLUMNS} from orgs where {} order by lower(name), id", terms.join(" and "));
        self.conn.all(&sql, &args, read)
    }

    pub fn org_names(&mut self, ids: &[i64]) -> Result<FxHashMap<i64, OrgName>> {
        let lite = self.conn.is_lite();
        let names = NAME_COLUMNS.join(", ");
        let sql = format!("select {names} from orgs where {}", dialect::in_set(lite, "id", 1));
        let set = dialect::set_text(lite, ids.iter().copied());
        let found = self.conn.all(&sql, &[Val::Text(&set)], |r| read_name(r, 0))?;
        Ok(found.into_iter().map(|org| (org.id, org)).collect())
    }

    /// These organisations with all their columns.
    pub fn orgs_by_ids(&mut self, ids: &[i64]) -> Result<FxHashMap<i64, Org>> {
        let lite = self.conn.is_lite();
        let sql = format!("select {COLUMNS} from orgs where {}", dialect::in_set(lite, "id", 1));
        let set = dialect::set_text(lite, ids.iter().copied());
        let found = self.conn.all(&sql, &[Val::Text(&set)], read)?;
        Ok(found.into_iter().map(|org| (org.id, org)).collect())
    }

    pub fn org_user_count(&mut self, id: i64) -> Result<i64> {
        self.conn.number("select count(*) from users where org_id = $1", &[id.into()])
    }

    /// How many users each organisation has; those without any are absent.
    pub fn org_user_counts(&mut self) -> Result<FxHashMap<i64, i64>> {
        let sql = "select org_id, count(*) from users group by org_id";
        Ok(self.conn.all(sql, &[], |r| Ok((r.int(0)?, r.int(1)?)))?.into_iter().collect())
    }
}

impl Writer<'_> {
    pub fn add_org(&mut self, draft: &OrgDraft, uuid: Uuid, local: bool) -> Result<i64> {
        let mut org = Org {
            id: 0,
            uuid,
            name: String::new(),
            description: None,
            kind: String::new(),
            nationality: String::new(),
            sector: String::new(),
            contacts: None,
            local,
            restricted_to_domain: Vec::new(),
            landingpage: None,
            created_by: self.actor.user_id,
            date_created: self.now(),
            date_modified: self.now(),
        };
        apply(&mut org, draft);
        org.local = local;
        self.refuse_taken_org(&org)?;
        org.id = dialect::allocate(&mut self.conn, "orgs", 1)?[0];
        let sql = format!("insert into orgs ({COLUMNS}) values {}", list::places(1, 14));
        self.conn
            .execute(
                &sql,
                &[
                    org.id.into(),
                    (&org.uuid).into(),
                    (&org.name).into(),
                    org.description.as_deref().into(),
                    (&org.kind).into(),
                    (&org.nationality).into(),
                    (&org.sector).into(),
                    org.contacts.as_deref().into(),
                    org.local.into(),
                    (&list::lines(&org.restricted_to_domain)).into(),
                    org.landingpage.as_deref().into(),
                    org.created_by.into(),
                    org.date_created.into(),
                    org.date_modified.into(),
                ],
            )
            .map_err(|e| e.conflict_on("name"))?;
        note_org(self.changed(Noun::Org, Action::Add, org.uuid, 0).of(org.id, &org.name), None, &org);
        Ok(org.id)
    }

    /// Changes what the draft names; the rest stays.
    pub fn edit_org(&mut self, id: i64, draft: &OrgDraft) -> Result<()> {
        let old = self.org(Ref::Id(id))?.ok_or(Error::NotFound("organisation"))?;
        let mut org = old.clone();
        apply(&mut org, draft);
        if let Some(uuid) = draft.uuid {
            org.uuid = uuid;
        }
        self.refuse_taken_org(&org)?;
        let now = self.now();
        let sql = "update orgs set uuid = $2, name = $3, description = $4, kind = $5, nationality = $6, sector = $7, \
                   contacts = $8, local = $9, restricted_to_domain = $10, landingpage = $11, date_modified = $12 \
                   where id = $1";
        self.conn
            .execute(
                sql,
                &[
                    id.into(),
                    (&org.uuid).into(),
                    (&org.name).into(),
                    org.description.as_deref().into(),
                    (&org.kind).into(),
                    (&org.nationality).into(),
                    (&org.sector).into(),
                    org.contacts.as_deref().into(),
                    org.local.into(),
                    (&list::lines(&org.restricted_to_domain)).into(),
                    org.landingpage.as_deref().into(),
                    now.into(),
                ],
            )
            .map_err(|e| e.conflict_on("name"))?;
        note_org(self.changed(Noun::Org, Action::Edit, org.uuid, 0).of(id, &org.name), Some(&old), &org);
        Ok(())
    }

    fn refuse_taken_org(&mut self, org: &Org) -> Result<()> {
        for (column, field, value) in
            [("name", "name", Val::from(&org.name)), ("uuid", "uuid", (&org.uuid).into())]
        {
            let sql = format!("select id from orgs where {column} = $1 and id <> $2");
            if self.conn.first(&sql, &[value, org.id.into()], |r| r.int(0))?.is_some() {
                return Err(Error::Conflict(field));
            }
        }
        Ok(())
    }

    /// Removes an organisation that has neither users nor events; it leaves the sharing groups it was in.
    pub fn delete_org(&mut self, id: i64) -> Result<()> {
        let sql = format!("select id from orgs where id = $1{}", dialect::for_update(self.conn.is_lite()));
        self.conn.first(&sql, &[id.into()], |r| r.int(0))?;
        let org = self.org(Ref::Id(id))?.ok_or(Error::NotFound("organisation"))?;
        for (sql, what) in [
            ("select 1 from users where org_id = $1 limit 1", "organisation (it has users)"),
            (
                "select 1 from events where org_id = $1 or orgc_id = $1 limit 1",
                "organisation (it has events)",
            ),
            (
                "select 1 from analyst_data where org_id = $1 or orgc_id = $1 limit 1",
                "organisation (it has analyst data)",
            ),
            (
                "select 1 from clusters where custom = 1 and (org_id = $1 or orgc_id = $1) limit 1",
                "organisation (it has galaxy clusters)",
            ),
            (
                "select 1 from servers where org_id = $1 or remote_org_id = $1 limit 1",
                "organisation (servers are connected for it)",
            ),
            (
                "select 1 from collections where org_id = $1 or orgc_id = $1 limit 1",
                "organisation (it has collections)",
            ),
            // Without it nobody could attach or see them, and to open them to all is not ours to decide.
            ("select 1 from tags where org_id = $1 limit 1", "organisation (tags are kept for it)"),
            (
                "select 1 from dashboards where restrict_to_org_id = $1 limit 1",
                "organisation (dashboards are kept for it)",
            ),
        ] {
            if self.conn.number(sql, &[id.into()])? != 0 {
                return Err(Error::Conflict(what));
            }
        }
        self.conn.execute("delete from sharing_group_orgs where org_id = $1", &[id.into()])?;
        self.conn.execute(
            "delete from event_delegations where org_id = $1 or requester_org_id = $1",
            &[id.into()],
        )?;
        self.conn.execute("delete from event_graphs where org_id = $1", &[id.into()])?;
        self.conn.execute(
            "delete from tag_collection_tags where collection_id in (select id from tag_collections where org_id = $1)",
            &[id.into()],
        )?;
        self.conn.execute("delete from tag_collections where org_id = $1", &[id.into()])?;
        // Others may score with its models: they stay, and are nobody's.
        self.conn.execute("update decaying_models set org_id = 0 where org_id = $1", &[id.into()])?;
        self.conn.execute("update feeds set orgc_id = 0 where orgc_id = $1", &[id.into()])?;
        self.conn.execute("delete from blueprints where org_id = $1", &[id.into()])?;
        self.conn.execute("delete from orgs where id = $1", &[id.into()])?;
        self.changed(Noun::Org, Action::Delete, org.uuid, 0).of(id, &org.name);
        Ok(())
    }

    /// The organisation a client or peer means: by uuid, else by row number, else by name. One that is not
    /// known and comes with uuid and name is added as not local. A name that another uuid holds already gets the
    /// first half of the new uuid appended, as MISP appends a random number.
    pub fn capture_org(&mut self, reference: &OrgRef) -> Result<Option<i64>> {
        let name = reference.name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        let Some(uuid) = reference.uuid else {
            if let Some(id) = reference.id
                && let Some(org) = self.org(Ref::Id(id))?
            {
                return Ok(Some(org.id));
            }
            return match name {
                Some(name) => Ok(self.org_by_name(name)?.map(|org| org.id)),
                None => Ok(None),
            };
        };
        if let Some(org) = self.org(Ref::Uuid(uuid))? {
            return Ok(Some(org.id));
        }
        let Some(name) = name else { return Ok(None) };
        let name = match self.org_by_name(name)? {
            None => name.to_owned(),
            Some(_) => format!("{name}_{}", &uuid.simple().to_string()[..16]),
        };
        let (created_by, now) = (self.actor.user_id, self.now());
        let id = dialect::allocate(&mut self.conn, "orgs", 1)?[0];
        // Another transaction may be capturing the same organisation.
        let sql = "insert into orgs (id, uuid, name, kind, nationality, sector, local, restricted_to_domain, \
                   created_by, date_created, date_modified) values ($1, $2, $3, '', '', '', 0, '', $4, $5, $5) \
                   on conflict do nothing";
        let added = self
            .conn
            .execute(sql, &[id.into(), (&uuid).into(), (&name).into(), created_by.into(), now.into()])?;
        if added > 0 {
            self.changed(Noun::Org, Action::Add, uuid, 0).of(id, &name);
        }
        Ok(self.org(Ref::Uuid(uuid))?.map(|org| org.id))
    }
}
