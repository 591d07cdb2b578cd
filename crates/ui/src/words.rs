//! Codes in words: who can see a record, how bad it is, how far its analysis has come.

/// Who can see a record, short enough for a table cell. `group` is the sharing group's name where the code
/// is 4.
pub fn visibility(distribution: i64, group: Option<&str>) -> String {
    match distribution {
        0 => "Organisation".to_owned(),
        1 => "Community".to_owned(),
        2 => "Connected".to_owned(),
        3 => "All communities".to_owned(),
        4 => group.unwrap_or("Sharing group").to_owned(),
        _ => INHERITED.to_owned(),
    }
}

/// What [`visibility`] says of a record that follows its event.
pub const INHERITED: &str = "as event";

/// The same in a sentence, for the event's summary and the choices of a form.
pub fn visibility_sentence(distribution: i64, group: Option<&str>) -> String {
    match distribution {
        0 => "Your organisation only".to_owned(),
        1 => "This community: every organisation on this instance".to_owned(),
        2 => "Connected communities: this instance and those directly connected to it".to_owned(),
        3 => "All communities: every connected instance and on from there".to_owned(),
        4 => group.map_or_else(|| "A sharing group".to_owned(), |name| format!("Sharing group {name}")),
        _ => "The same as its event".to_owned(),
    }
}

/// MISP's threat levels.
pub fn threat_level(id: i64) -> &'static str {
    match id {
        1 => "High",
        2 => "Medium",
        3 => "Low",
        _ => "Undefined",
    }
}

/// MISP's states of analysis.
pub fn analysis(code: i64) -> &'static str {
    match code {
        0 => "Initial",
        1 => "Ongoing",
        _ => "Completed",
    }
}

/// A number with its thousands set apart: `1,234,567`.
pub fn count(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `1,234 events`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0u64, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(counted(5_012, "event", "events"), "5,012 events");
    }

    #[test]
    fn a_sharing_group_is_called_by_its_name() {
        assert_eq!(visibility(4, Some("IXP CERTs")), "IXP CERTs");
        assert_eq!(visibility_sentence(4, Some("IXP CERTs")), "Sharing group IXP CERTs");
        assert_eq!(visibility(5, None), INHERITED);
    }
}
