//! Rows of a review: what was found in a text, or what came back of it, and what is known of the values.

use std::collections::{HashMap, HashSet};

use pisax_model::filter::{Filter, Scope, Terms};
use pisax_model::fold::fold;
use pisax_model::freetext::{self, Candidate};
use pisax_model::{AttributeType, value};
use pisax_store::{Reader, Result};

use crate::{Indicator, ReviewRow, SubmittedRow};

/// Attributes read at a time.
const BATCH: usize = 2_000;

/// A row for something that was found.
pub(crate) fn proposed(candidate: Candidate) -> ReviewRow {
    let kind = candidate.default_type;
    ReviewRow {
        keep: true,
        value: Indicator::new(kind.name(), candidate.value),
        types: names(kind, &candidate.types),
        kind: kind.name().to_owned(),
        to_ids: kind.default_to_ids(),
        comment: candidate.comment,
        related: 0,
        notes: Vec::new(),
        error: None,
    }
}

/// The likeliest type first.
fn names(likeliest: AttributeType, types: &[AttributeType]) -> Vec<String> {
    let others = types.iter().copied().filter(|kind| *kind != likeliest);
    std::iter::once(likeliest).chain(others).map(|kind| kind.name().to_owned()).collect()
}

/// A row that came back, as it was filled in.
pub(crate) fn submitted(row: SubmittedRow, error: Option<String>) -> ReviewRow {
    let mut types = freetext::indicator_line(&row.value)
        .map(|candidate| names(candidate.default_type, &candidate.types))
        .unwrap_or_default();
    if !types.contains(&row.kind) {
        types.insert(0, row.kind.clone());
    }
    ReviewRow {
        keep: row.keep,
        value: Indicator::new(&row.kind, row.value),
        types,
        kind: row.kind,
        to_ids: row.to_ids,
        comment: row.comment,
        related: 0,
        notes: Vec::new(),
        error,
    }
}

/// Says of each row how many other events have its value, whether this one has, and which warninglists do.
pub(crate) fn look_up(
    r: &mut Reader<'_>,
    warnings: impl Fn(AttributeType, &str, &str) -> Vec<String>,
    event_id: i64,
    rows: &mut [ReviewRow],
) -> Result<()> {
    let known = events_with(r, rows.iter().map(|row| row.value.exact.as_str()))?;
    for row in rows {
        if let Some(events) = known.get(fold(&row.value.exact).as_ref()) {
            let here = events.contains(&event_id);
            row.related = (events.len() - usize::from(here)) as u64;
            row.notes.extend(here.then(|| "already in this event".to_owned()));
        }
        if let Some(kind) = AttributeType::parse(&row.kind) {
            let (value1, value2) = value::halves(kind, &row.value.exact);
            row.notes
                .extend(warnings(kind, value1, value2).into_iter().map(|list| format!("on list: {list}")));
        }
    }
    Ok(())
}

/// Unticks what there is something to know about: who wants it nevertheless says so.
pub(crate) fn untick_noted(rows: &mut [ReviewRow]) {
    for row in rows.iter_mut().filter(|row| !row.notes.is_empty()) {
        row.keep = false;
        row.to_ids = false;
    }
}

/// The visible events that have each of these values, by folded value.
fn events_with<'v>(
    r: &mut Reader<'_>,
    values: impl Iterator<Item = &'v str>,
) -> Result<HashMap<String, HashSet<i64>>> {
    // What begins or ends with `%` would be a pattern.
    let wanted: Vec<String> =
        values.filter(|v| !v.starts_with('%') && !v.ends_with('%')).map(str::to_owned).collect();
    let mut known: HashMap<String, HashSet<i64>> =
        wanted.iter().map(|value| (fold(value).into_owned(), HashSet::new())).collect();
    if wanted.is_empty() {
        return Ok(known);
    }
    let filter = Filter { value: Terms { or: wanted, ..Terms::default() }, ..Filter::new() };
    for chunk in r.find(Scope::Attributes, &filter)?.chunks(BATCH) {
        for attribute in r.attributes_by_ids(chunk)?.iter() {
            let value = attribute.value();
            for text in [attribute.value1, attribute.value2, &value] {
                if let Some(events) = known.get_mut(fold(text).as_ref()) {
                    events.insert(attribute.event_id);
                }
            }
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_type_is_first_and_chosen() {
        let candidate = freetext::parse("198.51.100.99").remove(0);
        let row = proposed(candidate);
        assert_eq!(row.kind, row.types[0]);
        assert!(row.keep && row.types.len() > 1, "{:?}", row.types);
    }

    #[test]
    fn a_row_comes_back_as_it_was_filled_in() {
        let sent = SubmittedRow {
            keep: true,
            value: "198.51.100.99".to_owned(),
            kind: "text".to_owned(),
            to_ids: true,
            comment: "seen".to_owned(),
        };
        let row = submitted(sent, Some("No.".to_owned()));
        assert_eq!((row.kind.as_str(), row.types[0].as_str()), ("text", "text"));
        assert!(row.types.iter().any(|kind| kind == "ip-dst"));
        assert!(row.keep && row.to_ids && row.error.is_some());
    }
}
