//! `/warninglists/add`, `edit`, `delete`, `import`, `export`, `enableWarninglist`: lists of one's own.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{member, number, number_member, saved};
use crate::request::{Request, flag, number as whole, text, texts};
use crate::warninglists::{INVALID, show};
use pisax_formats::knowledge::stored;
use pisax_service::Error;
use pisax_service::knowledge::{self as service, WarninglistDraft};
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use serde_json::Value;

fn draft(sent: &Value) -> WarninglistDraft {
    WarninglistDraft {
        name: text(sent, "name"),
        description: text(sent, "description"),
        kind: text(sent, "type"),
        category: text(sent, "category"),
        version: whole(sent, "version"),
        enabled: flag(sent, "enabled"),
        types: texts(sent, "matching_attributes").or_else(|| types(sent)),
        entries: entries(sent.get("entries")).or_else(|| entries(sent.get("WarninglistEntry"))),
    }
}

/// `"WarninglistType":[{"type":…}]`, as a view shows them.
fn types(sent: &Value) -> Option<Vec<String>> {
    let list = sent.get("WarninglistType")?.as_array()?;
    Some(list.iter().filter_map(|item| text(item, "type")).collect())
}

/// A list of values, of `{value, comment}`, or lines of `value # comment`.
fn entries(sent: Option<&Value>) -> Option<Vec<(String, String)>> {
    let pair = |(value, note): (&str, &str)| (value.trim().to_owned(), note.trim().to_owned());
    match sent? {
        Value::Array(items) => Some(
            items
                .iter()
                .map(|item| match item {
                    Value::Object(_) => pair((
                        &text(item, "value").unwrap_or_default(),
                        &text(item, "comment").unwrap_or_default(),
                    )),
                    Value::String(value) => pair((value, "")),
                    other => pair((&other.to_string(), "")),
                })
                .collect(),
        ),
        Value::String(lines) => {
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
            Some(lines.map(|line| pair(line.split_once('#').unwrap_or((line, "")))).collect())
        }
        _ => None,
    }
}

/// POST /warninglists/add `{name, type, description, category, entries, matching_attributes}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Warninglist")?;
    let id = service::add_warninglist(&request.service, &request.actor, draft(&sent))
        .saving("add", "Warninglist")?;
    show(request, id)
}

/// POST /warninglists/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = request.unwrapped("Warninglist")?;
    // The version counts up by itself.
    let draft = WarninglistDraft { version: None, ..draft(&sent) };
    service::edit_warninglist(&request.service, &request.actor, id, draft).saving("edit", "Warninglist")?;
    show(request, id)
}

/// POST /warninglists/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete_warninglist(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Warninglist successfully deleted."))
}

/// POST /warninglists/enableWarninglist/{id}[/true]: the list as it is now. (MISP redirects to it.)
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let on = request.path.arg(1).is_some_and(|word| !matches!(word, "" | "0" | "false"));
    let which = service::Which { ids: vec![id], ..service::Which::default() };
    match service::toggle(&request.service, &request.actor, &which, Some(on))?.count {
        0 => Err(Error::NotFound("warninglist").into()),
        _ => show(request, id),
    }
}

/// POST /warninglists/import: a list as its library publishes it.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Warninglist")?;
    for field in ["name", "type", "version", "description", "matching_attributes", "list"] {
        if sent.get(field).is_none_or(Value::is_null) {
            return Err(Failure::BadRequest(format!("No valid data received: field `{field}` is missing.")));
        }
    }
    if !sent["list"].is_array() {
        return Err(Failure::BadRequest("No valid data received: `list` field is not array".into()));
    }
    let draft = WarninglistDraft { entries: entries(sent.get("list")), enabled: None, ..draft(&sent) };
    let imported = service::import_warninglist(&request.service, &request.actor, draft);
    let id = imported.map_err(|e| match e {
        Error::Refused(reason) => {
            Failure::NotSaved { action: "import", model: "Warninglist", reason, id: None }
        }
        Error::Invalid(errors) => {
            Failure::Invalid { action: "import", model: "Warninglist", errors, id: None }
        }
        other => other.into(),
    })?;
    Ok(Answer::json(body::saved("Warninglist imported", &request.path.raw, Some(id))))
}

/// GET /warninglists/export/{id}: as libraries publish it.
pub(crate) fn export(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let found = request.service.read(&request.actor, |r| {
        let Some(list) = r.warninglist(id)? else { return Ok(None) };
        Ok(Some((list, r.warninglist_entries(id)?.unwrap_or_default())))
    })?;
    let (list, entries) = found.ok_or(Failure::NotFound(INVALID))?;
    Ok(Answer::stream(move |sink| {
        let mut w = JsonWriter::new(sink.buffer());
        w.begin_object();
        member(&mut w, "name", &list.name);
        member(&mut w, "type", &list.kind);
        number_member(&mut w, "version", list.version);
        member(&mut w, "description", &list.description);
        member(&mut w, "category", &list.category);
        w.key("matching_attributes");
        w.begin_array();
        stored::read_texts(&list.types).iter().for_each(|kind| w.str(kind));
        w.end_array();
        w.key("list");
        w.begin_array();
        for (i, entry) in entries.lines().enumerate() {
            if i > 0 {
                sink.buffer().push(b',');
            }
            JsonWriter::new(sink.buffer()).str(entry);
            sink.flush_full()?;
        }
        sink.buffer().extend_from_slice(b"]}");
        Ok(())
    }))
}
