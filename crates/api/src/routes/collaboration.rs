//! Proposals, delegations, sighting policies.

use super::Route;

#[rustfmt::skip] // A line each, so that the table can be read.
pub(super) const ROUTES: &[Route] = &[
];
