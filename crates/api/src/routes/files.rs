//! Attachments, samples, enrichment modules.

use super::Methods::{Get, Post};
use super::Need::{Key, Write};
use super::{Route, route};
use crate::files;
use pisax_access::Permission as P;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "attributes", "downloadattachment", Key, files::download, "The bytes of an attachment, a sample sealed."),
    route(Get, "attributes", "download", Key, files::download, "The same."),
    route(Get, "attributes", "viewpicture", Key, files::picture, "An attached picture, in base64."),
    route(Post, "events", "uploadsample", Write(&[P::Add]), files::upload, "Add samples as file objects."),
];
