//! Warninglists that are made here: added, changed, taken away, imported.

use super::load_warninglists;
use crate::{Error, Result, Service};
use pisax_access::{Actor, Permission};
use pisax_formats::knowledge::stored;
use pisax_lookup::{Builder, List};
use pisax_model::FieldError;
use pisax_model::knowledge::{ALL_TYPES, WarninglistCategory, WarninglistKind};
use pisax_store::Reader;
use pisax_store::knowledge::WarninglistRow;
use pisax_store::warninglists::WarninglistLines;
use rustc_hash::FxHashSet;

/// What a client says of a list; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarninglistDraft {
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<String>,
    pub category: Option<String>,
    pub version: Option<i64>,
    pub enabled: Option<bool>,
    pub types: Option<Vec<String>>,
    /// Each entry with its comment, which may be empty.
    pub entries: Option<Vec<(String, String)>>,
}

/// The most entries a list made here has, and the longest of them in bytes. A body is smaller anyway.
const MOST: usize = 2_000_000;
const LONGEST: usize = 16 << 10;

fn keeps(actor: &Actor) -> Result<()> {
    if actor.has(Permission::Warninglist) || actor.sees_all() { Ok(()) } else { Err(Error::Forbidden) }
}

/// Adds a list of one's own.
pub fn add_warninglist(service: &Service, actor: &Actor, draft: WarninglistDraft) -> Result<i64> {
    keeps(actor)?;
    let (row, lines) = complete(blank(), draft)?;
    let lines = lines.ok_or_else(|| FieldError::new("entries", "At least one entry is needed."))?;
    let id = service.write(actor, |w| Ok(w.add_warninglist(&row, &lines)?)).map_err(named)?;
    load_warninglists(service)?;
    Ok(id)
}

/// Changes a list of one's own; its version counts up.
pub fn edit_warninglist(service: &Service, actor: &Actor, id: i64, draft: WarninglistDraft) -> Result<()> {
    keeps(actor)?;
    let old = service.read(actor, |r| own(r, id))?;
    // Checked before the lock is taken: a list may be long.
    let (row, lines) = complete(old.clone(), WarninglistDraft { version: None, ..draft.clone() })?;
    if lines.is_none() && row.kind != old.kind {
        let kept = service.read(actor, |r| Ok(r.warninglist_lines(id)?.unwrap_or_default()))?;
        usable(&row, &kept.entries)?;
    }
    let changed = service.write(actor, |w| {
        let stored = own(w, id)?;
        let version = draft.version.unwrap_or(stored.version + 1);
        Ok(w.edit_warninglist(&stored, &WarninglistRow { version, ..row.clone() }, lines.as_ref())?)
    });
    changed.map_err(named)?;
    load_warninglists(service)
}

/// A list of one's own; published ones are not found here, as in MISP.
fn own(r: &mut Reader<'_>, id: i64) -> Result<WarninglistRow> {
    let found = r.warninglist(id)?.filter(|row| !row.default);
    found.ok_or(Error::NotFound("warninglist"))
}

/// Adds a list, or replaces the one of one's own that has the name.
pub fn import_warninglist(service: &Service, actor: &Actor, draft: WarninglistDraft) -> Result<i64> {
    keeps(actor)?;
    let name = draft.name.clone().unwrap_or_default();
    let known = service.read(actor, |r| {
        let Some(id) = r.warninglist_named(name.trim())? else { return Ok(None) };
        Ok(r.warninglist(id)?)
    })?;
    match known {
        None => add_warninglist(service, actor, draft),
        Some(row) if row.default => {
            Err(Error::Refused("It is not possible to modify default warninglist.".into()))
        }
        Some(row) => edit_warninglist(service, actor, row.id, draft).map(|()| row.id),
    }
}

/// Adds values to an enabled list of one's own, named by its number or its name; those it has stay once.
pub fn extend_warninglist(service: &Service, actor: &Actor, named: &str, values: &[String]) -> Result<()> {
    keeps(actor)?;
    let (id, lines) = service.read(actor, |r| {
        let id = match named.trim().parse() {
            Ok(id) => Some(id),
            Err(_) => r.warninglist_named(named.trim())?,
        };
        let row = own(r, id.ok_or(Error::NotFound("warninglist"))?)?;
        if !row.enabled {
            return Err(Error::Refused(format!("The warninglist {} is disabled.", row.name)));
        }
        Ok((row.id, r.warninglist_lines(row.id)?.unwrap_or_default()))
    })?;
    let mut notes = lines.notes.lines();
    let mut entries: Vec<(String, String)> =
        lines.entries.lines().map(|e| (e.to_owned(), notes.next().unwrap_or_default().to_owned())).collect();
    let known: FxHashSet<String> = entries.iter().map(|(entry, _)| entry.clone()).collect();
    let mut new: FxHashSet<&String> = FxHashSet::default();
    let added = values.iter().filter(|value| !known.contains(*value) && new.insert(value));
    entries.extend(added.map(|value| (value.clone(), String::new())));
    if entries.len() == known.len() {
        return Ok(());
    }
    edit_warninglist(service, actor, id, WarninglistDraft { entries: Some(entries), ..Default::default() })
}

/// Takes a list away. One that came with a library comes back with the next import.
pub fn delete_warninglist(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    keeps(actor)?;
    service.write(actor, |w| {
        let row = w.warninglist(id)?.ok_or(Error::NotFound("warninglist"))?;
        Ok(w.delete_warninglist(&row)?)
    })?;
    load_warninglists(service)
}

fn named(e: Error) -> Error {
    match e {
        Error::Invalid(fields)
            if fields.iter().any(|f| f.field == "name" && f.message.contains("in use")) =>
        {
            FieldError::new("name", "Warninglist with same name already exists.").into()
        }
        other => other,
    }
}

fn blank() -> WarninglistRow {
    WarninglistRow {
        id: 0,
        name: String::new(),
        kind: String::new(),
        description: String::new(),
        version: 1,
        category: WarninglistCategory::default().name().to_owned(),
        enabled: false,
        types: stored::texts_text(&[ALL_TYPES.to_owned()]),
        entry_count: 0,
        default: false,
    }
}

/// The list as it will be, and its entries where they are given.
fn complete(
    old: WarninglistRow,
    draft: WarninglistDraft,
) -> Result<(WarninglistRow, Option<WarninglistLines>)> {
    let types = draft.types.filter(|types| !types.is_empty());
    let mut row = WarninglistRow {
        name: draft.name.map_or(old.name, |name| name.trim().to_owned()),
        description: draft.description.map_or(old.description, |text| text.trim().to_owned()),
        kind: draft.kind.unwrap_or(old.kind),
        category: draft.category.filter(|c| !c.is_empty()).unwrap_or(old.category),
        version: draft.version.unwrap_or(old.version),
        enabled: draft.enabled.unwrap_or(old.enabled),
        types: types.as_deref().map_or(old.types, stored::texts_text),
        ..old
    };
    let mut errors = Vec::new();
    let mut must = |holds: bool, field: &'static str, message: &str| {
        if !holds {
            errors.push(FieldError::new(field, message));
        }
    };
    let text = |text: &str| !text.is_empty() && text.len() <= LONGEST;
    must(text(&row.name), "name", "valueNotEmpty");
    must(text(&row.description), "description", "valueNotEmpty");
    must(
        WarninglistKind::parse(&row.kind).is_some(),
        "type",
        "One of cidr, hostname, string, substring and regex is needed.",
    );
    must(
        WarninglistCategory::parse(&row.category).is_some(),
        "category",
        "One of false_positive and known is needed.",
    );
    must(
        types.iter().flatten().all(|t| t.len() <= 100 && !t.contains(char::is_control)),
        "matching_attributes",
        "A list of attribute types is needed.",
    );
    let lines = match draft.entries {
        None => None,
        Some(entries) => {
            must(!entries.is_empty(), "entries", "valueNotEmpty");
            must(entries.len() <= MOST, "entries", "The list is too long.");
            let line = |text: &str| text.len() <= LONGEST && !text.contains(char::is_control);
            let good = entries.iter().all(|(entry, note)| text(entry) && line(entry) && line(note));
            must(good, "entries", "Each entry and comment is one line of text.");
            row.entry_count = entries.len() as i64;
            Some(lines(&entries))
        }
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    if let Some(lines) = &lines {
        usable(&row, &lines.entries)?;
    }
    Ok((row, lines))
}

fn lines(entries: &[(String, String)]) -> WarninglistLines {
    let join = |part: fn(&(String, String)) -> &str| {
        let texts: Vec<&str> = entries.iter().map(part).collect();
        texts.join("\n")
    };
    let notes = entries.iter().any(|(_, note)| !note.is_empty());
    WarninglistLines {
        entries: join(|(entry, _)| entry),
        notes: if notes { join(|(_, note)| note) } else { String::new() },
    }
}

/// Whether every entry can be looked up: an address that is none would sit there and find nothing.
fn usable(row: &WarninglistRow, entries: &str) -> Result<()> {
    let (Some(kind), Some(category)) =
        (WarninglistKind::parse(&row.kind), WarninglistCategory::parse(&row.category))
    else {
        return Ok(());
    };
    let mut builder = Builder::default();
    let list = List { id: row.id, name: row.name.clone(), category, kind, matching: Vec::new() };
    if builder.list(list) {
        entries.lines().for_each(|entry| builder.entry(entry));
    }
    match builder.finish().1.first() {
        None => Ok(()),
        Some(problem) => {
            let words = format!("{}: {}", problem.entry, problem.message);
            Err(FieldError::new("entries", words.trim_start_matches(": ").to_owned()).into())
        }
    }
}
