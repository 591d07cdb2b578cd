//! People's settings, registrations, logs, bookmarks, collections, dashboards.

use super::Route;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
];
