//! Bookmarks: everybody's own; organisation admins may show theirs to their organisation.

use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_store::bookmarks::Bookmark;

/// A bookmark as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookmarkDraft {
    pub name: Option<String>,
    pub url: Option<String>,
    pub comment: Option<String>,
    pub exposed_to_org: Option<bool>,
}

/// Bookmarks that one user keeps.
const MOST: usize = 1000;
const LONGEST: usize = 2048;

pub fn list(service: &Service, actor: &Actor) -> Result<Vec<Bookmark>> {
    service.read(actor, |r| Ok(r.bookmarks()?))
}

pub fn view(service: &Service, actor: &Actor, id: i64) -> Result<Bookmark> {
    service.read(actor, |r| r.bookmark(id)?.ok_or(Error::NotFound("bookmark")))
}

pub fn add(service: &Service, actor: &Actor, draft: BookmarkDraft) -> Result<Bookmark> {
    let mut bookmark = Bookmark { user_id: actor.user_id, org_id: actor.org_id, ..Bookmark::default() };
    apply(actor, &mut bookmark, draft)?;
    service.write(actor, |w| {
        if w.bookmarks()?.iter().filter(|b| b.user_id == actor.user_id).count() >= MOST {
            return Err(Error::Refused("There are too many bookmarks: delete some first.".into()));
        }
        let id = w.add_bookmark(&bookmark)?;
        w.bookmark(id)?.ok_or(Error::NotFound("bookmark"))
    })
}

pub fn edit(service: &Service, actor: &Actor, id: i64, draft: BookmarkDraft) -> Result<Bookmark> {
    service.write(actor, |w| {
        let old = own(actor, w.bookmark(id)?)?;
        let mut new = old.clone();
        apply(actor, &mut new, draft)?;
        w.edit_bookmark(&old, &new)?;
        w.bookmark(id)?.ok_or(Error::NotFound("bookmark"))
    })
}

pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    service.write(actor, |w| {
        let bookmark = own(actor, w.bookmark(id)?)?;
        Ok(w.delete_bookmark(&bookmark)?)
    })
}

/// One's own, or for site admins anybody's.
fn own(actor: &Actor, found: Option<Bookmark>) -> Result<Bookmark> {
    let bookmark = found.ok_or(Error::NotFound("bookmark"))?;
    let may = actor.sees_all() || bookmark.user_id == actor.user_id;
    if may { Ok(bookmark) } else { Err(Error::Forbidden) }
}

fn apply(actor: &Actor, bookmark: &mut Bookmark, draft: BookmarkDraft) -> Result<(), FieldError> {
    if let Some(name) = draft.name {
        bookmark.name = name.trim().to_owned();
    }
    if let Some(url) = draft.url {
        bookmark.url = url.trim().to_owned();
    }
    bookmark.comment = draft.comment.unwrap_or_else(|| std::mem::take(&mut bookmark.comment));
    for (field, text) in [("name", &bookmark.name), ("url", &bookmark.url)] {
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(FieldError::new(field, "Expected one line that is not empty."));
        }
    }
    // A page makes a link of it.
    let local = bookmark.url.starts_with('/') && !bookmark.url.starts_with("//");
    let web = ["http://", "https://"].iter().any(|start| bookmark.url.starts_with(start));
    if !local && !web {
        return Err(FieldError::new("url", "Expected a path of this site, or an address of http or https."));
    }
    if bookmark.comment.len() > 65_535 {
        return Err(FieldError::new("comment", "The comment is too long."));
    }
    let shows = actor.has(Permission::Admin) || actor.sees_all();
    bookmark.exposed_to_org = draft.exposed_to_org.filter(|_| shows).unwrap_or(bookmark.exposed_to_org);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_leads_to_a_page_and_to_nothing_that_runs() {
        let actor = Actor::system("a test");
        let url = |url: &str| {
            let draft =
                BookmarkDraft { name: Some("n".into()), url: Some(url.into()), ..BookmarkDraft::default() };
            apply(&actor, &mut Bookmark::default(), draft)
        };
        assert!(url("/events/index").is_ok() && url("https://example.org/x").is_ok());
        for bad in ["", "javascript:alert(1)", "//evil.example", "data:text/html,x", "/a\nb"] {
            assert_eq!(url(bad).unwrap_err().field, "url", "{bad:?}");
        }
    }
}
