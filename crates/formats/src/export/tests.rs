use super::*;
use pisax_model::{AttributeType, Category};

const EVENT: EventSummary<'static> = EventSummary {
    id: 1,
    uuid: Uuid::from_u128(0x11111111_0000_4000_8000_000000000001),
    info: "Sample \"one\"",
    org: "ORGNAME",
    orgc: "Creator",
    distribution: 3,
    threat_level_id: 2,
    analysis: 0,
    date: "2026-01-01",
    timestamp: 1_767_225_600,
};

const OBJECT: ObjectSummary<'static> = ObjectSummary {
    id: 9,
    uuid: Uuid::from_u128(0x33333333_0000_4000_8000_000000000001),
    name: "domain-ip",
    meta_category: "network",
    description: "",
    template_uuid: "",
    template_version: "7",
    timestamp: 1_767_225_600,
    distribution: 5,
    comment: "",
};

/// A row of the sample event; a value with `|` is split for composite types.
fn row(kind: &str, value: &'static str) -> ExportRow<'static> {
    let kind = AttributeType::parse(kind).expect("a known type");
    let (value1, value2) = match value.split_once('|') {
        Some(halves) if kind.is_composite() => halves,
        _ => (value, ""),
    };
    ExportRow {
        attribute: AttributeView {
            id: 5,
            uuid: Uuid::from_u128(0x22222222_0000_4000_8000_000000000001),
            event_id: 1,
            object_id: 0,
            object_relation: None,
            category: Category::parse("Network activity").expect("a known category"),
            kind,
            value1,
            value2,
            to_ids: true,
            timestamp: 1_767_225_600,
            distribution: 5,
            sharing_group_id: 0,
            comment: "c2",
            deleted: false,
            disable_correlation: false,
            first_seen: None,
            last_seen: Some(1_577_836_800_000_000),
        },
        event: EVENT,
        tags: &["golden:attr", "tlp:red"],
        event_tags: &["tlp:white"],
        object: None,
        decay: (0.0, false),
    }
}

fn written(name: &str, options: &ExportOptions, rows: &[ExportRow<'_>]) -> String {
    let mut format = by_name(name, options).expect("a known format");
    let mut out = Vec::new();
    format.begin(&mut out);
    rows.iter().for_each(|row| format.attribute(row, &mut out));
    format.end(&mut out);
    String::from_utf8(out).expect("formats write UTF-8")
}

fn options() -> ExportOptions {
    ExportOptions { now: 1_767_225_600, ..ExportOptions::default() }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn csv_is_what_a_real_misp_answers() {
    let mut in_object = row("ip-dst", "203.0.113.11");
    in_object.attribute.object_relation = Some("ip");
    in_object.tags = &[];
    in_object.object = Some(OBJECT);
    assert_eq!(
        written("csv", &options(), &[row("ip-dst", "203.0.113.10"), in_object]),
        "uuid,event_id,category,type,value,comment,to_ids,date,object_relation,attribute_tag,object_uuid,\
         object_name,object_meta_category\n\
         \"22222222-0000-4000-8000-000000000001\",1,\"Network activity\",\"ip-dst\",\"203.0.113.10\",\"c2\",1,\
         1767225600,\"\",\"golden:attr,tlp:red\",\"\",\"\",\"\"\n\
         \"22222222-0000-4000-8000-000000000001\",1,\"Network activity\",\"ip-dst\",\"203.0.113.11\",\"c2\",1,\
         1767225600,\"ip\",\"\",\"33333333-0000-4000-8000-000000000001\",\"domain-ip\",\"network\"\n\n"
    );
}

#[test]
fn csv_with_context_appends_what_the_event_says() {
    let options = ExportOptions {
        include_context: true,
        requested_attributes: strings(&["value", "timestamp", "last_seen", "event_uuid", "no,such"]),
        requested_obj_attributes: strings(&["meta-category"]),
        ..options()
    };
    assert_eq!(
        written("csv", &options, &[row("domain|ip", "evil.example|192.0.2.1")]),
        "value,date,last_seen,event_uuid,no_such,object_meta_category,event_info,event_member_org,\
         event_source_org,event_distribution,event_threat_level_id,event_analysis,event_date,event_tag,\
         event_timestamp\n\
         \"evil.example|192.0.2.1\",1767225600,\"2020-01-01T00:00:00.000000+00:00\",\
         \"11111111-0000-4000-8000-000000000001\",\"\",\"\",\"Sample \"\"one\"\"\",\"ORGNAME\",\"Creator\",3,\
         \"Medium\",0,\"2026-01-01\",\"tlp:white\",1767225600\n\n"
    );
}

#[test]
fn csv_with_requested_columns_leaves_the_object_out_and_headerless_the_names() {
    let options =
        ExportOptions { headerless: true, requested_attributes: strings(&["value", "to_ids"]), ..options() };
    assert_eq!(written("csv", &options, &[row("AS", "64500")]), "64500,1\n\n");
}

#[test]
fn line_formats_write_each_value_once() {
    let domain = row("domain", "evil.example");
    let both = row("domain|ip", "evil.example|192.0.2.1");
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let by_sha256 = ExportOptions { hash_type: Some("sha256".into()), ..options() };
    let with_event = ExportOptions { include_event_uuid: true, ..options() };
    let to_sink = ExportOptions { ip_address: Some("192.0.2.7".into()), ..options() };
    let accept = ExportOptions { netfilter_action: Some("ACCEPT".into()), ..options() };
    let inject = ExportOptions { netfilter_action: Some("DROP; reboot".into()), ..options() };
    let events = ExportOptions { scope: Scope::Events, ..options() };
    let hosts_head = "# Blocklist in the HOSTS format\n# Generated: 2026-01-01 00:00:00 UTC\n";
    let table: &[(&str, &ExportOptions, &[ExportRow<'_>], &str)] = &[
        ("text", &options(), &[domain, domain, both], "evil.example\nevil.example|192.0.2.1\n"),
        ("text", &options(), &[], ""),
        (
            "hashes",
            &options(),
            &[row("md5", md5), row("filename|md5", "a.exe|d41d8cd98f00b204e9800998ecf8427e"), domain],
            "d41d8cd98f00b204e9800998ecf8427e\n",
        ),
        ("hosts", &options(), &[domain, domain, both, row("domain", "a b")], "0.0.0.0 evil.example\n"),
        ("hosts", &to_sink, &[domain], "192.0.2.7 evil.example\n"),
        ("cache", &options(), &[row("text", "abc")], "900150983cd24fb0d6963f7d28e17f72\n"),
        (
            "cache",
            &with_event,
            &[row("text", "abc")],
            "900150983cd24fb0d6963f7d28e17f72,11111111-0000-4000-8000-000000000001\n",
        ),
        (
            "cache",
            &by_sha256,
            &[row("text", "abc")],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
        ),
        ("count", &options(), &[domain, domain], "2"),
        ("count", &events, &[domain, domain], "1"),
        (
            "netfilter",
            &options(),
            &[
                row("ip-src", "192.0.2.0/24"),
                both,
                row("ip-dst|port", "2001:db8::1|80"),
                row("ip-dst", "$(x)"),
            ],
            "iptables -A INPUT -s 192.0.2.0/24 -j DROP\niptables -A INPUT -s 192.0.2.1 -j DROP\n\
             ip6tables -A INPUT -s 2001:db8::1 -j DROP\n",
        ),
        ("netfilter", &accept, &[row("ip-src", "192.0.2.1")], "iptables -A INPUT -s 192.0.2.1 -j ACCEPT\n"),
        ("netfilter", &inject, &[row("ip-src", "192.0.2.1")], "iptables -A INPUT -s 192.0.2.1 -j DROP\n"),
    ];
    for (name, options, rows, expected) in table {
        let text = written(name, options, rows);
        let text = if *name == "hosts" { text.strip_prefix(hosts_head).expect("the head") } else { &text };
        assert_eq!(text, *expected, "{name}");
    }
}

#[test]
fn rpz_has_a_section_for_addresses_domains_and_names() {
    let rows = [
        row("hostname", "www.evil.example"),
        row("domain|ip", "evil.example|192.0.2.1"),
        row("ip-dst", "192.0.2.1"),
        row("ip-src", "2001:db8::/32"),
        row("domain", "two.example"),
        row("domain", "no host"),
        row("url", "http://evil.example/"),
    ];
    assert_eq!(
        written("rpz", &options(), &rows),
        "$TTL 1w;\n@               SOA localhost. root.localhost (2026010100 2h 30m 30d 1h)\n                \
         NS localhost.\n\n\
         ; Questions for answers with these addresses are answered with NXDOMAIN (no such name)\n\
         32.1.2.0.192.rpz-ip CNAME .\n32.zz.db8.2001.rpz-ip CNAME .\n\
         ; Questions for these domains and names below them are answered with NXDOMAIN (no such name)\n\
         evil.example CNAME .\n*.evil.example CNAME .\ntwo.example CNAME .\n*.two.example CNAME .\n\
         ; Questions for these names are answered with NXDOMAIN (no such name)\nwww.evil.example CNAME .\n"
    );
}

#[test]
fn rpz_policies_by_name_and_number_and_nothing_that_breaks_the_zone() {
    for (policy, action) in [
        ("0", "rpz-drop."),
        ("NXDOMAIN", "."),
        ("nodata", "*."),
        ("Local-Data", "garden.example."),
        ("4", "rpz-passthru."),
        ("TCP-only", "rpz-tcp-only."),
        ("unheard of", "."),
    ] {
        let rpz = RpzOptions {
            policy: Some(policy.into()),
            walled_garden: Some("garden.example.".into()),
            ns: Some("ns.example.\n@ A 192.0.2.1".into()),
            ns_alt: Some("ns2.example.".into()),
            email: Some("root@example.com".into()),
            serial: Some("$time".into()),
            ..RpzOptions::default()
        };
        let zone = written("rpz", &ExportOptions { rpz, ..options() }, &[row("hostname", "a.example")]);
        assert!(zone.ends_with(&format!("\na.example CNAME {action}\n")), "{policy}: {zone}");
        assert!(zone.contains("SOA localhost. root.example.com (1767225600 2h"), "{zone}");
        assert!(zone.contains(" NS ns2.example.\n") && !zone.contains("192.0.2.1"), "{zone}");
    }
}

#[test]
fn every_named_format_says_what_it_is() {
    let restrictive: Vec<_> =
        NAMES.iter().filter(|name| by_name(name, &options()).unwrap().restrictive()).collect();
    assert_eq!(restrictive, [&"hashes", &"hosts", &"rpz", &"text"]);
    assert!(by_name("json", &options()).is_none());
    for name in NAMES {
        let format = by_name(name, &options()).unwrap();
        assert!(!format.extension().is_empty() && format.content_type().contains('/'), "{name}");
        for kind in format.types().unwrap_or_default() {
            assert!(AttributeType::parse(kind).is_some(), "{name} names {kind}");
        }
    }
}
