//! Bookmarks: one's own, and those that others of one's organisation show.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;

/// A stored bookmark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bookmark {
    pub id: i64,
    pub user_id: i64,
    pub org_id: i64,
    pub name: String,
    pub url: String,
    pub exposed_to_org: bool,
    pub comment: String,
    /// Of its user and organisation.
    pub email: String,
    pub org_name: String,
}

fn read(row: &Row<'_>) -> Result<Bookmark> {
    Ok(Bookmark {
        id: row.int(0)?,
        user_id: row.int(1)?,
        org_id: row.int(2)?,
        name: row.string(3)?,
        url: row.string(4)?,
        exposed_to_org: row.flag(5)?,
        comment: row.string(6)?,
        email: row.string(7)?,
        org_name: row.string(8)?,
    })
}

const SELECT: &str = "select b.id, b.user_id, b.org_id, b.name, b.url, b.exposed_to_org, b.comment, u.email, o.name \
                      from bookmarks b join users u on u.id = b.user_id join orgs o on o.id = b.org_id";

impl Reader<'_> {
    fn sees_bookmark(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        let (user, org) = (self.actor.user_id, self.actor.org_id);
        format!("({alias}.user_id = {user} or ({alias}.exposed_to_org = 1 and {alias}.org_id = {org}))")
    }

    pub fn bookmarks(&mut self) -> Result<Vec<Bookmark>> {
        let sql = format!("{SELECT} where {} order by b.id", self.sees_bookmark("b"));
        self.conn.all(&sql, &[], read)
    }

    pub fn bookmark(&mut self, id: i64) -> Result<Option<Bookmark>> {
        let sql = format!("{SELECT} where b.id = $1 and {}", self.sees_bookmark("b"));
        self.conn.first(&sql, &[id.into()], read)
    }
}

impl Writer<'_> {
    /// Keeps a bookmark; its number is given here.
    pub fn add_bookmark(&mut self, bookmark: &Bookmark) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "bookmarks", 1)?[0];
        let sql = format!(
            "insert into bookmarks (id, user_id, org_id, name, url, exposed_to_org, comment) values {}",
            list::places(1, 7)
        );
        let args = [
            id.into(),
            bookmark.user_id.into(),
            bookmark.org_id.into(),
            (&bookmark.name).into(),
            (&bookmark.url).into(),
            bookmark.exposed_to_org.into(),
            (&bookmark.comment).into(),
        ];
        self.conn.execute(&sql, &args)?;
        self.changed(Noun::Bookmark, Action::Add, Uuid::nil(), 0)
            .of(id, &bookmark.name)
            .field("url", "", &bookmark.url)
            .field("exposed_to_org", false, bookmark.exposed_to_org);
        Ok(id)
    }

    pub fn edit_bookmark(&mut self, old: &Bookmark, new: &Bookmark) -> Result<()> {
        let sql = "update bookmarks set name = $2, url = $3, exposed_to_org = $4, comment = $5 where id = $1";
        let args = [
            new.id.into(),
            (&new.name).into(),
            (&new.url).into(),
            new.exposed_to_org.into(),
            (&new.comment).into(),
        ];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::Bookmark, Action::Edit, Uuid::nil(), 0)
            .of(new.id, &new.name)
            .field("name", &old.name, &new.name)
            .field("url", &old.url, &new.url)
            .field("exposed_to_org", old.exposed_to_org, new.exposed_to_org)
            .field("comment", &old.comment, &new.comment);
        Ok(())
    }

    pub fn delete_bookmark(&mut self, bookmark: &Bookmark) -> Result<()> {
        self.conn.execute("delete from bookmarks where id = $1", &[bookmark.id.into()])?;
        self.changed(Noun::Bookmark, Action::Delete, Uuid::nil(), 0).of(bookmark.id, &bookmark.name);
        Ok(())
    }
}
