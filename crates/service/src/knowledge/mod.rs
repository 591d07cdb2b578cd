//! Taxonomies, galaxies, object templates and warninglists: taken in from their libraries, switched on and off.

mod import;
mod taxonomy;
mod warninglist;

pub use import::{Imported, import};
pub use taxonomy::{add_tags, hide_tags, require};
pub use warninglist::{Toggled, Which, load_warninglists, toggle};

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
pub use pisax_store::knowledge::Library;

/// Switches a taxonomy, galaxy or object template on or off. Warninglists have [`toggle`].
pub fn enable(service: &Service, actor: &Actor, library: Library, id: i64, on: bool) -> Result<()> {
    rules::site_admin(actor)?;
    let noun = match library {
        Library::Taxonomies => "taxonomy",
        Library::Galaxies => "galaxy",
        Library::ObjectTemplates => "object template",
        Library::Warninglists => "warninglist",
    };
    let known = service.write(actor, |w| Ok(w.enable_knowledge(library, id, on)?))?;
    if library == Library::Warninglists {
        load_warninglists(service)?;
    }
    if known { Ok(()) } else { Err(Error::NotFound(noun)) }
}

/// Whether a text matches an SQL LIKE pattern, without regard to case: `%` is anything, `_` one character.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last `%`: one character of the text further each time.
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
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
    pattern[p..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_pattern_matches_as_in_sql() {
        for (pattern, text) in [
            ("this%", "This is"),
            ("%is", "this is"),
            ("%h_s%", "this"),
            ("%", ""),
            ("a%b%c", "a1b2b3c"),
            ("é", "É"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("this", "this is"), ("", "x"), ("_", ""), ("a%c", "ab"), ("%x%", "abc")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
