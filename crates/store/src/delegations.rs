//! Delegations: requests to take an event over. While one is pending its recipient sees the event
//! (`predicate.rs`), where the setting allows delegating.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::delegation::{DelegatedEvent, Delegation, Party};
use pisax_model::event::Event;

/// Whose requests are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// To the actor's organisation.
    Pending,
    /// By the actor's organisation.
    Issued,
}

const SELECT: &str = "select d.id, d.org_id, d.requester_org_id, d.event_id, d.message, d.distribution, \
 d.sharing_group_id, g.name, g.uuid, q.name, q.uuid, e.uuid, e.info, e.date, e.analysis, e.threat_level_id, \
 e.distribution, e.attribute_count from event_delegations d join events e on e.id = d.event_id \
 left join orgs g on g.id = d.org_id left join orgs q on q.id = d.requester_org_id";

fn read(row: &Row<'_>) -> Result<Delegation> {
    let party = |at: usize| -> Result<Party> {
        Ok(Party {
            name: row.opt_string(at)?.unwrap_or_default(),
            uuid: row.opt_uuid(at + 1)?.unwrap_or_default(),
        })
    };
    Ok(Delegation {
        id: row.int(0)?,
        org_id: row.int(1)?,
        requester_org_id: row.int(2)?,
        event_id: row.int(3)?,
        message: row.string(4)?,
        distribution: row.int(5)?,
        sharing_group_id: row.int(6)?,
        org: party(7)?,
        requester: party(9)?,
        event: DelegatedEvent {
            uuid: row.uuid(11)?,
            info: row.string(12)?,
            date: row.string(13)?,
            analysis: row.int(14)?,
            threat_level_id: row.int(15)?,
            distribution: row.int(16)?,
            attribute_count: row.int(17)?,
        },
    })
}

impl Reader<'_> {
    /// A request is for the two organisations it is between, and for site admins.
    fn sees_delegation(&self) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        format!("{} in (d.org_id, d.requester_org_id)", self.actor.org_id)
    }

    pub fn delegation(&mut self, id: i64) -> Result<Option<Delegation>> {
        let sql = format!("{SELECT} where d.id = $1 and {}", self.sees_delegation());
        self.conn.first(&sql, &[id.into()], read)
    }

    /// The pending request about an event the actor sees, whoever issued it.
    pub fn delegation_of(&mut self, event: &Event) -> Result<Option<Delegation>> {
        self.conn.first(&format!("{SELECT} where d.event_id = $1"), &[event.id.into()], read)
    }

    /// Requests to or by the actor's organisation, newest first; `text` in the message, the event's info or an
    /// organisation's name.
    pub fn delegations(&mut self, which: Requests, text: Option<&str>) -> Result<Vec<Delegation>> {
        let column = match which {
            Requests::Pending => "d.org_id",
            Requests::Issued => "d.requester_org_id",
        };
        let org = self.actor.org_id;
        let Some(text) = text else {
            let sql = format!("{SELECT} where {column} = {org} order by d.id desc");
            return self.conn.all(&sql, &[], read);
        };
        let like = |column: &str| format!("pisax_fold({column}) like $1 escape '\\'");
        let said = ["d.message", "e.info", "g.name", "q.name"].map(like).join(" or ");
        let sql = format!("{SELECT} where {column} = {org} and ({said}) order by d.id desc");
        self.conn.all(&sql, &[(&list::containing(text)).into()], read)
    }
}

impl Writer<'_> {
    /// Keeps a request about an event got for edit; returns its row number.
    pub fn add_delegation(
        &mut self,
        event: &Event,
        org_id: i64,
        message: &str,
        distribution: i64,
        sharing_group_id: i64,
    ) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "event_delegations", 1)?[0];
        let requester = self.actor.org_id;
        let sql = format!(
            "insert into event_delegations (id, org_id, requester_org_id, event_id, message, distribution, \
             sharing_group_id) values {}",
            list::places(1, 7)
        );
        let args = [
            id.into(),
            org_id.into(),
            requester.into(),
            event.id.into(),
            message.into(),
            distribution.into(),
            sharing_group_id.into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::Delegation, Action::Add, event.uuid, event.id)
            .of(id, &event.info)
            .field("org_id", "", org_id)
            .field("distribution", "", distribution);
        Ok(id)
    }

    /// Takes a request away: `Accept` or `Delete`.
    pub fn end_delegation(&mut self, delegation: &Delegation, action: Action) -> Result<()> {
        self.conn.execute("delete from event_delegations where id = $1", &[delegation.id.into()])?;
        self.changed(Noun::Delegation, action, delegation.event.uuid, delegation.event_id)
            .of(delegation.id, &delegation.event.info);
        Ok(())
    }

    /// Makes an organisation owner and creator of an event, one of its users the event's user.
    pub fn transfer_event(&mut self, event: &Event, org_id: i64, user_id: i64) -> Result<()> {
        let sql = "update events set org_id = $2, orgc_id = $2, user_id = $3 where id = $1";
        self.conn.execute(sql, &[event.id.into(), org_id.into(), user_id.into()])?;
        self.changed(Noun::Event, Action::Edit, event.uuid, event.id)
            .of(event.id, &event.info)
            .field("org_id", event.org_id, org_id)
            .field("orgc_id", event.orgc_id, org_id);
        Ok(())
    }
}
