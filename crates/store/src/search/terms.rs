//! One key's items as SQL.

use super::{Ref, Where, fold};
use crate::conn::Val;
use pisax_model::Uuid;
use pisax_model::correlation::HashKey;
use pisax_model::filter::{OrgFact, Terms};
use pisax_model::like::Pattern;
use rustc_hash::FxHashSet;

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

/// Most patterns, and most terms that must hold together, of one key: each is a condition of its own, while
/// exact values are one set whatever their number.
const CONDITIONS: usize = 200;
/// Longest pattern in bytes. SQLite refuses more than 50,000, and folding may make it three times as long.
const PATTERN: usize = 10_000;

/// Whether one statement can carry these items of one key.
pub(super) fn bearable(terms: &Terms) -> bool {
    let all = || terms.or.iter().chain(&terms.and).chain(&terms.not);
    let patterns = all().filter(|item| is_pattern(item)).count();
    let longest = all().filter(|item| is_pattern(item)).map(String::len).max();
    terms.and.len() <= CONDITIONS && patterns <= CONDITIONS && longest.is_none_or(|len| len <= PATTERN)
}

/// Items that name words of a vocabulary, exactly or by pattern.
pub(super) struct Words {
    exact: FxHashSet<String>,
    patterns: Vec<Pattern>,
    fold_case: bool,
}

impl Words {
    pub(super) fn new(items: &[String], fold_case: bool) -> Self {
        let mut words = Self { exact: FxHashSet::default(), patterns: Vec::new(), fold_case };
        for item in items {
            let item = if fold_case { fold(item) } else { item.into() };
            if is_pattern(&item) {
                words.patterns.push(Pattern::new(&item));
            } else {
                words.exact.insert(item.into_owned());
            }
        }
        words
    }

    pub(super) fn name(&self, word: &str) -> bool {
        let word = if self.fold_case { fold(word) } else { word.into() };
        self.exact.contains(word.as_ref()) || self.patterns.iter().any(|p| p.matches(&word))
    }
}

/// Conditions in one text, as a tree of even height: SQLite bounds the height of an expression at 1,000.
pub(super) fn joined(list: &[String], word: &str) -> String {
    const FLAT: usize = 64;
    if list.len() <= FLAT {
        return list.join(word);
    }
    let (one, two) = list.split_at(list.len() / 2);
    format!("({}){word}({})", joined(one, word), joined(two, word))
}

fn any(list: Vec<String>) -> String {
    match list.len() {
        0 => "1 = 0".into(),
        1 => list.into_iter().next().unwrap_or_default(),
        _ => format!("({})", joined(&list, " or ")),
    }
}

/// A pattern as the engines read it: PostgreSQL refuses one that ends with an escape that escapes nothing.
fn closed(mut pattern: String) -> String {
    if pattern.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
        pattern.push('\\');
    }
    pattern
}

/// Texts in columns: exact ones as one set, `%` at an end is a pattern.
fn texts(w: &mut Where, columns: &[String], items: impl Iterator<Item = (bool, String)>) -> String {
    let (patterns, plain): (Vec<_>, Vec<_>) = items.partition(|(is_pattern, _)| *is_pattern);
    let plain: Vec<String> = plain.into_iter().map(|(_, text)| text).collect();
    let mut list = w.text_set(columns, &plain);
    for (_, pattern) in patterns {
        let arg = w.arg(closed(pattern));
        list.extend(columns.iter().map(|column| format!("{column} like {arg} escape '\\'")));
    }
    any(list)
}

/// Text columns compared as MISP compares them: case and accents ignored, `%` at an end is a pattern.
pub(super) fn folded(w: &mut Where, columns: &[&str], items: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("pisax_fold({column})")).collect();
    texts(w, &columns, items.iter().map(|item| (is_pattern(item), fold(item).into_owned())))
}

/// A text column compared to the letter, `%` at an end is a pattern.
pub(super) fn exact(w: &mut Where, column: &str, items: &[String]) -> String {
    texts(w, &[column.to_owned()], items.iter().map(|item| (is_pattern(item), item.clone())))
}

pub(super) fn numbers(w: &mut Where, column: &str, items: &[String]) -> String {
    let list: Vec<i64> = items.iter().filter_map(|i| i.trim().parse().ok()).collect();
    w.set(column, &list)
}

pub(super) fn uuids(w: &mut Where, column: &str, items: &[String]) -> String {
    let known: Vec<Uuid> = items.iter().filter_map(|i| Uuid::try_parse(i.trim()).ok()).collect();
    w.uuid_set(column, &known)
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

/// `select id` of organisations of which a fact holds.
pub(super) fn orgs_that(w: &mut Where, fact: OrgFact, items: &[String]) -> String {
    let condition = match fact {
        OrgFact::Sector => folded(w, &["x.sector"], items),
        OrgFact::Nationality => folded(w, &["x.nationality"], items),
        OrgFact::Kind => folded(w, &["x.kind"], items),
        OrgFact::Local => numbers(w, "x.local", items),
    };
    format!("select x.id from orgs x where {condition}")
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
        let halves = plain.iter().filter_map(|i| i.split_once('|'));
        let pairs: Vec<(i64, i64)> = halves.map(|(one, two)| (key.of(one), key.of(two))).collect();
        if !pairs.is_empty() {
            let first: Vec<i64> = pairs.iter().map(|(one, _)| *one).collect();
            let first = w.set("hash", &first);
            let both = w.pair_set("a.hash1, a.hash2", &pairs);
            list.push(format!("(a.id in (select attribute_id from postings where {first}) and {both})"));
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
        let named = |item: &str, word, fold_case| Words::new(&[item.to_owned()], fold_case).name(word);
        assert!(named("ip-%", "ip-src", true));
        assert!(named("%SRC", "ip-src", true));
        assert!(!named("Network%", "network activity", false));
    }

    #[test]
    fn many_conditions_make_no_deep_tree() {
        let list: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let text = joined(&list, " or ");
        assert_eq!(text.matches(" or ").count(), 199);
        assert!(text.starts_with("((0 or 1 or "), "{text}");
    }
}
