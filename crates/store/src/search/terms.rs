//! One key's items as SQL.

use super::{Ref, Where, fold};
use pisax_model::Uuid;
use pisax_model::correlation::HashKey;
use crate::conn::Val;

/// An owned value of a composed statement.
pub(super) enum Arg {
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Arg {
    pub(super) fn val(&self) -> Val<'_> {
        match self {
            Self::Int(v) => Val::Int(*v),
            Self::Text(v) => Val::Text(v),
            Self::Blob(v) => Val::Blob(v),
        }
    }
}

impl From<i64> for Arg {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<String> for Arg {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&Uuid> for Arg {
    fn from(v: &Uuid) -> Self {
        Self::Blob(v.as_bytes().to_vec())
    }
}

/// An item with a wildcard at either end.
pub(super) fn is_pattern(item: &str) -> bool {
    item.len() > 1 && (item.starts_with('%') || item.ends_with('%')) || item == "%"
}

/// LIKE in plain Rust, for vocabularies: `%`, `_`, backslash escapes.
pub(super) fn like_matches(item: &str, text: &str, fold_case: bool) -> bool {
    let (item, text) = if fold_case { (fold(item), fold(text)) } else { (item.into(), text.into()) };
    if !is_pattern(&item) {
        return item == text;
    }
    fn go(p: &[char], t: &[char]) -> bool {
        match p.split_first() {
            None => t.is_empty(),
            Some(('%', rest)) => (0..=t.len()).any(|i| go(rest, &t[i..])),
            Some(('_', rest)) => !t.is_empty() && go(rest, &t[1..]),
            Some((c, rest)) => t.first() == Some(c) && go(rest, &t[1..]),
        }
    }
    go(&item.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn any(list: Vec<String>) -> String {
    match list.len() {
        0 => "1 = 0".into(),
        1 => list.into_iter().next().unwrap_or_default(),
        _ => format!("({})", list.join(" or ")),
    }
}

/// Text columns compared as MISP compares them: case and accents ignored, `%` at an end is a pattern.
pub(super) fn folded(w: &mut Where, columns: &[&str], items: &[String]) -> String {
    let mut list = Vec::new();
    for item in items {
        let arg = w.arg(fold(item).into_owned());
        for column in columns {
            list.push(if is_pattern(item) {
                format!("pisax_fold({column}) like {arg} escape '\\'")
            } else {
                format!("pisax_fold({column}) = {arg}")
            });
        }
    }
    any(list)
}

/// A text column compared to the letter, `%` at an end is a pattern.
pub(super) fn exact(w: &mut Where, column: &str, items: &[String]) -> String {
    let mut list = Vec::new();
    for item in items {
        let arg = w.arg(item.clone());
        list.push(if is_pattern(item) {
            format!("{column} like {arg} escape '\\'")
        } else {
            format!("{column} = {arg}")
        });
    }
    any(list)
}

pub(super) fn numbers(w: &mut Where, column: &str, items: &[String]) -> String {
    let list: Vec<i64> = items.iter().filter_map(|i| i.trim().parse().ok()).collect();
    w.set(column, &list)
}

pub(super) fn uuids(w: &mut Where, column: &str, items: &[String]) -> String {
    let known: Vec<Uuid> = items.iter().filter_map(|i| Uuid::try_parse(i.trim()).ok()).collect();
    if known.is_empty() {
        return "1 = 0".into();
    }
    let marks: Vec<String> = known.iter().map(|u| w.arg(u)).collect();
    format!("{column} in ({})", marks.join(","))
}

/// Rows named by number or uuid.
pub(super) fn refs(w: &mut Where, alias: &str, items: &[String]) -> String {
    let ids: Vec<i64> = items
        .iter()
        .filter_map(|i| match Ref::parse(i) {
            Some(Ref::Id(id)) => Some(id),
            _ => None,
        })
        .collect();
    let by_id = w.set(&format!("{alias}.id"), &ids);
    let by_uuid = uuids(w, &format!("{alias}.uuid"), items);
    match (by_id.as_str(), by_uuid.as_str()) {
        ("1 = 0", _) => by_uuid,
        (_, "1 = 0") => by_id,
        _ => format!("({by_id} or {by_uuid})"),
    }
}

/// `select id` of organisations or sharing groups named by number, uuid or name.
pub(super) fn named_rows(w: &mut Where, table: &str, items: &[String]) -> String {
    let by_ref = refs(w, "x", items);
    let by_name = exact(w, "x.name", items);
    format!("select x.id from {table} x where {by_ref} or {by_name}")
}

/// `select id` of tags named by name or number.
pub(super) fn tag_rows(w: &mut Where, items: &[String]) -> String {
    let by_name = exact(w, "t.name", items);
    let by_id = numbers(w, "t.id", items);
    format!("select t.id from tags t where {by_name} or {by_id}")
}

pub(super) fn tag_rows_folded(w: &mut Where, items: &[String]) -> String {
    let by_name = folded(w, &["t.name"], items);
    format!("select t.id from tags t where {by_name}")
}

/// Halves of attribute values: exact items by the posting list, patterns by scan. `half` is the hash column of
/// the one half asked for, empty for either. A joined `a|b` finds the attribute with these two halves.
pub(super) fn values(w: &mut Where, key: HashKey, columns: &[&str], half: &str, items: &[String]) -> String {
    let (patterns, plain): (Vec<String>, Vec<String>) = items.iter().cloned().partition(|i| is_pattern(i));
    let mut list = Vec::new();
    if !plain.is_empty() {
        let hashes: Vec<i64> = plain.iter().map(|i| key.of(i)).collect();
        let set = w.set("hash", &hashes);
        let mut condition = format!("a.id in (select attribute_id from postings where {set})");
        if !half.is_empty() {
            let set = w.set(half, &hashes);
            condition = format!("({condition} and {set})");
        }
        list.push(condition);
    }
    if half.is_empty() {
        for (one, two) in plain.iter().filter_map(|i| i.split_once('|')) {
            let (one, two) = (key.of(one), key.of(two));
            list.push(format!(
                "(a.id in (select attribute_id from postings where hash = {one}) and a.hash1 = {one} and a.hash2 = {two})"
            ));
        }
    }
    if !patterns.is_empty() {
        list.push(folded(w, columns, &patterns));
        // A pattern also matches as a literal: `%` is a rare first or last character, but a legal one.
    }
    any(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_their_wildcard_at_an_end() {
        assert!(is_pattern("%evil"));
        assert!(is_pattern("evil%"));
        assert!(!is_pattern("ev%il"));
        assert!(like_matches("ip-%", "ip-src", true));
        assert!(like_matches("%SRC", "ip-src", true));
        assert!(!like_matches("Network%", "network activity", false));
    }
}
