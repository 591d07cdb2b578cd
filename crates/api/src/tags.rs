//! `/tags/…`, and attaching them: `/events/addTag`, `/attributes/addTag`, `/tags/attachTagToObject`.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, number, saved, spaced};
use crate::request::{Request, flag, text, texts};
use http::StatusCode;
use pisax_formats::knowledge::stored;
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::tag::Tag;
use pisax_service::attribute::{self, Target};
use pisax_service::knowledge::like;
use pisax_service::tag::{self as service, TagChange};
use pisax_service::{Error, tag_collection};
use pisax_store::Reader;
use pisax_store::tags::{CountedTag, folded};
use pisax_wire::TagIn;
use pisax_wire::answer as body;
use pisax_wire::tag_out::{TagUse, write_counted_tag, write_saved_tag};
use rustc_hash::FxHashSet;

const INVALID: &str = "Invalid Tag";

fn change(sent: TagIn) -> TagChange {
    TagChange {
        name: sent.name,
        colour: sent.colour,
        exportable: sent.exportable,
        org_id: sent.org_id,
        user_id: sent.user_id,
        hide_tag: sent.hide_tag,
        numerical_value: sent.numerical_value,
        local_only: sent.local_only,
    }
}

fn counted(w: &mut pisax_wire::JsonWriter<'_>, counted: &CountedTag, favourites: &FxHashSet<i64>) {
    let favourite = favourites.contains(&counted.tag.id);
    let used = TagUse { events: counted.events, attributes: counted.attributes, favourite };
    write_counted_tag(w, &counted.tag, used);
}

/// GET /tags/index[/searchall:…][/limit:…/page:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let search =
        ["searchall", "search", "filter"].iter().find_map(|name| request.path.named(name)).map(spaced);
    let (mut tags, favourites) =
        request.service.read(&request.actor, |r| Ok((r.tags(search.as_deref())?, r.favourite_ids()?)))?;
    if request.path.flag("favouritesOnly") || request.path.flag("favouriteOnly") {
        tags.retain(|tag| favourites.contains(&tag.tag.id));
    }
    let total = tags.len();
    let named = |name: &str| request.path.named(name).and_then(|n| n.parse::<usize>().ok());
    if let Some(limit) = named("limit").filter(|limit| *limit > 0) {
        let from = limit.saturating_mul(named("page").unwrap_or(1).saturating_sub(1)).min(total);
        tags = tags.split_off(from);
        tags.truncate(limit);
    }
    let answer = document(|w| {
        w.begin_object();
        w.key("Tag");
        w.begin_array();
        tags.iter().for_each(|tag| counted(w, tag, &favourites));
        w.end_array();
        w.end_object();
    });
    Ok(answer.header("x-result-count", total))
}

/// GET /tags/view/{id|name}. A tag that does not exist is 405 here.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let name = spaced(request.path.arg(0).unwrap_or_default());
    let found = request.service.read(&request.actor, |r| {
        let id = match name.parse::<i64>() {
            Ok(id) => Some(id),
            Err(_) => r.tag_named(&name)?.map(|tag| tag.id),
        };
        let tag = id.map_or(Ok(None), |id| r.counted_tag(id))?;
        tag.map(|tag| Ok::<_, Error>((tag, r.favourite_ids()?))).transpose()
    })?;
    let (tag, favourites) = found.ok_or_else(|| Failure::NotAllowed(INVALID.into()))?;
    Ok(document(|w| counted(w, &tag, &favourites)))
}

/// POST /tags/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = pisax_wire::read_tag(&request.body)?;
    let tag = service::add(&request.service, &request.actor, change(sent)).saving("add", "Tag")?;
    Ok(document(|w| write_saved_tag(w, &tag)))
}

/// POST /tags/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = pisax_wire::read_tag(&request.body)?;
    let tag = service::edit(&request.service, &request.actor, id, change(sent)).saving("edit", "Tag")?;
    Ok(document(|w| write_saved_tag(w, &tag)))
}

/// POST /tags/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Tag deleted."))
}

/// POST /tags/search `{tagname, strict_tagname}`, GET /tags/search/{name}[/{strict}]: tags by name, and
/// unless strict those of clusters by value or synonym; `%` is the caller's.
pub(crate) fn search(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Tag")?;
    let mut names = texts_of(&sent);
    names.extend(request.path.arg(0).map(spaced));
    if names.len() > NAMES {
        return Err(Failure::BadRequest(format!("At most {NAMES} names are searched for in one call.")));
    }
    let strict =
        flag(&sent, "strict_tagname").unwrap_or_else(|| request.path.arg(1).is_some_and(|a| a == "1"));
    let mut found: Vec<Tag> = Vec::new();
    request.service.read(&request.actor, |r| {
        for name in &names {
            if strict {
                found.extend(r.tag_named(name)?);
                continue;
            }
            found.extend(r.search_tags(name)?);
            found.extend(of_clusters(r, name)?);
        }
        Ok(())
    })?;
    let mut seen = FxHashSet::default();
    found.retain(|tag| seen.insert(tag.id));
    Ok(list(&found, write_saved_tag))
}

fn texts_of(sent: &serde_json::Value) -> Vec<String> {
    match sent {
        serde_json::Value::String(name) => vec![name.clone()],
        serde_json::Value::Array(_) => {
            texts(&serde_json::json!({ "tagname": sent }), "tagname").unwrap_or_default()
        }
        // Names hold commas: one text is one name.
        other => match text(other, "tagname") {
            Some(name) => vec![name],
            None => texts(other, "tagname").unwrap_or_default(),
        },
    }
}

/// Names one call searches for: each is looked for in every tag and cluster.
const NAMES: usize = 100;
/// How many clusters a search looks through.
const CLUSTERS: i64 = 200;

fn of_clusters(r: &mut Reader<'_>, pattern: &str) -> Result<Vec<Tag>, Error> {
    let within = pattern.trim_matches('%');
    if within.chars().count() < 3 {
        return Ok(Vec::new());
    }
    let clusters = r.clusters_containing(within, CLUSTERS)?;
    let named = clusters.iter().filter(|cluster| {
        let meta = stored::read_meta(&cluster.meta);
        let synonyms = meta.iter().filter(|(key, _)| key == "synonyms").flat_map(|(_, values)| values);
        std::iter::once(&cluster.value).chain(synonyms).any(|word| like(pattern, word))
    });
    let names: Vec<String> = named.map(|cluster| folded(&cluster.tag_name)).collect();
    let mut tags: Vec<Tag> = r.tags_named(names.iter().map(String::as_str))?.into_values().collect();
    tags.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tags)
}

// ---- Attaching ----------------------------------------------------------------------------------------

fn words(target: Target) -> &'static str {
    match target {
        Target::Event(_) => "Event",
        Target::Attribute(_) => "Attribute",
        Target::Object(_) => "Object",
    }
}

fn scope(local: bool) -> &'static str {
    if local { "Local" } else { "Global" }
}

/// The target and the tags of `attachTagToObject` and `removeTagFromObject`, from the body or the path.
fn targeted(request: &Request) -> Result<(Target, pisax_wire::TagTarget), Failure> {
    let mut sent = match request.body.is_empty() {
        true => pisax_wire::TagTarget::default(),
        false => pisax_wire::read_tag_target(&request.body)?,
    };
    sent.uuid = sent.uuid.or_else(|| request.path.arg(0).and_then(|text| Uuid::try_parse(text).ok()));
    if sent.tags.is_empty() {
        sent.tags.extend(request.path.arg(1).map(spaced));
    }
    let uuid = sent.uuid.ok_or(Failure::NotFound(body::INVALID_TARGET))?;
    let target = request.service.read(&request.actor, |r| service::target(r, uuid));
    match target {
        Ok(target) => Ok((target, sent)),
        Err(Error::NotFound(_)) => Err(Failure::NotFound(body::INVALID_TARGET)),
        Err(e) => Err(e.into()),
    }
}

/// What came of the tags: a message for each, or why none of them was changed. MISP changes those it can.
fn outcome<T>(
    request: &Request,
    action: &'static str,
    result: Result<Vec<T>, Error>,
    said: impl Fn(&T) -> String,
) -> Result<Answer, Failure> {
    let reason = match result {
        Ok(done) if !done.is_empty() => {
            let words: Vec<String> = done.iter().map(said).collect();
            return Ok(saved(request, &words.join(" ")));
        }
        Err(Error::Refused(reason)) => reason,
        Ok(_) | Err(Error::NotFound("tag")) => "Invalid Tag.".to_owned(),
        Err(other) => return Err(other.into()),
    };
    Err(Failure::NotSaved { action, model: "Tag", reason, id: None })
}

/// POST /tags/attachTagToObject `{uuid, tag, local, relationship_type}`
pub(crate) fn attach(request: &Request) -> Result<Answer, Failure> {
    let (target, sent) = targeted(request)?;
    let relationship = sent.relationship_type.clone();
    let done =
        service::attach(&request.service, &request.actor, target, &sent.tags, sent.local, relationship);
    outcome(request, "attachTagToObject", done, |(tag, id)| {
        format!(
            "{} tag {}({}) successfully attached to {}({id}).",
            scope(sent.local || tag.local_only),
            tag.name,
            tag.id,
            words(target)
        )
    })
}

/// POST /tags/removeTagFromObject `{uuid, tag}`
pub(crate) fn remove(request: &Request) -> Result<Answer, Failure> {
    let (target, sent) = targeted(request)?;
    let done = attribute::untag(&request.service, &request.actor, target, &sent.tags);
    outcome(request, "removeTagFromObject", done, |(tag, id, local)| {
        format!(
            "{} tag {} ({}) successfully removed from {}({id}).",
            scope(*local),
            tag.name,
            tag.id,
            words(target)
        )
    })
}

/// What `addTag` and `removeTag` name, in the path or the body, where MISP has it in three places.
struct Named {
    target: Ref,
    tags: Vec<String>,
    local: bool,
    relationship_type: Option<String>,
}

fn named(request: &Request, model: &str, missing: &'static str) -> Result<Named, Failure> {
    let sent = request.unwrapped(model)?;
    let key = model.to_lowercase();
    let said = |name: &str| text(&sent, name);
    let target = request.path.arg(0).map(str::to_owned).or_else(|| said("id")).or_else(|| said(&key));
    let mut tags: Vec<String> = request.path.arg(1).map(spaced).into_iter().collect();
    if tags.is_empty() {
        // One text may be a name or, from forms, a list of numbers in JSON.
        tags = match text(&sent, "tag") {
            Some(one) if one.starts_with('[') => {
                let list = serde_json::from_str::<serde_json::Value>(&one).unwrap_or_default();
                texts(&serde_json::json!({ "tag": list }), "tag").unwrap_or_default()
            }
            Some(one) => vec![one],
            None => texts(&sent, "tag").unwrap_or_default(),
        };
    }
    let tags = with_collections(request, tags)?;
    Ok(Named {
        target: target.as_deref().and_then(Ref::parse).ok_or(Failure::NotFound(missing))?,
        tags,
        local: request.path.flag("local") || flag(&sent, "local").unwrap_or(false),
        relationship_type: said("relationship_type"),
    })
}

/// `collection_7` stands for the tags of that collection; one that is not seen is no tag.
fn with_collections(request: &Request, names: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut tags = Vec::with_capacity(names.len());
    for name in names {
        let number =
            name.to_ascii_lowercase().strip_prefix("collection_").and_then(|n| n.parse::<i64>().ok());
        let Some(number) = number else {
            tags.push(name);
            continue;
        };
        match tag_collection::tags_of(&request.service, &request.actor, number) {
            Ok(ids) => tags.extend(ids.iter().map(ToString::to_string)),
            Err(Error::NotFound(_)) => {
                return Err(Failure::Own(StatusCode::OK, body::not_tagged("Invalid Tag Collection.")));
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(tags)
}

/// Refusals are told with status 200; a missing target is a failure like everywhere.
fn told<T>(done: &str, result: Result<Vec<T>, Error>) -> Result<Answer, Failure> {
    match result {
        Ok(some) if !some.is_empty() => Ok(Answer::json(body::tagged(done))),
        Err(Error::Refused(reason)) => Ok(Answer::json(body::not_tagged(&reason))),
        Ok(_) | Err(Error::NotFound("tag")) => Ok(Answer::json(body::not_tagged("Invalid Tag."))),
        Err(e) => Err(e.into()),
    }
}

fn add_to(request: &Request, target: Target, named: Named) -> Result<Answer, Failure> {
    let Named { tags, local, relationship_type, .. } = named;
    let done = attribute::pick(&request.service, &request.actor, target, &tags, local, relationship_type);
    told(if tags.len() > 1 { "Tags added." } else { "Tag added." }, done)
}

fn remove_from(request: &Request, target: Target, named: Named) -> Result<Answer, Failure> {
    let done = attribute::untag(&request.service, &request.actor, target, &named.tags);
    told(if named.tags.len() > 1 { "Tags removed." } else { "Tag removed." }, done)
}

/// POST /events/addTag/{event}/{tag}[/local:1], or `{"event":…,"tag":…}`
pub(crate) fn event_add(request: &Request) -> Result<Answer, Failure> {
    let named = named(request, "Event", body::INVALID_EVENT)?;
    add_to(request, Target::Event(named.target), named)
}

/// POST /events/removeTag/{event}/{tag}
pub(crate) fn event_remove(request: &Request) -> Result<Answer, Failure> {
    let named = named(request, "Event", body::INVALID_EVENT)?;
    remove_from(request, Target::Event(named.target), named)
}

/// POST /attributes/addTag/{attribute}/{tag}[/local:1], or `{"attribute":…,"tag":…}`
pub(crate) fn attribute_add(request: &Request) -> Result<Answer, Failure> {
    let named = named(request, "Attribute", body::INVALID_ATTRIBUTE)?;
    add_to(request, Target::Attribute(named.target), named)
}

/// POST /attributes/removeTag/{attribute}/{tag}
pub(crate) fn attribute_remove(request: &Request) -> Result<Answer, Failure> {
    let named = named(request, "Attribute", body::INVALID_ATTRIBUTE)?;
    remove_from(request, Target::Attribute(named.target), named)
}
