//! No value breaks out of its field: every format, told rows in which every text is hostile, is read back by a reader
//! of its language, and says what it was told and nothing else.

use super::*;
use pisax_model::{AttributeType, Category};
use proptest::prelude::*;

/// What ends something, or begins something else, in one of the languages.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "\"", "'", ";", "\\", "\n", "\r", "\t", "|", "$", "`", "(", ")", "{", "}", "[", "]", "<", ">", "&", "#",
    ":", "/", ",", "*", "%", "=", "-", "+", "@", ".", "!", "~", "é", "漢", "🙂", "\u{2028}", "\u{85}",
    "\u{feff}", "\u{7f}", "\u{1}", "\0", " ", "a", "Z", "7", "\\x41", "\\\"", "]]>", "-->", "/*", "*/",
    "//", "<!--", "sid:1;", "\nalert ", "rule x { condition: true }", " IN A 192.0.2.1", "$INCLUDE",
    "#fields", "(empty)", "{{", "%}", "example", "192.0.2.1",
];

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..12).prop_map(|all| all.concat());
    prop_oneof![4 => pieces, 1 => any::<String>()]
}

/// The texts of a row.
#[derive(Debug, Clone)]
struct Told {
    kind: AttributeType,
    category: Category,
    values: [String; 2],
    comment: String,
    info: String,
    org: String,
    orgc: String,
    tags: Vec<String>,
    object: Option<(String, String)>,
}

fn told() -> impl Strategy<Value = Told> {
    let kinds: Vec<AttributeType> = AttributeType::all().collect();
    let value = || prop_oneof![6 => hostile(), 1 => Just("evil.example".to_owned()), 1 => Just("192.0.2.7".to_owned())];
    let object = prop_oneof![Just("network-connection".to_owned()), Just("ddos".to_owned()), hostile()];
    let relation = prop_oneof![Just("ip-src".to_owned()), Just("dst-port".to_owned()), hostile()];
    (
        (prop::sample::select(kinds), [value(), value()], hostile()),
        (hostile(), hostile(), hostile()),
        prop::collection::vec(
            prop_oneof![
                hostile(),
                hostile().prop_map(|t| format!("misp-galaxy:mitre-attack-pattern=\"{t} - T1\""))
            ],
            0..3,
        ),
        prop::option::of((object, relation)),
        any::<bool>(),
    )
        .prop_map(|((kind, values, comment), (info, org, orgc), tags, object, network)| Told {
            kind,
            category: match network {
                true => Category::parse("Network activity").expect("a category"),
                false => kind.default_category(),
            },
            values,
            comment,
            info,
            org,
            orgc,
            tags,
            object,
        })
}

fn with_rows(all: &[Told], mut f: impl FnMut(&ExportRow<'_>)) {
    for (number, one) in all.iter().enumerate() {
        let tags: Vec<&str> = one.tags.iter().map(String::as_str).collect();
        let number = number as u128 + 1;
        f(&ExportRow {
            attribute: AttributeView {
                id: number as i64,
                uuid: Uuid::from_u128(0x2222_0000_0000_4000_8000_0000_0000_0000 + number),
                event_id: 1,
                object_id: i64::from(one.object.is_some()),
                object_relation: one.object.as_ref().map(|(_, relation)| relation.as_str()),
                category: one.category,
                kind: one.kind,
                value1: &one.values[0],
                value2: if one.kind.is_composite() { &one.values[1] } else { "" },
                to_ids: true,
                timestamp: 1_767_225_600,
                distribution: 5,
                sharing_group_id: 0,
                comment: &one.comment,
                deleted: false,
                disable_correlation: false,
                first_seen: None,
                last_seen: None,
            },
            event: EventSummary {
                id: 1,
                uuid: Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0001),
                info: &one.info,
                org: &one.org,
                orgc: &one.orgc,
                distribution: 3,
                threat_level_id: 2,
                analysis: 0,
                date: "2026-01-01",
                timestamp: 1_767_225_600,
            },
            tags: &tags,
            event_tags: &tags,
            object: one.object.as_ref().map(|(name, relation)| ObjectSummary {
                id: 1,
                uuid: Uuid::from_u128(0x3333_0000_0000_4000_8000_0000_0000_0001),
                name,
                meta_category: relation,
                description: &one.comment,
                template_uuid: "",
                template_version: "1",
                timestamp: 1_767_225_600,
                distribution: 5,
                comment: &one.comment,
            }),
            decay: (0.0, false),
            sighted: &[1_767_225_600],
        });
    }
}

fn written(name: &str, all: &[Told], options: &ExportOptions) -> String {
    let org = all.first().map(|one| one.org.clone()).unwrap_or_default();
    let options = ExportOptions { org, base_url: "https://misp.example".into(), ..options.clone() };
    let mut format = by_name(name, &options).expect("a known format");
    let mut out = Vec::new();
    format.begin(&mut out);
    for section in 0..format.sections() {
        format.begin_section(section, &mut out);
        let mut begun = false;
        for pass in 0..format.passes() {
            with_rows(all, |row| {
                if options.scope == Scope::Events && !std::mem::replace(&mut begun, true) {
                    format.event(&row.event, row.tags, &mut out);
                }
            });
            format.begin_pass(pass, &mut out);
            with_rows(all, |row| {
                if format.types().is_none_or(|types| types.contains(&row.attribute.kind.name())) {
                    format.attribute(row, &mut out);
                }
            });
        }
        if begun {
            format.end_event(&mut out);
        }
    }
    format.end(&mut out);
    String::from_utf8(out).expect("formats write UTF-8")
}

/// The options of a rule, each with its value; `None` when it is no rule of one line.
fn rule(line: &str) -> Option<Vec<(String, String)>> {
    let (head, rest) = line.split_once(" (")?;
    let words: Vec<&str> = head.split(' ').collect();
    let right = words.len() == 7 && words[4] == "->";
    let mut rest = rest.strip_suffix(')').filter(|_| right)?;
    let mut options = Vec::new();
    while !rest.is_empty() {
        let (mut quoted, mut escaped, mut end) = (false, false, None);
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                ';' if !quoted => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let (option, behind) = rest.split_at(end?);
        let (name, value) = option.trim().split_once(':').unwrap_or((option.trim(), ""));
        options.push((name.to_owned(), value.to_owned()));
        rest = behind[1..].trim_start();
    }
    Some(options)
}

/// The bytes that a `content` looks for.
fn bytes(content: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, part) in content.split('|').enumerate() {
        match place % 2 {
            0 => out.extend_from_slice(part.as_bytes()),
            _ => out
                .extend(part.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).expect("hexadecimal"))),
        }
    }
    out
}

#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "msg", "classtype", "sid", "rev", "priority", "reference", "content", "nocase", "offset", "depth",
    "fast_pattern", "pcre", "flow", "tag", "http_header", "http_uri", "dns.query", "tls.sni", "http.host",
    "http.uri", "http.user_agent", "ja3.hash", "dotprefix", "startswith", "endswith",
];

fn scopes() -> [ExportOptions; 2] {
    [Scope::Events, Scope::Attributes].map(|scope| ExportOptions {
        scope,
        now: 1_767_225_600,
        ..Default::default()
    })
}

/// Rows of a csv as RFC 4180 has them.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().expect("there is one");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                row.last_mut().expect("there is one").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            c => row.last_mut().expect("there is one").push(c),
        }
    }
    assert!(!quoted, "a quote is left open");
    rows
}

/// What is left of a text in XML.
fn in_xml(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\u{7f}'..='\u{9f}'))
        .collect::<String>()
        .replace(['\u{fffe}', '\u{ffff}'], "")
}

fn elements(page: &str) -> Vec<String> {
    page.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_of_a_network_engine_stays_one_rule(all in prop::collection::vec(told(), 1..4)) {
        for (engine, options) in ["suricata", "snort"].iter().flat_map(|e| scopes().map(|o| (*e, o))) {
            let given = |one: &Told| one.kind.name() == "snort";
            let text = written(engine, &all, &options);
            for line in text.split('\n').filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#") {
                let options = rule(line).unwrap_or_else(|| panic!("no rule: {line}"));
                let count = |name: &str| options.iter().filter(|(n, _)| n == name).count();
                for name in ["msg", "sid", "rev", "priority", "classtype", "reference"] {
                    prop_assert_eq!(count(name), 1, "{} in {}", name, line);
                }
                if !all.iter().any(given) {
                    for (name, _) in &options {
                        prop_assert!(KNOWN.contains(&name.as_str()), "{} in {}", name, line);
                    }
                }
            }
        }
    }

    #[test]
    fn a_rule_looks_for_the_very_value(value in hostile()) {
        let one = Told { values: [value.clone(), String::new()], ..plain("user-agent") };
        let text = written("suricata", &[one], &scopes()[1]);
        let line = text.split('\n').find(|line| line.starts_with("alert")).expect("a rule");
        let options = rule(line).expect("a rule");
        let (_, content) = options.iter().find(|(name, _)| name == "content").expect("it looks for something");
        prop_assert_eq!(bytes(content.trim_matches('"')), value.as_bytes());
    }

    #[test]
    fn zeek_reads_a_field_as_it_was(all in prop::collection::vec(told(), 1..4)) {
        let text = written("bro", &all, &scopes()[1]);
        let mut lines = text.split('\n');
        prop_assert!(lines.next().is_some_and(|head| head.starts_with("#fields\t")));
        for line in lines.filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            prop_assert_eq!(fields.len(), 7, "{}", line);
            prop_assert!(!line.starts_with('#'), "{}", line);
            prop_assert!(fields[1].starts_with("Intel::") && fields[5..] == ["T", "-"], "{}", line);
            prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{}", line);
            let read = fields[0].replace("\\x5c", "\u{1}").replace("\\x23", "#").replace("\\x28", "(").replace("\\x2d", "-").replace('\u{1}', "\\");
            let space = |text: &str| text.replace(|c: char| c.is_control(), " ");
            let is = |value: &String| {
                let bare = value.split_once("://").map_or(value.as_str(), |(_, rest)| rest);
                space(value) == read || space(bare) == read || read == "-"
            };
            prop_assert!(all.iter().any(|one| one.values.iter().any(is)), "{}", line);
        }
    }

    #[test]
    fn a_zone_has_records_of_its_policy_alone(all in prop::collection::vec(told(), 1..4), garden in hostile()) {
        for policy in ["NXDOMAIN", "Local-Data"] {
            let rpz = RpzOptions {
                policy: Some(policy.into()),
                walled_garden: Some(garden.clone()),
                ns: Some(garden.clone()),
                ns_alt: Some(garden.clone()),
                email: Some(garden.clone()),
                serial: Some(garden.clone()),
                ttl: Some(garden.clone()),
                ..RpzOptions::default()
            };
            let text = written("rpz", &all, &ExportOptions { rpz, ..scopes()[1].clone() });
            let body = text.split_once("\n\n").expect("the head ends").1;
            for line in body.split('\n').filter(|line| !line.is_empty() && !line.starts_with("; Questions for ")) {
                let words: Vec<&str> = line.split(' ').collect();
                let right = words.len() == 3 && matches!(words[1], "CNAME" | "A" | "AAAA");
                prop_assert!(right && !line.contains(['"', ';', '(', ')', '\\', '$']), "{}", line);
            }
        }
    }

    #[test]
    fn a_list_has_lines_of_its_form_alone(all in prop::collection::vec(told(), 1..4), word in hostile()) {
        let options = ExportOptions { ip_address: Some(word.clone()), netfilter_action: Some(word.clone()), hash_type: Some(word), ..scopes()[1].clone() };
        for line in written("hosts", &all, &options).split('\n').filter(|l| !l.is_empty() && !l.starts_with("# ")) {
            let words: Vec<&str> = line.split(' ').collect();
            prop_assert!(words.len() == 2 && words[0].parse::<std::net::IpAddr>().is_ok(), "{}", line);
            prop_assert!(words[1].chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)), "{}", line);
        }
        for line in written("netfilter", &all, &options).split('\n').filter(|l| !l.is_empty()) {
            let plain = |c: char| c.is_ascii_alphanumeric() || " -_.:/".contains(c);
            prop_assert!(line.chars().all(plain) && line.split(' ').count() == 7, "{}", line);
        }
        for line in written("cache", &all, &options).split('\n').filter(|l| !l.is_empty()) {
            prop_assert!(line.len() == 32 && line.bytes().all(|b| b.is_ascii_hexdigit()), "{}", line);
        }
        prop_assert_eq!(written("count", &all, &options), all.len().to_string());
    }

    #[test]
    fn a_yara_rule_stays_one_rule_and_its_text_the_value(all in prop::collection::vec(told(), 1..4)) {
        let text = written("yara", &all, &scopes()[1]);
        let ast = yara_x_parser::ast::AST::from(text.as_str());
        prop_assert!(ast.errors().is_empty(), "{:?}\n{}", ast.errors(), text);
        for rule in ast.rules() {
            for pattern in rule.patterns.iter().flatten() {
                let yara_x_parser::ast::Pattern::Text(pattern) = pattern else { continue };
                let found = pattern.text.value.to_vec();
                let shared = all.iter().any(|one| one.kind.name() == "yara");
                let values = all.iter().flat_map(|one| &one.values);
                prop_assert!(shared || values.map(String::as_bytes).any(|value| value == found), "{}", text);
            }
        }
        let listed: serde_json::Value = serde_json::from_str(&written("yara-json", &all, &scopes()[1])).unwrap();
        for one in listed["generated"].as_array().unwrap() {
            let ast = yara_x_parser::ast::AST::from(one["value"].as_str().unwrap());
            prop_assert!(ast.errors().is_empty() && ast.rules().count() == 1);
        }
    }

    #[test]
    fn xml_is_well_formed_and_says_the_values(all in prop::collection::vec(told(), 1..4)) {
        let text = written("openioc", &all, &scopes()[1]);
        let root = crate::xml::read(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
        let mut open = vec![&root];
        while let Some(element) = open.pop() {
            if element.name == "Content" {
                let is = |value: &String| in_xml(value).trim() == element.text.trim();
                prop_assert!(all.iter().any(|one| one.values.iter().any(is)), "{:?}", element.text);
            }
            open.extend(&element.children);
        }
        for options in scopes() {
            let text = written("stix-xml", &all, &options);
            prop_assert!(crate::xml::read(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn csv_has_a_row_for_each_attribute(all in prop::collection::vec(told(), 1..4), column in hostile()) {
        let wanted = vec!["value".to_owned(), column, "comment".to_owned()];
        for requested_attributes in [Vec::new(), wanted] {
            let options = ExportOptions { include_context: true, requested_attributes, ..scopes()[1].clone() };
            let rows = csv(&written("csv", &all, &options));
            // Behind the last line stands an empty one.
            prop_assert_eq!(rows.len(), all.len() + 3);
            let at = rows[0].iter().position(|name| name == "value").expect("the value has a column");
            for (row, one) in rows[1..].iter().zip(&all) {
                prop_assert_eq!(row.len(), rows[0].len());
                let value = match one.kind.is_composite() {
                    true => pisax_model::attribute::joined(one.kind, &one.values[0], &one.values[1]).into_owned(),
                    false => one.values[0].clone(),
                };
                prop_assert_eq!(&row[at], &value);
            }
        }
    }

    #[test]
    fn json_is_json(all in prop::collection::vec(told(), 1..4)) {
        for (name, options) in ["kunai", "attack-sightings", "stix-json"].iter().flat_map(|n| scopes().map(|o| (*n, o))) {
            let text = written(name, &all, &options);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}: {}", name, text);
        }
    }

    #[test]
    fn a_page_has_no_element_and_a_list_no_line_of_a_value(all in prop::collection::vec(told(), 1..4)) {
        for (name, options) in ["context", "attack"].iter().flat_map(|n| scopes().map(|o| (*n, o))) {
            let nothing = all.iter().map(|one| Told { tags: one.tags.iter().map(|_| "x".to_owned()).collect(), ..one.clone() });
            let known = elements(&written(name, &nothing.collect::<Vec<_>>(), &options));
            let more = ["h4", "/h4", "ul", "/ul", "li", "/li", "tr", "/tr", "td", "/td", "th", "/th"];
            for element in elements(&written(name, &all, &options)) {
                prop_assert!(known.contains(&element) || more.contains(&element.as_str()), "{}", element);
            }
        }
        let page = written("context-markdown", &all, &scopes()[0]);
        for line in page.split('\n').filter(|line| !line.is_empty()) {
            prop_assert!(line.starts_with("# ") || line.starts_with("## ") || line.starts_with("#### ") || line.starts_with("- "), "{}", line);
        }
    }
}

fn plain(kind: &str) -> Told {
    let kind = AttributeType::parse(kind).expect("a known type");
    Told {
        kind,
        category: kind.default_category(),
        values: Default::default(),
        comment: String::new(),
        info: String::new(),
        org: String::new(),
        orgc: String::new(),
        tags: Vec::new(),
        object: None,
    }
}
