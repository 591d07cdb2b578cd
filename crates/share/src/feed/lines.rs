//! Lists of indicators, line by line: plain text as people write it, and tables. Nothing is passed over silently: a
//! line is a remark, or holds values, or nobody recognises an indicator in it.

use crate::Fault;
use md5::{Digest, Md5};
use pisax_model::AttributeType;
use pisax_model::feed::SourceFormat;
use pisax_model::feed_run::ValueHash;
use pisax_model::freetext::{self, Candidate};
use pisax_wire::FeedSettings;
use regex::Regex;
use std::io::{BufRead, BufReader, Read};

/// Longest line that is read, in bytes; of a longer one nothing is taken.
pub(super) const LONGEST: usize = 64 * 1024;

/// How the lines of a feed are read.
pub(super) struct Reading {
    format: SourceFormat,
    columns: Vec<usize>,
    delimiter: char,
    exclude: Option<Regex>,
}

/// What stands in a line.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Nothing, or a remark.
    Remark,
    Unrecognised,
    Values(Vec<Found>),
}

/// A value of a line.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Indicator(Box<Candidate>),
    /// The rules of the feed do not want it.
    Excluded,
}

impl Reading {
    pub(super) fn new(format: SourceFormat, settings: &FeedSettings) -> Result<Self, Fault> {
        let exclude = (!settings.exclude.is_empty()).then(|| expression(&settings.exclude)).transpose()?;
        Ok(Self { format, columns: settings.columns.clone(), delimiter: settings.delimiter, exclude })
    }

    /// Reads one line, without its end.
    pub(super) fn line(&self, line: &str) -> Said {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            return Said::Remark;
        }
        let mut found = Vec::new();
        match self.format {
            SourceFormat::Csv => self.table_line(line, &mut found),
            SourceFormat::Freetext | SourceFormat::Misp => self.text_line(line, &mut found),
        }
        if found.is_empty() { Said::Unrecognised } else { Said::Values(found) }
    }

    fn text_line(&self, line: &str, found: &mut Vec<Found>) {
        // A value with a remark behind it is the common case; several in a line, or prose, are taken apart.
        let value = line.split(" #").next().unwrap_or(line).trim_end();
        let apart = value.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"'));
        let candidates = if apart { freetext::parse(line) } else { Vec::new() };
        let candidates = match candidates.is_empty() {
            true => freetext::indicator_line(line).into_iter().collect(),
            false => candidates,
        };
        found.extend(candidates.into_iter().map(|candidate| self.wanted(candidate)));
    }

    fn table_line(&self, line: &str, found: &mut Vec<Found>) {
        for (place, cell) in cells(line, self.delimiter).into_iter().enumerate() {
            if !self.columns.is_empty() && !self.columns.contains(&(place + 1)) {
                continue;
            }
            let cell = cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
            if let Some(candidate) = freetext::indicator_line(cell) {
                found.push(self.wanted(candidate));
            }
        }
    }

    fn wanted(&self, candidate: Candidate) -> Found {
        match &self.exclude {
            Some(exclude) if exclude.is_match(&candidate.original_value) => Found::Excluded,
            _ => Found::Indicator(Box::new(candidate)),
        }
    }
}

/// The cells of a line. A cell in quotation marks may hold the delimiter, and two marks for one; a mark that is not
/// closed reaches to the end of the line, and not further.
pub(super) fn cells(line: &str, delimiter: char) -> Vec<String> {
    let mut cells = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        let mut cell = String::new();
        while chars.peek().is_some_and(|c| *c == ' ' && delimiter != ' ') {
            chars.next();
        }
        if chars.peek() == Some(&'"') {
            chars.next();
            while let Some(c) = chars.next() {
                if c != '"' {
                    cell.push(c);
                } else if chars.peek() == Some(&'"') {
                    chars.next();
                    cell.push('"');
                } else {
                    break;
                }
            }
        }
        let end = loop {
            match chars.next() {
                None => break true,
                Some(c) if c == delimiter => break false,
                Some(c) => cell.push(c),
            }
        };
        cells.push(cell);
        if end {
            return cells;
        }
    }
}

/// A regular expression as PHP writes it (`/…/i`), or bare.
fn expression(text: &str) -> Result<Regex, Fault> {
    let wrong = |why: String| Fault::Setup(format!("settings.common.excluderegex: {why}"));
    let mut chars = text.chars();
    let mark = chars.next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && *c != '\\');
    let closing = mark.map(|mark| match mark {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        other => other,
    });
    let parts = closing.and_then(|closing| {
        let (pattern, flags) = chars.as_str().rsplit_once(closing)?;
        flags.bytes().all(|b| b"imsxuU".contains(&b)).then_some((pattern, flags))
    });
    // `^x`, `[ab]`: what begins with a mark and does not end with it is the expression itself.
    let (pattern, flags) = parts.filter(|_| !text.starts_with(['^', '.', '['])).unwrap_or((text, ""));
    let flags: String = flags.chars().filter(|c| "imsxU".contains(*c)).collect();
    let whole = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
    regex::RegexBuilder::new(&whole).size_limit(1 << 20).build().map_err(|e| wrong(e.to_string()))
}

/// MD5 of a value as MISP's feeds publish it.
pub fn hash(value: &str) -> ValueHash {
    Md5::digest(value.as_bytes()).into()
}

/// What a cache keeps of a value: the whole, and the halves of one that has two and means both.
pub(crate) fn hashes(kind: AttributeType, value: &str) -> Vec<ValueHash> {
    let mut all = vec![hash(value)];
    if kind.is_composite()
        && let Some((first, second)) = value.split_once('|')
    {
        all.push(hash(first));
        if !kind.primary_only() {
            all.push(hash(second));
        }
    }
    all
}

// ---- Reading --------------------------------------------------------------------------------------------

/// The lines of a text, each of bounded length.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
    /// Read so far, in bytes.
    pub(super) bytes: u64,
}

/// One line of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'l> {
    Text(std::borrow::Cow<'l, str>),
    /// Longer than [`LONGEST`]; this is how it begins.
    TooLong(String),
}

impl<R: Read> Lines<R> {
    pub(super) fn of(from: R) -> Self {
        Self { from: BufReader::with_capacity(64 * 1024, from), line: Vec::new(), bytes: 0 }
    }

    /// The next line, if there is one. What is no UTF-8 stands as replacement characters.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut any = false;
        let mut long = false;
        loop {
            let ready = self.from.fill_buf()?;
            if ready.is_empty() {
                break;
            }
            any = true;
            let (piece, used, end) = match ready.iter().position(|b| *b == b'\n') {
                Some(at) => (&ready[..at], at + 1, true),
                None => (ready, ready.len(), false),
            };
            let room = LONGEST - self.line.len();
            long |= piece.len() > room;
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            self.from.consume(used);
            self.bytes += used as u64;
            if end {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        if long {
            return Ok(Some(Line::TooLong(String::from_utf8_lossy(&self.line[..200]).into_owned())));
        }
        Ok(Some(Line::Text(String::from_utf8_lossy(&self.line))))
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
