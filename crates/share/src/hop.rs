//! What a distribution becomes on its way from one server to another (semantics 3.7), for records beside events.

/// As it arrives: a community's own is then one organisation's, what was for connected communities is a
/// community's. Servers of one organisation keep it.
pub(crate) fn received(distribution: &mut Option<i64>, internal: bool) {
    if !internal {
        *distribution = match *distribution {
            Some(1) => Some(0),
            Some(2) => Some(1),
            other => other,
        };
    }
}
