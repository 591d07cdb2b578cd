//! News of the instance: written by site admins, read by everybody.

use crate::{Error, Result, Service};
use pisax_access::Actor;
use pisax_model::FieldError;
pub use pisax_store::news::News;

/// An item as a client sends it; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewsDraft {
    pub title: Option<String>,
    pub message: Option<String>,
    /// Nobody is told who wrote it.
    pub anonymise: Option<bool>,
}

const LONGEST: usize = 65_535;

/// A page of news with when the actor looked at them last, which is now from here on.
pub fn read(service: &Service, actor: &Actor, skip: i64, limit: i64) -> Result<(Vec<News>, i64)> {
    let (news, seen) = service.read(actor, |r| Ok((r.news(skip, limit)?, r.news_read()?)))?;
    if news.iter().any(|item| item.date_created > seen) {
        service.write(actor, |w| Ok(w.note_news_read()?))?;
    }
    Ok((news, seen))
}

/// The same for who keeps them, and reads them for that.
pub fn list(service: &Service, actor: &Actor, skip: i64, limit: i64) -> Result<(Vec<News>, i64)> {
    service.read(actor, |r| Ok((r.news(skip, limit)?, r.news_read()?)))
}

pub fn add(service: &Service, actor: &Actor, draft: NewsDraft) -> Result<News> {
    let mut news = News { user_id: actor.user_id, ..News::default() };
    apply(actor, &mut news, draft)?;
    service.write(actor, |w| {
        let id = w.add_news(&news)?;
        w.news_item(id)?.ok_or(Error::NotFound("news item"))
    })
}

pub fn edit(service: &Service, actor: &Actor, id: i64, draft: NewsDraft) -> Result<News> {
    service.write(actor, |w| {
        let old = w.news_item(id)?.ok_or(Error::NotFound("news item"))?;
        let mut new = old.clone();
        apply(actor, &mut new, draft)?;
        w.edit_news(&old, &new)?;
        w.news_item(id)?.ok_or(Error::NotFound("news item"))
    })
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    service.write(actor, |w| {
        let news = w.news_item(id)?.ok_or(Error::NotFound("news item"))?;
        Ok(w.delete_news(&news)?)
    })
}

fn apply(actor: &Actor, news: &mut News, draft: NewsDraft) -> Result<(), FieldError> {
    if let Some(title) = draft.title {
        news.title = title.trim().to_owned();
    }
    if let Some(message) = draft.message {
        news.message = message.trim().to_owned();
    }
    match draft.anonymise {
        Some(true) => news.user_id = 0,
        Some(false) if news.user_id == 0 => news.user_id = actor.user_id,
        _ => {}
    }
    for (field, text) in [("title", &news.title), ("message", &news.message)] {
        if text.is_empty() {
            return Err(FieldError::new(field, "valueNotEmpty"));
        }
        if text.len() > LONGEST {
            return Err(FieldError::new(field, "The text is longer than 65535 bytes."));
        }
    }
    Ok(())
}
