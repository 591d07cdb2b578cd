use super::*;
use proptest::prelude::*;
use std::net::IpAddr;

fn list(id: i64, kind: WarninglistKind, matching: &[&str]) -> List {
    List {
        id,
        name: format!("list {id}"),
        category: WarninglistCategory::FalsePositive,
        kind,
        matching: matching.iter().map(|t| (*t).to_owned()).collect(),
    }
}

fn one(kind: WarninglistKind, matching: &[&str], entries: &[&str]) -> Warninglists {
    let (set, problems) = Warninglists::build([(list(1, kind, matching), entries.to_vec())]);
    assert_eq!(problems, []);
    set
}

fn matched(set: &Warninglists, value: &str) -> Option<String> {
    set.check(value).into_iter().next().map(|hit| hit.matched)
}

fn kind(name: &str) -> AttributeType {
    AttributeType::parse(name).expect("a known type")
}

#[test]
fn a_string_list_holds_whole_values_in_any_case() {
    let set = one(WarninglistKind::String, &["domain"], &["Example.com", "AAA"]);
    assert_eq!(matched(&set, "EXAMPLE.com").as_deref(), Some("example.com"));
    assert_eq!(matched(&set, " aaa ").as_deref(), Some("aaa"));
    assert_eq!(matched(&set, "www.example.com"), None);
    assert_eq!(matched(&set, ""), None);
}

#[test]
fn a_host_list_holds_names_below_its_entries_and_urls_on_them() {
    let set = one(WarninglistKind::Hostname, &["url"], &["example.com", ".dyn.example", "closed.example."]);
    for (value, entry) in [
        ("example.com", Some("example.com")),
        ("a.b.example.com.", Some("example.com")),
        ("https://user@www.Example.com:8443/x?y", Some("example.com")),
        ("x.dyn.example", Some("dyn.example")),
        ("dyn.example", Some("dyn.example")),
        ("closed.example", Some("closed.example")),
        ("notexample.com", None),
        ("com", None),
        ("https://evil.example/example.com", None),
    ] {
        assert_eq!(matched(&set, value).as_deref(), entry, "{value}");
    }
}

#[test]
fn a_substring_list_names_the_first_of_its_entries_that_is_in_the_value() {
    let set = one(WarninglistKind::Substring, &["url"], &["total.com", "virustotal.com"]);
    assert_eq!(matched(&set, "https://www.VirusTotal.com/x").as_deref(), Some("total.com"));
    assert_eq!(matched(&set, "virustotal"), None);
}

#[test]
fn a_network_list_holds_addresses_and_networks_inside_its_entries() {
    let entries = ["8.8.8.8", "10.0.0.0/8", "10.1.0.0/16", "FE80::/10", "::/0"];
    let set = one(WarninglistKind::Cidr, &["ip-dst"], &entries);
    for (value, entry) in [
        ("8.8.8.8", Some("8.8.8.8/32")),
        ("10.1.2.3", Some("10.1.0.0/16")),
        ("10.200.0.0/16", Some("10.0.0.0/8")),
        ("10.0.0.0/7", None),
        ("8.8.4.4", None),
        ("http://10.9.9.9:80/x", Some("10.0.0.0/8")),
        ("fe80::1", Some("fe80::/10")),
        ("2001:db8::/32", Some("::/0")),
        ("example.com", None),
    ] {
        assert_eq!(matched(&set, value).as_deref(), entry, "{value}");
    }
}

#[test]
fn a_regex_list_reads_pcre_and_reports_what_it_cannot_run() {
    let entries = ["/^(noc|abuse)\\@.*$/i", "/[0-9]{3}/g", "/(?=x)/", "/[/", "/(a{1000}){1000}/"];
    let (set, problems) =
        Warninglists::build([(list(7, WarninglistKind::Regex, &["email-src"]), entries.to_vec())]);
    assert_eq!(matched(&set, "NOC@example.com").as_deref(), Some(entries[0]));
    assert_eq!(matched(&set, "123"), None);
    let refused: Vec<_> = problems.iter().map(|p| (p.list_id, p.entry.as_str())).collect();
    assert_eq!(refused, entries[1..].iter().map(|e| (7, *e)).collect::<Vec<_>>());
}

#[test]
fn only_lists_meant_for_the_type_are_asked_and_both_halves_are() {
    let (set, problems) = Warninglists::build([
        (list(10, WarninglistKind::Hostname, &["domain|ip", "url"]), vec!["example.com"]),
        (list(11, WarninglistKind::Cidr, &["domain|ip", "ip-src"]), vec!["192.0.2.0/24"]),
        (list(12, WarninglistKind::String, &["ALL"]), vec!["example.com"]),
        (list(13, WarninglistKind::String, &["no-such-type"]), vec!["example.com"]),
        (
            List { category: WarninglistCategory::Known, ..list(14, WarninglistKind::String, &["AS"]) },
            vec!["64500"],
        ),
    ]);
    assert_eq!(problems, []);
    let hits = set.hits(kind("domain|ip"), "example.com", "192.0.2.9");
    assert_eq!(
        hits,
        [
            Hit { list_id: 10, matched: "example.com".into(), half: Half::First },
            Hit { list_id: 11, matched: "192.0.2.0/24".into(), half: Half::Second },
            Hit { list_id: 12, matched: "example.com".into(), half: Half::First },
        ]
    );
    assert!(set.is_hit(kind("ip-src"), "192.0.2.1", ""));
    assert!(!set.is_hit(kind("ip-dst"), "192.0.2.1", ""));
    assert!(set.is_hit(kind("text"), "example.com", ""), "ALL means every type");
    assert!(set.is_hit(kind("AS"), "64500", ""));
    assert!(!set.is_false_positive(kind("AS"), "64500", ""), "known is not harmless");
    assert_eq!(set.check("example.com").len(), 3, "checkValue asks every list");
    assert_eq!(set.list(11).map(|l| l.name.as_str()), Some("list 11"));
}

#[test]
fn an_empty_set_knows_nothing_and_lists_beyond_the_limit_are_left_out() {
    assert_eq!(Warninglists::default().check("8.8.8.8"), []);
    assert!(!Warninglists::default().is_hit(kind("domain"), "example.com", ""));
    let mut builder = Builder::default();
    for id in 0..MAX_LISTS as i64 {
        assert!(builder.list(list(id, WarninglistKind::String, &["ALL"])));
        builder.entry("everywhere");
    }
    assert!(!builder.list(list(-1, WarninglistKind::String, &["ALL"])));
    builder.entry("nowhere");
    let (set, _) = builder.finish();
    assert_eq!(set.check("everywhere").len(), MAX_LISTS);
    assert_eq!(set.check("nowhere"), []);
}

#[test]
fn a_new_set_is_seen_by_the_next_who_asks_and_not_by_those_who_did() {
    let shared = SharedWarninglists::new(one(WarninglistKind::String, &["ALL"], &["old"]));
    let before = shared.load();
    shared.store(one(WarninglistKind::String, &["ALL"], &["new"]));
    assert_eq!((before.check("old").len(), shared.load().check("old").len()), (1, 0));
    assert_eq!(shared.load().check("new").len(), 1);
}

// ---- The law: whatever the lists, the index says what a plain walk over them says -----------------------

fn plainly_holds(kind: WarninglistKind, entry: &str, value: &str) -> bool {
    if kind == WarninglistKind::Regex {
        return value.contains(&entry.trim_matches('/').replace("\\.", "."));
    }
    let (entry, value) = (entry.to_lowercase(), value.to_lowercase());
    match kind {
        WarninglistKind::String => entry == value,
        WarninglistKind::Substring => value.contains(&entry),
        WarninglistKind::Hostname => value == entry || value.ends_with(&format!(".{entry}")),
        WarninglistKind::Cidr => {
            let bits = |text: &str| {
                let (address, len) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
                let (bits, most): (Vec<bool>, usize) = match address.parse::<IpAddr>().ok()? {
                    IpAddr::V4(a) => ((0..32).rev().map(|i| u32::from(a) >> i & 1 == 1).collect(), 32),
                    IpAddr::V6(a) => ((0..128).rev().map(|i| u128::from(a) >> i & 1 == 1).collect(), 128),
                };
                let len = len.map_or(Some(most), |l| l.parse::<usize>().ok())?;
                Some((most, bits[..len].to_vec()))
            };
            match (bits(&entry), bits(&value)) {
                (Some((a, net)), Some((b, part))) => a == b && part.starts_with(&net),
                _ => false,
            }
        }
        WarninglistKind::Regex => unreachable!("answered above"),
    }
}

fn entry_of(kind: WarninglistKind) -> BoxedStrategy<String> {
    match kind {
        WarninglistKind::Cidr => address().boxed(),
        WarninglistKind::Regex => {
            "[ab]{1,2}\\.[ab]".prop_map(|e| format!("/{}/", e.replace('.', "\\."))).boxed()
        }
        _ => name().boxed(),
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec("[abAB]{1,2}", 1..4).prop_map(|labels| labels.join("."))
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u8..4, 0u8..4, 0u8..=32).prop_map(|(c, d, len)| format!("10.0.{c}.{d}/{len}")),
        (0u8..4, 0u8..4).prop_map(|(c, d)| format!("10.0.{c}.{d}")),
        (0u8..4, 0u8..=128).prop_map(|(d, len)| format!("2001:db8::{d}/{len}")),
    ]
}

proptest! {
    #[test]
    fn the_index_agrees_with_a_walk_over_the_lists(
        lists in prop::collection::vec(
            prop::sample::select(KINDS.to_vec())
                .prop_flat_map(|kind| (Just(kind), prop::collection::vec(entry_of(kind), 0..6))),
            0..8,
        ),
        value in prop_oneof![name(), address()],
    ) {
        let given = lists.iter().enumerate().map(|(id, (kind, entries))| {
            (list(id as i64, *kind, &["domain"]), entries.clone())
        });
        let (set, problems) = Warninglists::build(given);
        prop_assert_eq!(problems, vec![]);
        let expected: Vec<i64> = lists
            .iter()
            .enumerate()
            .filter(|(_, (kind, entries))| entries.iter().any(|e| plainly_holds(*kind, e, &value)))
            .map(|(id, _)| id as i64)
            .collect();
        let ids = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.list_id).collect::<Vec<_>>();
        prop_assert_eq!(ids(set.check(&value)), expected.clone());
        prop_assert_eq!(ids(set.hits(kind("domain"), &value, "")), expected.clone());
        prop_assert_eq!(set.is_hit(kind("domain"), &value, ""), !expected.is_empty());
        prop_assert!(!set.is_hit(kind("md5"), &value, ""));
    }
}
