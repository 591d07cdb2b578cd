//! Keys that may sign a protected event; who sees the event sees them.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::cryptographic_key::CryptographicKey;
use pisax_model::ids::Ref;

const COLUMNS: [&str; 7] = ["id", "uuid", "event_id", "timestamp", "key_data", "fingerprint", "revoked"];

fn read(row: &Row<'_>) -> Result<CryptographicKey> {
    Ok(CryptographicKey {
        id: row.int(0)?,
        uuid: row.uuid(1)?,
        event_id: row.int(2)?,
        timestamp: row.int(3)?,
        key_data: row.string(4)?,
        fingerprint: row.string(5)?,
        revoked: row.flag(6)?,
    })
}

impl Reader<'_> {
    /// The keys of an event the caller has looked up.
    pub fn keys_of_event(&mut self, event_id: i64) -> Result<Vec<CryptographicKey>> {
        let (columns, sees) = (list::columns("k", &COLUMNS), self.sees_event("e"));
        let sql = format!(
            "select {columns} from cryptographic_keys k join events e on e.id = k.event_id \
             where k.event_id = $1 and {sees} order by k.id"
        );
        self.conn.all(&sql, &[event_id.into()], read)
    }

    pub fn cryptographic_key(&mut self, reference: Ref) -> Result<Option<CryptographicKey>> {
        let (column, value) = match &reference {
            Ref::Id(id) => ("id", Val::Int(*id)),
            Ref::Uuid(uuid) => ("uuid", uuid.into()),
        };
        let (columns, sees) = (list::columns("k", &COLUMNS), self.sees_event("e"));
        let sql = format!(
            "select {columns} from cryptographic_keys k join events e on e.id = k.event_id \
             where k.{column} = $1 and {sees}"
        );
        self.conn.first(&sql, &[value], read)
    }
}

impl Writer<'_> {
    /// Adds a key to an event got for editing; its number is given here.
    pub fn add_cryptographic_key(&mut self, key: &CryptographicKey) -> Result<i64> {
        let sql = "select count(*) from cryptographic_keys where event_id = $1 and fingerprint = $2";
        if self.conn.number(sql, &[key.event_id.into(), (&key.fingerprint).into()])? > 0 {
            return Err(Error::Conflict("key_data"));
        }
        let id = dialect::allocate(&mut self.conn, "cryptographic_keys", 1)?[0];
        let sql = format!(
            "insert into cryptographic_keys ({}) values {}",
            COLUMNS.join(", "),
            list::places(1, COLUMNS.len())
        );
        let args = [
            id.into(),
            (&key.uuid).into(),
            key.event_id.into(),
            key.timestamp.into(),
            (&key.key_data).into(),
            (&key.fingerprint).into(),
            key.revoked.into(),
        ];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("uuid"))?;
        self.changed(Noun::CryptographicKey, Action::Add, key.uuid, key.event_id).of(id, &key.fingerprint);
        Ok(id)
    }

    /// A revoked key signs nothing any more, and stays to say so.
    pub fn revoke_cryptographic_key(&mut self, key: &CryptographicKey) -> Result<()> {
        let now = self.now();
        let sql = "update cryptographic_keys set revoked = 1, timestamp = $2 where id = $1";
        self.conn.execute(sql, &[key.id.into(), now.into()])?;
        self.changed(Noun::CryptographicKey, Action::Edit, key.uuid, key.event_id)
            .of(key.id, &key.fingerprint)
            .field("revoked", key.revoked, true);
        Ok(())
    }

    pub fn delete_cryptographic_key(&mut self, key: &CryptographicKey) -> Result<()> {
        self.conn.execute("delete from cryptographic_keys where id = $1", &[key.id.into()])?;
        self.changed(Noun::CryptographicKey, Action::Delete, key.uuid, key.event_id)
            .of(key.id, &key.fingerprint);
        Ok(())
    }
}
