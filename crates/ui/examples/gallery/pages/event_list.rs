//! The list of events, all of them and searched.

use pisax_ui::{Area, EventList, EventRow, Flash, Listing, Paging, words};

use super::{Text, chrome, searched, tag};

fn row(
    t: Text<'_>,
    id: i64,
    date: &str,
    info: &str,
    org: &str,
    tags: &[(&str, &str)],
    numbers: (u64, u64, i64),
) -> EventRow {
    EventRow {
        id,
        info: t(info),
        date: t(date),
        published: id % 5 != 0,
        org: t(org),
        tags: tags.iter().map(|(name, colour)| tag(t, name, colour)).collect(),
        attributes: numbers.0,
        related: Some(numbers.1),
        visibility: words::visibility(numbers.2, Some(&t("IXP CERT group"))),
    }
}

pub(super) fn rows(t: Text<'_>) -> Vec<EventRow> {
    let clear = ("tlp:clear", "#ffffff");
    let green = ("tlp:green", "#339900");
    let amber = ("tlp:amber", "#ffc000");
    let strict = ("tlp:amber+strict", "#ffc000");
    let red = ("tlp:red", "#cc0033");
    let ddos = ("ddos:type=\"reflection-attack\"", "#3b6ea5");
    let osint = ("type:OSINT", "#004646");
    let hijack = ("ixp:incident=\"prefix-hijack\"", "#8e44ad");
    let actor = ("misp-galaxy:threat-actor=\"Sandworm\"", "#0088cc");
    let ransom = ("misp-galaxy:ransomware=\"Akira\"", "#0088cc");
    let incomplete = ("workflow:state=\"incomplete\"", "#e67e22");
    let phishing = ("rsit:fraud=\"phishing\"", "#b03a2e");
    vec![
        row(
            t,
            1204,
            "2026-08-14",
            "More-specific announcements of 192.0.2.0/24 by AS64511 through the Frankfurt route servers",
            "IXP North",
            &[amber, hijack],
            (42, 3, 1),
        ),
        row(
            t,
            1203,
            "2026-08-14",
            "DNS reflection against members, 410 Gbit/s at the peering LAN",
            "IXP North",
            &[green, ddos],
            (3_187, 12, 3),
        ),
        row(
            t,
            1202,
            "2026-08-13",
            "Credential phishing with the exchange’s portal as a pretext",
            "DE Example-IX",
            &[strict, phishing, actor],
            (118, 7, 4),
        ),
        row(
            t,
            1201,
            "2026-08-13",
            "BIRD 2 route server crash on malformed large communities, exploit seen",
            "CSIRT Member Networks",
            &[red],
            (9, 0, 0),
        ),
        row(
            t,
            1200,
            "2026-08-12",
            "Scanning for looking-glass command injection",
            "IXP Andes",
            &[clear, osint, incomplete],
            (640, 1_234, 3),
        ),
        row(
            t,
            1199,
            "2026-08-12",
            "Akira: initial access by VPN appliances of access providers",
            "National CERT Example",
            &[amber, ransom, osint, ("admiralty-scale:source-reliability=\"b\"", "#2f7d32")],
            (1_902, 86, 2),
        ),
        row(
            t,
            1198,
            "2026-08-11",
            "Mirai variant spreading through CPE of two members",
            "IXP North",
            &[green, ("misp-galaxy:botnet=\"Mirai\"", "#0088cc"), ("causing-harm", "")],
            (24_611, 311, 1),
        ),
        row(
            t,
            1197,
            "2026-08-11",
            "Route leak by AS64500: 3,112 prefixes for eleven minutes",
            "IXP South",
            &[clear, ("ixp:incident=\"route-leak\"", "#8e44ad")],
            (3_115, 2, 3),
        ),
        row(
            t,
            1196,
            "2026-08-10",
            "NTP amplifiers inside member networks, weekly list",
            "Sensor fabric",
            &[green, ddos],
            (902, 44, 1),
        ),
        row(
            t,
            1195,
            "2026-08-09",
            "Counterfeit invoices for cross-connects",
            "IXP Andes",
            &[amber, phishing],
            (17, 0, 4),
        ),
        row(
            t,
            1194,
            "2026-08-09",
            "SSH brute force from 198.51.100.0/24",
            "IXP North",
            &[clear],
            (256, 9, 3),
        ),
        row(t, 1193, "2026-08-08", "x", "IXP South", &[], (1, 0, 0)),
        row(
            t,
            1192,
            "2026-08-07",
            "ARP spoofing on the peering LAN, port 14 of switch edge-3",
            "IXP North",
            &[red, ("ixp:fabric=\"peering-lan\"", "#8e44ad")],
            (6, 1, 0),
        ),
        row(
            t,
            1191,
            "2026-08-07",
            "Emotet return: mails with OneNote attachments",
            "National CERT Example",
            &[clear, osint, ("misp-galaxy:malpedia=\"Emotet\"", "#0088cc")],
            (5_120, 402, 3),
        ),
        row(
            t,
            1190,
            "2026-08-05",
            "Domains registered for member-portal typosquatting",
            "DE Example-IX",
            &[amber, phishing],
            (73, 5, 2),
        ),
    ]
}

pub(super) fn events(t: Text<'_>) -> EventList {
    let mut chrome = chrome(t, Area::Events);
    chrome.flashes = vec![
        Flash::done(t("Event 1204 was published to 3 organisations.")),
        Flash::waiting(t("One proposal for event 1202 waits for your organisation.")),
    ];
    let paging = Paging {
        page: 2,
        per_page: 15,
        total: 5_012,
        noun: "events",
        path: "/events/index".to_owned(),
        ..Paging::default()
    };
    EventList { chrome, listing: Listing::Rows { rows: rows(t), paging } }
}

pub(super) fn found(t: Text<'_>) -> EventList {
    let rows: Vec<_> = rows(t).into_iter().take(4).collect();
    let paging = Paging {
        page: 1,
        per_page: 60,
        total: 4,
        noun: "events",
        path: "/events/index".to_owned(),
        query: vec![("q".to_owned(), t("192.0.2.66"))],
        anchor: "",
    };
    EventList { chrome: searched(t, "192.0.2.66"), listing: Listing::Rows { rows, paging } }
}
