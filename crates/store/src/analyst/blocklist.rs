//! Analyst data that was deleted here or must not come.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::analyst::BlockedAnalystData;
use pisax_model::ids::Ref;
use rustc_hash::FxHashSet;

const COLUMNS: &str = "id, analyst_data_uuid, created, analyst_data_info, analyst_data_orgc, comment";

fn read(row: &Row<'_>) -> Result<BlockedAnalystData> {
    Ok(BlockedAnalystData {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        created: row.int(2)?,
        info: row.string(3)?,
        orgc: row.string(4)?,
        comment: row.string(5)?,
    })
}

impl Reader<'_> {
    /// All entries, newest first.
    pub fn analyst_blocklist(&mut self) -> Result<Vec<BlockedAnalystData>> {
        self.conn.all(&format!("select {COLUMNS} from analyst_data_blocklist order by id desc"), &[], read)
    }

    /// The entry by its own number or the uuid of the data.
    pub fn blocked_analyst_data(&mut self, reference: Ref) -> Result<Option<BlockedAnalystData>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("analyst_data_uuid", uuid.into()),
        };
        let sql = format!("select {COLUMNS} from analyst_data_blocklist where {column} = $1");
        self.conn.first(&sql, &[value], read)
    }

    /// Which of these uuids are blocked.
    pub fn blocked_analyst_data_among(&mut self, uuids: &[Uuid]) -> Result<FxHashSet<Uuid>> {
        let values: Vec<Val<'_>> = uuids.iter().map(Val::from).collect();
        let mut blocked = FxHashSet::default();
        for (places, args) in list::chunks(&values) {
            let sql = format!(
                "select analyst_data_uuid from analyst_data_blocklist where analyst_data_uuid in {places}"
            );
            self.conn.each(&sql, &args, |r| {
                blocked.insert(r.uuid(0)?);
                Ok(())
            })?;
        }
        Ok(blocked)
    }
}

impl Writer<'_> {
    /// Blocks analyst data; blocking it again keeps the first entry. Returns whether it is new.
    pub fn block_analyst_data(&mut self, uuid: Uuid, info: &str, orgc: &str, comment: &str) -> Result<bool> {
        let id = dialect::allocate(&mut self.conn, "analyst_data_blocklist", 1)?[0];
        let now = self.now();
        let sql = format!(
            "insert into analyst_data_blocklist ({COLUMNS}) values {} on conflict (analyst_data_uuid) do nothing",
            list::places(1, 6)
        );
        let args = [id.into(), (&uuid).into(), now.into(), info.into(), orgc.into(), comment.into()];
        let new = self.conn.execute(&sql, &args)? > 0;
        if new {
            self.changed(Noun::Blocklist, Action::Add, uuid, 0).of(id, info);
        }
        Ok(new)
    }

    /// Writes what is noted beside an entry.
    pub fn edit_blocked_analyst_data(
        &mut self,
        old: &BlockedAnalystData,
        new: &BlockedAnalystData,
    ) -> Result<()> {
        let sql = "update analyst_data_blocklist set analyst_data_info = $2, analyst_data_orgc = $3, comment = $4 \
                   where id = $1";
        let args = [old.id.into(), (&new.info).into(), (&new.orgc).into(), (&new.comment).into()];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Blocklist, Action::Edit, old.uuid, 0)
            .of(old.id, &new.info)
            .field("analyst_data_info", &old.info, &new.info)
            .field("analyst_data_orgc", &old.orgc, &new.orgc)
            .field("comment", &old.comment, &new.comment);
        Ok(())
    }

    /// Takes an entry off the list.
    pub fn unblock_analyst_data(&mut self, entry: &BlockedAnalystData) -> Result<()> {
        self.conn.execute("delete from analyst_data_blocklist where id = $1", &[entry.id.into()])?;
        self.changed(Noun::Blocklist, Action::Delete, entry.uuid, 0).of(entry.id, &entry.info);
        Ok(())
    }
}
