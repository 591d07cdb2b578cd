//! What is wrong with a form, in the words of a page.

use pisax_model::FieldError;

use crate::{Choice, Errors};

const CHOOSE: &str = "Choose one of the list.";

/// The errors by field. Where a form has no choice of sharing groups, what is wrong with one is said at the
/// distribution.
pub(crate) fn errors(refused: Vec<FieldError>, groups: &[Choice]) -> Errors {
    let place = |field: &'static str| match field {
        "sharing_group_id" if groups.is_empty() => "distribution",
        _ => field,
    };
    refused.into_iter().map(|e| (place(e.field).to_owned(), words(e))).collect()
}

/// MISP's own messages are kept where they say what to do; some are codes, some speak of its forms.
pub(crate) fn words(error: FieldError) -> String {
    let own = match (error.field, error.message.as_str()) {
        ("info", "valueNotEmpty") => "Give the event a title: it is what others find it by.",
        ("info", _) => "The title is too long: at most 65,535 bytes.",
        ("date", _) => "This is no date: write it as 2026-08-14.",
        ("type", "No type set.") => "Choose a type.",
        ("type", "Invalid type.") => "There is no such type: choose one of the list.",
        ("type", _) => "The type does not belong to the category: choose another, or its usual one.",
        ("distribution" | "threat_level_id" | "analysis", _) => CHOOSE,
        ("sharing_group_id", _) => "Choose a sharing group that is yours to share with.",
        ("extends_uuid", "The extended event does not exist.") => "There is no such event that you can see.",
        ("extends_uuid", _) => "This is neither a UUID nor the number of an event.",
        ("value", "A similar attribute already exists for this event.") => {
            "The event has this value with this type and category already."
        }
        ("first_seen" | "last_seen", "Invalid ISO 8601 format") => {
            "This is no moment: write it as 2026-08-14T09:12:33Z or 2026-08-14."
        }
        ("last_seen", _) => "It was last seen before it was first seen: check both.",
        _ => return error.message,
    };
    own.to_owned()
}

/// A code that a select sends; empty is none, what is no number is noted as wrong.
pub(crate) fn code(field: &'static str, text: &str, wrong: &mut Vec<FieldError>) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let code = text.parse().ok();
    if code.is_none() {
        wrong.push(FieldError::new(field, CHOOSE));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_misp_becomes_a_sentence_and_the_rest_stays() {
        assert!(words(FieldError::new("info", "valueNotEmpty")).starts_with("Give the event"));
        assert_eq!(
            words(FieldError::new("value", "IP address has an invalid format.")),
            "IP address has an invalid format."
        );
    }

    #[test]
    fn without_groups_to_choose_from_the_error_stands_where_it_is_seen() {
        let refused = || vec![FieldError::new("sharing_group_id", "Invalid sharing group.")];
        assert!(errors(refused(), &[]).of("distribution").is_some());
        assert!(errors(refused(), &[Choice::new("1", "IXP CERTs")]).of("sharing_group_id").is_some());
    }

    #[test]
    fn a_code_that_is_none_is_noted() {
        let mut wrong = Vec::new();
        assert_eq!(code("analysis", " 2 ", &mut wrong), Some(2));
        assert_eq!(code("analysis", "", &mut wrong), None);
        assert!(wrong.is_empty());
        assert_eq!(code("analysis", "two", &mut wrong), None);
        assert_eq!(wrong[0].field, "analysis");
    }
}
