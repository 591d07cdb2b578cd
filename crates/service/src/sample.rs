//! Uploaded samples become `file` objects: the sealed sample with what identifies it.

use crate::object::{self, Duplicate};
use crate::{Error, Result, Service, event};
use pisax_access::Actor;
use pisax_formats::sample;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::object::ObjectDraft;
use pisax_model::upload::{UploadDraft, UploadedFile};
use pisax_model::{AttributeType, Category, FieldError, Uuid, time};

/// The template `file` of misp-objects.
const FILE_TEMPLATE: &str = "688c46fb-5edb-40a3-8273-1af7923e2215";
const DEFAULT_CATEGORY: &str = "Payload installation";

/// What came of an upload.
#[derive(Debug)]
pub struct Uploaded {
    /// `None` where nothing was saved that an event would have been made for.
    pub event_id: Option<i64>,
    pub saved: usize,
    /// Names of the files for which all were refused.
    pub refused: Vec<String>,
}

/// Adds samples to an event, or into a new one: all of them or, where one is refused, none.
pub fn upload(service: &Service, actor: &Actor, mut draft: UploadDraft) -> Result<Uploaded> {
    let files: Vec<(String, Vec<u8>)> = std::mem::take(&mut draft.files)
        .into_iter()
        .filter_map(|UploadedFile { name, bytes }| Some((name?.trim().to_owned(), bytes?)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    if files.is_empty() {
        let message = "No samples received, or samples not in the correct format.";
        return Err(FieldError::new("files", message).into());
    }
    let template = service.read(actor, |r| {
        let uuid = Uuid::try_parse(FILE_TEMPLATE).ok();
        Ok(uuid.map(|uuid| r.template(&uuid, None)).transpose()?.flatten())
    })?;
    let version = template.map_or(1, |template| template.version);
    let event = match draft.event {
        Some(event) => {
            Some(service.read(actor, |r| Ok(r.event(event)?))?.ok_or(Error::NotFound("event"))?.id)
        }
        None => None,
    };
    let (mut objects, mut refused) = (Vec::with_capacity(files.len()), Vec::new());
    for (name, bytes) in files {
        let mut object = file_object(&name, bytes, &draft, version)?;
        if let Some(fault) = fault(&mut object, service.clock.now_ms()) {
            tracing::info!(%fault, name, "an uploaded sample was refused");
            refused.push(name);
        }
        objects.push(object);
    }
    if !refused.is_empty() {
        return Ok(Uploaded { event_id: event, saved: 0, refused });
    }
    let saved = objects.len();
    let event_id = match event {
        Some(event) => {
            object::add_all(service, actor, Ref::Id(event), objects, Duplicate::Accept)?;
            event
        }
        None => in_new_event(service, actor, objects, draft)?,
    };
    Ok(Uploaded { event_id: Some(event_id), saved, refused })
}

/// What is wrong with an object, its file aside.
fn fault(object: &mut ObjectDraft, now_ms: i64) -> Option<FieldError> {
    let files: Vec<_> = object.attributes.iter_mut().map(|a| a.data.take()).collect();
    let checked = object::check_object(object.clone(), now_ms);
    for (attribute, data) in object.attributes.iter_mut().zip(files) {
        attribute.data = data;
    }
    checked.err()
}

fn in_new_event(
    service: &Service,
    actor: &Actor,
    objects: Vec<ObjectDraft>,
    draft: UploadDraft,
) -> Result<i64> {
    let today = time::format_datetime(service.now())[..10].to_owned();
    let event = EventDraft {
        info: Some(draft.info.unwrap_or_else(|| format!("Malware samples uploaded on {today}"))),
        threat_level_id: draft.threat_level_id,
        analysis: draft.analysis,
        distribution: draft.distribution.filter(|d| *d != 5),
        objects,
        ..EventDraft::default()
    };
    Ok(event::add(service, actor, event)?.id)
}

fn file_object(name: &str, bytes: Vec<u8>, said: &UploadDraft, version: i64) -> Result<ObjectDraft> {
    let sealed = sample::seal(name, &bytes)
        .map_err(|e| FieldError::new("data", format!("The sample could not be sealed: {e}")))?;
    let (sha1, sha256) = sample::hashes(&bytes);
    let size = bytes.len().to_string();
    let category = fitting_category(said.category.as_deref());
    let indicator = Some(said.to_ids.unwrap_or(true));
    let attribute = |kind: &str, value: String, to_ids: Option<bool>| AttributeDraft {
        kind: Some(kind.to_owned()),
        object_relation: Some(kind.to_owned()),
        category: Some(category.to_owned()),
        value: Some(value),
        to_ids,
        distribution: Some(5),
        ..AttributeDraft::default()
    };
    let mut sample = attribute("malware-sample", format!("{name}|{}", sealed.md5), indicator);
    sample.data = Some(Content::Bytes(sealed.bytes));
    let mut size = attribute("size-in-bytes", size, Some(false));
    size.category = Some("Other".to_owned());
    size.disable_correlation = Some(true);
    Ok(ObjectDraft {
        name: Some("file".to_owned()),
        meta_category: Some("file".to_owned()),
        template_uuid: Some(FILE_TEMPLATE.to_owned()),
        template_version: Some(version.to_string()),
        distribution: said.distribution.or(Some(5)),
        comment: said.comment.clone(),
        attributes: vec![
            sample,
            attribute("filename", name.to_owned(), Some(false)),
            attribute("md5", sealed.md5, indicator),
            attribute("sha1", sha1, indicator),
            attribute("sha256", sha256, indicator),
            size,
        ],
        has_attributes: true,
        ..ObjectDraft::default()
    })
}

/// A category that samples may stand in; another one counts as none (as MISP takes it).
fn fitting_category(sent: Option<&str>) -> &str {
    let sample = AttributeType::parse("malware-sample");
    let fits = |name: &&str| {
        Category::parse(name).is_some_and(|category| sample.is_some_and(|kind| kind.allows(category)))
    };
    sent.filter(fits).unwrap_or(DEFAULT_CATEGORY)
}
