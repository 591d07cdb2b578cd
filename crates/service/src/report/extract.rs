//! Indicators and tags found in the text of a report.

use super::{for_edit, renew};
use crate::attribute::{self, Twins};
use crate::context::{Tags, check};
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission, edit as rule};
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::Event;
use pisax_model::fold::fold;
use pisax_model::freetext::{self, Candidate};
use pisax_model::ids::Ref;
use pisax_model::report::{EventReport, MAX_SEARCHED_BYTES, refer, without_references};
use pisax_model::tag::TagDraft;
use pisax_model::{FieldError, Uuid};
use pisax_store::Writer;
use rustc_hash::FxHashMap;

/// What to do with what is found beyond making attributes of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extraction {
    /// Attach the tags whose names stand in the text to the event.
    pub tag_event: bool,
}

/// Makes attributes of the indicators in a report, or finds those that the event has already, and puts
/// references to them in place of the words. Returns the row number of the report.
pub fn extract(service: &Service, actor: &Actor, reference: Ref, how: Extraction) -> Result<i64> {
    // Looked for before any lock is taken; what another writes meanwhile is looked at again below.
    let seen = service.read(actor, |r| Ok(r.report(reference)?))?.ok_or(Error::NotFound("report"))?;
    if seen.content.len() > MAX_SEARCHED_BYTES {
        let reason = "The report is longer than 1 MiB, which is too long to be searched for indicators.";
        return Err(FieldError::new("content", reason).into());
    }
    let prose = without_references(&seen.content);
    let candidates = freetext::parse(&prose);
    let names = if how.tag_event { tag_names(&prose) } else { Vec::new() };
    service.write(actor, |w| {
        let (event, report) = for_edit(w, Ref::Id(seen.id))?;
        if report.content != seen.content {
            return Err(Error::Stale("report"));
        }
        let owner = rule::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
        if !rule::may_edit(w.actor(), owner) {
            return Err(Error::Forbidden);
        }
        let words = save(w, &event, &candidates)?;
        let content = refer(&report.content, &words);
        if content != report.content {
            let new = EventReport { content, timestamp: w.now(), ..report.clone() };
            w.update_report(&report, &new)?;
        }
        attach(w, &event, &names)?;
        renew(w, &event)?;
        Ok(report.id)
    })
}

/// Words of the text with the attribute that each stands for, of whatever type that is when the event has it
/// already; a value that is refused stays text.
fn save(w: &mut Writer<'_>, event: &Event, candidates: &[Candidate]) -> Result<Vec<(String, Uuid)>> {
    let now_ms = w.now_ms;
    let values: Vec<String> =
        candidates.iter().flat_map(|c| [c.value.clone(), c.original_value.clone()]).collect();
    let there = w.values_of_event(event, &values)?;
    let stored = |candidate: &Candidate| {
        let spellings = [&candidate.value, &candidate.original_value];
        spellings.into_iter().find_map(|value| there.get(&*fold(value.trim())).copied())
    };
    let mut words = Vec::with_capacity(candidates.len());
    let mut new = Vec::new();
    for candidate in candidates {
        match stored(candidate) {
            Some(uuid) => words.push((candidate.original_value.clone(), uuid)),
            None => new.push(candidate),
        }
    }
    let checked = new.iter().map(|candidate| {
        let draft = AttributeDraft {
            kind: Some(candidate.default_type.name().into()),
            value: Some(candidate.value.clone()),
            comment: Some(candidate.comment.clone()),
            ..AttributeDraft::default()
        };
        check(draft, false, now_ms)
    });
    let added = attribute::insert(w, event, checked.collect(), Twins::Keep)?;
    let ids: Vec<i64> = added.ids.iter().flatten().copied().collect();
    let saved: FxHashMap<i64, Uuid> = w.attributes_by_ids(&ids)?.iter().map(|a| (a.id, a.uuid)).collect();
    let known = new
        .iter()
        .zip(&added.ids)
        .filter_map(|(candidate, id)| Some((candidate.original_value.clone(), *saved.get(id.as_ref()?)?)));
    words.extend(known);
    Ok(words)
}

/// Words that may be names of tags: `namespace:predicate` and `namespace:predicate="value"`.
fn tag_names(prose: &str) -> Vec<String> {
    /// Names that are looked up at most.
    const MOST: usize = 2000;
    let mut names = Vec::new();
    let mut rest = prose;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        rest = &rest[start..];
        let mut quoted = false;
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            (c.is_whitespace() && !quoted)
                || c == '\n'
                || (!quoted && matches!(c, ',' | ';' | '(' | ')' | '`'))
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let word = word.trim_end_matches(['.', ':', '*', '_']);
        let named = word.split_once(':').is_some_and(|(space, name)| {
            !space.is_empty() && !name.is_empty() && !name.starts_with('/') && !space.contains('"')
        });
        if named && names.len() < MOST && !names.iter().any(|n| n == word) {
            names.push(word.to_owned());
        }
        rest = after;
    }
    names
}

/// Attaches those of the named tags that exist; none is made.
fn attach(w: &mut Writer<'_>, event: &Event, names: &[String]) -> Result<()> {
    let actor = w.actor().clone();
    if names.is_empty() || !(actor.has(Permission::Tagger) || actor.sees_all()) {
        return Ok(());
    }
    let drafts: Vec<TagDraft> =
        names.iter().map(|name| TagDraft { name: name.clone(), ..TagDraft::default() }).collect();
    let tags = Tags::existing(w, &drafts)?;
    w.attach_event_tags(event.id, &tags.attachments(&actor, &drafts))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tags_are_found_in_prose() {
        let text = "This is tlp:amber, and misp-galaxy:threat-actor=\"APT 28\". See https://x.example/ or (type:OSINT).\nNote: none";
        assert_eq!(tag_names(text), ["tlp:amber", "misp-galaxy:threat-actor=\"APT 28\"", "type:OSINT"]);
        assert!(tag_names("a: b :c \"").is_empty());
    }
}
