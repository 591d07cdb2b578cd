//! Finding indicators in text that people paste (semantics 2.8).

mod recognise;

use crate::AttributeType;
use crate::value::json;
use std::collections::HashSet;

/// Quoted passages longer than this are prose, not indicators.
const LONGEST_QUOTE: usize = 2048;
/// What may stand around an indicator without being part of it.
const AROUND: &[char] = &['\'', '"', '.', ',', '(', ')', ' ', '\t', '\n', '\r', '\0', '\u{b}'];

/// Something in a text that looks like an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The indicator, refanged; right for [`Self::default_type`].
    pub value: String,
    /// As it stood in the text.
    pub original_value: String,
    /// What it most likely is.
    pub default_type: AttributeType,
    /// What it may be, `default_type` among them.
    pub types: Vec<AttributeType>,
    /// `On port 8080` when a port was split off, or the remark of an indicator list.
    pub comment: String,
}

/// Every indicator in a text, each once, in order. A JSON object is searched value by value.
pub fn parse(text: &str) -> Vec<Candidate> {
    let mut found = Found::default();
    match if text.starts_with('{') { json::strings(text) } else { None } {
        Some(strings) => {
            for string in &strings {
                found.add(string);
                found.add_words(string);
            }
        }
        None => found.add_words(text),
    }
    found.candidates
}

/// One line of an indicator list: a value, perhaps with `# remark` behind it. Lines that are empty or only a
/// remark hold none.
pub fn indicator_line(line: &str) -> Option<Candidate> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with('#') {
        return None;
    }
    let (value, remark) = match line.char_indices().find(|(at, c)| *c == '#' && after_blank(line, *at)) {
        Some((at, _)) => (line[..at].trim_end(), line[at + 1..].trim()),
        None => (line, ""),
    };
    let mut candidate = recognise::recognise(value)?;
    candidate.comment = match (candidate.comment.as_str(), remark) {
        (own, "") => own.to_owned(),
        ("", remark) => remark.to_owned(),
        (own, remark) => format!("{own}; {remark}"),
    };
    Some(candidate)
}

fn after_blank(line: &str, at: usize) -> bool {
    line[..at].ends_with(char::is_whitespace)
}

#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    values: HashSet<String>,
}

impl Found {
    /// Adds the words of a text, then its quoted passages, which may hold blanks.
    fn add_words(&mut self, text: &str) {
        for word in text.split(is_break) {
            self.add(word);
        }
        // Every second piece is between two quotation marks; the last only if it is closed.
        let mut pieces = text.split('"').peekable();
        while pieces.next().is_some() {
            let Some(quoted) = pieces.next() else { break };
            if pieces.peek().is_some() && quoted.len() <= LONGEST_QUOTE && quoted.contains(is_break) {
                self.add(quoted);
            }
        }
    }

    fn add(&mut self, word: &str) {
        let word = word.trim_matches(AROUND);
        if word.len() < 3 || word.contains(char::is_control) {
            return;
        }
        let Some(candidate) = recognise::recognise(word) else { return };
        if self.values.insert(candidate.value.clone()) {
            self.candidates.push(candidate);
        }
    }
}

/// White space, list punctuation, and characters one cannot see.
fn is_break(c: char) -> bool {
    if c.is_ascii() {
        return c <= ' ' || matches!(c, ',' | ';' | '<' | '>' | '\u{7f}');
    }
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests;
