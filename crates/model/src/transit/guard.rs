//! The egress guard of a link: what never leaves by it.

use super::{Refusal, same};
use crate::attribute::AttributeDraft;
use crate::event::EventDraft;
use crate::fold::fold;
use crate::ids::Ref;
use crate::object::ObjectDraft;
use crate::report::ReportDraft;
use crate::sharing::SharingGroupDraft;
use crate::tag::TagDraft;
use crate::{AttributeType, Category, Distribution, Uuid};

/// Markings of the Traffic Light Protocol 2.0 from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    Clear,
    Green,
    Amber,
    AmberStrict,
    Red,
}

impl Tlp {
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::Clear => "tlp:clear",
            Self::Green => "tlp:green",
            Self::Amber => "tlp:amber",
            Self::AmberStrict => "tlp:amber+strict",
            Self::Red => "tlp:red",
        }
    }

    /// A level by its name; version 1 says white for clear.
    pub fn from_name(name: &str) -> Option<Self> {
        let name: String = name.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        match name.as_str() {
            "white" => Some(Self::Clear),
            name => Self::ALL.into_iter().find(|level| level.name() == name),
        }
    }

    /// What a tag says. Of `tlp:` with something nobody knows, the narrowest is meant until somebody looks.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = fold(tag.trim());
        let name = tag.strip_prefix("tlp")?.trim_start().strip_prefix(':')?;
        Some(Self::from_name(name).unwrap_or(Self::Red))
    }

    /// The narrowest of several tags.
    pub fn of_tags(tags: &[TagDraft]) -> Option<Self> {
        tags.iter().filter_map(|tag| Self::of_tag(&tag.name)).max()
    }
}

/// Tags that say for whose eyes something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compartments {
    /// Taxonomies whose tags are compartments.
    pub taxonomies: Vec<String>,
    /// Those the peer is in, as whole tags.
    pub allowed: Vec<String>,
}

impl Default for Compartments {
    fn default() -> Self {
        Self { taxonomies: vec!["compartment".into()], allowed: Vec::new() }
    }
}

/// What may leave by a link. The empty one lets everything leave that is in no compartment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Every event has all of these.
    pub required_tags: Vec<String>,
    /// No event has one of these, and attributes with one stay behind.
    pub blocked_tags: Vec<String>,
    /// Nothing that is marked above leaves.
    pub ceiling: Option<Tlp>,
    /// What an event without marking counts as.
    pub untagged: Tlp,
    pub blocked_distributions: Vec<Distribution>,
    /// Of sharing groups, these alone.
    pub allowed_groups: Option<Vec<Uuid>>,
    pub blocked_groups: Vec<Uuid>,
    pub blocked_types: Vec<AttributeType>,
    pub blocked_categories: Vec<Category>,
    /// Names of object templates.
    pub blocked_objects: Vec<String>,
    pub compartments: Compartments,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            required_tags: Vec::new(),
            blocked_tags: Vec::new(),
            ceiling: None,
            untagged: Tlp::Amber,
            blocked_distributions: Vec::new(),
            allowed_groups: None,
            blocked_groups: Vec::new(),
            blocked_types: Vec::new(),
            blocked_categories: Vec::new(),
            blocked_objects: Vec::new(),
            compartments: Compartments::default(),
        }
    }
}

impl Guard {
    /// Whether an event may leave at all.
    pub(super) fn admit(&self, event: &EventDraft) -> Result<(), Refusal> {
        let lacks = |tag: &&String| !event.tags.iter().any(|own| same(&own.name, tag));
        if let Some(tag) = self.required_tags.iter().find(lacks) {
            return Err(Refusal::TagRequired(tag.clone()));
        }
        self.tags(&event.tags)?;
        self.tlp(Tlp::of_tags(&event.tags).unwrap_or(self.untagged))?;
        let level = event.distribution.unwrap_or(Distribution::Organisation.code());
        self.distribution(level, event.sharing_group, event.sharing_group_draft.as_ref())
    }

    /// An attribute without marking is as its event.
    pub(super) fn admit_attribute(&self, attribute: &AttributeDraft) -> Result<(), Refusal> {
        let kind = attribute.kind.as_deref().unwrap_or_default().trim();
        if self.blocked_types.iter().any(|blocked| blocked.name() == kind) {
            return Err(Refusal::TypeBlocked(kind.to_owned()));
        }
        let category = attribute.category.as_deref().unwrap_or_default().trim();
        if self.blocked_categories.iter().any(|blocked| blocked.name() == category) {
            return Err(Refusal::CategoryBlocked(category.to_owned()));
        }
        self.tags(&attribute.tags)?;
        if let Some(level) = Tlp::of_tags(&attribute.tags) {
            self.tlp(level)?;
        }
        let group = attribute.sharing_group_draft.as_deref();
        self.element(attribute.distribution, attribute.sharing_group, group)
    }

    pub(super) fn admit_object(&self, object: &ObjectDraft) -> Result<(), Refusal> {
        let name = object.name.as_deref().unwrap_or_default();
        if self.blocked_objects.iter().any(|blocked| same(blocked, name)) {
            return Err(Refusal::ObjectBlocked(name.to_owned()));
        }
        self.element(object.distribution, object.sharing_group, object.sharing_group_draft.as_deref())
    }

    pub(super) fn admit_report(&self, report: &ReportDraft) -> Result<(), Refusal> {
        self.element(report.distribution, report.sharing_group, report.sharing_group_draft.as_deref())
    }

    /// A tag that stays here counts as much as one that travels.
    fn tags(&self, tags: &[TagDraft]) -> Result<(), Refusal> {
        for tag in tags {
            if self.blocked_tags.iter().any(|blocked| same(blocked, &tag.name)) {
                return Err(Refusal::TagBlocked(tag.name.clone()));
            }
            let allowed = || self.compartments.allowed.iter().any(|allowed| same(allowed, &tag.name));
            if self.is_compartment(&tag.name) && !allowed() {
                return Err(Refusal::Compartment(tag.name.clone()));
            }
        }
        Ok(())
    }

    fn is_compartment(&self, tag: &str) -> bool {
        let Some((taxonomy, _)) = tag.split_once(':') else { return false };
        self.compartments.taxonomies.iter().any(|own| same(own.trim().trim_end_matches(':'), taxonomy))
    }

    fn tlp(&self, level: Tlp) -> Result<(), Refusal> {
        match self.ceiling {
            Some(ceiling) if level > ceiling => Err(Refusal::Tlp { level, ceiling }),
            _ => Ok(()),
        }
    }

    fn element(
        &self,
        level: Option<i64>,
        group: Option<Ref>,
        draft: Option<&SharingGroupDraft>,
    ) -> Result<(), Refusal> {
        self.distribution(level.unwrap_or(Distribution::Inherit.code()), group, draft)
    }

    pub(super) fn distribution(
        &self,
        level: i64,
        group: Option<Ref>,
        draft: Option<&SharingGroupDraft>,
    ) -> Result<(), Refusal> {
        if self.blocked_distributions.iter().any(|blocked| blocked.code() == level) {
            return Err(Refusal::DistributionBlocked(level));
        }
        if level != Distribution::SharingGroup.code() {
            return Ok(());
        }
        let named = match group {
            Some(Ref::Uuid(uuid)) => Some(uuid),
            _ => None,
        };
        let uuid = draft.and_then(|group| group.uuid).or(named);
        let blocked = uuid.is_some_and(|uuid| self.blocked_groups.contains(&uuid));
        let foreign = self
            .allowed_groups
            .as_ref()
            .is_some_and(|allowed| !uuid.is_some_and(|uuid| allowed.contains(&uuid)));
        // Which group it is has to be known where one of them is blocked.
        let unknown = uuid.is_none() && !self.blocked_groups.is_empty();
        if blocked || foreign || unknown { Err(Refusal::GroupBlocked(uuid)) } else { Ok(()) }
    }
}
