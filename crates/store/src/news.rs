//! News of the instance, for everybody who signs in, and who has read them.

use crate::changes::{Action, Noun};
use crate::conn::Row;
use crate::{Reader, Result, Writer, dialect};
use pisax_model::Uuid;

/// One item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    pub id: i64,
    pub title: String,
    pub message: String,
    /// Who wrote it; 0: nobody is told.
    pub user_id: i64,
    pub date_created: i64,
    /// The address of who wrote it, where he is told and still there.
    pub email: Option<String>,
}

const SELECT: &str = "select n.id, n.title, n.message, n.user_id, n.date_created, u.email from news n \
                      left join users u on u.id = n.user_id";

fn read(row: &Row<'_>) -> Result<News> {
    Ok(News {
        id: row.int(0)?,
        title: row.string(1)?,
        message: row.string(2)?,
        user_id: row.int(3)?,
        date_created: row.int(4)?,
        email: row.opt_string(5)?,
    })
}

impl Reader<'_> {
    /// A page of news, the newest first.
    pub fn news(&mut self, skip: i64, limit: i64) -> Result<Vec<News>> {
        let sql = format!("{SELECT} order by n.id desc limit $1 offset $2");
        self.conn.all(&sql, &[limit.into(), skip.into()], read)
    }

    pub fn news_item(&mut self, id: i64) -> Result<Option<News>> {
        self.conn.first(&format!("{SELECT} where n.id = $1"), &[id.into()], read)
    }

    /// When the actor looked at the news last; 0: never.
    pub fn news_read(&mut self) -> Result<i64> {
        let user = self.actor.user_id;
        let found =
            self.conn
                .first("select seen from news_reads where user_id = $1", &[user.into()], |r| r.int(0))?;
        Ok(found.unwrap_or(0))
    }
}

impl Writer<'_> {
    /// Adds an item of now; its number is given here.
    pub fn add_news(&mut self, news: &News) -> Result<i64> {
        let (id, now) = (dialect::allocate(&mut self.conn, "news", 1)?[0], self.now());
        let sql = "insert into news (id, title, message, user_id, date_created) values ($1, $2, $3, $4, $5)";
        let args = [id.into(), (&news.title).into(), (&news.message).into(), news.user_id.into(), now.into()];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::News, Action::Add, Uuid::nil(), 0).of(id, &news.title).field(
            "message",
            "",
            &news.message,
        );
        Ok(id)
    }

    pub fn edit_news(&mut self, old: &News, new: &News) -> Result<()> {
        let sql = "update news set title = $2, message = $3, user_id = $4 where id = $1";
        let args = [old.id.into(), (&new.title).into(), (&new.message).into(), new.user_id.into()];
        self.conn.execute(sql, &args)?;
        self.changed(Noun::News, Action::Edit, Uuid::nil(), 0)
            .of(old.id, &new.title)
            .field("title", &old.title, &new.title)
            .field("message", &old.message, &new.message);
        Ok(())
    }

    pub fn delete_news(&mut self, news: &News) -> Result<()> {
        self.conn.execute("delete from news where id = $1", &[news.id.into()])?;
        self.changed(Noun::News, Action::Delete, Uuid::nil(), 0).of(news.id, &news.title);
        Ok(())
    }

    /// Notes that the actor has read the news.
    pub fn note_news_read(&mut self) -> Result<()> {
        let (user, now) = (self.actor.user_id, self.now());
        let sql = "insert into news_reads (user_id, seen) values ($1, $2) \
                   on conflict (user_id) do update set seen = $2";
        self.conn.execute(sql, &[user.into(), now.into()])?;
        Ok(())
    }
}
