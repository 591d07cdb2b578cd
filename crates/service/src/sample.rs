//! Uploaded samples become `file` objects: the sealed sample with what identifies it.

use crate::object::{self, Duplicate};
use crate::{Error, Result, Service, event};
use pisax_access::Actor;
use pisax_formats::sample;
use pisax_model::attribute::AttributeDraft;
use pisax_model::content::Content;
use pisax_model::event::EventDraft;
use pisax_model::object::ObjectDraft;
use pisax_model::upload::{UploadDraft, UploadedFile};
use pisax_model::{AttributeType, Category, FieldError, Uuid, time};

/// The template `file` of misp-objects.
const FILE_TEMPLATE: &str = "688c46fb-5edb-40a3-8273-1af7923e2215";
const DEFAULT_CATEGORY: &str = "Payload installation";

/// What came of an upload.
#[derive(Debug)]
pub struct Uploaded {
    pub event_id: i64,
    pub saved: usize,
    /// Names of the files that were refused.
    pub refused: Vec<String>,
}

/// Adds samples to an event, each whole or not at all; without an event, all go into a new one.
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
    match draft.event {
        Some(event) => {
            let event_id = service.read(actor, |r| Ok(r.event(event)?))?.ok_or(Error::NotFound("event"))?.id;
            let mut uploaded = Uploaded { event_id, saved: 0, refused: Vec::new() };
            for (name, bytes) in files {
                let object = file_object(&name, bytes, &draft, version)?;
                match object::add(service, actor, event, object, Duplicate::Accept) {
                    Ok(_) => uploaded.saved += 1,
                    Err(Error::Invalid(fields)) => {
                        tracing::info!(?fields, name, "an uploaded sample was refused");
                        uploaded.refused.push(name);
                    }
                    Err(e) => return Err(e),
                }
            }
            Ok(uploaded)
        }
        None => in_new_event(service, actor, files, draft, version),
    }
}

fn in_new_event(
    service: &Service,
    actor: &Actor,
    files: Vec<(String, Vec<u8>)>,
    draft: UploadDraft,
    version: i64,
) -> Result<Uploaded> {
    let saved = files.len();
    let today = time::format_datetime(service.now())[..10].to_owned();
    let objects = files
        .into_iter()
        .map(|(name, bytes)| file_object(&name, bytes, &draft, version))
        .collect::<Result<_>>()?;
    let event = EventDraft {
        info: Some(draft.info.unwrap_or_else(|| format!("Malware samples uploaded on {today}"))),
        threat_level_id: draft.threat_level_id,
        analysis: draft.analysis,
        distribution: draft.distribution.filter(|d| *d != 5),
        objects,
        ..EventDraft::default()
    };
    let added = event::add(service, actor, event)?;
    let refused = added.dropped.iter().map(|(_, error)| error.to_string()).collect();
    Ok(Uploaded { event_id: added.id, saved, refused })
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
