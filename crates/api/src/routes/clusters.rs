//! Custom galaxy clusters, relations, tag collections.

use super::Route;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
];
