//! `/warninglists/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::knowledge::known;
use crate::reply::{document, flag_member, member, number, number_member, saved, spaced};
use crate::request::{Request, flag, text, texts};
use pisax_formats::knowledge::{Package, stored};
use pisax_model::fold::fold;
use pisax_service::knowledge::{self as service, Which};
use pisax_store::knowledge::WarninglistRow;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use serde_json::Value;

pub(crate) const INVALID: &str = "Invalid Warninglist.";

pub(crate) fn columns(w: &mut JsonWriter<'_>, list: &WarninglistRow) {
    number_member(w, "id", list.id);
    member(w, "name", &list.name);
    member(w, "type", &list.kind);
    member(w, "description", &list.description);
    number_member(w, "version", list.version);
    flag_member(w, "enabled", list.enabled);
    flag_member(w, "default", list.default);
    member(w, "category", &list.category);
    number_member(w, "warninglist_entry_count", list.entry_count);
}

/// GET|POST /warninglists/index[/value:…][/enabled:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Warninglist")?;
    let said = |name: &str| request.path.named(name).map(spaced).or_else(|| text(&sent, name));
    let mut lists = request.service.read(&request.actor, |r| Ok(r.warninglists()?))?;
    if let Some(wanted) = said("value").or_else(|| said("searchall")) {
        let wanted = fold(wanted.trim()).into_owned();
        lists.retain(|list| fold(&list.name).contains(&wanted) || fold(&list.description).contains(&wanted));
    }
    if let Some(on) = said("enabled") {
        lists.retain(|list| list.enabled == matches!(on.as_str(), "1" | "true"));
    }
    Ok(document(|w| {
        w.begin_object();
        w.key("Warninglists");
        w.begin_array();
        for list in &lists {
            w.begin_object();
            w.key("Warninglist");
            w.begin_object();
            columns(w, list);
            member(w, "valid_attributes", &stored::read_texts(&list.types).join(", "));
            w.end_object();
            w.end_object();
        }
        w.end_array();
        w.end_object();
    }))
}

/// GET /warninglists/view/{id}: with every entry, of which there may be a million, so it is sent as it is
/// written.
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    show(request, number(request, 0, INVALID)?)
}

pub(crate) fn show(request: &Request, id: i64) -> Result<Answer, Failure> {
    let found = request.service.read(&request.actor, |r| {
        let Some(list) = r.warninglist(id)? else { return Ok(None) };
        Ok(Some((list, r.warninglist_lines(id)?.unwrap_or_default())))
    })?;
    let (list, lines) = found.ok_or(Failure::NotFound(INVALID))?;
    Ok(Answer::stream(move |sink| {
        let mut w = JsonWriter::new(sink.buffer());
        w.begin_object();
        w.key("Warninglist");
        w.begin_object();
        columns(&mut w, &list);
        w.key("WarninglistEntry");
        w.begin_array();
        let mut notes = lines.notes.lines();
        for (i, entry) in lines.entries.lines().enumerate() {
            if i > 0 {
                sink.buffer().push(b',');
            }
            let note = notes.next().unwrap_or_default();
            write_entry(&mut JsonWriter::new(sink.buffer()), i as i64 + 1, list.id, (entry, note));
            sink.flush_full()?;
        }
        sink.buffer().push(b']');
        let mut w = JsonWriter::after_member(sink.buffer());
        w.key("WarninglistType");
        w.begin_array();
        for (i, kind) in stored::read_texts(&list.types).iter().enumerate() {
            w.begin_object();
            number_member(&mut w, "id", i as i64 + 1);
            member(&mut w, "type", kind);
            number_member(&mut w, "warninglist_id", list.id);
            w.end_object();
        }
        w.end_array();
        w.end_object();
        w.end_object();
        Ok(())
    }))
}

fn write_entry(w: &mut JsonWriter<'_>, number: i64, list: i64, (entry, note): (&str, &str)) {
    w.begin_object();
    number_member(w, "id", number);
    member(w, "value", entry);
    number_member(w, "warninglist_id", list);
    w.key("comment");
    if note.is_empty() {
        w.null()
    } else {
        w.str(note)
    }
    w.end_object();
}

/// POST /warninglists/toggleEnable `{"id":[…],"name":[…],"enabled":…}`: always 200, as MISP answers.
pub(crate) fn toggle(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Warninglist")?;
    let numbers = texts(&sent, "id").unwrap_or_default();
    let which = Which {
        ids: numbers.iter().filter_map(|id| id.trim().parse().ok()).collect(),
        // Names hold commas: one text is one name.
        names: match text(&sent, "name") {
            Some(name) => vec![name],
            None => texts(&sent, "name").unwrap_or_default(),
        },
    };
    let toggled = service::toggle(&request.service, &request.actor, &which, flag(&sent, "enabled"))?;
    if toggled.count == 0 {
        return Ok(Answer::json(body::not_tagged("Warninglist(s) not found.")));
    }
    let word = match toggled.on {
        Some(true) => "enabled",
        Some(false) => "disabled",
        None => "toggled",
    };
    Ok(document(|w| {
        w.begin_object();
        flag_member(w, "saved", true);
        member(w, "success", &format!("{} warninglist(s) {word}", toggled.count));
        w.end_object();
    }))
}

/// POST /warninglists/checkValue `["8.8.8.8"]`: which enabled lists have which values.
pub(crate) fn check_value(request: &Request) -> Result<Answer, Failure> {
    let values = match request.unwrapped("Warninglist")? {
        Value::String(one) => vec![one],
        Value::Array(items) => texts(&serde_json::json!({ "value": items }), "value").unwrap_or_default(),
        other => match text(&other, "value") {
            Some(one) => vec![one],
            None => texts(&other, "value").unwrap_or_default(),
        },
    };
    let lists = request.service.warninglists.load();
    let hits: Vec<_> =
        values.iter().map(|value| (value, lists.check(value))).filter(|(_, hits)| !hits.is_empty()).collect();
    if hits.is_empty() {
        // PHP writes an empty map as a list.
        return Ok(Answer::json(b"[]".to_vec()));
    }
    Ok(document(|w| {
        w.begin_object();
        for (value, hits) in &hits {
            w.key(value);
            w.begin_array();
            for hit in hits {
                w.begin_object();
                number_member(w, "id", hit.list_id);
                member(w, "name", lists.list(hit.list_id).map_or("", |list| list.name.as_str()));
                member(w, "matched", &hit.matched);
                w.end_object();
            }
            w.end_array();
        }
        w.end_object();
    }))
}

/// POST /warninglists/update
pub(crate) fn update(request: &Request) -> Result<Answer, Failure> {
    known(request, Package::Warninglists)?;
    Ok(saved(request, "All warninglists are up to date already."))
}
