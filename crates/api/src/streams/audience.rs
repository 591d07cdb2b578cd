//! For whom a change is, as a subject of NATS says it: everybody, this instance's organisations, a sharing group, or
//! an organisation. What is published there is what such a reader sees and nothing else.
//!
//! A record is for those whom its event, its object and it itself reach. Where these are different sharing groups, it
//! is for the owner of the event alone: there is no subject for who is in both.

use crate::failure::Failure;
use pisax_access::{Actor, SightingPolicy};
use pisax_model::ids::Ref;
use pisax_service::Service;
use pisax_store::Reader;
use pisax_store::changes::{Action, Logged, Noun};

/// Whom something reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Owner,
    Group(i64),
    Community,
    All,
}

impl Reach {
    /// By a distribution and its sharing group (MISP semantics 3.1).
    fn of(distribution: i64, group: i64) -> Self {
        match distribution {
            1 | 2 => Self::Community,
            3 => Self::All,
            4 => Self::Group(group),
            _ => Self::Owner,
        }
    }

    /// Of what is inside something that reaches so far: it may reach less far, never further.
    fn narrowed(self, distribution: i64, group: i64) -> Self {
        if distribution == 5 {
            return self;
        }
        match (self, Self::of(distribution, group)) {
            (Self::Owner, _) | (_, Self::Owner) => Self::Owner,
            (Self::Group(outer), Self::Group(inner)) if outer != inner => Self::Owner,
            (Self::Group(one), _) | (_, Self::Group(one)) => Self::Group(one),
            (Self::Community, _) | (_, Self::Community) => Self::Community,
            (Self::All, Self::All) => Self::All,
        }
    }
}

/// An audience: what its subject ends with, and who reads there.
pub(crate) struct Audience {
    pub(crate) subject: String,
    pub(crate) reader: Actor,
}

/// For whom a change is; none: for those who run the instance.
pub(crate) fn of(service: &Service, change: &Logged) -> Result<Option<Audience>, Failure> {
    let system = Actor::system("find whom a change is for");
    Ok(service.read(&system, |r| {
        let Some((reach, owner)) = reach(r, change)? else { return Ok(None) };
        Ok(match reach {
            Reach::All => Some(Audience { subject: "all".into(), reader: Actor::audience(0) }),
            Reach::Community => Some(Audience { subject: "community".into(), reader: Actor::audience(0) }),
            Reach::Group(id) => r.sharing_group(Ref::Id(id))?.map(|group| Audience {
                subject: format!("group.{}", group.uuid),
                reader: Actor::audience(id),
            }),
            Reach::Owner => r.org(Ref::Id(owner))?.map(|org| Audience {
                subject: format!("org.{}", org.uuid),
                reader: Actor { org_id: org.id, ..Actor::audience(0) },
            }),
        })
    })?)
}

/// Whom a change reaches, and which organisation owns what it is about.
fn reach(r: &mut Reader<'_>, change: &Logged) -> pisax_service::Result<Option<(Reach, i64)>> {
    let is = |noun: Noun| change.noun == noun as i64;
    if is(Noun::Org) || is(Noun::Warninglist) {
        return Ok(Some((Reach::Community, 0)));
    }
    let noted = |name: &str| change.fields.iter().find(|f| f.name == name).map(|f| (&f.old, &f.new));
    let was = |name: &str| noted(name).and_then(|(old, _)| old.parse::<i64>().ok());
    let either =
        |name: &str| noted(name).and_then(|(old, new)| new.parse().ok().or_else(|| old.parse().ok()));
    let gone = change.action == Action::Delete as i64;
    let Some(event) = r.event_facts_then(change.event_id)? else { return Ok(None) };
    let mut reach = Reach::of(event.distribution, event.sharing_group_id);
    if r.rules().unpublished_private && !event.published {
        reach = Reach::Owner;
    }
    let outer = (reach, event.org_id);
    let attribute = |r: &mut Reader<'_>, id: i64| -> pisax_service::Result<(Reach, i64)> {
        let Some((attribute, object)) = r.attribute_facts(id)? else { return Ok((Reach::Owner, outer.1)) };
        let object = object.map_or(outer.0, |o| outer.0.narrowed(o.distribution, o.sharing_group_id));
        Ok((object.narrowed(attribute.distribution, attribute.sharing_group_id), outer.1))
    };
    let object = |r: &mut Reader<'_>, id: i64| -> pisax_service::Result<(Reach, i64)> {
        let facts = r.object_facts(id)?;
        let reach = facts.map_or(Reach::Owner, |o| outer.0.narrowed(o.distribution, o.sharing_group_id));
        Ok((reach, outer.1))
    };
    let then = |reach: Reach, distribution: &str, group: &str| match was(distribution) {
        Some(distribution) => reach.narrowed(distribution, was(group).unwrap_or(0)),
        None => reach,
    };
    Ok(match () {
        () if is(Noun::Event) || is(Noun::EventTag) => Some(outer),
        () if is(Noun::AttributeTag) => match either("attribute_id") {
            Some(id) => Some(attribute(r, id)?),
            // Many at once: a change of the event.
            None => Some(outer),
        },
        () if is(Noun::Attribute) && gone => {
            let object = then(outer.0, "object_distribution", "object_sharing_group_id");
            let known = was("distribution").is_some();
            let reach = if known { then(object, "distribution", "sharing_group_id") } else { Reach::Owner };
            Some((reach, outer.1))
        }
        () if is(Noun::Attribute) => Some(attribute(r, change.record_id)?),
        () if is(Noun::Object) && gone => {
            let known = was("distribution").is_some();
            let reach = if known { then(outer.0, "distribution", "sharing_group_id") } else { Reach::Owner };
            Some((reach, outer.1))
        }
        () if is(Noun::Object) => Some(object(r, change.record_id)?),
        () if is(Noun::Reference) => {
            let id = match was("object_id") {
                Some(id) => Some(id),
                None => r.reference(Ref::Uuid(change.uuid))?.map(|reference| reference.object_id),
            };
            Some(object(r, id.unwrap_or(0))?)
        }
        // Who sees the sightings of others is a policy; where it does not open them, they are for the event's owner.
        () if is(Noun::Sighting) => match (r.rules().sightings, either("attribute_id")) {
            (SightingPolicy::Everyone, Some(id)) => Some(attribute(r, id)?),
            _ => Some((Reach::Owner, outer.1)),
        },
        () => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_never_reaches_further() {
        use Reach::{All, Community, Group, Owner};
        for (outer, distribution, group, expected) in [
            (All, 5, 0, All),
            (All, 3, 0, All),
            (All, 1, 0, Community),
            (All, 2, 0, Community),
            (All, 4, 7, Group(7)),
            (All, 0, 0, Owner),
            (Community, 3, 0, Community),
            (Community, 4, 7, Group(7)),
            (Group(7), 3, 0, Group(7)),
            (Group(7), 5, 0, Group(7)),
            (Group(7), 4, 7, Group(7)),
            (Group(7), 4, 8, Owner),
            (Owner, 3, 0, Owner),
            (Owner, 5, 0, Owner),
            (All, 99, 0, Owner),
        ] {
            assert_eq!(outer.narrowed(distribution, group), expected, "{outer:?} {distribution} {group}");
        }
    }
}
