//! What templates do to values.

/// `1234567` as `1,234,567`.
#[askama::filter_fn]
pub fn count(number: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(crate::words::count(number))
}
