//! `attributes/describeTypes`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::document;
use crate::request::Request;
use pisax_wire::admin_out::write_describe_types;

/// GET /attributes/describeTypes.json
pub(crate) fn types(_: &Request) -> Result<Answer, Failure> {
    Ok(document(write_describe_types))
}
