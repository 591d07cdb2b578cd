use super::*;
use proptest::prelude::*;

fn reading(format: SourceFormat, settings: FeedSettings) -> Reading {
    Reading::new(format, &settings).unwrap()
}

fn values(reading: &Reading, line: &str) -> Vec<(String, String)> {
    match reading.line(line) {
        Said::Values(found) => found
            .into_iter()
            .map(|found| match found {
                Found::Indicator(one) => (one.default_type.name().to_owned(), one.value),
                Found::Excluded => ("excluded".to_owned(), String::new()),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn pair(kind: &str, value: &str) -> (String, String) {
    (kind.to_owned(), value.to_owned())
}

#[test]
fn a_line_of_text_holds_one_value_several_or_none() {
    let text = reading(SourceFormat::Freetext, FeedSettings::default());
    for remark in ["", "  ", "# evil.example.com", "\u{feff}# a list", "#"] {
        assert_eq!(text.line(remark), Said::Remark, "{remark}");
    }
    assert_eq!(text.line("nothing to see"), Said::Unrecognised);
    assert_eq!(values(&text, "evil.example.com"), [pair("hostname", "evil.example.com")]);
    assert_eq!(values(&text, "203.0.113.9 # a panel"), [pair("ip-dst", "203.0.113.9")]);
    let two = [pair("ip-dst", "203.0.113.9"), pair("domain", "example.net")];
    assert_eq!(values(&text, "203.0.113.9, example.net"), two);
    assert_eq!(values(&text, "203.0.113.9\texample.net"), two);
}

#[test]
fn a_line_of_a_table_is_read_in_the_columns_that_are_named() {
    let settings = FeedSettings { columns: vec![2], delimiter: ';', ..FeedSettings::default() };
    let table = reading(SourceFormat::Csv, settings);
    assert_eq!(values(&table, "1;\"203.0.113.9\";example.net"), [pair("ip-dst", "203.0.113.9")]);
    assert_eq!(table.line("only one"), Said::Unrecognised);
    let all = reading(SourceFormat::Csv, FeedSettings::default());
    assert_eq!(values(&all, "203.0.113.9,x,'example.net'").len(), 2);
    assert_eq!(values(&all, "ip,name"), []);
}

#[test]
fn what_the_rules_do_not_want_is_counted_as_such() {
    let exclude = |text: &str| {
        let settings = FeedSettings { exclude: text.into(), ..FeedSettings::default() };
        values(&reading(SourceFormat::Freetext, settings), "EVIL.example.net")[0].0 == "excluded"
    };
    for yes in ["/evil/i", "#^evil#i", "(?i)evil", "{EVIL}", "^EVIL"] {
        assert!(exclude(yes), "{yes}");
    }
    assert!(!exclude("/evil/"));
    let bad = FeedSettings { exclude: "/(/".into(), ..FeedSettings::default() };
    assert!(
        matches!(Reading::new(SourceFormat::Csv, &bad), Err(Fault::Setup(why)) if why.contains("excluderegex"))
    );
}

#[test]
fn a_value_of_two_halves_is_cached_as_both_but_for_ports() {
    let kind = |name: &str| AttributeType::parse(name).unwrap();
    assert_eq!(hashes(kind("domain"), "a.example").len(), 1);
    assert_eq!(hashes(kind("filename|md5"), "a|b"), [hash("a|b"), hash("a"), hash("b")]);
    assert_eq!(hashes(kind("ip-dst|port"), "203.0.113.9|80"), [hash("203.0.113.9|80"), hash("203.0.113.9")]);
    assert_eq!(
        hash(""),
        [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0, 0xb2, 4, 0xe9, 0x80, 9, 0x98, 0xec, 0xf8, 0x42, 0x7e]
    );
}

#[test]
fn a_line_without_end_and_one_that_is_too_long_are_lines() {
    let long = "x".repeat(LONGEST + 1);
    let text = format!("a\n{long}\n\nb\u{e9}");
    let mut lines = Lines::of(text.as_bytes());
    assert_eq!(lines.next().unwrap(), Some(Line::Text("a".into())));
    assert!(matches!(lines.next().unwrap(), Some(Line::TooLong(start)) if start.len() == 200));
    assert_eq!(lines.next().unwrap(), Some(Line::Text("".into())));
    assert_eq!(lines.next().unwrap(), Some(Line::Text("bé".into())));
    assert_eq!(lines.next().unwrap(), None);
    assert_eq!(lines.bytes, text.len() as u64);
    let mut lines = Lines::of(&b"\xff\xfea\n"[..]);
    assert_eq!(lines.next().unwrap(), Some(Line::Text("\u{fffd}\u{fffd}a".into())));
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn what_was_quoted_is_read_as_it_was(row in prop::collection::vec("[^\n]{0,20}", 1..6)) {
        let line = row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
        prop_assert_eq!(cells(&line, ','), row);
    }

    #[test]
    fn no_line_loses_more_than_its_marks(line in "[^\n]{0,80}", delimiter in prop::sample::select(vec![',', '|', ';', '\t', ' '])) {
        let read = cells(&line, delimiter);
        let kept: usize = read.iter().map(|cell| cell.chars().count()).sum();
        let marks = line.chars().filter(|c| matches!(c, '"' | ' ')).count();
        prop_assert!(kept + read.len() - 1 + marks >= line.chars().count());
        prop_assert!(kept <= line.chars().count());
    }

    #[test]
    fn lines_are_those_between_newlines(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut lines = Lines::of(&text[..]);
        let mut count = 0;
        while lines.next().unwrap().is_some() {
            count += 1;
        }
        let newlines = text.iter().filter(|b| **b == b'\n').count();
        let open = usize::from(text.last().is_some_and(|b| *b != b'\n'));
        prop_assert_eq!(count, newlines + open);
        prop_assert_eq!(lines.bytes, text.len() as u64);
    }

    #[test]
    fn any_line_is_one_of_three_things(line in "\\PC{0,120}") {
        for format in [SourceFormat::Csv, SourceFormat::Freetext] {
            if let Said::Values(found) = reading(format, FeedSettings::default()).line(&line) {
                prop_assert!(!found.is_empty());
            }
        }
    }
}
