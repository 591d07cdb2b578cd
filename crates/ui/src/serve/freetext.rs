//! /events/freeTextImport/{id}: paste a text, review what was found in it, save what is ticked.

use axum::response::Response;
use http::StatusCode;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::Event;
use pisax_model::freetext;
use pisax_model::ids::Ref;
use pisax_service::attribute;

use super::failure::Failure;
use super::notice::Notice;
use super::visit::Visit;
use super::{groups, refusal, reply, review, warnings};
use crate::{Area, EventLink, Flash, FreetextPaste, FreetextReview, ReviewRow, SubmittedRow, links, words};

type Answer = Result<Response, Failure>;

/// Rows of a review: more are no longer reviewed by anybody, and make a page of megabytes.
const MOST_ROWS: usize = 2_000;

/// GET
pub(crate) fn paste(visit: &Visit<'_>) -> Answer {
    let event = visit.event_to_edit(visit.reference()?)?;
    form(visit, &event, String::new(), None)
}

/// POST: the text, or with `save` the reviewed rows.
pub(crate) fn submit(visit: &Visit<'_>) -> Answer {
    let event = visit.event_to_edit(visit.reference()?)?;
    if visit.form.ticked("save") { save(visit, &event) } else { find(visit, &event) }
}

fn form(visit: &Visit<'_>, event: &Event, text: String, error: Option<String>) -> Answer {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    reply::page(
        status,
        &FreetextPaste { chrome: visit.chrome(Area::Events), event: link(event), text, error },
    )
}

fn link(event: &Event) -> EventLink {
    EventLink { id: event.id, info: event.info.clone() }
}

fn find(visit: &Visit<'_>, event: &Event) -> Answer {
    let text = visit.form.lines("text");
    let candidates = freetext::parse(&text);
    if let Some(error) = unreviewable(candidates.len()) {
        return form(visit, event, text, Some(error));
    }
    let mut rows: Vec<_> = candidates.into_iter().map(review::proposed).collect();
    look_up(visit, event, &mut rows)?;
    review::untick_noted(&mut rows);
    show(visit, event, rows, "5", Vec::new())
}

/// Why so many finds are not shown for review.
fn unreviewable(found: usize) -> Option<String> {
    if found == 0 {
        return Some(
            "No address, domain, URL, hash or CVE was recognised in the text. Add them one by one if they are \
             there."
                .to_owned(),
        );
    }
    (found > MOST_ROWS).then(|| {
        format!(
            "There are {} in the text, and a review takes at most {}. Paste it in parts, or load the list on \
             the command line with “pisax import”.",
            words::counted(found as u64, "indicator", "indicators"),
            words::count(MOST_ROWS)
        )
    })
}

/// Notes what is known of each value already.
fn look_up(visit: &Visit<'_>, event: &Event, rows: &mut [ReviewRow]) -> Result<(), Failure> {
    let warnings = warnings::of(visit.service());
    Ok(visit.service().read(visit.actor(), |r| Ok(review::look_up(r, warnings, event.id, rows)?))?)
}

fn show(
    visit: &Visit<'_>,
    event: &Event,
    rows: Vec<ReviewRow>,
    distribution: &str,
    problems: Vec<Flash>,
) -> Answer {
    let sharing_groups = visit.service().read(visit.actor(), |r| Ok(groups::choices(r, 0)?))?;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut chrome = visit.chrome(Area::Events);
    chrome.flashes.extend(problems);
    let page = FreetextReview {
        chrome,
        event: link(event),
        rows,
        distribution: distribution.to_owned(),
        sharing_group_id: visit.form.get("sharing_group_id").to_owned(),
        sharing_groups,
    };
    reply::page(status, &page)
}

fn save(visit: &Visit<'_>, event: &Event) -> Answer {
    let rows = SubmittedRow::read(visit.form.iter());
    let typed = visit.form.get("distribution").to_owned();
    let again = |mut rows: Vec<ReviewRow>, problem: String| {
        look_up(visit, event, &mut rows)?;
        show(visit, event, rows, &typed, vec![Flash::failed(problem)])
    };
    let all = |rows: Vec<SubmittedRow>| rows.into_iter().map(|row| review::submitted(row, None)).collect();
    let mut wrong = Vec::new();
    let distribution = refusal::code("distribution", &typed, &mut wrong);
    if let Some(error) = wrong.pop() {
        return again(all(rows), refusal::words(error));
    }
    let (kept, left): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.keep);
    if kept.is_empty() {
        return again(all(left), "Nothing is ticked: tick what is to be added.".to_owned());
    }
    let group = Ref::parse(visit.form.get("sharing_group_id"));
    let drafts = kept.iter().map(|row| draft(row, distribution, group)).collect();
    // What is in the event already counts as saved: the review has said so.
    let added =
        attribute::add(visit.service(), visit.actor(), Ref::Id(event.id), drafts, attribute::Twins::Keep)?;
    let saved = added.ids.iter().flatten().count() as u64;
    if added.errors.is_empty() {
        return Ok(Notice::Pasted(saved).on(reply::redirect(&links::event(event.id)), visit.pages));
    }
    let refused = added.errors.into_iter().filter_map(|(place, error)| {
        Some(review::submitted(kept.get(place)?.clone(), Some(refusal::words(error))))
    });
    let rows: Vec<ReviewRow> = refused.chain(all(left)).collect();
    again(rows, partly(saved))
}

fn partly(saved: u64) -> String {
    match saved {
        0 => "None of the ticked indicators could be saved: each says why.".to_owned(),
        1 => "One indicator was saved. The ticked ones below were not: each says why.".to_owned(),
        _ => {
            format!(
                "{} indicators were saved. The ticked ones below were not: each says why.",
                words::count(saved)
            )
        }
    }
}

fn draft(row: &SubmittedRow, distribution: Option<i64>, sharing_group: Option<Ref>) -> AttributeDraft {
    AttributeDraft {
        kind: Some(row.kind.clone()),
        value: Some(row.value.clone()),
        comment: Some(row.comment.clone()),
        to_ids: Some(row.to_ids),
        distribution,
        sharing_group,
        ..AttributeDraft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_too_much_are_not_reviewed() {
        assert!(unreviewable(0).unwrap().contains("No address"));
        assert_eq!(unreviewable(1), None);
        assert_eq!(unreviewable(MOST_ROWS), None);
        assert!(unreviewable(12_345).unwrap().contains("12,345 indicators"));
    }
}
