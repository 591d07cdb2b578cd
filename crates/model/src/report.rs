//! Event reports: markdown about an event that points at its records.

use crate::Uuid;
use crate::analyst::AnalystDraft;
use crate::ids::Ref;
use crate::sharing::SharingGroupDraft;
use std::collections::{HashMap, HashSet};

/// A report as a client sent it; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportDraft {
    pub uuid: Option<Uuid>,
    pub bad_uuid: bool,
    pub name: Option<String>,
    pub content: Option<String>,
    pub distribution: Option<i64>,
    pub sharing_group: Option<Ref>,
    /// The whole group, when a server sent it along.
    pub sharing_group_draft: Option<Box<SharingGroupDraft>>,
    pub timestamp: Option<i64>,
    pub deleted: Option<bool>,
    pub analyst_data: Vec<AnalystDraft>,
}

/// A stored report.
#[derive(Debug, Clone, PartialEq)]
pub struct EventReport {
    pub id: i64,
    pub uuid: Uuid,
    pub event_id: i64,
    pub name: String,
    /// Markdown with [`references`].
    pub content: String,
    pub distribution: i64,
    pub sharing_group_id: i64,
    pub timestamp: i64,
    pub deleted: bool,
}

/// Longest name of a report, in bytes (MISP: a TEXT column). Its content is as long as a request may be.
pub const MAX_NAME_BYTES: usize = 65_535;

/// What a reference in a report points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointed<'t> {
    Attribute(Uuid),
    /// `@![attribute](uuid)`: shown as a picture.
    Picture(Uuid),
    Object(Uuid),
    Tag(&'t str),
    GalaxyMatrix(Uuid),
}

/// A reference and where it stands in the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'t> {
    pub start: usize,
    pub end: usize,
    pub to: Pointed<'t>,
}

/// Every `@[attribute](uuid)`, `@![attribute](uuid)`, `@[object](uuid)`, `@[tag](name)` and
/// `@[galaxymatrix](uuid)` of a text, in order. What only looks like one is text.
pub fn references(content: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = content[at..].find('@') {
        let start = at + next;
        match reference_at(content, start) {
            Some(reference) => {
                at = reference.end;
                found.push(reference);
            }
            None => at = start + 1,
        }
    }
    found
}

/// Longest text between the brackets of a reference: a tag's name.
const LONGEST_TARGET: usize = 1024;

fn reference_at(content: &str, start: usize) -> Option<Reference<'_>> {
    let rest = &content[start + 1..];
    let (picture, rest) = rest.strip_prefix('!').map_or((false, rest), |rest| (true, rest));
    let rest = rest.strip_prefix('[')?;
    let (word, rest) = ["attribute", "object", "tag", "galaxymatrix"]
        .iter()
        .find_map(|word| Some((*word, rest.strip_prefix(word)?.strip_prefix("](")?)))?;
    let target = target(rest)?;
    let uuid = || if target.len() == 36 { Uuid::try_parse(target).ok() } else { None };
    let to = match (word, picture) {
        ("attribute", false) => Pointed::Attribute(uuid()?),
        ("attribute", true) => Pointed::Picture(uuid()?),
        ("object", false) => Pointed::Object(uuid()?),
        ("galaxymatrix", false) => Pointed::GalaxyMatrix(uuid()?),
        ("tag", false) if !target.is_empty() => Pointed::Tag(target),
        _ => return None,
    };
    let end = content.len() - rest.len() + target.len() + 1;
    Some(Reference { start, end, to })
}

/// What stands before the closing bracket; a tag's name may hold brackets inside its quotes and in pairs.
fn target(rest: &str) -> Option<&str> {
    let (mut quoted, mut depth) = (false, 0);
    for (at, c) in rest.char_indices().take_while(|(at, _)| *at <= LONGEST_TARGET) {
        match c {
            '\n' => return None,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            ')' if !quoted => return Some(&rest[..at]),
            _ => {}
        }
    }
    None
}

/// The text with every [`references`] replaced by spaces, of the same length: what is left is prose.
pub fn without_references(content: &str) -> String {
    let mut prose = String::with_capacity(content.len());
    let mut at = 0;
    for reference in references(content) {
        prose.push_str(&content[at..reference.start]);
        prose.extend(std::iter::repeat_n(' ', reference.end - reference.start));
        at = reference.end;
    }
    prose.push_str(&content[at..]);
    prose
}

/// Longest report that indicators are looked for in, in bytes.
pub const MAX_SEARCHED_BYTES: usize = 1 << 20;

/// Puts references to attributes in place of the words they were recognised by; where several begin, the longest
/// counts. References that are there already are left alone, and so is a word that is a part of a longer one.
pub fn refer(content: &str, words: &[(String, Uuid)]) -> String {
    let known: HashMap<&[u8], Uuid> = words
        .iter()
        .filter(|(word, _)| !word.is_empty())
        .map(|(word, uuid)| (word.as_bytes(), *uuid))
        .collect();
    let mut lengths: Vec<usize> = known.keys().map(|word| word.len()).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    lengths.dedup();
    let firsts: HashSet<u8> = known.keys().map(|word| word[0]).collect();
    let prose = without_references(content).into_bytes();
    let mut text = String::with_capacity(content.len());
    let (mut at, mut written) = (0, 0);
    while at < prose.len() {
        let word = firsts.contains(&prose[at]).then(|| {
            lengths.iter().find_map(|length| {
                let end = at + length;
                let uuid = known.get(prose.get(at..end)?)?;
                (!inside_longer(&prose, at, end)).then_some((end, *uuid))
            })
        });
        let Some((end, uuid)) = word.flatten() else {
            at += 1;
            continue;
        };
        text.push_str(&content[written..at]);
        text.push_str(&format!("@[attribute]({uuid})"));
        (at, written) = (end, end);
    }
    text.push_str(&content[written..]);
    text
}

/// Whether letters or digits go on before or after: `10.0.0.1` in `10.0.0.12` is another address.
fn inside_longer(text: &[u8], start: usize, end: usize) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || *b == b'_';
    let joins = |here: Option<&u8>, edge: Option<&u8>| here.is_some_and(word) && edge.is_some_and(word);
    let before = start.checked_sub(1).and_then(|i| text.get(i));
    joins(before, text.get(start)) || joins(text.get(end), text.get(end - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "22222222-0000-4000-8000-000000000031";

    fn uuid() -> Uuid {
        Uuid::try_parse(ONE).unwrap()
    }

    #[test]
    fn references_are_found_where_they_stand() {
        let text = format!(
            "# T\n@[attribute]({ONE}) @![attribute]({ONE}), @[object]({ONE})\n\
             @[tag](misp-galaxy:x=\"a (b)\") @[tag](tlp:red (x)) @[galaxymatrix]({ONE})"
        );
        let found: Vec<_> = references(&text).into_iter().map(|r| r.to).collect();
        assert_eq!(
            found,
            [
                Pointed::Attribute(uuid()),
                Pointed::Picture(uuid()),
                Pointed::Object(uuid()),
                Pointed::Tag("misp-galaxy:x=\"a (b)\""),
                Pointed::Tag("tlp:red (x)"),
                Pointed::GalaxyMatrix(uuid()),
            ]
        );
        let first = references(&text)[0];
        assert_eq!(&text[first.start..first.end], format!("@[attribute]({ONE})"));
    }

    #[test]
    fn what_only_looks_like_a_reference_is_text() {
        for text in [
            "@[attribute](nonsense)",
            "@[attribute](",
            "@",
            "@[",
            "@[tag]()",
            "@![object](22222222-0000-4000-8000-000000000031)",
            "@[user](22222222-0000-4000-8000-000000000031)",
            "someone@example.com",
            "@[tag](unclosed\n)",
            "é@é@[é](é)",
        ] {
            assert_eq!(references(text), [], "{text}");
        }
    }

    #[test]
    fn words_become_references_but_not_inside_longer_words_or_references() {
        let words = [
            ("10.0.0.1".to_owned(), uuid()),
            ("http://evil.example/x".to_owned(), Uuid::nil()),
            ("evil.example".to_owned(), uuid()),
        ];
        let text = refer(
            &format!(
                "10.0.0.1 and 10.0.0.12, é10.0.0.1, http://evil.example/x evil.example @[tag](evil.example) @[attribute]({ONE})"
            ),
            &words,
        );
        assert_eq!(
            text,
            format!(
                "@[attribute]({ONE}) and 10.0.0.12, é10.0.0.1, @[attribute]({}) @[attribute]({ONE}) @[tag](evil.example) @[attribute]({ONE})",
                Uuid::nil()
            )
        );
        assert_eq!(refer("", &words), "");
        assert_eq!(refer("x", &[]), "x");
    }
}
