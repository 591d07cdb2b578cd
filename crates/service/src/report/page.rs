//! A report of a web page: its text, made by a module where one does that, else here.

use super::add;
use crate::enrichment::{self, Failed, Plugin, Sent};
use crate::{Error, Result, Service};
use pisax_access::{Actor, edit as rule};
use pisax_formats::page;
use pisax_model::ids::Ref;
use pisax_model::report::ReportDraft;
use pisax_model::{Distribution, FieldError};
use pisax_outbound::{Page, Reach};
use std::time::Duration;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest file that is handed to a module.
const FILE: u64 = 32 << 20;
/// The modules that make text of files, by what an address ends with, as MISP chooses them.
const FILES: [(&str, &str); 6] = [
    (".pdf", "pdf_enrich"),
    (".pptx", "pptx_enrich"),
    (".xlsx", "xlsx_enrich"),
    (".ods", "ods_enrich"),
    (".odt", "odt_enrich"),
    (".docx", "docx_enrich"),
];
const PAGES: &str = "html_to_markdown";

/// Makes a report of the page at an address and adds it to an event; returns the report's row number.
pub fn import_from_url(service: &Service, actor: &Actor, reference: Ref, address: &str) -> Result<i64> {
    let found = service.read(actor, |r| Ok(r.event(reference)?))?;
    let event = found.ok_or(Error::NotFound("event"))?;
    let owner = rule::EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
    if !rule::may_edit(actor, owner) {
        return Err(Error::Forbidden);
    }
    let url = pisax_outbound::checked(address).map_err(wrong)?.to_string();
    let content = content(service, actor, event.id, &url)?;
    let draft = ReportDraft {
        name: Some(format!("Report from - {url} ({})", service.now())),
        content: Some(content),
        distribution: Some(Distribution::Inherit.code()),
        ..ReportDraft::default()
    };
    add(service, actor, Ref::Id(event.id), draft)
}

fn refused(message: impl Into<String>) -> Error {
    FieldError::new("url", message).into()
}

fn wrong(error: pisax_outbound::Error) -> Error {
    refused(format!("Could not fetch report from URL: {error}."))
}

fn content(service: &Service, actor: &Actor, event_id: i64, url: &str) -> Result<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, module)) = FILES.iter().find(|(ending, _)| path.ends_with(ending)) {
        if !is_there(service, actor, module) {
            return Err(refused(format!(
                "Could not fetch report from URL: the module {module} is not enabled."
            )));
        }
        let file = fetch(service, url, FILE)?;
        return ask(service, actor, &Sent::file(module, event_id, &file.body));
    }
    // A module fetches by itself, from where it stands. What is not to be reached is asked for here first.
    let page = fetch(service, url, page::LONGEST as u64)?;
    if is_there(service, actor, PAGES) {
        return ask(service, actor, &Sent::page(PAGES, event_id, url));
    }
    let text = match page.content_type.as_str() {
        "text/html" | "application/xhtml+xml" | "" => page::text_of(&page.body).map_err(refused)?,
        kind if kind.starts_with("text/") || matches!(kind, "application/json" | "application/xml") => {
            String::from_utf8_lossy(&page.body).into_owned()
        }
        kind => return Err(refused(format!("Could not fetch report from URL: {kind} is no text."))),
    };
    match text.trim().is_empty() {
        true => Err(refused("Could not fetch report from URL: there is no text on the page.")),
        false => Ok(text),
    }
}

fn fetch(service: &Service, url: &str, limit: u64) -> Result<Page> {
    let reach = if service.settings().fetch_private_addresses { Reach::Anywhere } else { Reach::Public };
    let page = service.http.page(url, reach, PATIENCE, limit).map_err(wrong)?;
    match page.status {
        200..=299 => Ok(page),
        status => {
            Err(refused(format!("Could not fetch report from URL: the answer has the status {status}.")))
        }
    }
}

/// Whether the actor may ask this module, and a server has it.
fn is_there(service: &Service, actor: &Actor, name: &str) -> bool {
    let found = Plugin::load(service)
        .map_err(Failed::from)
        .and_then(|plugin| enrichment::modules(service, actor, &plugin));
    found.is_ok_and(|modules| modules.iter().any(|module| module.name == name && module.is("expansion")))
}

fn ask(service: &Service, actor: &Actor, sent: &Sent) -> Result<String> {
    let answer = enrichment::relay(service, actor, sent).map_err(|failed| match failed {
        Failed::Other(error) => error,
        other => refused(format!("Could not fetch report from URL: {other}")),
    })?;
    answer.text().ok_or_else(|| refused("Could not fetch report from URL: the module made no text of it."))
}
