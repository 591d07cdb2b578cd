//! The forms: new, changed, and with something wrong in them.

use pisax_ui::{
    Area, AttributeForm, Choice, Errors, EventForm, FreetextPaste, FreetextReview, Indicator, PostAction,
    ReviewRow,
};

use super::{Text, chrome, link};

fn groups(t: Text<'_>) -> Vec<Choice> {
    vec![Choice::new("1", t("IXP CERT group")), Choice::new("2", t("Route-server operators"))]
}

pub(super) fn add_event(t: Text<'_>) -> EventForm {
    EventForm {
        chrome: chrome(t, Area::AddEvent),
        private_until_published: true,
        date: t("2026-08-14"),
        distribution: "1".to_owned(),
        threat_level_id: "4".to_owned(),
        analysis: "0".to_owned(),
        sharing_groups: groups(t),
        ..EventForm::default()
    }
}

pub(super) fn edit_event(t: Text<'_>) -> EventForm {
    let mut errors = Errors::one("info", t("Give the event a title: it is what others find it by."));
    errors.add("date", t("“2026-02-31” is no date."));
    errors.add("timestamp", t("Somebody else changed this event a minute ago; their change is shown below."));
    EventForm {
        chrome: chrome(t, Area::Events),
        id: Some(1203),
        date: t("2026-02-31"),
        distribution: "4".to_owned(),
        sharing_group_id: "2".to_owned(),
        extends: t("5f1c2a70-9d11-4e0c-8e7b-0242ac130003"),
        errors,
        delete: Some(PostAction {
            url: "/events/delete/1203".to_owned(),
            label: "Delete event with 3,187 attributes".to_owned(),
            confirm: t("Delete?"),
        }),
        ..add_event(t)
    }
}

pub(super) fn add_attribute(t: Text<'_>) -> AttributeForm {
    AttributeForm {
        chrome: chrome(t, Area::Events),
        event: link(t, 1203, "DNS reflection against members, 410 Gbit/s at the peering LAN"),
        distribution: "5".to_owned(),
        sharing_groups: groups(t),
        ..AttributeForm::default()
    }
}

pub(super) fn edit_attribute(t: Text<'_>) -> AttributeForm {
    AttributeForm {
        id: Some(88_412),
        category: "Payload delivery".to_owned(),
        kind: "sha256".to_owned(),
        value: t("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0"),
        comment: t("Attachment of the ransom mail"),
        to_ids: true,
        errors: Errors::one("value", t("A SHA-256 has 64 hexadecimal digits; this has 63.")),
        delete: Some(PostAction {
            url: "/attributes/delete/88412".to_owned(),
            label: "Delete attribute".to_owned(),
            confirm: t("Delete?"),
        }),
        ..add_attribute(t)
    }
}

pub(super) fn paste(t: Text<'_>) -> FreetextPaste {
    FreetextPaste {
        chrome: chrome(t, Area::Events),
        event: link(t, 1203, "DNS reflection against members, 410 Gbit/s at the peering LAN"),
        text: t("Dear colleagues,\n\nplease find nothing below."),
        error: Some(t(
            "No address, domain, URL, hash or CVE was recognised in the text. Add them one by one if they are there.",
        )),
    }
}

pub(super) fn review(t: Text<'_>) -> FreetextReview {
    let row = |kinds: &[&str], value: &str, keep: bool, related: u64, note: &str| ReviewRow {
        keep,
        value: Indicator::new(kinds[0], t(value)),
        types: kinds.iter().map(|kind| t(kind)).collect(),
        kind: t(kinds[0]),
        to_ids: keep,
        comment: String::new(),
        related,
        notes: if note.is_empty() { vec![] } else { vec![t(note)] },
        error: None,
    };
    let mut rows = vec![
        row(&["ip-dst", "ip-src"], "198.51.100.17", true, 12, ""),
        row(&["ip-dst", "ip-src"], "203.0.113.0/24", true, 0, ""),
        row(&["ip-dst", "ip-src"], "192.0.2.66", false, 1, "already in this event"),
        row(&["url", "link"], "https://booter.panel.example/api/v2/start.php?method=dns", true, 0, ""),
        row(&["domain", "hostname"], "amp.record-holder.example", true, 1_234, ""),
        row(
            &["domain", "hostname"],
            "cdn.popular.example",
            false,
            0,
            "on list: the 1,000 most visited sites",
        ),
        row(&["AS"], "AS64500", true, 0, ""),
        row(&["sha256"], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true, 0, ""),
        row(&["vulnerability"], "CVE-2026-11223", true, 3, ""),
    ];
    rows[1].error =
        Some(t("A prefix with 256 addresses: give the ones that were seen, or keep it as it is."));
    rows[6].comment = t("Carries four fifths of the sources");
    FreetextReview {
        chrome: chrome(t, Area::Events),
        event: link(t, 1203, "DNS reflection against members, 410 Gbit/s at the peering LAN"),
        rows,
        distribution: "5".to_owned(),
        sharing_group_id: String::new(),
        sharing_groups: groups(t),
    }
}
