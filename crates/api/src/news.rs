//! `/news/…`: what site admins tell everybody.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{flag_member, list, member, number, number_member, saved, wrapped};
use crate::request::{Request, flag, text};
use pisax_service::news::{self as service, News, NewsDraft};
use pisax_wire::JsonWriter;

const INVALID: &str = "Invalid news item.";
/// Items of a page, unless the client says it otherwise, and at most.
const USUAL: i64 = 60;
const MOST: i64 = 1000;

fn draft(request: &Request) -> Result<NewsDraft, Failure> {
    let sent = request.unwrapped("News")?;
    Ok(NewsDraft {
        title: text(&sent, "title"),
        message: text(&sent, "message"),
        anonymise: flag(&sent, "anonymise"),
    })
}

fn columns(w: &mut JsonWriter<'_>, news: &News) {
    number_member(w, "id", news.id);
    member(w, "message", &news.message);
    member(w, "title", &news.title);
    number_member(w, "user_id", news.user_id);
    number_member(w, "date_created", news.date_created);
}

fn one(news: &News) -> Answer {
    wrapped("News", |w| {
        w.begin_object();
        columns(w, news);
        w.end_object();
    })
}

fn page(request: &Request) -> (i64, i64) {
    let named = |name: &str| request.path.named(name).and_then(|text| text.parse::<i64>().ok());
    let limit = named("limit").filter(|n| *n > 0).unwrap_or(USUAL).min(MOST);
    let before = named("page").unwrap_or(1).max(1) - 1;
    (before.saturating_mul(limit), limit)
}

fn answer((news, seen): (Vec<News>, i64)) -> Answer {
    list(&news, |w, item| {
        w.begin_object();
        w.key("News");
        w.begin_object();
        columns(w, item);
        flag_member(w, "new", item.date_created > seen);
        w.end_object();
        w.key("User");
        w.begin_object();
        w.key("email");
        match &item.email {
            Some(email) => w.str(email),
            None => w.null(),
        }
        w.end_object();
        w.end_object();
    })
}

/// GET /news/index[/limit:…/page:…]; what is in it is read from then on
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let (skip, limit) = page(request);
    // A key that changes nothing leaves them unread.
    let read = if request.owner.key.read_only { service::list } else { service::read };
    Ok(answer(read(&request.service, &request.actor, skip, limit)?))
}

/// GET /admin/news/index: the same for who keeps them
pub(crate) fn admin_index(request: &Request) -> Result<Answer, Failure> {
    let (skip, limit) = page(request);
    Ok(answer(service::list(&request.service, &request.actor, skip, limit)?))
}

/// POST /news/add `{title, message, anonymise}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let added = service::add(&request.service, &request.actor, draft(request)?);
    Ok(one(&added.saving("add", "News")?))
}

/// POST /news/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let edited = service::edit(&request.service, &request.actor, id, draft(request)?);
    Ok(one(&edited.saving("edit", "News")?))
}

/// POST /news/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "News deleted."))
}
