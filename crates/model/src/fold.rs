//! Which texts count as the same.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// The text as MySQL's `utf8_unicode_ci` compares it, and so as MISP does: in lower case, without accents,
/// `ß` as `ss`, final sigma as any other. `ø` and its like are letters of their own and stay.
pub fn fold(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        return Cow::Owned(fold_unicode(text));
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn fold_unicode(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // Lower case first: it may bring forth accents of its own (İ is i with a dot above).
    for c in text.chars().flat_map(char::to_lowercase).nfd() {
        match c {
            '\u{300}'..='\u{36f}' => {}
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_do_not_count() {
        for (text, folded) in [
            ("evil.example", "evil.example"),
            ("EVIL.Example", "evil.example"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("ÉCOLE", "ecole"),
            ("e\u{301}cole", "ecole"),
            ("Øl", "øl"),
            ("İstanbul", "istanbul"),
            ("ΟΔΟΣ", "οδοσ"),
            ("οδος", "οδοσ"),
            ("Ёлка", "елка"),
            ("日本", "日本"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        assert!(matches!(fold("evil.example"), Cow::Borrowed(_)));
    }

    #[test]
    fn folding_a_character_twice_changes_nothing_more() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = c.to_string();
            let once = fold(&text);
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_more(text in "\\PC{0,40}") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once);
        }
    }
}
