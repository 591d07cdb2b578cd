//! Codes in words: who can see a record, how bad it is, how far its analysis has come.

use pisax_model::peer::{Direction, Outcome, Subject};

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

/// What became of a record.
pub fn outcome(direction: Direction, outcome: Outcome) -> &'static str {
    match (outcome, direction) {
        (Outcome::Done, Direction::Push) => "Sent",
        (Outcome::Done, Direction::Pull) => "Taken",
        (Outcome::UpToDate, _) => "Up to date",
        (Outcome::Rule, _) => "Excluded by rules",
        (Outcome::Guard, _) => "Held by the guard",
        (Outcome::Blocked, _) => "Blocklisted here",
        (Outcome::Refused, Direction::Push) => "Refused there",
        (Outcome::Refused, Direction::Pull) => "Refused here",
        (Outcome::Failed, _) => "Failed",
    }
}

/// How an outcome is marked.
pub fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "good",
        Outcome::UpToDate => "",
        Outcome::Rule | Outcome::Guard | Outcome::Blocked => "held",
        Outcome::Refused | Outcome::Failed => "bad",
    }
}

/// Which way a record was on.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Pull => "In",
        Direction::Push => "Out",
    }
}

/// Kinds of records in the ledger.
pub fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Event => "Event",
        Subject::Cluster => "Cluster",
        Subject::Sightings => "Sightings",
        Subject::Proposals => "Proposals",
        Subject::AnalystData => "Analyst data",
    }
}

/// A reason as a sentence.
pub fn sentence(text: &str) -> String {
    // How the HTTP client marks what the system says.
    let mut characters = text.strip_prefix("io: ").unwrap_or(text).chars();
    let Some(first) = characters.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().chain(characters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// What to do about a failure that is told with this text.
pub fn advice(fault: &str) -> &'static str {
    let status = fault.strip_prefix("it answered ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    match status {
        Some(401 | 403) => {
            "Check the key: it may have been changed or have expired, and its user there needs the permission to \
             synchronise."
        }
        Some(404 | 405) => "Check the address: something answers there that is no MISP, or a very old one.",
        Some(408 | 429 | 500..) => {
            "The other server has trouble of its own. It is tried again by itself; if it lasts, tell its operators."
        }
        _ if fault.starts_with("it is no MISP") => {
            "Check the address: it has to be the one of a MISP or PISAX."
        }
        _ if fault.contains("rules cannot be read") || fault.contains("guard cannot be read") => {
            "Nothing is exchanged until it is set anew."
        }
        _ if fault.contains("no permission to synchronise") => {
            "Its operators can give the user of our key a role that may synchronise."
        }
        _ if fault.contains("ertificate") => {
            "Check the certificates: that of the authority, and whether the server’s own is signed by it."
        }
        _ => {
            "It is tried again by itself. If it lasts, check the address, the network between and the other server."
        }
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
    fn a_failure_is_told_with_what_to_do() {
        assert_eq!(sentence("it answered 403: no such key"), "It answered 403: no such key.");
        assert_eq!(sentence("io: Connection refused"), "Connection refused.");
        assert_eq!((sentence(""), sentence("é.")), (String::new(), "É.".to_owned()));
        assert!(advice("it answered 403: no").starts_with("Check the key"));
        assert!(advice("it answered 502: ").contains("trouble of its own"));
        assert!(advice("no answer in time").contains("tried again"));
        assert!(advice("it answered é").contains("tried again"));
    }

    #[test]
    fn a_sharing_group_is_called_by_its_name() {
        assert_eq!(visibility(4, Some("IXP CERTs")), "IXP CERTs");
        assert_eq!(visibility_sentence(4, Some("IXP CERTs")), "Sharing group IXP CERTs");
        assert_eq!(visibility(5, None), INHERITED);
    }
}
