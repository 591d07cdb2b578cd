//! Taxonomies, galaxies, object templates and warninglists: taken in from their libraries, switched on and off.

mod import;
mod own;
mod taxonomy;
mod warninglist;

pub use import::{Imported, import};
pub use own::{
    WarninglistDraft, add_warninglist, delete_warninglist, edit_warninglist, extend_warninglist,
    import_warninglist,
};
pub use taxonomy::{add_tags, delete, hide_tags, highlight, import_one, require};
pub(crate) use taxonomy::{allowed_beside, missing_required};
pub use warninglist::{Toggled, Which, load_warninglists, toggle};

use crate::{Error, Result, Service, rules};
use pisax_access::Actor;
pub use pisax_lookup::{Half, Warninglists};
use pisax_model::ids::Ref;
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

/// Removes a galaxy with its clusters, custom ones included; the tags that stand for them stay.
pub fn delete_galaxy(service: &Service, actor: &Actor, reference: Ref) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        let galaxy = w.galaxy(reference)?.ok_or(Error::NotFound("galaxy"))?;
        Ok(w.delete_galaxy(&galaxy)?)
    })
}

/// Whether a text matches an SQL LIKE pattern, without regard to case: `%` is anything, `_` one character.
/// A backslash is a letter like any other.
pub fn like(pattern: &str, text: &str) -> bool {
    pisax_model::like::like(&pattern.to_lowercase().replace('\\', "\\\\"), &text.to_lowercase())
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
            ("a\\%", "A\\b"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("this", "this is"), ("", "x"), ("_", ""), ("a%c", "ab"), ("%x%", "abc")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
