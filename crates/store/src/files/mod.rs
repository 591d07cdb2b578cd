//! Bytes outside the database: a folder, or a bucket of an S3-compatible service.
//!
//! All or nothing holds without a transaction over both: bytes get a name that was never used before and are
//! durable before the row that names them is committed; a row that goes leaves its bytes to the sweep. So no
//! committed row ever names bytes that are not there, and what no row names is removed an hour later at the
//! earliest: longer than any write or backup under way needs it.

mod folder;
mod s3;

use crate::attributes::FROM;
use crate::conn::{Conn, Val};
use crate::{Error, Reader, Result, Store, Writer};
use pisax_access::Actor;
use pisax_model::content::{Content, Kept};
use pisax_model::{Clock, time};
pub use s3::{Bucket, Credentials};
use std::path::PathBuf;
use std::sync::Arc;

/// How old bytes without a row have to be before they are removed, in seconds.
const GRACE: i64 = 3600;

/// Names looked at with one statement of the sweep.
const PAGE: usize = 1000;

/// Where an installation keeps the bytes of attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the database, beside their rows.
    Database,
    Folder(PathBuf),
    Bucket(Bucket),
}

impl Place {
    /// Reads `database`, `dir:PATH` or `s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "database" => Ok(Self::Database),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("s3", _)) => Bucket::parse(text).map(Self::Bucket).map_err(unusable),
            _ => Err(unusable(format!("'{text}' is neither database, dir:PATH nor s3://BUCKET"))),
        }
    }
}

fn unusable(why: impl std::fmt::Display) -> Error {
    Error::Files(format!("attachments: {why}"))
}

/// Why bytes could not be had.
#[derive(Debug)]
enum Trouble {
    /// They are not there.
    Missing,
    Failed(String),
}

impl From<std::io::Error> for Trouble {
    fn from(e: std::io::Error) -> Self {
        match e.kind() {
            std::io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Failed(e.to_string()),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("not there"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// What is kept under a name, and since when (Unix seconds).
struct Listed {
    name: String,
    since: i64,
}

/// The place, ready for use.
#[derive(Default)]
pub struct Files(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Database,
    Folder(folder::Folder),
    Bucket(Box<s3::Client>),
}

impl Files {
    /// Looks at nothing yet: a command that has no use for attachments needs no place for them.
    pub fn open(place: &Place, credentials: Option<Credentials>, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self(match place {
            Place::Database => Kind::Database,
            Place::Folder(path) => Kind::Folder(folder::Folder::new(path)),
            Place::Bucket(bucket) => {
                let credentials = credentials.ok_or_else(|| {
                    unusable("a bucket needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
                })?;
                Kind::Bucket(Box::new(s3::Client::new(bucket.clone(), credentials, clock)))
            }
        }))
    }

    fn outside(&self) -> bool {
        !matches!(self.0, Kind::Database)
    }

    /// Durable when it returns.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        match &self.0 {
            Kind::Database => Err(Trouble::Missing),
            Kind::Folder(folder) => folder.put(name, bytes),
            Kind::Bucket(bucket) => bucket.put(name, bytes),
        }
    }

    /// At most `limit` bytes.
    fn get(&self, name: &str, limit: u64) -> Result<Vec<u8>, Trouble> {
        match &self.0 {
            Kind::Database => Err(Trouble::Missing),
            Kind::Folder(folder) => folder.get(name, limit),
            Kind::Bucket(bucket) => bucket.get(name, limit),
        }
    }

    fn delete(&self, name: &str) -> Result<(), Trouble> {
        match &self.0 {
            Kind::Database => Ok(()),
            Kind::Folder(folder) => folder.delete(name),
            Kind::Bucket(bucket) => bucket.delete(name),
        }
    }

    /// Everything there is, page by page.
    fn each_page(&self, f: &mut dyn FnMut(&[Listed]) -> Result<()>) -> Result<()> {
        match &self.0 {
            Kind::Database => Ok(()),
            Kind::Folder(folder) => folder.each_page(f),
            Kind::Bucket(bucket) => bucket.each_page(f),
        }
    }

    /// Keeps bytes under a new name; `None`: they belong in the database.
    fn keep(&self, bytes: &[u8]) -> Result<Option<Kept>> {
        if !self.outside() {
            return Ok(None);
        }
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|_| Error::Damaged("no random source"))?;
        let name = format!("{:032x}", u128::from_be_bytes(random));
        self.put(&name, bytes).map_err(unusable)?;
        Ok(Some(Kept { name, size: bytes.len() as i64, digest: digest(bytes) }))
    }

    /// The bytes, if they are there and what they were. An outage is an error; what is lost for good is said in
    /// the log and must not make everything around it unreadable.
    fn fetch(&self, kept: &Kept) -> Result<Option<Vec<u8>>> {
        let lost =
            |why: &dyn std::fmt::Display| tracing::error!(name = kept.name, %why, "an attachment is lost");
        match self.get(&kept.name, u64::try_from(kept.size).unwrap_or(0) + 1) {
            Ok(bytes) if digest(&bytes) == kept.digest => Ok(Some(bytes)),
            Ok(_) => {
                lost(&"its bytes are not what they were");
                Ok(None)
            }
            Err(Trouble::Missing) => {
                lost(&Trouble::Missing);
                Ok(None)
            }
            Err(Trouble::Failed(why)) => Err(unusable(why)),
        }
    }
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    blake3::hash(bytes).as_bytes().to_vec()
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub kept: usize,
    pub removed: usize,
}

impl Store {
    /// The same database with another place for the bytes of attachments than its own tables.
    pub fn with_files(self, files: Files) -> Self {
        Self { files: Arc::new(files), ..self }
    }

    /// Keeps bytes outside the database, durable when it returns, for a row that will name them; `None` where
    /// they belong in the database.
    pub fn keep(&self, bytes: &[u8]) -> Result<Option<Kept>> {
        self.files.keep(bytes)
    }

    /// Removes bytes that no row names and none will.
    pub fn discard(&self, kept: &Kept) -> Result<()> {
        self.files.delete(&kept.name).map_err(unusable)
    }

    /// Removes bytes that no row has named for an hour: those of rows that went, and those whose row never came.
    pub fn sweep_files(&self, now_ms: i64) -> Result<Swept> {
        let actor = Actor::system("remove attached bytes that nothing names");
        let mut swept = Swept::default();
        let until = now_ms / 1000 - GRACE;
        loop {
            let names = self.read(&actor, |r| r.discarded_files(until))?;
            if names.is_empty() {
                break;
            }
            for name in &names {
                self.files.delete(name).map_err(unusable)?;
            }
            self.write(&actor, now_ms, |w| w.forget_discarded(&names))?;
            swept.removed += names.len();
        }
        self.files.each_page(&mut |page| {
            for some in page.chunks(PAGE) {
                let named = self.read(&actor, |r| r.named_files(some.iter().map(|l| l.name.as_str())))?;
                for one in some {
                    if one.since > until || named.contains(&one.name) {
                        swept.kept += 1;
                    } else {
                        self.files.delete(&one.name).map_err(unusable)?;
                        swept.removed += 1;
                    }
                }
            }
            Ok(())
        })?;
        Ok(swept)
    }

    /// What is wrong with the bytes outside the database, in words; reads all of them.
    pub(crate) fn check_files(&self, complain: &mut dyn FnMut(String)) -> Result<()> {
        let actor = Actor::system("check attached bytes");
        let mut after = 0;
        loop {
            let rows = self.read(&actor, |r| files_after(&mut r.conn, after, 100))?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = *last;
            for (attribute, kept) in rows {
                if self.files.fetch(&kept)?.is_none() {
                    complain(format!("the bytes of attribute {attribute} are lost: {}", kept.name));
                }
            }
        }
    }

    /// Makes the folder for attachments, where there is to be one, or says why it cannot be.
    pub fn make_files_folder(&self) -> Result<()> {
        match &self.files.0 {
            Kind::Folder(folder) => folder.make().map_err(unusable),
            Kind::Database | Kind::Bucket(_) => Ok(()),
        }
    }

    pub(crate) fn keeps_files_outside(&self) -> bool {
        self.files.outside()
    }

    /// Puts the bytes that a copy of this database names into the copy.
    pub(crate) fn bring_home(&self, copy: &mut Conn<'_>) -> Result<()> {
        copy.execute("begin", &[])?;
        copy.execute("delete from discarded_files", &[])?;
        let mut after = 0;
        loop {
            let rows = files_after(copy, after, 100)?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            for (attribute, kept) in rows {
                // One that is lost stays named: a check after the restore tells of it.
                let Some(bytes) = self.files.fetch(&kept)? else { continue };
                let args = [attribute.into(), bytes[..].into()];
                copy.execute("insert into attachments (attribute_id, bytes) values ($1, $2)", &args)?;
                copy.execute("delete from attachment_files where attribute_id = $1", &[attribute.into()])?;
            }
        }
        copy.execute("commit", &[])?;
        Ok(())
    }

    /// Brings bytes into this installation's place: those in the database, and those that `from`, where it kept
    /// them before, still has. Gives how many.
    pub fn move_files(&self, from: &Files, now_ms: i64) -> Result<usize> {
        let actor = Actor::system("move attached bytes");
        let mut moved = 0;
        let mut after = 0;
        while let Some((attribute, bytes)) = self.read(&actor, |r| bytes_after(&mut r.conn, after))? {
            after = attribute;
            let Some(kept) = self.keep(&bytes)? else { break };
            self.write(&actor, now_ms, |w| w.put_attachment(attribute, &Content::Kept(kept)))?;
            moved += 1;
        }
        after = 0;
        loop {
            let rows = self.read(&actor, |r| files_after(&mut r.conn, after, 100))?;
            let Some((last, _)) = rows.last() else { return Ok(moved) };
            after = *last;
            for (attribute, kept) in rows {
                let Some(bytes) = from.fetch(&kept)? else { continue };
                match self.files.outside() {
                    true => self.files.put(&kept.name, &bytes).map_err(unusable)?,
                    false => {
                        let content = Content::Bytes(bytes);
                        self.write(&actor, now_ms, |w| w.put_attachment(attribute, &content))?;
                    }
                }
                moved += 1;
            }
        }
    }
}

/// What is attached to an attribute.
#[derive(Clone)]
pub enum Attachment {
    /// It is kept in the database.
    Here(Vec<u8>),
    Elsewhere(Elsewhere),
}

/// Bytes outside the database, for whoever saw the row that names them. A bucket may take its time, so they are
/// fetched when no snapshot is held any more; the sweep leaves them there for an hour after their row went.
#[derive(Clone)]
pub struct Elsewhere {
    kept: Kept,
    files: Arc<Files>,
}

impl Attachment {
    /// Fetches it, where it is not here already; `None` where it is lost.
    pub fn bytes(self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Here(bytes) => Ok(Some(bytes)),
            Self::Elsewhere(elsewhere) => elsewhere.bytes(),
        }
    }
}

impl Elsewhere {
    /// Fetches it; `None` where it is lost.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>> {
        self.files.fetch(&self.kept)
    }
}

impl Reader<'_> {
    /// What is attached to a visible attribute.
    pub fn attachment(&mut self, attribute_id: i64) -> Result<Option<Attachment>> {
        let (sees, buried) = (self.sees_attribute("e", "o", "a"), self.sees_tombstone("e", "a"));
        let sql = format!(
            "select b.bytes, f.name, f.size, f.digest from {FROM} left join attachments b on b.attribute_id = a.id \
             left join attachment_files f on f.attribute_id = a.id where a.id = $1 and {sees} and {buried}"
        );
        let files = self.files;
        let found = self.conn.first(&sql, &[attribute_id.into()], |r| {
            Ok(match (r.opt_blob(0)?, r.opt_text(1)?, r.opt_int(2)?, r.opt_blob(3)?) {
                (Some(bytes), ..) => Some(Attachment::Here(bytes.to_vec())),
                (None, Some(name), Some(size), Some(digest)) => {
                    let kept = Kept { name: name.to_owned(), size, digest: digest.to_vec() };
                    Some(Attachment::Elsewhere(Elsewhere { kept, files: Arc::clone(files) }))
                }
                _ => None,
            })
        })?;
        Ok(found.flatten())
    }

    /// What is attached to the living attributes of an event outside the database, as far as the actor sees them.
    pub fn elsewhere_of_event(&mut self, event_id: i64) -> Result<Vec<(i64, Elsewhere)>> {
        let sees = self.sees_attribute("e", "o", "a");
        let sql = format!(
            "select a.id, f.name, f.size, f.digest from {FROM} join attachment_files f on f.attribute_id = a.id \
             where a.event_id = $1 and a.deleted = 0 and {sees} order by a.id"
        );
        let files = self.files;
        self.conn.all(&sql, &[event_id.into()], |r| {
            let kept = Kept { name: r.string(1)?, size: r.int(2)?, digest: r.blob(3)?.to_vec() };
            Ok((r.int(0)?, Elsewhere { kept, files: Arc::clone(files) }))
        })
    }

    fn named_files<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<rustc_hash::FxHashSet<String>> {
        let names: Vec<&str> = names.collect();
        let mut found = rustc_hash::FxHashSet::default();
        for some in names.chunks(250) {
            let marks: Vec<String> = (1..=some.len()).map(|i| format!("${i}")).collect();
            let marks = marks.join(",");
            let sql = format!(
                "select name from attachment_files where name in ({marks}) \
                 union all select name from discarded_files where name in ({marks})"
            );
            let args: Vec<Val<'_>> = some.iter().map(|name| Val::Text(name)).collect();
            self.conn.each(&sql, &args, |r| {
                found.insert(r.string(0)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    fn discarded_files(&mut self, until: i64) -> Result<Vec<String>> {
        let sql = "select name from discarded_files where at <= $1 order by at limit $2";
        self.conn.all(sql, &[until.into(), (PAGE as i64).into()], |r| r.string(0))
    }
}

fn files_after(conn: &mut Conn<'_>, after: i64, limit: i64) -> Result<Vec<(i64, Kept)>> {
    let sql = "select attribute_id, name, size, digest from attachment_files where attribute_id > $1 \
               order by attribute_id limit $2";
    conn.all(sql, &[after.into(), limit.into()], |r| {
        Ok((r.int(0)?, Kept { name: r.string(1)?, size: r.int(2)?, digest: r.blob(3)?.to_vec() }))
    })
}

/// The first attribute after this one whose bytes are in the database.
fn bytes_after(conn: &mut Conn<'_>, after: i64) -> Result<Option<(i64, Vec<u8>)>> {
    let sql =
        "select attribute_id, bytes from attachments where attribute_id > $1 order by attribute_id limit 1";
    conn.first(sql, &[after.into()], |r| Ok((r.int(0)?, r.blob(1)?.to_vec())))
}

impl Writer<'_> {
    /// Gives an attribute its bytes, in place of those it had. Bytes that are still here are kept now.
    pub(crate) fn put_attachment(&mut self, attribute_id: i64, content: &Content) -> Result<()> {
        let kept = match content {
            Content::Kept(kept) => Some(kept.clone()),
            Content::Bytes(bytes) => self.files.keep(bytes)?,
        };
        self.drop_attachment(attribute_id)?;
        match (kept, content) {
            (Some(kept), _) => {
                let sql =
                    "insert into attachment_files (attribute_id, name, size, digest) values ($1, $2, $3, $4)";
                let args =
                    [attribute_id.into(), (&kept.name).into(), kept.size.into(), kept.digest[..].into()];
                self.conn.execute(sql, &args)?;
            }
            (None, Content::Bytes(bytes)) => {
                let sql = "insert into attachments (attribute_id, bytes) values ($1, $2)";
                self.conn.execute(sql, &[attribute_id.into(), bytes[..].into()])?;
            }
            (None, Content::Kept(_)) => {}
        }
        Ok(())
    }

    /// Takes the bytes that a backup holds to where this installation keeps them.
    pub(crate) fn send_out(&mut self, backup: &mut Conn<'_>) -> Result<()> {
        let mut after = 0;
        while let Some((attribute, bytes)) = bytes_after(backup, after)? {
            after = attribute;
            self.put_attachment(attribute, &Content::Bytes(bytes))?;
        }
        Ok(())
    }

    /// Gives an attribute the bytes of another one, where that has some: kept once more, as names are for one
    /// attribute alone. Who has kept a copy outside the database already hands it over.
    pub fn copy_attachment(&mut self, from: i64, to: i64, copy: Option<Kept>) -> Result<()> {
        if let Some(copy) = copy {
            return self.put_attachment(to, &Content::Kept(copy));
        }
        match self.attachment(from)?.map(Attachment::bytes).transpose()?.flatten() {
            Some(bytes) => self.put_attachment(to, &Content::Bytes(bytes)),
            None => Ok(()),
        }
    }

    pub(crate) fn drop_attachment(&mut self, attribute_id: i64) -> Result<()> {
        self.drop_attachments("attribute_id = $1", attribute_id)
    }

    pub(crate) fn drop_attachments_of_event(&mut self, event_id: i64) -> Result<()> {
        self.drop_attachments("attribute_id in (select id from attributes where event_id = $1)", event_id)
    }

    fn drop_attachments(&mut self, which: &str, id: i64) -> Result<()> {
        let now = self.now();
        let which_now = which.replace("$1", "$2");
        let sql = format!(
            "insert into discarded_files (name, at) select name, cast($1 as bigint) from attachment_files \
             where {which_now}"
        );
        self.conn.execute(&sql, &[now.into(), id.into()])?;
        for table in ["attachments", "attachment_files"] {
            self.conn.execute(&format!("delete from {table} where {which}"), &[id.into()])?;
        }
        Ok(())
    }

    fn forget_discarded(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            self.conn.execute("delete from discarded_files where name = $1", &[name.into()])?;
        }
        Ok(())
    }
}

/// Unix seconds of a time as S3 writes it.
fn seconds(text: &str) -> Option<i64> {
    Some(time::parse_micros(text)? / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_wrong_ones_say_what_would_be_right() {
        assert_eq!(Place::parse("database").unwrap(), Place::Database);
        assert_eq!(Place::parse("dir:/var/x").unwrap(), Place::Folder("/var/x".into()));
        let Place::Bucket(bucket) = Place::parse("s3://samples/ixp?endpoint=http://127.0.0.1:9/").unwrap()
        else {
            panic!("no bucket")
        };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("samples", "ixp/"));
        for wrong in [
            "",
            "dir:",
            "s3:",
            "s3://",
            "s3://A b",
            "s3://xyz?speed=1",
            "s3://xyz?endpoint=http://a/b",
            "s3://xyz?endpoint=http://u@a",
            "ftp://x",
            "Database",
        ] {
            let error = Place::parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("attachments: "), "{wrong}: {error}");
        }
    }
}
