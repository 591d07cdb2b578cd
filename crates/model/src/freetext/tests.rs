use super::*;
use proptest::prelude::*;

fn only(text: &str) -> Candidate {
    let mut found = parse(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0)
}

#[test]
fn each_kind_of_indicator_is_known_by_its_looks() {
    for (text, kind, value) in [
        ("1.1.1.1", "ip-dst", "1.1.1.1"),
        ("1[.]1[.]1(dot)1", "ip-dst", "1.1.1.1"),
        ("2001:db8::1", "ip-dst", "2001:db8::1"),
        ("2001:db8::1:8080", "ip-dst", "2001:db8::1:8080"),
        ("[2001:db8::1]:8080", "ip-dst|port", "2001:db8::1|8080"),
        ("192.0.2.0/24", "ip-dst", "192.0.2.0/24"),
        ("192.0.2.1:443", "ip-dst|port", "192.0.2.1|443"),
        ("192.0.2.1:2", "ip-dst|port", "192.0.2.1|2"),
        ("evil.com", "domain", "evil.com"),
        ("evil.libre", "domain", "evil.libre"),
        ("evil[.]com", "domain", "evil.com"),
        ("evil[dot]com.", "domain", "evil.com"),
        ("e[v]il.com", "domain", "evil.com"),
        ("www.evil.co.uk", "hostname", "www.evil.co.uk"),
        ("a_b.evil.ru", "hostname", "a_b.evil.ru"),
        ("háčkyčárky.cz", "domain", "xn--hkyrky-ptac70bc.cz"),
        ("пример.рф", "domain", "xn--e1afmkfd.xn--p1ai"),
        ("xn--e1afmkfd.xn--p1ai", "domain", "xn--e1afmkfd.xn--p1ai"),
        ("foo@bar.de", "email-src", "foo@bar.de"),
        ("foo[at]bar[.]de", "email-src", "foo@bar.de"),
        ("hxxps://evil[.]com/a?b=c", "url", "https://evil.com/a?b=c"),
        ("http://evil.com:8080/x", "url", "http://evil.com:8080/x"),
        ("http://192.0.2.1:8080", "url", "http://192.0.2.1:8080"),
        ("evil.com/gate.php", "url", "evil.com/gate.php"),
        ("https://www.virustotal.com/gui/file/x", "link", "https://www.virustotal.com/gui/file/x"),
        ("https://notvirustotal.com/x", "url", "https://notvirustotal.com/x"),
        ("/izuku.sh", "uri", "/izuku.sh"),
        ("setup.exe", "filename", "setup.exe"),
        ("C:\\Windows\\evil.dll", "filename", "C:\\Windows\\evil.dll"),
        ("HKLM\\Software\\Evil", "regkey", "HKLM\\Software\\Evil"),
        ("d41d8cd98f00b204e9800998ecf8427e", "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("a.exe|d41d8cd98f00b204e9800998ecf8427e", "filename|md5", "a.exe|d41d8cd98f00b204e9800998ecf8427e"),
        (
            "768:+OFu8Q3w6QzfR5Jni6SQD7qSFDs6P93:RFu8QAFzffJui79f13",
            "ssdeep",
            "768:+OFu8Q3w6QzfR5Jni6SQD7qSFDs6P93:RFu8QAFzffJui79f13",
        ),
        ("cve-2020-1234", "vulnerability", "CVE-2020-1234"),
        ("+49(0)89-1234567", "phone-number", "+49(0)89-1234567"),
        ("as65536", "AS", "AS65536"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "btc", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ] {
        let found = only(text);
        assert_eq!((found.default_type.name(), found.value.as_str()), (kind, value), "{text}");
        assert!(found.types.contains(&found.default_type));
    }
}

#[test]
fn prose_holds_no_indicators() {
    let prose = "The actors, i.e. those named above, used and/or reused 24/7 tools on 2020-01-03 at 12:30:45, \
                 spending 1.5 of 2.0 (see p. 3); \"quoted words\" <b>.</b> // -- ... {not json} 12345";
    assert_eq!(parse(prose), []);
}

#[test]
fn a_text_gives_each_indicator_once_and_in_order() {
    let found = parse(
        "See evil.com, \"evil.com\" <hxxp://evil.com/a>; (1.1.1.1)\u{a0}foo@bar.de\u{200b}EVIL[.]COM evil.com",
    );
    let values: Vec<_> = found.iter().map(|c| c.value.as_str()).collect();
    assert_eq!(values, ["evil.com", "http://evil.com/a", "1.1.1.1", "foo@bar.de", "EVIL.COM"]);
    assert_eq!(found[1].original_value, "hxxp://evil.com/a");
    let quoted = parse("run \"C:\\Program Files\\evil tool.exe\" now");
    let values: Vec<_> = quoted.iter().map(|c| c.value.as_str()).collect();
    assert_eq!(values, ["tool.exe", "C:\\Program Files\\evil tool.exe"]);
}

#[test]
fn ports_are_told_in_the_comment() {
    assert_eq!(only("evil.com:8443").comment, "On port 8443");
    assert_eq!(only("1.1.1.1:53").comment, "On port 53");
    assert_eq!(only("evil.com").comment, "");
}

#[test]
fn a_json_object_is_searched_value_by_value() {
    let text = r#"{"evil.net": ["evil.com", 5, true, null, {"a": "see http:\/\/x.de\/y \u0031.1.1.1"}], "b": -1.5e3}"#;
    let values: Vec<_> = parse(text).into_iter().map(|c| c.value).collect();
    assert_eq!(values, ["evil.com", "http://x.de/y", "1.1.1.1"]);
    assert_eq!(only("{evil.com").value, "{evil.com", "no JSON: a file name, as in MISP");
}

#[test]
fn a_line_of_a_list_may_carry_a_remark() {
    let line = |text| indicator_line(text).map(|c| (c.default_type.name(), c.value, c.comment));
    let owned = |kind, value: &str, comment: &str| Some((kind, value.to_owned(), comment.to_owned()));
    assert_eq!(line("167.94.146.195 # censys.io"), owned("ip-dst", "167.94.146.195", "censys.io"));
    assert_eq!(line("167.172.34.0/24\t#x"), owned("ip-dst", "167.172.34.0/24", "x"));
    assert_eq!(line("23.254.167.107:443"), owned("ip-dst|port", "23.254.167.107|443", "On port 443"));
    assert_eq!(line("  evil.com  "), owned("domain", "evil.com", ""));
    assert_eq!(line("/a.php#frag"), owned("uri", "/a.php#frag", ""));
    for none in ["", "   ", "# Reference: https://evil.com", "#", "word"] {
        assert_eq!(line(none), None, "{none:?}");
    }
}

#[test]
fn a_megabyte_takes_no_time_to_speak_of() {
    let text = "[[[[]]]](dot\"evil.com/a b:12.,;\\x@".repeat(40_000);
    assert!(text.len() > 1_300_000);
    assert!(!parse(&text).is_empty());
    assert_eq!(parse(&"[".repeat(1_300_000)), []);
    assert_eq!(parse(&"{\"a\":".repeat(200_000)), []);
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in any::<String>()) {
        parse(&text);
        indicator_line(&text);
    }

    #[test]
    fn what_is_found_is_right_for_its_type(text in "([a-z0-9é.:/@|+\"\\\\\\[\\](){}-]{1,12}[ ,]?){0,8}") {
        for found in parse(&text).into_iter().chain(indicator_line(&text)) {
            prop_assert!(crate::value::check(found.default_type, &found.value).is_ok(), "{:?}", found);
        }
    }

    #[test]
    fn no_json_breaks_the_reader(text in "\\{[\\[\\]{}\",:0-9a-fu\\\\tre. né]{0,30}") {
        parse(&text);
    }
}
