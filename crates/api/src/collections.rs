//! `/collections/…` and `/collectionElements/…`

use crate::answer::Answer;
use crate::event_writer::org_summary;
use crate::failure::{Failure, Saving};
use crate::reply::{document, list, member, number_member, saved};
use crate::request::{self, Request, text};
use pisax_model::ids::Ref;
use pisax_model::{Uuid, time};
use pisax_service::Error;
use pisax_service::collection::{self as service, CollectionDraft, ElementDraft, Whole};
use pisax_store::collections::{Collection, Element, Whose};
use pisax_store::orgs::OrgName;
use pisax_wire::JsonWriter;
use rustc_hash::FxHashMap;
use serde_json::Value;

const INVALID: &str = "Invalid collection.";

fn read_element(value: &Value) -> ElementDraft {
    let value = value.get("CollectionElement").unwrap_or(value);
    ElementDraft {
        element_uuid: text(value, "element_uuid").and_then(|t| Uuid::try_parse(t.trim()).ok()),
        element_type: text(value, "element_type").unwrap_or_default(),
        description: text(value, "description").unwrap_or_default(),
    }
}

fn read(request: &Request) -> Result<CollectionDraft, Failure> {
    let sent = request.unwrapped("Collection")?;
    let elements = match sent.get("CollectionElement") {
        Some(Value::Array(items)) => items.iter().map(read_element).collect(),
        Some(Value::Object(items)) => items.values().map(read_element).collect(),
        _ => Vec::new(),
    };
    Ok(CollectionDraft {
        uuid: text(&sent, "uuid").and_then(|t| Uuid::try_parse(t.trim()).ok()),
        name: text(&sent, "name"),
        kind: text(&sent, "type"),
        description: text(&sent, "description"),
        distribution: request::number(&sent, "distribution"),
        sharing_group: text(&sent, "sharing_group_id").as_deref().and_then(Ref::parse),
        elements,
    })
}

fn write_columns(w: &mut JsonWriter<'_>, collection: &Collection) {
    number_member(w, "id", collection.id);
    w.key("uuid");
    w.uuid(collection.uuid);
    number_member(w, "org_id", collection.org_id);
    number_member(w, "orgc_id", collection.orgc_id);
    number_member(w, "user_id", collection.user_id);
    member(w, "created", &time::format_datetime(collection.created));
    member(w, "modified", &time::format_datetime(collection.modified));
    number_member(w, "distribution", collection.distribution);
    number_member(w, "sharing_group_id", collection.sharing_group_id);
    member(w, "name", &collection.name);
    member(w, "type", &collection.kind);
    member(w, "description", &collection.description);
}

fn write_element(w: &mut JsonWriter<'_>, element: &Element) {
    w.begin_object();
    number_member(w, "id", element.id);
    w.key("uuid");
    w.uuid(element.uuid);
    w.key("element_uuid");
    w.uuid(element.element_uuid);
    member(w, "element_type", &element.element_type);
    number_member(w, "collection_id", element.collection_id);
    member(w, "description", &element.description);
    w.end_object();
}

fn write_org(w: &mut JsonWriter<'_>, names: &FxHashMap<i64, OrgName>, id: i64) {
    let org = org_summary(names, id);
    w.begin_object();
    number_member(w, "id", org.id);
    member(w, "name", org.name);
    w.key("uuid");
    w.uuid(org.uuid);
    w.end_object();
}

fn names(request: &Request, collections: &[&Collection]) -> Result<FxHashMap<i64, OrgName>, Failure> {
    let ids: Vec<i64> = collections.iter().flat_map(|c| [c.org_id, c.orgc_id]).collect();
    Ok(request.service.read(&request.actor, |r| Ok(r.org_names(&ids)?))?)
}

fn answer(request: &Request, whole: &Whole) -> Result<Answer, Failure> {
    let (collection, elements) = whole;
    let names = names(request, &[collection])?;
    Ok(document(|w| {
        w.begin_object();
        w.key("Collection");
        w.begin_object();
        write_columns(w, collection);
        w.key("CollectionElement");
        w.begin_array();
        elements.iter().for_each(|element| write_element(w, element));
        w.end_array();
        for (name, id) in [("Org", collection.org_id), ("Orgc", collection.orgc_id)] {
            w.key(name);
            write_org(w, &names, id);
        }
        if request.actor.sees_all() || request.actor.org_id == collection.orgc_id {
            w.key("User");
            w.begin_object();
            number_member(w, "id", collection.user_id);
            member(w, "email", &collection.email);
            w.end_object();
        }
        w.end_object();
        w.end_object();
    }))
}

/// GET /collections/index[/{my_collections|org_collections}][/quickFilter:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let whose = match request.path.arg(0) {
        Some("my_collections") => Whose::Mine,
        Some("org_collections") => Whose::Organisation,
        _ => Whose::All,
    };
    let search = request.path.named("quickFilter");
    let found = service::list(&request.service, &request.actor, whose, search)?;
    let names = names(request, &found.iter().collect::<Vec<_>>())?;
    Ok(list(&found, |w, collection| {
        w.begin_object();
        w.key("Collection");
        w.begin_object();
        write_columns(w, collection);
        number_member(w, "element_count", collection.count);
        w.end_object();
        w.key("Orgc");
        write_org(w, &names, collection.orgc_id);
        w.end_object();
    }))
}

/// GET /collections/view/{id|uuid}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    answer(request, &service::view(&request.service, &request.actor, reference)?)
}

/// POST /collections/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let added = service::add(&request.service, &request.actor, read(request)?);
    answer(request, &added.saving("add", "Collection")?)
}

/// MISP has one refusal for what one may not change and what one does not see.
fn refusing<T>(result: Result<T, Error>, action: &'static str) -> Result<T, Failure> {
    match result {
        Err(Error::Forbidden) => {
            Err(Failure::NotAllowed("Invalid Collection or insuficient privileges".into()))
        }
        other => other.saving(action, "Collection"),
    }
}

/// POST /collections/edit/{id|uuid}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let edited = service::edit(&request.service, &request.actor, reference, read(request)?);
    answer(request, &refusing(edited, "edit")?)
}

/// POST /collections/delete/{id|uuid}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    refusing(service::delete(&request.service, &request.actor, reference), "delete")?;
    Ok(saved(request, "Collection deleted."))
}

// ---- Elements -----------------------------------------------------------------------------------------

/// GET /collectionElements/index/{collection}
pub(crate) fn elements(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid collection or no access.")?;
    let found = service::elements(&request.service, &request.actor, reference)?;
    Ok(list(&found, |w, element| {
        w.begin_object();
        w.key("CollectionElement");
        write_element(w, element);
        w.end_object();
    }))
}

/// POST /collectionElements/add/{collection}
pub(crate) fn add_element(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, INVALID)?;
    let draft = read_element(&request.unwrapped("CollectionElement")?);
    let added = service::add_element(&request.service, &request.actor, reference, &draft);
    let element = refusing(added, "add")?;
    Ok(document(|w| {
        w.begin_object();
        w.key("CollectionElement");
        write_element(w, &element);
        w.end_object();
    }))
}

/// POST /collectionElements/addElementToCollection/{type}/{uuid} `{collection_id, description}`
pub(crate) fn add_to_collection(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("CollectionElement")?;
    let missing = Failure::NotFound("No collection_id specified.");
    let reference = text(&sent, "collection_id").as_deref().and_then(Ref::parse).ok_or(missing)?;
    let draft = ElementDraft {
        element_type: request.path.arg(0).unwrap_or_default().to_owned(),
        element_uuid: request.path.arg(1).and_then(|t| Uuid::try_parse(t).ok()),
        description: text(&sent, "description").unwrap_or_default(),
    };
    match service::add_element(&request.service, &request.actor, reference, &draft) {
        Ok(_) => Ok(saved(request, "Element added to the Collection.")),
        Err(Error::Forbidden | Error::NotFound(_)) => {
            Err(Failure::NotFound("Invalid collection or not authorized."))
        }
        Err(Error::Invalid(errors)) => {
            let why: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
            let reason = format!("Element could not be added to the Collection. {}", why.join(" "));
            Err(Failure::NotSaved {
                action: "addElementToCollection",
                model: "CollectionElements",
                reason,
                id: None,
            })
        }
        Err(other) => Err(other.into()),
    }
}

/// POST /collectionElements/delete/{id|uuid}
pub(crate) fn delete_element(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, "Invalid collection element.")?;
    refusing(service::delete_element(&request.service, &request.actor, reference), "delete")?;
    Ok(saved(request, "CollectionElement deleted."))
}
