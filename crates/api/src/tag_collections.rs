//! `/tag_collections/…` and `/favourite_tags/…`

use crate::answer::Answer;
use crate::event_writer::org_summary;
use crate::failure::{Failure, Saving};
use crate::galaxies::Expanded;
use crate::reply::{document, flag_member, list, member, number_member, saved, spaced};
use crate::request::{Request, text, texts};
use pisax_model::ids::Ref;
use pisax_model::tag::Attached;
use pisax_service::{Error, tag_collection as service};
use pisax_store::orgs::OrgName;
use pisax_store::tag_collections::Collection;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use pisax_wire::tag_out::{write_saved_tag, write_short_tag};
use rustc_hash::FxHashMap;

const INVALID: &str = "Invalid Tag Collection";

/// Collections with what is shown of them.
struct Shown {
    collections: Vec<Collection>,
    orgs: FxHashMap<i64, OrgName>,
    clusters: Expanded,
    emails: FxHashMap<i64, String>,
}

fn load(request: &Request, wanted: Option<Ref>) -> Result<Shown, Failure> {
    Ok(request.service.read(&request.actor, |r| {
        let collections = match wanted {
            Some(reference) => r.tag_collection(reference)?.into_iter().collect(),
            None => r.tag_collections()?,
        };
        let orgs: Vec<i64> = collections.iter().map(|c| c.org_id).collect();
        let attached: Vec<Attached> = collections.iter().flat_map(attached).collect();
        let mut emails = FxHashMap::default();
        for collection in &collections {
            if service::may_edit(r.actor(), collection) && !emails.contains_key(&collection.user_id) {
                let user = r.user(collection.user_id)?;
                emails.insert(collection.user_id, user.map(|u| u.email).unwrap_or_default());
            }
        }
        let clusters = Expanded::load(r, attached.iter())?;
        Ok(Shown { orgs: r.org_names(&orgs)?, clusters, emails, collections })
    })?)
}

/// The tags of a collection as if they were attached to it.
fn attached(collection: &Collection) -> impl Iterator<Item = Attached> {
    collection.tags.iter().map(|(id, tag)| Attached {
        id: *id,
        tag: tag.clone(),
        local: false,
        relationship_type: None,
    })
}

fn columns(w: &mut JsonWriter<'_>, collection: &Collection, with_user: bool) {
    w.key("TagCollection");
    w.begin_object();
    number_member(w, "id", collection.id);
    w.key("uuid");
    w.uuid(collection.uuid);
    if with_user {
        number_member(w, "user_id", collection.user_id);
    }
    number_member(w, "org_id", collection.org_id);
    member(w, "name", &collection.name);
    member(w, "description", &collection.description);
    flag_member(w, "all_orgs", collection.all_orgs);
    w.end_object();
}

impl Shown {
    fn write(&self, request: &Request, w: &mut JsonWriter<'_>, collection: &Collection) {
        let mine = service::may_edit(&request.actor, collection);
        let org = org_summary(&self.orgs, collection.org_id);
        w.begin_object();
        columns(w, collection, mine);
        w.key("Organisation");
        w.begin_object();
        number_member(w, "id", collection.org_id);
        member(w, "name", org.name);
        w.key("uuid");
        w.uuid(org.uuid);
        w.end_object();
        if let Some(email) = self.emails.get(&collection.user_id).filter(|_| mine) {
            w.key("User");
            w.begin_object();
            number_member(w, "id", collection.user_id);
            member(w, "email", email);
            w.end_object();
        }
        w.key("TagCollectionTag");
        w.begin_array();
        for (id, tag) in &collection.tags {
            w.begin_object();
            number_member(w, "id", *id);
            number_member(w, "tag_collection_id", collection.id);
            number_member(w, "tag_id", tag.id);
            w.key("Tag");
            write_short_tag(w, tag);
            w.end_object();
        }
        w.end_array();
        w.key("Galaxy");
        w.begin_array();
        let galaxies = self.clusters.items(&attached(collection).collect::<Vec<_>>());
        if !galaxies.is_empty() {
            w.raw(&galaxies);
        }
        w.end_array();
        w.end_object();
    }
}

/// GET /tag_collections/index
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let shown = load(request, None)?;
    Ok(list(&shown.collections, |w, collection| shown.write(request, w, collection)))
}

/// GET /tag_collections/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let shown = load(request, Some(request.reference(0, INVALID)?))?;
    let collection = shown.collections.first().ok_or(Failure::NotFound(INVALID))?;
    Ok(document(|w| shown.write(request, w, collection)))
}

fn refused(error: Error) -> Failure {
    match error {
        Error::NotFound(_) => Failure::NotFound(INVALID),
        Error::Forbidden => {
            Failure::NotAllowed("You don't have editing rights on this Tag Collection.".into())
        }
        other => other.into(),
    }
}

fn saved_one(request: &Request, id: i64) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| Ok(r.tag_collection(Ref::Id(id))?))?;
    let collection = found.ok_or(Failure::NotFound(INVALID))?;
    Ok(document(|w| {
        w.begin_object();
        columns(w, &collection, true);
        w.end_object();
    }))
}

/// POST /tag_collections/add `{name, description, all_orgs}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let draft = pisax_wire::read_collection(&request.body)?;
    let id = service::add(&request.service, &request.actor, &draft).saving("add", "TagCollection")?;
    saved_one(request, id)
}

/// POST /tag_collections/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = pisax_wire::read_collection(&request.body)?;
    let id = match service::edit(&request.service, &request.actor, reference, &draft) {
        Err(Error::Invalid(errors)) => {
            return Err(Failure::Invalid { action: "edit", model: "TagCollection", errors, id: None });
        }
        other => other.map_err(refused)?,
    };
    saved_one(request, id)
}

/// POST /tag_collections/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    service::delete(&request.service, &request.actor, reference).map_err(refused)?;
    Ok(saved(request, "Tag collection deleted."))
}

/// The collection and the tags that a call names, in the path or the body.
fn named(request: &Request) -> Result<(Ref, Vec<String>), Failure> {
    let sent = request.unwrapped("TagCollection")?;
    let said = |names: [&str; 3]| names.iter().find_map(|name| text(&sent, name));
    let collection = request.path.arg(0).map(str::to_owned);
    let collection = collection.or_else(|| said(["tag_collection", "tag_collection_id", "id"]));
    let reference = collection.as_deref().and_then(Ref::parse).ok_or(Failure::NotFound(INVALID))?;
    let tags = match request.path.arg(1).map(spaced).or_else(|| said(["tag", "tag_id", "tag"])) {
        Some(one) if one.starts_with('[') => {
            let list = serde_json::from_str::<serde_json::Value>(&one).unwrap_or_default();
            texts(&serde_json::json!({ "tag": list }), "tag").unwrap_or_default()
        }
        Some(one) => vec![one],
        None => texts(&sent, "tag").unwrap_or_default(),
    };
    Ok((reference, tags))
}

/// Refusals are told with status 200, as for tags of events.
fn told(error: Error) -> Result<Answer, Failure> {
    match error {
        Error::NotFound(_) | Error::Forbidden => {
            Ok(Answer::json(body::not_tagged("Invalid tag collection.")))
        }
        other => Err(other.into()),
    }
}

/// POST /tag_collections/addTag/{collection}/{tag}, or `{"tag_collection":…,"tag":…}`
pub(crate) fn add_tag(request: &Request) -> Result<Answer, Failure> {
    let (reference, tags) = named(request)?;
    match service::add_tags(&request.service, &request.actor, reference, &tags) {
        Ok((0, _)) => Ok(Answer::json(body::not_tagged("Invalid Tag(s)."))),
        Ok((_, 0)) => Ok(Answer::json(body::tagged("All tags are already present, nothing to add."))),
        Ok(_) => Ok(Answer::json(body::tagged("Tag(s) added."))),
        Err(error) => told(error),
    }
}

/// POST /tag_collections/removeTag/{collection}/{tag}
pub(crate) fn remove_tag(request: &Request) -> Result<Answer, Failure> {
    let (reference, tags) = named(request)?;
    let tag = tags.first().map_or("", String::as_str);
    match service::remove_tag(&request.service, &request.actor, reference, tag) {
        Ok(true) => Ok(Answer::json(body::tagged("Tag removed."))),
        Ok(false) => {
            Ok(Answer::json(body::not_tagged("Invalid tag or tag not associated with the collection.")))
        }
        Err(error) => told(error),
    }
}

/// POST /tag_collections/import: collections as `index` gives them.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let drafts = pisax_wire::read_collections(&request.body)?;
    let (added, failed) = service::import(&request.service, &request.actor, &drafts)?;
    let mut message = match added {
        0 => "No new tag_collections to add.".to_owned(),
        n => format!("{n} new tag collections added."),
    };
    if failed > 0 {
        message +=
            &format!(" {failed} tag collections could not be added (possibly because they already exist)");
    }
    Ok(saved(request, &message))
}

// ---- Favourites ---------------------------------------------------------------------------------------

/// GET /favourite_tags/index: one's own.
pub(crate) fn favourites(request: &Request) -> Result<Answer, Failure> {
    let tags = request.service.read(&request.actor, |r| Ok(r.favourite_tags()?))?;
    Ok(list(&tags, write_saved_tag))
}

/// POST /favourite_tags/toggle `{"FavouriteTag":{"data": tag number}}`
pub(crate) fn toggle_favourite(request: &Request) -> Result<Answer, Failure> {
    let invalid = || Failure::NotAllowed("Invalid tag ID.".into());
    let sent = request.unwrapped("FavouriteTag")?;
    let id = crate::request::number(&sent, "data").ok_or_else(invalid)?;
    let on = match service::toggle_favourite(&request.service, &request.actor, id) {
        Err(Error::NotFound(_)) => return Err(invalid()),
        other => other?,
    };
    let what = if on { "Adding the tag to" } else { "Removing the tag from" };
    Ok(document(|w| {
        w.begin_object();
        flag_member(w, "saved", true);
        member(w, "success", &format!("{what} your favourites was successful."));
        w.end_object();
    }))
}
