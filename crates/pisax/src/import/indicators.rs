//! Indicator lists: one event for each file.

use super::list::{self, IndicatorList};
use super::{COMPLAINTS, Import, Report, Source};
use anyhow::Result;
use pisax_model::FieldError;
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_service::{attribute, event};

/// Imports a list into the event of its file name: what is there already stays as it is.
pub fn import(import: &Import<'_>, source: &Source) -> Result<Report> {
    let text = match source.read() {
        // A list may quote names in an encoding of its own; the indicators themselves are ASCII.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) => {
            import.complain(source, "", &e.to_string());
            return Ok(Report { broken: 1, ..Report::default() });
        }
    };
    let list = list::read(&text);
    drop(text);
    if list.attributes.is_empty() {
        import.complain(source, "", "there is no indicator in it");
        return Ok(Report { broken: 1, ..Report::default() });
    }
    unrecognised(import, source, &list.strange);
    let strange = list.strange.len() as u64;
    match store(import, source, list) {
        Ok(report) => Ok(Report { strange, ..report }),
        Err(e) => import.broken(source, "", e),
    }
}

fn unrecognised(import: &Import<'_>, source: &Source, lines: &[usize]) {
    if lines.is_empty() {
        return;
    }
    let first: Vec<_> = lines.iter().take(COMPLAINTS).map(usize::to_string).collect();
    let more = if lines.len() > COMPLAINTS { ", …" } else { "" };
    let why = format!("no indicator recognised in {} of its lines: {}{more}", lines.len(), first.join(", "));
    import.complain(source, "", &why);
}

fn store(import: &Import<'_>, source: &Source, list: IndicatorList) -> pisax_service::Result<Report> {
    let (service, actor) = (import.service, import.actor);
    let reference = Ref::Uuid(list::event_uuid(&source.path));
    let step = Step { all: list.attributes.len() as u64, bytes: source.bytes };
    let mut report = Report::default();
    let mut rest = list.attributes.into_iter();
    let known = service.read(actor, |r| Ok(r.event(reference)?.is_some()))?;
    if known {
        report.skipped = 1;
    } else {
        // The whole list at once: killed, it leaves no event that holds a part of it.
        let first: Vec<_> = rest.by_ref().collect();
        let sent = first.len() as u64;
        let added = event::add(service, actor, draft(import, source, &list.aliases, first))?;
        report.added = 1;
        count(import, source, &mut report, sent, added.dropped);
        import.progress.advance(step.share(sent));
    }
    loop {
        let next: Vec<_> = rest.by_ref().take(import.rows).collect();
        if next.is_empty() {
            break;
        }
        let sent = next.len() as u64;
        // Twins are refused rather than accepted: an event that gains nothing keeps its timestamp.
        let added = attribute::add(service, actor, reference, next, attribute::Twins::Refuse)?;
        count(import, source, &mut report, sent, added.errors);
        import.progress.advance(step.share(sent));
    }
    if import.style.publish && report.attributes > 0 {
        event::publish(service, actor, reference)?;
    }
    if known && report.attributes > 0 {
        report.skipped = 0;
        report.updated = 1;
    }
    Ok(report)
}

/// A part of a file's attributes as a part of its bytes.
struct Step {
    all: u64,
    bytes: u64,
}

impl Step {
    fn share(&self, attributes: u64) -> u64 {
        self.bytes * attributes / self.all.max(1)
    }
}

fn draft(
    import: &Import<'_>,
    source: &Source,
    aliases: &[String],
    attributes: Vec<AttributeDraft>,
) -> EventDraft {
    let subject = list::subject(&source.path);
    let about =
        import.clusters.tag(&subject, aliases).map_or_else(|| subject.kind.tag(&subject.name), str::to_owned);
    let tags = std::iter::once(about).chain(import.style.tags.iter().map(|t| (*t).to_owned()));
    EventDraft {
        uuid: Some(list::event_uuid(&source.path)),
        info: Some(list::title(&source.path, &subject, aliases)),
        distribution: import.style.distribution,
        // Ongoing: the list may grow.
        analysis: Some(1),
        attributes,
        tags: tags.map(|name| TagDraft { name, ..TagDraft::default() }).collect(),
        ..EventDraft::default()
    }
}

/// Counts what became of a transaction. What was in the event or the list before is neither added nor refused.
fn count(
    import: &Import<'_>,
    source: &Source,
    report: &mut Report,
    sent: u64,
    errors: Vec<(usize, FieldError)>,
) {
    let wrong: Vec<_> = errors.iter().filter(|(_, e)| !attribute::is_twin(e)).cloned().collect();
    import.left_out(source, "", &wrong);
    report.refused += wrong.len() as u64;
    report.attributes += sent.saturating_sub(errors.len() as u64);
}
