//! Attachments, samples, enrichment modules.

use super::Methods::{Any, Get, Post};
use super::Need::{Key, Write};
use super::{Route, route};
use crate::{enrichment, files};
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "attributes", "downloadattachment", Key, files::download, "The bytes of an attachment, a sample sealed."),
    route(Get, "attributes", "download", Key, files::download, "The same."),
    route(Get, "attributes", "viewpicture", Key, files::picture, "An attached picture, in base64."),
    route(Any, "modules", "index", Key, enrichment::index, "The enrichment modules that can be asked."),
    route(Post, "modules", "queryenrichment", Write(&[P::Auth]), enrichment::query, "Ask a module; its own answer."),
    route(Post, "events", "queryenrichment", Write(&[P::Add]), enrichment::try_out, "Ask a module about an attribute; nothing is added."),
    route(Post, "events", "enrichevent", Write(&[P::Add]), enrichment::enrich_event, "Ask modules about everything in an event and add what they find."),
    route(Post, "attributes", "enrich", Write(&[P::Add]), enrichment::enrich_attribute, "Ask modules about an attribute and add what they find."),
    route(Any, "attributes", "hoverenrichment", Write(&[P::Add]), enrichment::hover, "What modules know about an attribute, in short."),
    route(Post, "events", "uploadsample", Write(&[P::Add]), files::upload, "Add samples as file objects."),
];
