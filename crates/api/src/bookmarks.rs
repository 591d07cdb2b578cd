//! `/bookmarks/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::{Request, flag, text};
use pisax_model::fold::fold;
use pisax_service::bookmark::{self as service, BookmarkDraft};
use pisax_store::bookmarks::Bookmark;
use pisax_wire::JsonWriter;

const INVALID: &str = "Invalid Bookmark";

fn read(request: &Request) -> Result<BookmarkDraft, Failure> {
    let sent = request.unwrapped("Bookmark")?;
    Ok(BookmarkDraft {
        name: text(&sent, "name"),
        url: text(&sent, "url"),
        comment: text(&sent, "comment"),
        exposed_to_org: flag(&sent, "exposed_to_org"),
    })
}

fn write_columns(w: &mut JsonWriter<'_>, bookmark: &Bookmark) {
    w.begin_object();
    number_member(w, "id", bookmark.id);
    number_member(w, "user_id", bookmark.user_id);
    number_member(w, "org_id", bookmark.org_id);
    member(w, "name", &bookmark.name);
    member(w, "url", &bookmark.url);
    flag_member(w, "exposed_to_org", bookmark.exposed_to_org);
    member(w, "comment", &bookmark.comment);
    w.end_object();
}

fn answer(bookmark: &Bookmark) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("Bookmark");
        write_columns(w, bookmark);
        w.end_object();
    })
}

/// With its user, where he is of one's own organisation, and his organisation.
fn write(w: &mut JsonWriter<'_>, request: &Request, bookmark: &Bookmark) {
    w.begin_object();
    w.key("Bookmark");
    write_columns(w, bookmark);
    w.key("Organisation");
    w.begin_object();
    number_member(w, "id", bookmark.org_id);
    member(w, "name", &bookmark.org_name);
    w.end_object();
    if request.actor.sees_all() || request.actor.org_id == bookmark.org_id {
        w.key("User");
        w.begin_object();
        number_member(w, "id", bookmark.user_id);
        member(w, "email", &bookmark.email);
        number_member(w, "org_id", bookmark.org_id);
        w.end_object();
    }
    w.end_object();
}

/// GET /bookmarks/index[/scope:{mine|org|all}][/quickFilter:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let mut found = service::list(&request.service, &request.actor)?;
    let actor = &request.actor;
    match request.path.named("scope") {
        Some("mine") => found.retain(|b| b.user_id == actor.user_id),
        Some("org") => {
            found.retain(|b| b.user_id == actor.user_id || (b.exposed_to_org && b.org_id == actor.org_id))
        }
        _ => {}
    }
    if let Some(part) = request.path.named("quickFilter").map(fold) {
        found.retain(|b| fold(&b.name).contains(part.as_ref()) || fold(&b.url).contains(part.as_ref()));
    }
    Ok(list(&found, |w, bookmark| write(w, request, bookmark)))
}

/// GET /bookmarks/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let bookmark = service::view(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(document(|w| write(w, request, &bookmark)))
}

/// POST /bookmarks/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let bookmark =
        service::add(&request.service, &request.actor, read(request)?).saving("add", "Bookmark")?;
    Ok(answer(&bookmark))
}

/// POST /bookmarks/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let edited = service::edit(&request.service, &request.actor, id, read(request)?);
    Ok(answer(&edited.saving("edit", "Bookmark")?))
}

/// POST /bookmarks/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Bookmark deleted."))
}
