//! Plain indicator lists: one indicator a line, `#` lines with aliases and `Reference:` links.

use pisax_model::Uuid;
use pisax_model::attribute::AttributeDraft;
use pisax_model::freetext::indicator_line;
use std::path::Path;

/// What an indicator list says.
#[derive(Debug, Default, PartialEq)]
pub struct IndicatorList {
    /// Other names of what the list is about.
    pub aliases: Vec<String>,
    /// The references as links, then the indicators.
    pub attributes: Vec<AttributeDraft>,
    /// Numbers of the lines that hold no indicator anybody recognises.
    pub strange: Vec<usize>,
}

/// What a list is about, told by the name of its file as Maltrail names them (`apt_lazarus.txt`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub kind: SubjectKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    Actor,
    Malware,
    Other,
}

impl SubjectKind {
    /// The plain tag for a subject that no galaxy knows.
    pub fn tag(self, name: &str) -> String {
        match self {
            Self::Actor | Self::Other => format!("campaign:{name}"),
            Self::Malware => format!("malware:{name}"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Actor => "Campaigns of ",
            Self::Malware => "Malware ",
            Self::Other => "",
        }
    }
}

/// Reads a whole list.
pub fn read(text: &str) -> IndicatorList {
    let mut list = IndicatorList::default();
    let mut indicators = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        if let Some(remark) = line.strip_prefix('#') {
            list.remark(remark.trim());
            continue;
        }
        match indicator_line(line) {
            Some(found) => indicators.push(AttributeDraft {
                kind: Some(found.default_type.name().to_owned()),
                value: Some(found.value),
                comment: Some(found.comment).filter(|c| !c.is_empty()),
                ..AttributeDraft::default()
            }),
            None => list.strange.push(number + 1),
        }
    }
    list.attributes.append(&mut indicators);
    list
}

impl IndicatorList {
    fn remark(&mut self, remark: &str) {
        if let Some(names) = after(remark, "aliases:") {
            let names = names.split(',').map(str::trim).filter(|n| !n.is_empty());
            self.aliases.extend(names.map(str::to_owned));
        } else if let Some(address) = after(remark, "reference:")
            && ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme))
        {
            self.attributes.push(AttributeDraft {
                kind: Some("link".to_owned()),
                category: Some("External analysis".to_owned()),
                value: Some(address.split_whitespace().next().unwrap_or(address).to_owned()),
                to_ids: Some(false),
                ..AttributeDraft::default()
            });
        }
    }
}

/// The rest of a remark that begins with this word, in any case.
fn after<'a>(remark: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = remark.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then(|| rest.trim()).filter(|rest| !rest.is_empty())
}

/// The subject of a file.
pub fn subject(file: &Path) -> Subject {
    let stem = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let (kind, name) = match stem.split_once('_') {
        Some(("apt", name)) => (SubjectKind::Actor, name),
        Some(("android" | "bot" | "elf" | "ios" | "osx" | "win", name)) => (SubjectKind::Malware, name),
        _ => (SubjectKind::Other, stem.as_str()),
    };
    // `gamaredon-1` is the second file on gamaredon.
    let name = match name.rsplit_once('-') {
        Some((name, number)) if kind != SubjectKind::Other && number.bytes().all(|b| b.is_ascii_digit()) => {
            name
        }
        _ => name,
    };
    Subject { kind, name: name.replace('_', " ") }
}

/// Most aliases a title names: the rest would drown it.
const TITLE_ALIASES: usize = 4;

/// A title for the event: the subject with some of its other names, and the file.
pub fn title(file: &Path, subject: &Subject, aliases: &[String]) -> String {
    let names: Vec<&str> = aliases.iter().take(TITLE_ALIASES).map(String::as_str).collect();
    let also = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let file = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    format!("{}{}{also}: indicators of {file}", subject.kind.word(), subject.name)
}

/// The same uuid for the same file name each time: a list imported again goes to the event it made.
pub fn event_uuid(file: &Path) -> Uuid {
    const NAMES: &str = "pisax 2026-01-01 uuid of the event of an indicator list";
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    named_uuid(NAMES, &name)
}

/// A uuid made from a name. It carries version 5, as MISP refuses versions above.
fn named_uuid(names: &str, name: &str) -> Uuid {
    let hash = blake3::derive_key(names, name.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\u{feff}# Copyright (c) somebody\r\n# Aliases: arid gopher,  arid viper,\n\n\
        # Reference: https://blog.example/a#b\n# reference: http://blog.example/c (archived)\n# Reference: a book\n\
        example.net\n198.51.100.7:8443 # panel\n203.0.113.0/24\n/gate.php\n(nothing)\n\
        http://evil.example/x # dropper\n";

    #[test]
    fn a_list_gives_references_aliases_and_indicators() {
        let list = read(LIST);
        assert_eq!(list.aliases, ["arid gopher", "arid viper"]);
        let found: Vec<_> = list
            .attributes
            .iter()
            .map(|a| (a.kind.as_deref().unwrap(), a.value.as_deref().unwrap(), a.comment.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("link", "https://blog.example/a#b", None),
                ("link", "http://blog.example/c", None),
                ("domain", "example.net", None),
                ("ip-dst|port", "198.51.100.7|8443", Some("On port 8443; panel")),
                ("ip-dst", "203.0.113.0/24", None),
                ("uri", "/gate.php", None),
                ("url", "http://evil.example/x", Some("dropper")),
            ]
        );
        assert_eq!(list.strange, [11]);
        assert_eq!(list.attributes[0].category.as_deref(), Some("External analysis"));
    }

    #[test]
    fn the_file_name_tells_the_subject() {
        for (file, kind, name) in [
            ("apt_lazarus.txt", SubjectKind::Actor, "lazarus"),
            ("x/apt_gamaredon-1.txt", SubjectKind::Actor, "gamaredon"),
            ("elf_mirai.txt", SubjectKind::Malware, "mirai"),
            ("mass_scanner_cidr.txt", SubjectKind::Other, "mass scanner cidr"),
            ("blocked-2026.txt", SubjectKind::Other, "blocked-2026"),
        ] {
            let found = subject(Path::new(file));
            assert_eq!((found.kind, found.name.as_str()), (kind, name));
        }
        let file = Path::new("in/apt_lazarus.txt");
        let title = title(file, &subject(file), &["zinc".into(), "hidden cobra".into()]);
        assert_eq!(title, "Campaigns of lazarus (zinc, hidden cobra): indicators of apt_lazarus.txt");
    }

    #[test]
    fn a_uuid_depends_on_the_file_name_alone() {
        let one = event_uuid(Path::new("a/list.txt"));
        assert_eq!(one, event_uuid(Path::new("/b/list.txt")));
        assert_ne!(one, event_uuid(Path::new("a/other.txt")));
        assert_eq!((one.get_version_num(), one.get_variant()), (5, uuid::Variant::RFC4122));
    }
}
