//! Tags as chips: the TLP marks in the colours FIRST prescribes, all others neutral with a swatch of
//! their own colour.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::links;

/// The Traffic Light Protocol's marks (FIRST, TLP 2.0, 2022), and its former `WHITE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tlp {
    Red,
    AmberStrict,
    Amber,
    Green,
    Clear,
    White,
}

impl Tlp {
    /// The mark of a tag `tlp:…`, if it is one.
    pub fn of(tag: &str) -> Option<Self> {
        let (namespace, mark) = tag.split_once(':')?;
        if !namespace.eq_ignore_ascii_case("tlp") {
            return None;
        }
        Some(match mark.to_ascii_lowercase().as_str() {
            "red" => Self::Red,
            "amber+strict" => Self::AmberStrict,
            "amber" => Self::Amber,
            "green" => Self::Green,
            "clear" => Self::Clear,
            "white" => Self::White,
            _ => return None,
        })
    }

    /// How FIRST wants it written: upper case, no space.
    pub fn label(self) -> &'static str {
        match self {
            Self::Red => "TLP:RED",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Amber => "TLP:AMBER",
            Self::Green => "TLP:GREEN",
            Self::Clear => "TLP:CLEAR",
            Self::White => "TLP:WHITE",
        }
    }

    /// The class that carries its colour.
    fn class(self) -> &'static str {
        match self {
            Self::Red => "tlp-red",
            Self::AmberStrict | Self::Amber => "tlp-amber",
            Self::Green => "tlp-green",
            Self::Clear | Self::White => "tlp-clear",
        }
    }
}

/// A tag on an event or attribute.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/tag.html")]
pub struct Tag {
    /// The whole machine tag.
    pub name: String,
    pub tlp: Option<Tlp>,
    /// Kept on this instance, never shared.
    pub local: bool,
    /// `#rrggbb`; checked, since it goes into a drawing.
    colour: Option<String>,
    lead: String,
    rest: String,
}

impl HtmlSafe for Tag {}

impl Tag {
    /// A chip for a tag; a colour that is none is left out.
    pub fn new(name: impl Into<String>, colour: &str, local: bool) -> Self {
        let name = name.into();
        let (lead, rest) = split(&name);
        let (lead, rest) = (lead.to_owned(), rest.to_owned());
        Self { tlp: Tlp::of(&name), colour: checked(colour), name, local, lead, rest }
    }

    fn href(&self) -> String {
        links::search(&self.name)
    }
}

/// What says where a tag comes from, and what it says: `workflow:state="draft"` is `workflow:state` and
/// `draft`, a galaxy cluster is its galaxy and its name, a plain tag only says.
fn split(name: &str) -> (&str, &str) {
    let Some((namespace, rest)) = name.split_once(':').filter(|(n, r)| !n.is_empty() && !r.is_empty()) else {
        return ("", name);
    };
    match rest.split_once('=') {
        Some((predicate, value)) => {
            let value = value.trim_matches('"');
            let lead = if namespace == "misp-galaxy" {
                predicate
            } else {
                &name[..namespace.len() + 1 + predicate.len()]
            };
            (lead, value)
        }
        None => (namespace, rest),
    }
}

fn checked(colour: &str) -> Option<String> {
    let digits = colour.strip_prefix('#')?;
    (matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| colour.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tlp_marks_are_known_in_any_case() {
        assert_eq!(Tlp::of("tlp:amber+strict"), Some(Tlp::AmberStrict));
        assert_eq!(Tlp::of("TLP:RED"), Some(Tlp::Red));
        assert_eq!(Tlp::of("tlp:ex:chr"), None);
        assert_eq!(Tlp::of("red"), None);
        let html = Tag::new("tlp:clear", "#ffffff", false).render().unwrap();
        assert!(html.contains("TLP:CLEAR") && html.contains("tlp-clear"), "{html}");
    }

    #[test]
    fn a_machine_tag_is_read_from_its_end() {
        for (name, lead, rest) in [
            ("misp-galaxy:threat-actor=\"Sandworm\"", "threat-actor", "Sandworm"),
            ("workflow:state=\"incomplete\"", "workflow:state", "incomplete"),
            ("type:OSINT", "type", "OSINT"),
            ("ddos", "", "ddos"),
            (":", "", ":"),
        ] {
            assert_eq!(split(name), (lead, rest));
        }
    }

    #[test]
    fn a_colour_that_is_none_is_left_out() {
        for colour in ["", "red", "#12345", "#12345g", "#fff\" onload=\"x", "url(x)"] {
            assert!(!Tag::new("x", colour, false).render().unwrap().contains("<svg"), "{colour}");
        }
        assert!(Tag::new("x", "#0b6e74", false).render().unwrap().contains(r##"fill="#0b6e74""##));
    }
}
