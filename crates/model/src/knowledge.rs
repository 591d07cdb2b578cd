//! The shared vocabulary an instance knows: taxonomies, galaxies with their clusters, object templates,
//! relationship types and warninglists, as their published libraries word them.
//!
//! Names of types and categories stay text here: a library may name one this version does not know.

use crate::Uuid;

// ---- Taxonomies ---------------------------------------------------------------------------------------

/// A machine-tag vocabulary: `namespace:predicate` or `namespace:predicate="entry"`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taxonomy {
    pub namespace: String,
    pub description: String,
    pub version: i64,
    /// Title for readers; empty when the library gives none.
    pub expanded: String,
    /// At most one tag of the whole taxonomy on one element.
    pub exclusive: bool,
    pub predicates: Vec<Predicate>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predicate {
    pub value: String,
    pub expanded: String,
    pub description: String,
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// At most one entry of this predicate on one element.
    pub exclusive: bool,
    pub numerical_value: Option<i64>,
    pub entries: Vec<TaxonomyEntry>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaxonomyEntry {
    pub value: String,
    pub expanded: String,
    pub description: String,
    pub colour: Option<String>,
    pub numerical_value: Option<i64>,
}

/// One tag a taxonomy stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct TaxonomyTag<'a> {
    pub name: String,
    /// `predicate: entry`, each in its expanded form where there is one.
    pub expanded: String,
    pub description: &'a str,
    /// The entry's own, else its predicate's; `None`: make one with [`crate::tag::colour_of`].
    pub colour: Option<&'a str>,
    pub numerical_value: Option<i64>,
    /// The predicate allows one entry only.
    pub exclusive_predicate: bool,
}

impl Taxonomy {
    /// Every tag: one per entry; one per predicate that has no entries (as MISP lists them).
    pub fn tags(&self) -> impl Iterator<Item = TaxonomyTag<'_>> {
        self.predicates.iter().flat_map(move |predicate| {
            let bare = predicate.entries.is_empty().then(|| TaxonomyTag {
                name: format!("{}:{}", self.namespace, predicate.value),
                expanded: title(&predicate.expanded, &predicate.value).to_owned(),
                description: &predicate.description,
                colour: predicate.colour.as_deref(),
                numerical_value: predicate.numerical_value,
                exclusive_predicate: predicate.exclusive,
            });
            let entries = predicate.entries.iter().map(move |entry| TaxonomyTag {
                name: format!("{}:{}=\"{}\"", self.namespace, predicate.value, entry.value),
                expanded: format!(
                    "{}: {}",
                    title(&predicate.expanded, &predicate.value),
                    title(&entry.expanded, &entry.value)
                ),
                description: &entry.description,
                colour: entry.colour.as_deref().or(predicate.colour.as_deref()),
                numerical_value: entry.numerical_value,
                exclusive_predicate: predicate.exclusive,
            });
            bare.into_iter().chain(entries)
        })
    }
}

fn title<'a>(expanded: &'a str, value: &'a str) -> &'a str {
    if expanded.is_empty() { value } else { expanded }
}

// ---- Galaxies -----------------------------------------------------------------------------------------

/// A family of clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Galaxy {
    pub uuid: Uuid,
    pub name: String,
    /// MISP's `type`: what its clusters' tags are named after.
    pub kind: String,
    pub description: String,
    pub version: i64,
    pub icon: String,
    pub namespace: String,
    /// Matrix tabs, each with its phases in order.
    pub kill_chain_order: Vec<(String, Vec<String>)>,
}

/// One piece of knowledge: an actor, a technique, a tool, a country, …
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    pub uuid: Uuid,
    /// The library file it came with.
    pub collection_uuid: Option<Uuid>,
    pub value: String,
    pub description: String,
    pub source: String,
    pub authors: Vec<String>,
    pub version: i64,
    /// The galaxy's `kind`.
    pub kind: String,
    /// Key and values, in the file's order.
    pub meta: Vec<(String, Vec<String>)>,
    pub related: Vec<ClusterRelation>,
    /// `misp-galaxy:kind="value"`.
    pub tag_name: String,
}

/// An arrow from one cluster to another, which need not be known here.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterRelation {
    pub dest_uuid: Uuid,
    /// MISP's `type`: `similar`, `uses`, …
    pub kind: String,
    pub tags: Vec<String>,
}

/// The tag of a cluster that came with a library.
pub fn cluster_tag(kind: &str, value: &str) -> String {
    format!("misp-galaxy:{kind}=\"{value}\"")
}

/// The tag of a cluster somebody made on an instance.
pub fn custom_cluster_tag(kind: &str, uuid: Uuid) -> String {
    format!("misp-galaxy:{kind}=\"{uuid}\"")
}

// ---- Object templates ---------------------------------------------------------------------------------

/// What an object of one name is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectTemplate {
    pub uuid: Uuid,
    pub name: String,
    pub meta_category: String,
    pub description: String,
    pub version: i64,
    /// The library says that instances must not extend it.
    pub fixed: bool,
    /// Relations that must all be there.
    pub required: Vec<String>,
    /// Relations of which at least one must be there.
    pub required_one_of: Vec<String>,
    pub elements: Vec<TemplateElement>,
    /// The definition as published, byte for byte (`objectTemplates/getRaw` answers it).
    pub raw: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateElement {
    pub object_relation: String,
    /// The attribute type.
    pub kind: String,
    pub ui_priority: i64,
    pub categories: Vec<String>,
    pub sane_default: Vec<String>,
    pub values_list: Vec<String>,
    pub description: String,
    pub disable_correlation: bool,
    pub multiple: bool,
    /// `None`: whatever the attribute type says.
    pub to_ids: Option<bool>,
    pub recommended: Option<bool>,
}

impl ObjectTemplate {
    pub fn element(&self, object_relation: &str) -> Option<&TemplateElement> {
        self.elements.iter().find(|element| element.object_relation == object_relation)
    }
}

/// A word for an arrow between objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RelationshipType {
    pub name: String,
    pub description: String,
    /// Where the word comes from: `misp`, `stix-2.0`, `cert-eu`, …
    pub format: Vec<String>,
    /// The word for the arrow read backwards.
    pub opposite: Option<String>,
}

// ---- Warninglists -------------------------------------------------------------------------------------

/// Values that are probably harmless, or known for what they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Warninglist {
    pub name: String,
    pub kind: WarninglistKind,
    pub version: i64,
    pub description: String,
    pub category: WarninglistCategory,
    /// Attribute types it is meant for; [`ALL_TYPES`] for any.
    pub matching_attributes: Vec<String>,
    pub list: Entries,
}

/// In `matching_attributes`: the list is meant for every type.
pub const ALL_TYPES: &str = "ALL";

/// How the entries of a warninglist are compared (MISP's `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarninglistKind {
    /// The whole value, in lower case.
    String,
    /// Anywhere in the value.
    Substring,
    /// The host name or a domain above it.
    Hostname,
    /// The address or network lies in it.
    Cidr,
    /// A PCRE with its delimiters.
    Regex,
}

impl WarninglistKind {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "substring" => Self::Substring,
            "hostname" => Self::Hostname,
            "cidr" => Self::Cidr,
            "regex" => Self::Regex,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Substring => "substring",
            Self::Hostname => "hostname",
            Self::Cidr => "cidr",
            Self::Regex => "regex",
        }
    }
}

/// What a hit says about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WarninglistCategory {
    #[default]
    FalsePositive,
    /// An identifier known for what it is, not harmless.
    Known,
}

impl WarninglistCategory {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "false_positive" => Self::FalsePositive,
            "known" => Self::Known,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::Known => "known",
        }
    }
}

/// The entries of a list in one block of text: a million host names take 20 MB here, 60 MB as `String`s.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entries {
    text: String,
    ends: Vec<usize>,
}

impl Entries {
    pub fn push(&mut self, entry: &str) {
        self.text.push_str(entry);
        self.ends.push(self.text.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

impl<S: AsRef<str>> FromIterator<S> for Entries {
    fn from_iter<I: IntoIterator<Item = S>>(entries: I) -> Self {
        let mut list = Self::default();
        entries.into_iter().for_each(|entry| list.push(entry.as_ref()));
        list
    }
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entries({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taxonomy_gives_a_tag_per_entry_and_per_predicate_without_entries() {
        let entry = |value: &str, number| TaxonomyEntry {
            value: value.into(),
            numerical_value: number,
            ..TaxonomyEntry::default()
        };
        let taxonomy = Taxonomy {
            namespace: "adm".into(),
            predicates: vec![
                Predicate {
                    value: "red".into(),
                    expanded: "Eyes only".into(),
                    colour: Some("#ff0000".into()),
                    numerical_value: Some(7),
                    ..Predicate::default()
                },
                Predicate {
                    value: "scale".into(),
                    colour: Some("#00ff00".into()),
                    exclusive: true,
                    entries: vec![entry("a", Some(100)), entry("b", None)],
                    ..Predicate::default()
                },
            ],
            ..Taxonomy::default()
        };
        let tags: Vec<_> = taxonomy.tags().collect();
        let names: Vec<_> = tags.iter().map(|t| (t.name.as_str(), t.numerical_value)).collect();
        assert_eq!(names, [("adm:red", Some(7)), ("adm:scale=\"a\"", Some(100)), ("adm:scale=\"b\"", None)]);
        assert_eq!(tags[0].expanded, "Eyes only");
        assert_eq!(tags[1].expanded, "scale: a");
        assert_eq!(tags[2].colour, Some("#00ff00"));
        assert!(tags[2].exclusive_predicate && !tags[0].exclusive_predicate);
    }

    #[test]
    fn entries_come_out_as_they_went_in() {
        let list: Entries = ["a", "", "münchen.example"].into_iter().collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), ["a", "", "münchen.example"]);
        assert_eq!(list.len(), 3);
        assert!(Entries::default().is_empty());
    }
}
