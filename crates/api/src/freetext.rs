//! `/events/freeTextImport`: indicators recognised in pasted text.

use crate::answer::Answer;
use crate::events::find;
use crate::failure::{Failure, Saving};
use crate::request::{Request, flag, text};
use pisax_access::edit;
use pisax_model::attribute::AttributeDraft;
use pisax_model::freetext;
use pisax_model::ids::Ref;
use pisax_store::attributes::Batch;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use rustc_hash::FxHashMap;

/// POST /events/freeTextImport/{id}[/{adhereToWarninglists}[/{returnMetaAttributes}]]; what the body says counts.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    let event = find(request, reference)?;
    let sent = request.unwrapped("Attribute")?;
    // Old scripts send the text alone.
    let value = text(&sent, "value").or_else(|| sent.as_str().map(str::to_owned)).unwrap_or_default();
    let candidates = freetext::parse(&value);
    let in_path = |i: usize| request.path.arg(i).is_some_and(|said| !matches!(said, "0" | "false"));
    if flag(&sent, "returnMetaAttributes").unwrap_or_else(|| in_path(2)) {
        return Ok(Answer::json(meta_attributes(&candidates)));
    }
    let owner = edit::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
    if !edit::may_edit(&request.actor, owner) {
        return Err(Failure::Refused(body::NO_PERMISSION_THAT.into()));
    }
    let distribution = crate::request::number(&sent, "distribution");
    let group = text(&sent, "sharing_group_id").and_then(|t| Ref::parse(&t));
    let adhere = text(&sent, "adhereToWarninglists");
    let warned = Warned::read(adhere.as_deref().or(request.path.arg(1)));
    let lists = request.service.warninglists.load();
    let listed = |c: &freetext::Candidate| {
        let (one, two) = pisax_model::value::halves(c.default_type, &c.value);
        warned != Warned::Ignored && lists.is_hit(c.default_type, one, two)
    };
    let drafts = candidates
        .iter()
        .filter(|c| warned != Warned::Dropped || !listed(c))
        .map(|c| AttributeDraft {
            kind: Some(c.default_type.name().into()),
            value: Some(c.value.clone()),
            comment: Some(c.comment.clone()),
            to_ids: listed(c).then_some(false),
            distribution,
            sharing_group: group,
            ..AttributeDraft::default()
        })
        .collect();
    let twins = pisax_service::attribute::Twins::Keep;
    let added = pisax_service::attribute::add(&request.service, &request.actor, reference, drafts, twins)
        .saving("add", "Attribute")?;
    let ids: Vec<i64> = added.ids.iter().flatten().copied().collect();
    let batch = request.service.read(&request.actor, |r| Ok(r.attributes_by_ids(&ids)?))?;
    Ok(Answer::json(imported(&candidates, &batch, event.id)))
}

/// What `adhereToWarninglists` does with a value on an enabled list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Warned {
    Ignored,
    /// Saved without the flag for detection.
    Softened,
    /// Not saved, though still listed in the answer (semantics 5.3).
    Dropped,
}

impl Warned {
    fn read(said: Option<&str>) -> Self {
        match said {
            Some("soft") => Self::Softened,
            None | Some("" | "0" | "false") => Self::Ignored,
            Some(_) => Self::Dropped,
        }
    }
}

fn meta_attributes(candidates: &[freetext::Candidate]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut w = JsonWriter::new(&mut out);
    w.begin_array();
    for candidate in candidates {
        w.begin_object();
        for (key, value) in [
            ("value", candidate.value.as_str()),
            ("original_value", &candidate.original_value),
            ("default_type", candidate.default_type.name()),
            ("comment", &candidate.comment),
        ] {
            w.key(key);
            w.str(value);
        }
        w.key("to_ids");
        w.bool(candidate.default_type.default_to_ids());
        w.key("types");
        w.begin_object();
        for kind in &candidate.types {
            w.key(kind.name());
            w.str(kind.name());
        }
        w.end_object();
        w.end_object();
    }
    w.end_array();
    out
}

/// The attributes that were recognised, in MISP's shape (220): numbers are numbers here. One that was not
/// saved has no row number.
fn imported(candidates: &[freetext::Candidate], batch: &Batch, event_id: i64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut w = JsonWriter::new(&mut out);
    let places: FxHashMap<_, usize> =
        batch.iter().enumerate().map(|(place, a)| ((a.kind, a.value1, a.value2), place)).collect();
    w.begin_array();
    for candidate in candidates {
        let (value1, value2) = pisax_model::value::halves(candidate.default_type, &candidate.value);
        let saved = places.get(&(candidate.default_type, value1, value2)).map(|place| batch.get(*place));
        w.begin_object();
        w.key("Attribute");
        w.begin_object();
        for (key, number) in
            [("object_id", Some(0)), ("id", saved.map(|a| a.id)), ("event_id", Some(event_id))]
        {
            if let Some(number) = number {
                w.key(key);
                w.str_num(number);
            }
        }
        for (key, number) in [
            (
                "to_ids",
                saved.map_or(i64::from(candidate.default_type.default_to_ids()), |a| i64::from(a.to_ids)),
            ),
            ("timestamp", saved.map_or(0, |a| a.timestamp)),
            ("distribution", saved.map_or(5, |a| a.distribution)),
            ("sharing_group_id", saved.map_or(0, |a| a.sharing_group_id)),
        ] {
            w.key(key);
            w.int(number);
        }
        for (key, text) in [
            ("deleted", "0"),
            ("disable_correlation", "0"),
            ("comment", &candidate.comment),
            ("value", &candidate.value),
            ("original_value", &candidate.original_value),
            ("type", candidate.default_type.name()),
            ("category", saved.map_or(candidate.default_type.default_category(), |a| a.category).name()),
            ("value1", value1),
            ("value2", value2),
        ] {
            w.key(key);
            w.str(text);
        }
        if let Some(saved) = saved {
            w.key("uuid");
            w.uuid(saved.uuid);
        }
        w.end_object();
        w.end_object();
    }
    w.end_array();
    out
}
