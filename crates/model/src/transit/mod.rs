//! What leaves for another server and what may come from one: rules on drafts, nothing else.
//!
//! An event travels as an [`EventDraft`]. [`outgoing`] makes of a stored event what a peer is sent,
//! [`incoming`] makes of what a peer sent what is kept here; both follow MISP (semantics 3.7, 7.2, 7.3). The
//! [`Guard`] is stricter than MISP: it says what never leaves over a link, whatever distribution allows.

mod guard;
#[cfg(test)]
mod guard_tests;
mod incoming;
mod outgoing;
pub mod sharing;
#[cfg(test)]
mod tests;

pub use guard::{Compartments, Guard, Tlp};
pub use incoming::{Incoming, incoming};
pub use outgoing::{Outgoing, beside, outgoing};

use crate::attribute::AttributeDraft;
use crate::event::EventDraft;
use crate::fold::fold;
use crate::object::ObjectDraft;
use crate::org::OrgRef;
use crate::report::ReportDraft;
use crate::{Distribution, Uuid};
use std::fmt;

/// At least one of `or` where there are any, and none of `not`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    pub or: Vec<String>,
    pub not: Vec<String>,
}

impl Choice {
    pub fn is_empty(&self) -> bool {
        self.or.is_empty() && self.not.is_empty()
    }

    fn holds(&self, is: impl Fn(&str) -> bool) -> bool {
        (self.or.is_empty() || self.or.iter().any(|wanted| is(wanted)))
            && !self.not.iter().any(|unwanted| is(unwanted))
    }
}

/// The push or pull rules of a link (semantics 7.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Tags of the event by name.
    pub tags: Choice,
    /// Its creator by name or uuid.
    pub orgs: Choice,
    /// Types of attributes that stay behind.
    pub refused_types: Vec<String>,
    /// Templates of objects that stay behind, by uuid.
    pub refused_templates: Vec<String>,
    /// Further parameters of the index that is pulled: a JSON object as text, or nothing.
    pub url_params: String,
}

impl Rules {
    /// Whether the event is one that the rules let through, by its tags and its creator.
    pub fn admit(&self, event: &EventDraft) -> Result<(), Refusal> {
        let tagged = |name: &str| event.tags.iter().any(|tag| same(&tag.name, name));
        if !self.tags.holds(tagged) {
            return Err(Refusal::Rules(RuleOf::Tags));
        }
        self.admit_creator(event.orgc.as_ref())
    }

    /// Whether the rules let through what this organisation made.
    pub fn admit_creator(&self, orgc: Option<&OrgRef>) -> Result<(), Refusal> {
        if self.orgs.holds(|name| orgc.is_some_and(|org| is_org(org, name))) {
            Ok(())
        } else {
            Err(Refusal::Rules(RuleOf::Organisations))
        }
    }

    fn refuses_type(&self, attribute: &AttributeDraft) -> bool {
        let kind = attribute.kind.as_deref().unwrap_or_default().trim();
        self.refused_types.iter().any(|refused| refused == kind)
    }

    fn refuses_template(&self, object: &ObjectDraft) -> bool {
        let template = object.template_uuid.as_deref().unwrap_or_default().trim();
        self.refused_templates.iter().any(|refused| refused.eq_ignore_ascii_case(template))
    }
}

fn is_org(org: &OrgRef, name: &str) -> bool {
    let name = name.trim();
    org.name.as_deref().is_some_and(|own| same(own, name))
        || org.uuid.is_some_and(|uuid| uuid.to_string().eq_ignore_ascii_case(name))
}

/// Tags and organisations are compared as MISP's database does.
fn same(one: &str, other: &str) -> bool {
    fold(one.trim()) == fold(other.trim())
}

/// Which rules of a link an event does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleOf {
    Tags,
    Organisations,
}

/// Why an event, or something in it, does not pass. Its text is what the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The link's rules ask for other events.
    Rules(RuleOf),
    /// Its distribution keeps it here.
    Distribution(i64),
    /// It belongs to a sharing group that the other server is not in, or that is not known.
    SharingGroup,
    /// The link's rules leave this type of attribute out.
    Type(String),
    /// The link's rules leave objects of this template out.
    Template(String),
    /// Nothing is left of it; says why the first part of it went.
    Empty(Option<Box<Refusal>>),
    /// The link carries no reports.
    Reports,
    /// The guard: it lacks this tag.
    TagRequired(String),
    /// The guard: it carries this tag.
    TagBlocked(String),
    /// The guard: it is marked above what may leave.
    Tlp { level: Tlp, ceiling: Tlp },
    /// The guard: nothing of this distribution leaves.
    DistributionBlocked(i64),
    /// The guard: nothing of this group leaves.
    GroupBlocked(Option<Uuid>),
    /// The guard: no attributes of this type leave.
    TypeBlocked(String),
    /// The guard: no attributes of this category leave.
    CategoryBlocked(String),
    /// The guard: no objects of this template leave.
    ObjectBlocked(String),
    /// The guard: the peer is not in this compartment.
    Compartment(String),
}

impl Refusal {
    /// Whether the guard said so, rather than distribution or the link's rules.
    pub fn by_guard(&self) -> bool {
        match self {
            Self::Rules(_)
            | Self::Distribution(_)
            | Self::SharingGroup
            | Self::Type(_)
            | Self::Template(_)
            | Self::Reports => false,
            Self::Empty(why) => why.as_ref().is_some_and(|why| why.by_guard()),
            Self::TagRequired(_)
            | Self::TagBlocked(_)
            | Self::Tlp { .. }
            | Self::DistributionBlocked(_)
            | Self::GroupBlocked(_)
            | Self::TypeBlocked(_)
            | Self::CategoryBlocked(_)
            | Self::ObjectBlocked(_)
            | Self::Compartment(_) => true,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(RuleOf::Tags) => f.write_str("the link's rules ask for other tags"),
            Self::Rules(RuleOf::Organisations) => f.write_str("the link's rules ask for other organisations"),
            Self::Distribution(level) => write!(f, "its distribution is {}", words(*level)),
            Self::SharingGroup => f.write_str("its sharing group does not include the other server"),
            Self::Type(kind) => write!(f, "the link's rules leave out attributes of type {kind}"),
            Self::Template(uuid) => write!(f, "the link's rules leave out objects of template {uuid}"),
            Self::Empty(None) => f.write_str("there is nothing in it"),
            Self::Empty(Some(why)) => write!(f, "nothing of it is left: {why}"),
            Self::Reports => f.write_str("the other server takes no event reports"),
            Self::TagRequired(tag) => write!(f, "the guard requires the tag {tag}"),
            Self::TagBlocked(tag) => write!(f, "the guard blocks the tag {tag}"),
            Self::Tlp { level, ceiling } => {
                write!(f, "the guard lets nothing above {} leave, this is {}", ceiling.tag(), level.tag())
            }
            Self::DistributionBlocked(level) => {
                write!(f, "the guard blocks what is distributed to {}", words(*level))
            }
            Self::GroupBlocked(Some(uuid)) => write!(f, "the guard blocks the sharing group {uuid}"),
            Self::GroupBlocked(None) => f.write_str("the guard blocks unknown sharing groups"),
            Self::TypeBlocked(kind) => write!(f, "the guard blocks attributes of type {kind}"),
            Self::CategoryBlocked(category) => {
                write!(f, "the guard blocks attributes of the category {category}")
            }
            Self::ObjectBlocked(name) => write!(f, "the guard blocks {name} objects"),
            Self::Compartment(tag) => write!(f, "the other server is not in the compartment {tag}"),
        }
    }
}

impl std::error::Error for Refusal {}

fn words(level: i64) -> String {
    match Distribution::from_code(level) {
        Some(Distribution::Organisation) => "your organisation only".into(),
        Some(Distribution::Community) => "this community only".into(),
        Some(Distribution::Connected) => "connected communities".into(),
        Some(Distribution::All) => "all communities".into(),
        Some(Distribution::SharingGroup) => "a sharing group".into(),
        Some(Distribution::Inherit) => "as its parent".into(),
        None => format!("unknown ({level})"),
    }
}

/// What was left out of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Attribute,
    Object,
    Report,
}

/// Something that was left out of an event that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub element: Element,
    pub uuid: Option<Uuid>,
    pub reason: Refusal,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = match self.element {
            Element::Attribute => "attribute",
            Element::Object => "object",
            Element::Report => "report",
        };
        match self.uuid {
            Some(uuid) => write!(f, "{noun} {uuid}: {}", self.reason),
            None => write!(f, "{noun}: {}", self.reason),
        }
    }
}

/// An event that may go on, and what it lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    pub event: EventDraft,
    pub dropped: Vec<Dropped>,
}

/// Whether there is anything in it that is not deleted: MISP takes over no event without.
pub fn has_content(event: &EventDraft) -> bool {
    let lives = |deleted: Option<bool>| deleted != Some(true);
    let inside = event.objects.iter().filter(|o| lives(o.deleted)).flat_map(|o| &o.attributes);
    event.attributes.iter().chain(inside).any(|a| lives(a.deleted))
        || event.reports.iter().any(|r| lives(r.deleted))
}

/// Whether nothing at all is in it, not even a tombstone.
fn is_empty(event: &EventDraft) -> bool {
    event.attributes.is_empty() && event.objects.is_empty() && event.reports.is_empty()
}

/// Takes elements out of an event one by one and keeps account.
#[derive(Default)]
struct Sieve {
    dropped: Vec<Dropped>,
}

impl Sieve {
    fn drop(&mut self, element: Element, uuid: Option<Uuid>, reason: Refusal) {
        self.dropped.push(Dropped { element, uuid, reason });
    }

    /// Applies `attribute`, `object` and `report` to every element; what they refuse goes. An object all of whose
    /// attributes went goes with them. A reference to what went goes, too.
    fn pass(
        mut self,
        mut event: EventDraft,
        attribute: &dyn Fn(&mut AttributeDraft) -> Result<(), Refusal>,
        object: &dyn Fn(&mut ObjectDraft) -> Result<(), Refusal>,
        report: &dyn Fn(&mut ReportDraft) -> Result<(), Refusal>,
    ) -> Result<Passed, Refusal> {
        let had_any = !is_empty(&event);
        self.attributes(&mut event.attributes, attribute);
        let mut kept = Vec::with_capacity(event.objects.len());
        for mut one in std::mem::take(&mut event.objects) {
            if let Err(reason) = object(&mut one) {
                self.with_object(&one, reason);
                continue;
            }
            let before = one.attributes.len();
            self.attributes(&mut one.attributes, attribute);
            if before > 0 && one.attributes.is_empty() {
                let why = self.dropped.last().map(|last| Box::new(last.reason.clone()));
                self.drop(Element::Object, one.uuid, Refusal::Empty(why));
                continue;
            }
            kept.push(one);
        }
        event.objects = kept;
        let mut kept = Vec::with_capacity(event.reports.len());
        for mut one in std::mem::take(&mut event.reports) {
            match report(&mut one) {
                Ok(()) => kept.push(one),
                Err(reason) => self.drop(Element::Report, one.uuid, reason),
            }
        }
        event.reports = kept;
        if had_any && is_empty(&event) {
            let first = self.dropped.into_iter().next();
            return Err(Refusal::Empty(first.map(|first| Box::new(first.reason))));
        }
        let gone: std::collections::HashSet<Uuid> = self.dropped.iter().filter_map(|d| d.uuid).collect();
        for one in &mut event.objects {
            one.references.retain(
                |r| !matches!(r.referenced, Some(crate::ids::Ref::Uuid(uuid)) if gone.contains(&uuid)),
            );
        }
        Ok(Passed { event, dropped: self.dropped })
    }

    fn attributes(
        &mut self,
        attributes: &mut Vec<AttributeDraft>,
        rule: &dyn Fn(&mut AttributeDraft) -> Result<(), Refusal>,
    ) {
        attributes.retain_mut(|one| match rule(one) {
            Ok(()) => true,
            Err(reason) => {
                self.drop(Element::Attribute, one.uuid, reason);
                false
            }
        });
    }

    /// An object that went, and with it its attributes: references to those go as well.
    fn with_object(&mut self, object: &ObjectDraft, reason: Refusal) {
        for attribute in &object.attributes {
            self.drop(Element::Attribute, attribute.uuid, reason.clone());
        }
        self.drop(Element::Object, object.uuid, reason);
    }
}
