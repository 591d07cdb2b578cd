//! What a bundle is written of: MISP's records with what hangs on them, brought by the caller.

use super::cluster::Cluster;
use pisax_model::attribute::AttributeView;
use pisax_model::sighting::Sighting;
use pisax_model::{Uuid, event};

/// Who made or saw something.
#[derive(Debug, Clone, Copy)]
pub struct Org<'a> {
    pub uuid: Uuid,
    pub name: &'a str,
}

/// An event without its contents.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub event: &'a event::Event,
    /// The creator.
    pub org: Org<'a>,
    pub tags: &'a [&'a str],
    pub clusters: &'a [&'a Cluster],
}

/// An attribute with what hangs on it.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    pub view: AttributeView<'a>,
    pub tags: &'a [&'a str],
    pub clusters: &'a [&'a Cluster],
    pub sightings: &'a [Sighting],
    /// Bytes of an attachment, base64.
    pub data: Option<&'a str>,
}

/// An object with its attributes.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub object: &'a pisax_model::object::Object,
    pub attributes: &'a [Attribute<'a>],
}

/// A reference from an object to another record of the event.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    pub reference: &'a pisax_model::object::Reference,
    pub source: Object<'a>,
    pub target: Target<'a>,
}

/// What is referred to.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    Attribute(AttributeView<'a>),
    Object(Object<'a>),
}
