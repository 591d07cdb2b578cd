//! Patterns written for PCRE: `/expression/flags`, run by an engine that cannot be made to run for ever.

use super::{Index, Lists};
use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};
use std::ops::ControlFlow;

/// Compiled size of one list's patterns, and of the cache that grows while they run.
const SIZE_LIMIT: usize = 4 << 20;
const CACHE_LIMIT: usize = 1 << 20;

/// Longest value tried: a pattern has no business in a megabyte of text.
const MAX_VALUE_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Builder {
    lists: Vec<(Index, Vec<Pattern>)>,
}

struct Pattern {
    /// As the list words it.
    entry: String,
    expression: String,
}

#[derive(Default)]
pub(super) struct Regexes {
    lists: Vec<(Index, RegexSet, Vec<String>)>,
}

impl Builder {
    pub(super) fn add(&mut self, list: Index, entry: &str) -> Result<(), String> {
        let expression = translated(entry)?;
        // Alone first: one bad pattern must not cost the list.
        RegexBuilder::new(&expression)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| error.to_string().lines().last().unwrap_or_default().to_owned())?;
        let pattern = Pattern { entry: entry.to_owned(), expression };
        match self.lists.last_mut() {
            Some((last, patterns)) if *last == list => patterns.push(pattern),
            _ => self.lists.push((list, vec![pattern])),
        }
        Ok(())
    }

    /// The patterns, and the lists that are too large to run.
    pub(super) fn finish(self) -> (Regexes, Vec<(Index, String)>) {
        let mut regexes = Regexes::default();
        let mut refused = Vec::new();
        for (list, patterns) in self.lists {
            let set = RegexSetBuilder::new(patterns.iter().map(|p| &p.expression))
                .size_limit(SIZE_LIMIT)
                .dfa_size_limit(CACHE_LIMIT)
                .build();
            match set {
                Ok(set) => {
                    regexes.lists.push((list, set, patterns.into_iter().map(|p| p.entry).collect()));
                }
                Err(error) => refused.push((list, format!("patterns cannot be run together: {error}"))),
            }
        }
        (regexes, refused)
    }
}

/// Our engine's spelling of a delimited PCRE. Flags it does not know are refused, as PCRE refuses them (`g`
/// among them: a published list of telephone numbers has it on every entry, one of which, `…|08|09|10|11`,
/// would call nearly any number harmless).
fn translated(entry: &str) -> Result<String, String> {
    let Some(opening) = entry.chars().next() else { return Err("is empty".to_owned()) };
    if opening.is_alphanumeric() || opening == '\\' || opening.is_whitespace() {
        return Err("no delimiters: write /expression/".to_owned());
    }
    let closing = match opening {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        same => same,
    };
    let rest = &entry[opening.len_utf8()..];
    let (expression, flags) =
        rest.rsplit_once(closing).ok_or_else(|| format!("no closing delimiter {closing}"))?;
    let mut inline = String::new();
    let (mut unicode, mut anchored) = (false, false);
    for flag in flags.chars() {
        match flag {
            'i' | 'm' | 's' | 'x' => inline.push(flag),
            'U' => inline.push('U'),
            'u' => unicode = true,
            'A' => anchored = true,
            'D' | 'S' | 'X' => {}
            other => return Err(format!("unknown modifier {other}")),
        }
    }
    if !unicode {
        inline.push_str("-u");
    }
    let flags = if inline.is_empty() { String::new() } else { format!("(?{inline})") };
    let start = if anchored { "\\A" } else { "" };
    // A line end, so that a comment under `x` cannot swallow the bracket.
    let end = if inline.contains('x') { "\n" } else { "" };
    Ok(format!("{flags}{start}(?:{expression}{end})"))
}

impl Regexes {
    /// Reports for each list among `among` the first of its patterns that the value matches.
    pub(super) fn find(
        &self,
        value: &str,
        among: &Lists,
        mut found: impl FnMut(Index, &str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if value.len() > MAX_VALUE_BYTES {
            return ControlFlow::Continue(());
        }
        for (list, set, entries) in self.lists.iter().filter(|(list, ..)| among.has(*list)) {
            if let Some(first) = set.matches(value.as_bytes()).iter().next() {
                found(*list, &entries[first])?;
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.lists.iter().flat_map(|(.., entries)| entries).map(|e| e.len() + 24).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_and_flags_are_read_as_pcre_reads_them() {
        assert_eq!(translated("/^a.b$/i").unwrap(), "(?i-u)(?:^a.b$)");
        assert_eq!(translated("#a/b#u").unwrap(), "(?:a/b)");
        assert_eq!(translated("{a}").unwrap(), "(?-u)(?:a)");
        assert_eq!(translated("/a # b/x").unwrap(), "(?x-u)(?:a # b\n)");
        for bad in ["abc", "/abc", "/a/g", "/a/iz", ""] {
            assert!(translated(bad).is_err(), "{bad}");
        }
    }
}
