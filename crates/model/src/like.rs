//! LIKE in plain Rust, for vocabularies that no database holds: `%` is anything, `_` one character, a backslash
//! takes the meaning from what follows it. Whoever wants case and accents ignored folds both sides.

/// A pattern read once, for many texts.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Anything,
    One,
    Letter(char),
}

impl Pattern {
    pub fn new(pattern: &str) -> Self {
        let mut letters = pattern.chars();
        let mut pieces = Vec::with_capacity(pattern.len());
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                '%' => Piece::Anything,
                '_' => Piece::One,
                // A backslash at the end has nothing to escape and stands for itself.
                '\\' => Piece::Letter(letters.next().unwrap_or('\\')),
                letter => Piece::Letter(letter),
            });
        }
        Self(pieces)
    }

    /// Whether the whole text matches; in the worst case length of the pattern times length of the text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut p, mut t) = (0, 0);
        // Where to go on after the last `%`: one character of the text further each time.
        let mut back: Option<(usize, usize)> = None;
        while t < text.len() {
            match self.0.get(p) {
                Some(Piece::Anything) => {
                    p += 1;
                    back = Some((p, t));
                }
                Some(piece) if *piece == Piece::One || *piece == Piece::Letter(text[t]) => {
                    p += 1;
                    t += 1;
                }
                _ => match back {
                    Some((after, from)) => {
                        (p, t) = (after, from + 1);
                        back = Some((after, from + 1));
                    }
                    None => return false,
                },
            }
        }
        self.0[p..].iter().all(|piece| *piece == Piece::Anything)
    }
}

/// Whether a text matches a pattern.
pub fn like(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).matches(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: which beginnings of the text the beginnings of the pattern match.
    fn by_table(pattern: &str, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let mut row: Vec<bool> = (0..=text.len()).map(|n| n == 0).collect();
        let mut escaped = false;
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter == '\\' && !escaped && letters.peek().is_some() {
                escaped = true;
                continue;
            }
            row = (0..=text.len())
                .map(|n| match letter {
                    '%' if !escaped => row[..=n].contains(&true),
                    '_' if !escaped => n > 0 && row[n - 1],
                    letter => n > 0 && row[n - 1] && text[n - 1] == letter,
                })
                .collect();
            escaped = false;
        }
        row[text.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_matches_what_the_definition_matches(pattern in r"[ab%_\\é]{0,8}", text in r"[ab%_\\é]{0,8}") {
            prop_assert_eq!(like(&pattern, &text), by_table(&pattern, &text), "{} {}", pattern, text);
        }
    }

    #[test]
    fn a_pattern_matches_as_in_sql() {
        for (pattern, text) in [
            ("this%", "this is"),
            ("%is", "this is"),
            ("%h_s%", "this"),
            ("%", ""),
            ("a%b%c", "a1b2b3c"),
            (r"50\%", "50%"),
            (r"a\", r"a\"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("this", "this is"), ("", "x"), ("_", ""), ("a%c", "ab"), ("%x%", "abc"), (r"50\%", "501")]
        {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_wildcards_end_in_time() {
        assert!(!like(&format!("{}b", "%a".repeat(2_000)), &"a".repeat(5_000)));
    }
}
