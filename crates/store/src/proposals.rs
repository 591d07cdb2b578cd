//! Proposals: found with their event and attribute, kept after they are closed for those who synchronise.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::attribute::NewAttribute;
use pisax_model::content::Content;
use pisax_model::filter::Tri;
use pisax_model::ids::Ref;
use pisax_model::proposal::Proposal;
use pisax_model::{AttributeType, Category};
use rustc_hash::FxHashSet;

/// Which proposals to look for; everything empty: all that are visible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposalQuery {
    pub event_id: Option<i64>,
    pub deleted: Tri,
    /// Only those on events that the actor's organisation created.
    pub own_events: bool,
    /// Changed at or after, unix seconds.
    pub since: Option<i64>,
    /// In the value, the comment, the event's info or the proposing organisation's name.
    pub text: Option<String>,
    pub newest_first: bool,
}

/// A proposal to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProposal {
    /// Checked as an attribute is; its tags, sightings and distribution mean nothing here.
    pub attribute: NewAttribute,
    pub event_id: i64,
    /// 0: a new attribute.
    pub attribute_id: i64,
    pub org_id: i64,
    pub user_id: i64,
    pub email: String,
    pub deleted: bool,
    pub to_delete: bool,
}

const COLUMNS: &str = "p.id, p.uuid, p.event_id, e.uuid, e.org_id, e.orgc_id, p.attribute_id, a.uuid, p.kind, \
 p.category, p.value1, p.value2, p.to_ids, p.comment, p.org_id, g.name, g.uuid, p.user_id, p.email, p.timestamp, \
 p.deleted, p.to_delete, p.disable_correlation, p.first_seen, p.last_seen";

pub(crate) const FROM: &str = "proposals p join events e on e.id = p.event_id \
 left join attributes a on a.id = p.attribute_id and p.attribute_id > 0 \
 left join objects o on o.id = a.object_id and a.object_id > 0 left join orgs g on g.id = p.org_id";

fn read(row: &Row<'_>) -> Result<Proposal> {
    Ok(Proposal {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        event_id: row.int(2)?,
        event_uuid: row.uuid(3)?,
        event_org_id: row.int(4)?,
        event_orgc_id: row.int(5)?,
        attribute_id: row.int(6)?,
        attribute_uuid: row.opt_uuid(7)?,
        kind: AttributeType::from_code(row.int(8)?).ok_or(Error::Damaged("a proposal's type"))?,
        category: Category::from_code(row.int(9)?).ok_or(Error::Damaged("a proposal's category"))?,
        value1: row.string(10)?,
        value2: row.string(11)?,
        to_ids: row.flag(12)?,
        comment: row.string(13)?,
        org_id: row.int(14)?,
        org_name: row.opt_string(15)?.unwrap_or_default(),
        org_uuid: row.opt_uuid(16)?.unwrap_or_default(),
        user_id: row.int(17)?,
        email: row.string(18)?,
        timestamp: row.int(19)?,
        deleted: row.flag(20)?,
        to_delete: row.flag(21)?,
        disable_correlation: row.flag(22)?,
        first_seen: row.opt_int(23)?,
        last_seen: row.opt_int(24)?,
    })
}

impl Reader<'_> {
    fn sees_it(&self) -> String {
        self.sees_proposal("e", "o", "a", "p")
    }

    /// The proposal by its row number, or the newest open one that carries this uuid.
    pub fn proposal(&mut self, reference: Ref) -> Result<Option<Proposal>> {
        let (is, value) = crate::events::by_ref("p", &reference);
        let sql = format!(
            "select {COLUMNS} from {FROM} where {is} and {} order by p.deleted, p.id desc limit 1",
            self.sees_it()
        );
        self.conn.first(&sql, &[value], read)
    }

    /// Row numbers of all matches.
    pub fn find_proposals(&mut self, query: &ProposalQuery) -> Result<Vec<i64>> {
        let mut terms = vec![self.sees_it()];
        let mut args: Vec<Val<'_>> = Vec::new();
        if let Some(event) = query.event_id {
            args.push(event.into());
            terms.push(format!("p.event_id = ${}", args.len()));
        }
        if let Tri::Only(deleted) = query.deleted {
            terms.push(format!("p.deleted = {}", i64::from(deleted)));
        }
        if query.own_events {
            terms.push(format!("e.orgc_id = {}", self.actor.org_id));
        }
        if let Some(since) = query.since {
            args.push(since.into());
            terms.push(format!("p.timestamp >= ${}", args.len()));
        }
        let pattern = query.text.as_deref().map(list::containing);
        if let Some(pattern) = &pattern {
            args.push(pattern.into());
            let like = |column: &str| format!("pisax_fold({column}) like ${} escape '\\'", args.len());
            let columns = ["p.value1", "p.value2", "p.comment", "e.info", "g.name"];
            terms.push(format!("({})", columns.map(like).join(" or ")));
        }
        let order = if query.newest_first { "p.id desc" } else { "p.id" };
        let sql = format!("select p.id from {FROM} where {} order by {order}", terms.join(" and "));
        self.conn.all(&sql, &args, |r| r.int(0))
    }

    /// How many wait for an answer.
    pub(crate) fn open_proposals(&mut self) -> Result<i64> {
        let sql = format!("select count(*) from {FROM} where p.deleted = 0 and {}", self.sees_it());
        self.conn.number(&sql, &[])
    }

    /// The visible ones of these proposals, in the order asked for.
    pub fn proposals_by_ids(&mut self, ids: &[i64]) -> Result<Vec<Proposal>> {
        let lite = self.conn.is_lite();
        let set = dialect::in_set(lite, "p.id", 1);
        let sql = format!("select {COLUMNS} from {FROM} where {set} and {}", self.sees_it());
        let text = dialect::set_text(lite, ids.iter().copied());
        let found = self.conn.all(&sql, &[Val::Text(&text)], read)?;
        let mut by_id: rustc_hash::FxHashMap<i64, Proposal> = found.into_iter().map(|p| (p.id, p)).collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// Visible open proposals on an event.
    pub fn proposals_of_event(&mut self, event_id: i64) -> Result<Vec<Proposal>> {
        let sql = format!(
            "select {COLUMNS} from {FROM} where p.event_id = $1 and p.deleted = 0 and {} order by p.id",
            self.sees_it()
        );
        self.conn.all(&sql, &[event_id.into()], read)
    }

    /// Visible open proposals about these attributes.
    pub fn proposals_of_attributes(&mut self, attributes: &[i64]) -> Result<Vec<Proposal>> {
        let lite = self.conn.is_lite();
        let set = dialect::in_set(lite, "p.attribute_id", 1);
        let sql = format!(
            "select {COLUMNS} from {FROM} where {set} and p.attribute_id > 0 and p.deleted = 0 and {} order by p.id",
            self.sees_it()
        );
        let text = dialect::set_text(lite, attributes.iter().copied());
        self.conn.all(&sql, &[Val::Text(&text)], read)
    }

    /// Which of these attributes somebody proposes to delete or to take out of detection.
    pub fn attributes_in_doubt(&mut self, attributes: &[i64]) -> Result<FxHashSet<i64>> {
        let lite = self.conn.is_lite();
        let set = dialect::in_set(lite, "p.attribute_id", 1);
        let sql = format!(
            "select p.attribute_id from {FROM} where {set} and p.attribute_id > 0 and p.deleted = 0 \
             and (p.to_delete = 1 or p.to_ids = 0) and {}",
            self.sees_it()
        );
        let text = dialect::set_text(lite, attributes.iter().copied());
        let mut found = FxHashSet::default();
        self.conn.each(&sql, &[Val::Text(&text)], |r| {
            found.insert(r.int(0)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Bytes that came with a proposal the actor sees.
    pub fn proposal_bytes(&mut self, proposal: &Proposal) -> Result<Option<Vec<u8>>> {
        let sql = "select bytes from proposal_attachments where proposal_id = $1";
        self.conn.first(sql, &[proposal.id.into()], |r| Ok(r.blob(0)?.to_vec()))
    }

    /// A proposal on this event, open or closed, that says the same: its row number and time. For what comes
    /// from another instance, which names no row number of ours.
    pub fn same_proposal(&mut self, event_id: i64, new: &NewAttribute) -> Result<Option<(i64, i64)>> {
        let sql = "select id, timestamp from proposals where uuid = $1 and event_id = $2 and kind = $3 and category = $4 \
                   and value1 = $5 and value2 = $6 and to_ids = $7 and comment = $8 order by id desc limit 1";
        let args = [
            (&new.uuid).into(),
            event_id.into(),
            new.kind.code().into(),
            new.category.code().into(),
            (&new.value1).into(),
            (&new.value2).into(),
            new.to_ids.into(),
            (&new.comment).into(),
        ];
        self.conn.first(sql, &args, |r| Ok((r.int(0)?, r.int(1)?)))
    }
}

impl Writer<'_> {
    /// Keeps a proposal on an event the actor sees; returns its row number.
    pub fn add_proposal(&mut self, new: &NewProposal) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "proposals", 1)?[0];
        let a = &new.attribute;
        let sql = format!(
            "insert into proposals (id, uuid, event_id, attribute_id, kind, category, value1, value2, to_ids, comment, \
             org_id, user_id, email, timestamp, deleted, to_delete, disable_correlation, first_seen, last_seen) \
             values {}",
            list::places(1, 19)
        );
        let args = [
            id.into(),
            (&a.uuid).into(),
            new.event_id.into(),
            new.attribute_id.into(),
            a.kind.code().into(),
            a.category.code().into(),
            (&a.value1).into(),
            (&a.value2).into(),
            a.to_ids.into(),
            (&a.comment).into(),
            new.org_id.into(),
            new.user_id.into(),
            (&new.email).into(),
            a.timestamp.into(),
            new.deleted.into(),
            new.to_delete.into(),
            a.disable_correlation.into(),
            a.first_seen.into(),
            a.last_seen.into(),
        ];
        self.conn.execute(&sql, &args)?;
        if let Some(bytes) = a.data.as_ref().and_then(Content::bytes).filter(|_| !new.deleted) {
            let sql = "insert into proposal_attachments (proposal_id, bytes) values ($1, $2)";
            self.conn.execute(sql, &[id.into(), bytes.into()])?;
        }
        let value = pisax_model::attribute::joined(a.kind, &a.value1, &a.value2);
        self.changed(Noun::Proposal, Action::Add, a.uuid, new.event_id)
            .of(id, &value)
            .field("old_id", 0, new.attribute_id)
            .field("proposal_to_delete", false, new.to_delete);
        Ok(id)
    }

    /// Closes a proposal that was accepted or discarded; its bytes go.
    pub fn close_proposal(&mut self, proposal: &Proposal, action: Action) -> Result<()> {
        let now = self.now();
        self.conn.execute(
            "update proposals set deleted = 1, timestamp = $2 where id = $1",
            &[proposal.id.into(), now.into()],
        )?;
        self.conn
            .execute("delete from proposal_attachments where proposal_id = $1", &[proposal.id.into()])?;
        self.changed(Noun::Proposal, action, proposal.uuid, proposal.event_id)
            .of(proposal.id, &proposal.value())
            .field("deleted", proposal.deleted, true);
        Ok(())
    }

    /// Closes what is proposed about an attribute that goes.
    pub fn close_proposals_about(&mut self, attribute_id: i64) -> Result<()> {
        let now = self.now();
        self.conn.execute(
            "delete from proposal_attachments where proposal_id in \
             (select id from proposals where attribute_id = $1 and deleted = 0)",
            &[attribute_id.into()],
        )?;
        self.conn.execute(
            "update proposals set deleted = 1, timestamp = $2 where attribute_id = $1 and deleted = 0",
            &[attribute_id.into(), now.into()],
        )?;
        Ok(())
    }

    /// Removes a proposal for good: a newer one says the same.
    pub fn remove_proposal(&mut self, id: i64) -> Result<()> {
        self.conn.execute("delete from proposal_attachments where proposal_id = $1", &[id.into()])?;
        self.conn.execute("delete from proposals where id = $1", &[id.into()])?;
        Ok(())
    }

    /// Whether the event's people have been told of proposals since they last looked at one; gives whether that is
    /// new, so that they are told once.
    pub fn set_proposal_mail_lock(&mut self, event_id: i64, told: bool) -> Result<bool> {
        let sql = "update events set proposal_email_lock = $2 where id = $1 and proposal_email_lock <> $2";
        Ok(self.conn.execute(sql, &[event_id.into(), told.into()])? > 0)
    }

    /// Proposals of an attribute or event that is removed for good.
    pub(crate) fn remove_proposals(&mut self, column: &'static str, id: i64) -> Result<()> {
        self.conn.execute(
            &format!(
                "delete from proposal_attachments where proposal_id in (select id from proposals where {column} = $1)"
            ),
            &[id.into()],
        )?;
        self.conn.execute(&format!("delete from proposals where {column} = $1"), &[id.into()])?;
        Ok(())
    }
}
