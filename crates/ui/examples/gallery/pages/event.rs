//! The page of an event: full, empty, and too big for one page.

use pisax_ui::{
    Area, AttributeRow, Chrome, EventPage, Flash, Indicator, ObjectReference, ObjectRow, Paging, PostAction,
    Related, RelatedEvent, Seen, Tag, Time, words,
};

use super::event_list::rows;
use super::{NOW, Text, chrome, link, tag};

struct Sample<'a> {
    t: Text<'a>,
    next: i64,
}

impl Sample<'_> {
    fn attribute(&mut self, category: &str, kind: &str, value: &str, comment: &str) -> AttributeRow {
        let t = self.t;
        self.next += 1;
        AttributeRow {
            id: self.next,
            uuid: format!("5f1c2a70-0000-4000-8000-{:012}", self.next),
            category: t(category),
            kind: t(kind),
            relation: String::new(),
            value: if kind == "url" {
                Indicator::new(kind, t(value))
            } else {
                Indicator::new(&t(kind), t(value))
            },
            comment: if comment.is_empty() { String::new() } else { t(comment) },
            to_ids: matches!(kind, "ip-src" | "ip-dst" | "domain" | "url" | "sha256"),
            visibility: words::INHERITED.to_owned(),
            tags: vec![],
            related_count: 0,
            related: vec![],
            related_rest: 0,
            seen: Seen::default(),
            warnings: vec![],
            deleted: false,
            may_edit: true,
        }
    }

    fn part(&mut self, relation: &str, kind: &str, value: &str) -> AttributeRow {
        let relation = (self.t)(relation);
        AttributeRow { relation, ..self.attribute("Network activity", kind, value, "") }
    }
}

fn day(offset: i64) -> Option<Time> {
    Some(Time::on_micros((NOW - offset * 86_400) * 1_000_000))
}

pub(super) fn event(t: Text<'_>) -> EventPage {
    let mut s = Sample { t, next: 88_400 };
    let mut attributes = vec![
        s.attribute("Network activity", "ip-src", "198.51.100.17", "Reflector, open resolver, 2.1 Gbit/s alone"),
        s.attribute("Network activity", "ip-src", "198.51.100.201", ""),
        s.attribute("Network activity", "ip-src", "2001:db8:77:4::53", "Answers ANY over IPv6 too"),
        s.attribute("Network activity", "ip-dst", "192.0.2.66", "Target: authoritative name server of a member"),
        s.attribute("Network activity", "domain", "amp.record-holder.example", "Name asked for; 3,870 byte answer"),
        s.attribute("Network activity", "AS", "AS64500", "Carries four fifths of the sources"),
        s.attribute("Network activity", "url", "https://booter.panel.example/api/v2/start.php?method=dns&time=600", "Booter panel, from the ransom mail"),
        s.attribute("Payload delivery", "email-src", "pay-or-burn@mail.example", ""),
        s.attribute("Payload delivery", "sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "Attachment of the ransom mail"),
        s.attribute("Internal reference", "text", "flowspec rule applied on the route servers:\nmatch destination 192.0.2.66/32\nmatch protocol udp\nmatch source-port 53\nmatch packet-length > 512\nthen rate-limit 20M\n(withdrawn 08:47 UTC)", ""),
        s.attribute("External analysis", "vulnerability", "CVE-2026-11223", "Open resolver default in the CPE firmware"),
    ];
    attributes[0].related_count = 12;
    attributes[0].related_rest = 8;
    attributes[0].related =
        vec![link(t, 1198, "Mirai variant"), link(t, 1196, "NTP amplifiers"), link(t, 1190, "Typosquatting")];
    attributes[0].tags = vec![
        tag(t, "ddos:type=\"reflection-attack\"", "#3b6ea5"),
        Tag::new(t("seen-at:edge-3"), "#777", true),
    ];
    attributes[0].seen = Seen { first: day(2), last: day(0) };
    attributes[1].seen = Seen { first: day(1), last: day(1) };
    attributes[2].related_count = 1;
    attributes[2].related = vec![link(t, 1196, "NTP amplifiers")];
    attributes[3].tags = vec![tag(t, "tlp:red", "")];
    attributes[3].visibility = words::visibility(0, None);
    attributes[4].seen = Seen { first: day(9), last: None };
    attributes[5].warnings = vec![t("List of AS numbers for documentation")];
    attributes[6].tags =
        vec![tag(t, "misp-galaxy:mitre-attack-pattern=\"Reflection Amplification - T1498.002\"", "#0088cc")];
    attributes[7].visibility = t("IXP CERT group");
    attributes[8].related_count = 1_234;
    attributes[8].related_rest = 1_230;
    attributes[8].related = vec![link(t, 1199, "Akira"), link(t, 1191, "Emotet")];
    attributes[10].deleted = true;
    let mut flow = ObjectRow {
        id: 71,
        uuid: "0b6e7400-0000-4000-8000-000000000071".to_owned(),
        name: t("netflow"),
        meta_category: t("network"),
        comment: t("Largest flow of the first wave"),
        visibility: words::INHERITED.to_owned(),
        seen: Seen { first: day(0), last: day(0) },
        references: vec![
            ObjectReference {
                relationship: t("targets"),
                target: t("192.0.2.66"),
                target_uuid: attributes[3].uuid.clone(),
                to_object: false,
                comment: t("Member’s name server"),
            },
            ObjectReference {
                relationship: t("observed-by"),
                target: t("ixp-port"),
                target_uuid: "0b6e7400-0000-4000-8000-000000000072".to_owned(),
                to_object: true,
                comment: String::new(),
            },
        ],
        attributes: vec![
            s.part("ip-src", "ip-src", "198.51.100.17"),
            s.part("src-port", "port", "53"),
            s.part("ip-dst", "ip-dst", "192.0.2.66"),
            s.part("byte-count", "counter", "18446744073"),
        ],
        deleted: false,
    };
    flow.attributes[0].related_count = 3;
    flow.attributes[0].related =
        vec![link(t, 1198, "Mirai variant"), link(t, 1196, "NTP"), link(t, 1190, "Typo")];
    let port = ObjectRow {
        id: 72,
        uuid: "0b6e7400-0000-4000-8000-000000000072".to_owned(),
        name: t("ixp-port"),
        meta_category: t("network"),
        visibility: words::visibility(1, None),
        attributes: vec![
            s.part("switch", "text", "edge-3.fra.ixp-north.example"),
            s.part("mac-address", "mac-address", "00:00:5e:00:53:af"),
            s.part("member-as", "AS", "AS64511"),
        ],
        ..ObjectRow::default()
    };
    let related = (0..50)
        .map(|n| {
            let row = &rows(t)[n % 15];
            RelatedEvent {
                id: row.id - 15 * (n as i64 / 15),
                info: row.info.clone(),
                date: row.date.clone(),
                org: row.org.clone(),
                shared: 60 - n as u64,
            }
        })
        .collect();
    EventPage {
        chrome: Chrome {
            flashes: vec![Flash::done(t("2 attributes were added. The event is no longer published."))],
            ..chrome(t, Area::Events)
        },
        id: 1203,
        uuid: t("5f1c2a70-9d11-4e0c-8e7b-0242ac130003"),
        info: t("DNS reflection against members, 410 Gbit/s at the peering LAN"),
        date: t("2026-08-14"),
        published: Some(Time::ago(NOW - 2 * 3_600, NOW)),
        changed: Time::ago(NOW - 25 * 60, NOW),
        creator_org: t("IXP North"),
        owner_org: t("IXP South"),
        creator_user: Some(t("duty@noc.ixp-north.example")),
        threat_level: words::threat_level(1).to_owned(),
        analysis: words::analysis(1).to_owned(),
        visibility: words::visibility_sentence(1, None),
        extends: Some(link(t, 1196, "NTP amplifiers inside member networks, weekly list")),
        no_correlation: false,
        tags: vec![
            tag(t, "tlp:green", ""),
            tag(t, "ddos:type=\"reflection-attack\"", "#3b6ea5"),
            tag(t, "misp-galaxy:mitre-attack-pattern=\"Reflection Amplification - T1498.002\"", "#0088cc"),
            tag(t, "workflow:state=\"ongoing\"", "#e67e22"),
            Tag::new(t("duty:handed-over"), "#2f7d32", true),
        ],
        attribute_count: 3_187,
        object_count: 2,
        filter: String::new(),
        paging: Paging {
            page: 1,
            per_page: 500,
            total: 3_187,
            noun: "attributes",
            path: "/events/view/1203".to_owned(),
            query: vec![],
            anchor: "attributes",
        },
        attributes,
        objects: vec![flow, port],
        related: Related { total: 1_234, events: related },
        may_edit: true,
        publish: Some(PostAction {
            url: "/events/publish/1203".to_owned(),
            label: "Publish to 3 organisations".to_owned(),
            confirm: t("Publish to IXP South, DE Example-IX and IXP Andes?"),
        }),
    }
}

pub(super) fn empty_event(t: Text<'_>) -> EventPage {
    EventPage {
        chrome: chrome(t, Area::Events),
        id: 1205,
        uuid: t("5f1c2a70-9d11-4e0c-8e7b-0242ac130005"),
        info: t("ARP spoofing on the peering LAN"),
        date: t("2026-08-14"),
        changed: Time::ago(NOW, NOW),
        creator_org: t("IXP North"),
        owner_org: t("IXP North"),
        threat_level: words::threat_level(4).to_owned(),
        analysis: words::analysis(0).to_owned(),
        visibility: words::visibility_sentence(0, None),
        may_edit: true,
        ..EventPage::default()
    }
}

pub(super) fn big_event(t: Text<'_>) -> EventPage {
    let mut s = Sample { t, next: 1 };
    EventPage {
        filter: t("198.51.100"),
        attributes: (0..500)
            .map(|n| s.attribute("Network activity", "ip-src", &format!("198.51.100.{}", n % 256), ""))
            .collect(),
        objects: vec![],
        attribute_count: 102_400,
        paging: Paging {
            page: 3,
            per_page: 500,
            total: 12_800,
            noun: "attributes",
            path: "/events/view/1203".to_owned(),
            query: vec![("filter".to_owned(), t("198.51.100"))],
            anchor: "attributes",
        },
        ..event(t)
    }
}
