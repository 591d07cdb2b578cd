use super::*;
use proptest::prelude::*;

fn kind(name: &str) -> AttributeType {
    AttributeType::parse(name).unwrap_or_else(|| panic!("{name}"))
}

fn joined(name: &str, raw: &str) -> Result<String, String> {
    let kind = kind(name);
    check(kind, raw)
        .map(|(value1, value2)| crate::attribute::joined(kind, &value1, &value2).into_owned())
        .map_err(|error| error.message)
}

/// Rows of type, value as sent, value as kept.
fn all_kept(rows: &[(&str, &str, &str)]) {
    for (name, raw, kept) in rows {
        assert_eq!(joined(name, raw).as_deref(), Ok(*kept), "{name}: {raw}");
    }
}

/// Rows of type and value.
fn all_refused(rows: &[(&str, &str)]) {
    for (name, raw) in rows {
        assert!(joined(name, raw).is_err(), "{name}: {raw} became {:?}", joined(name, raw));
    }
}

const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const MD5: &str = "0CC175B9C0F1B6A831C399E269772661";

#[test]
fn addresses_are_kept_in_their_shortest_form() {
    all_kept(&[
        ("ip-src", " 127.0.0.1 ", "127.0.0.1"),
        ("ip-src", "127.0.0.1/32", "127.0.0.1"),
        ("ip-dst", "127.0.0.1/31", "127.0.0.1/31"),
        ("ip-dst", "10.1.2.3/8", "10.1.2.3/8"),
        ("ip-dst", "10.0.0.0/08", "10.0.0.0/8"),
        ("ip-dst", "1[.]2[dot]3(dot)4", "1.2.3.4"),
        ("ip-src", "1234:0fd2:5621:0001:0089:0000:0000:4500", "1234:fd2:5621:1:89::4500"),
        ("ip-src", "2001:DB8::/32", "2001:db8::/32"),
        ("ip-src", "::1/128", "::1"),
    ]);
    all_refused(&[
        ("ip-src", "127"),
        ("ip-src", "127.0.0."),
        ("ip-src", "127.0.0.1/"),
        ("ip-src", "127.0.0.1/32/1"),
        ("ip-src", "127.0.0.1/33"),
        ("ip-src", "127.0.0.1/+8"),
        ("ip-src", "::1/257"),
        ("ip-src", "01.2.3.4"),
        ("ip-src", "evil.example"),
    ]);
    assert_eq!(joined("ip-dst", "999.1.1.1"), Err("IP address has an invalid format.".into()));
}

#[test]
fn address_and_port_are_told_apart_in_every_notation() {
    let v6 = "2001:db8::1|80";
    all_kept(&[
        ("ip-dst|port", "127.0.0.1|80", "127.0.0.1|80"),
        ("ip-dst|port", "127.0.0.1:080", "127.0.0.1|80"),
        ("ip-dst|port", "2001:db8:0::1|80", v6),
        ("ip-dst|port", "[2001:db8::1]:80", v6),
        ("ip-dst|port", "2001:db8::1.80", v6),
        ("ip-dst|port", "2001:db8::1 port 80", v6),
        ("ip-dst|port", "2001:db8::1p80", v6),
        ("ip-dst|port", "2001:db8::1#80", v6),
        ("ip-dst|port", "2001:db8::1:80", v6),
        ("ip-src|port", "1234:0fd2:5621:0001:0089:0000:0000:4500/128|80", "1234:fd2:5621:1:89::4500|80"),
        ("port", "65535", "65535"),
        ("hostname|port", "EXAMPLE.com:80", "example.com|80"),
        ("domain|ip", "EXAMPLE.com|127.0.0.1", "example.com|127.0.0.1"),
        ("domain|ip", "example.com|2001:DB8:0::1", "example.com|2001:db8::1"),
    ]);
    all_refused(&[
        ("ip-dst|port", "127.0.0.1"),
        ("ip-dst|port", "127.0.0.1|80|90"),
        ("ip-dst|port", "127.0.0.0/8|80"),
        ("hostname|port", "example.com"),
        ("hostname|port", "invalid_domain|80"),
        ("domain|ip", "example.com|127"),
        ("domain|ip", "example.com|10.0.0.0/8"),
    ]);
    let bad_port = Err("Port numbers have to be integers between 1 and 65535.".to_owned());
    for (name, raw) in [
        ("port", "0"),
        ("port", "-80"),
        ("port", "+80"),
        ("port", "65536"),
        ("ip-dst|port", "127.0.0.1|99999"),
        ("hostname|port", "example.com|0"),
    ] {
        assert_eq!(joined(name, raw), bad_port, "{name}: {raw}");
    }
}

#[test]
fn names_are_lower_case_and_domains_in_punycode() {
    all_kept(&[
        ("domain", "EXAMPLE.com", "example.com"),
        ("domain", ".example[.]com.", "example.com"),
        ("domain", "HÁČKYČÁRKY.CZ", "xn--hkyrky-ptac70bc.cz"),
        ("domain|ip", "háčkyčárky.cz|127.0.0.1", "xn--hkyrky-ptac70bc.cz|127.0.0.1"),
        ("domain", "_dmarc.example.com", "_dmarc.example.com"),
        ("hostname", "WWW.Example.com", "www.example.com"),
        ("onion-address", "ABCDEFGHIJKLMNOP.onion", "abcdefghijklmnop.onion"),
    ]);
    all_refused(&[
        ("domain", "example"),
        ("domain", "ex ample.com"),
        ("domain", "example.c"),
        ("domain", "example.c_m"),
        ("hostname", "http://example.com"),
        ("onion-address", "invalid.onion"),
    ]);
    let message = |what| {
        Err(format!("{what} has an invalid format. Please double check the value or select type \"other\"."))
    };
    assert_eq!(joined("domain", "x"), message("Domain"));
    assert_eq!(joined("hostname", "x"), message("Hostname"));
}

#[test]
fn locators_are_refanged() {
    all_kept(&[
        ("url", "hxxps://evil[.]example/a", "https://evil.example/a"),
        ("url", "h[tt]p[:]//evil(dot)example", "http://evil.example"),
        ("url", "[hxxp://]evil.example", "http://evil.example"),
        ("url", "meow://evil[[.]]example", "http://evil.example"),
        ("url", "http://[2001:db8::1]/", "http://[2001:db8::1]/"),
        ("url", "anything at all", "anything at all"),
        ("link", "hxxps://example[.]com", "https://example.com"),
        ("link", "ftp://example.com", "ftp://example.com"),
        ("uri", "/a[.]php", "/a[.]php"),
        ("text", "hxxp://a[.]b", "hxxp://a[.]b"),
    ]);
    all_refused(&[
        ("url", "http://a\nb"),
        ("link", "example.com"),
        ("link", "http://"),
        ("link", "http://a b"),
    ]);
    assert!(matches!(refang(kind("url"), "http://evil.example"), Cow::Borrowed(_)));
}

#[test]
fn checksums_are_lower_case_and_of_their_length() {
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    all_kept(&[
        ("md5", MD5, "0cc175b9c0f1b6a831c399e269772661"),
        ("sha1", &SHA1.to_uppercase(), SHA1),
        ("sha256", sha256, sha256),
        ("git-commit-id", &SHA1.to_uppercase(), &SHA1.to_uppercase()),
        (
            "x509-fingerprint-md5",
            "AA:6F:C8:3F:37:78:7A:BE:A6:BE:2C:51:26:16:3F:D3",
            "aa6fc83f37787abea6be2c5126163fd3",
        ),
        ("telfhash", &"A".repeat(70), &"a".repeat(70)),
        ("telfhash", &format!("T1{}", "a".repeat(70)), &format!("t1{}", "a".repeat(70))),
        ("tlsh", &format!("T1{}", "A".repeat(70)), &format!("t1{}", "a".repeat(70))),
        ("cdhash", &"A".repeat(41), &"a".repeat(41)),
        ("pehash", SHA1, SHA1),
        ("ssdeep", "768:+OFu8Q3w6Q:RFu8QAF", "768:+OFu8Q3w6Q:RFu8QAF"),
        ("impfuzzy", "3:aAbbcc:ddeeff", "3:aAbbcc:ddeeff"),
        ("filename|md5", &format!("CMD.EXE|{MD5}"), "CMD.EXE|0cc175b9c0f1b6a831c399e269772661"),
        ("filename|ssdeep", "a b.txt|96:sF1Lj:sG", "a b.txt|96:sF1Lj:sG"),
        ("filename|impfuzzy", "a.exe|3:A:b", "a.exe|3:A:b"),
        ("filename|vhash", "file.txt|VHash123", "file.txt|vhash123"),
        ("malware-sample", &format!("CMD.EXE|{MD5}"), &format!("CMD.EXE|{MD5}")),
        (
            "ssh-fingerprint",
            "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
            "SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
        ),
        (
            "ssh-fingerprint",
            "MD5:7b:e5:6f:a7:f4:f9:81:62:5c:e3:1f:bf:8b:57:6c:5a",
            "MD5:7b:e5:6f:a7:f4:f9:81:62:5c:e3:1f:bf:8b:57:6c:5a",
        ),
    ]);
    all_refused(&[
        ("sha1", "abc"),
        ("telfhash", &"z".repeat(70)),
        ("cdhash", &"a".repeat(39)),
        ("pehash", &"z".repeat(40)),
        ("tlsh", "t1abc"),
        ("ssdeep", "768:+OFu8\n\n:RFu8"),
        ("impfuzzy", "x:aabbcc:ddeeff"),
        ("filename|md5", MD5),
        ("filename|md5", &format!("a\nb|{MD5}")),
        ("filename|md5", &format!("|{MD5}")),
        ("filename|md5", &format!("a|b|{MD5}")),
        ("filename|md5", &format!("a|{SHA1}")),
        ("malware-sample", "CMD.EXE"),
        ("ssh-fingerprint", "SHA256:abc"),
    ]);
    assert_eq!(
        joined("md5", "abc"),
        Err("Checksum has an invalid length or format (expected: 32 hexadecimal characters). Please double check \
             the value or select type \"other\"."
            .into())
    );
}

#[test]
fn people_and_their_accounts_are_checked_leniently() {
    all_kept(&[
        ("email-src", "Foo[at]Bar[.]DE", "foo@bar.de"),
        ("target-email", "Foo@Bar.DE", "foo@bar.de"),
        ("eppn", "Foo@Bar.DE", "Foo@Bar.DE"),
        ("email", "a.b@c.d", "a.b@c.d"),
        ("phone-number", "00 1 (23) 456", "+123456"),
        ("phone-number", "+49 (0)89 / 12-34", "+4989 1234".replace(' ', "").as_str()),
        ("cc-number", "1234-56", "123456"),
        ("iban", "abc-12", "ABC12"),
        ("btc", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
        ("bank-account-nr", "0123", "0123"),
        ("uuid", "123E4567-e89b-12d3-a456-426614174000", "123E4567-e89b-12d3-a456-426614174000"),
        ("first-name", "Zoë\nAnne", "Zoë\nAnne"),
        ("anonymised", "ABC", "abc"),
    ]);
    all_refused(&[
        ("email", "test@example"),
        ("email", "@test.com"),
        ("email", "a b@c.d"),
        ("phone-number", "none"),
        ("phone-number", "1+2"),
        ("bin", "-"),
        ("iban", "!"),
        ("btc", "invalid!"),
        ("aba-rtn", "x"),
        ("uuid", "123e4567-e89b-12d3-a456-42661417400g"),
        ("target-user", "user1\nuser2"),
    ]);
    assert_eq!(
        joined("email", "x"),
        Err("Email address has an invalid format. Please double check the value or select type \"other\"."
            .into())
    );
}

#[test]
fn identifiers_and_plain_values_have_their_notation() {
    all_kept(&[
        ("AS", "as123", "123"),
        ("AS", "1.1", "65537"),
        ("AS", "4294967295", "4294967295"),
        ("mac-address", "AA-BB-CC-DD-EE-FF", "aa:bb:cc:dd:ee:ff"),
        ("mac-address", "aabb.ccdd.eeff", "aa:bb:cc:dd:ee:ff"),
        ("mac-eui-64", "aabbccfffeddee11", "aa:bb:cc:ff:fe:dd:ee:11"),
        ("vulnerability", "cve–2020–1234", "CVE-2020-1234"),
        ("vulnerability", "GHSA-1a2b-1234-wxyz", "GHSA-1a2b-1234-wxyz"),
        ("vulnerability", "cisco-sa-20180328-smi2", "cisco-sa-20180328-smi2"),
        ("vulnerability", "RHSA-2020:12345", "RHSA-2020:12345"),
        ("vulnerability", "openSUSE-SU-2020:1234-1", "openSUSE-SU-2020:1234-1"),
        ("weakness", "cwe–89", "CWE-89"),
        ("hex", "aabb", "AABB"),
        ("http-method", "post", "POST"),
        ("datetime", "2020-01-03", "2020-01-03T00:00:00.000000+0000"),
        ("datetime", "2020-01-03T02:00:00.5+02:00", "2020-01-03T00:00:00.500000+0000"),
        ("boolean", "True", "1"),
        ("boolean", "0", "0"),
        ("size-in-bytes", "1024", "1024"),
        ("integer", "-123", "-123"),
        ("float", "-1.23e4", "-1.23e4"),
        ("windows-service-name", "service1", "service1"),
        (
            "cortex",
            " {\"a\": [1, -0.5e+3, \"\\u00e9\", {}, [], null]} ",
            "{\"a\": [1, -0.5e+3, \"\\u00e9\", {}, [], null]}",
        ),
        ("regkey|value", "HKLM\\Run|C:\\a b.exe", "HKLM\\Run|C:\\a b.exe"),
        ("regkey|value", "HKLM\\Run|", "HKLM\\Run|"),
        ("yara", "rule a\n{}", "rule a\n{}"),
    ]);
    all_refused(&[
        ("AS", "1.2.3.4"),
        ("AS", "4294967296"),
        ("AS", "70000.1"),
        ("AS", "AS"),
        ("mac-address", "aa:bb:cc:dd:ee:gg"),
        ("mac-address", "aa:bb:cc:dd:ee:ff:00"),
        ("vulnerability", "CVE-2020"),
        ("vulnerability", "CVE-2020-123"),
        ("vulnerability", "invalid"),
        ("vulnerability", "ssa-1234567"),
        ("weakness", "CWE-ABC"),
        ("hex", "zz"),
        ("http-method", "FIND"),
        ("datetime", "2020:01:01 00-00-00"),
        ("boolean", "maybe"),
        ("counter", "-1"),
        ("integer", "1.5"),
        ("float", "inf"),
        ("float", "nan"),
        ("windows-service-name", "service/1"),
        ("cortex", "{a: 1}"),
        ("cortex", "[1,]"),
        ("cortex", "[01]"),
        ("cortex", "\"\\ud800\""),
        ("regkey|value", "HKLM\\Run"),
    ]);
}

#[test]
fn every_value_says_something_and_fits() {
    assert_eq!(joined("text", " \n\0"), Err("Value cannot be empty.".into()));
    assert!(joined("text", "\u{1}\u{2}").is_err_and(|m| m.contains("purely of control characters")));
    assert!(joined("comment", &"a".repeat(MAX_BYTES)).is_ok());
    assert_eq!(
        joined("comment", &"a".repeat(MAX_BYTES + 1)),
        Err("Value is too long, maximum allowed value is 65535 bytes.".into())
    );
    assert_eq!(joined("text", "a\0b\0\0 c\0"), Ok("ab c".into()), "kept alike by both engines");
    assert_eq!(joined("ip-dst|port", "192.0.2.1\0|\05\03"), Ok("192.0.2.1|53".into()));
    assert_eq!(joined("filename", "a\nb"), Err("Value must not contain new line character.".into()));
}

#[test]
fn composites_are_cut_at_their_bar_and_others_never() {
    assert_eq!(halves(kind("filename|md5"), "a|b"), ("a", "b"));
    assert_eq!(halves(kind("malware-sample"), "a|b"), ("a", "b"));
    assert_eq!(halves(kind("text"), "a|b"), ("a|b", ""));
    assert_eq!(check(kind("text"), "a|b"), Ok(("a|b".into(), String::new())));
}

/// Deep brackets once took a pass each to undo.
#[test]
fn hostile_brackets_take_linear_time() {
    let nested = format!("{}.{}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(joined("url", &nested).as_deref(), Ok("."));
}

fn any_kind() -> impl Strategy<Value = AttributeType> {
    (1..=194i64).prop_map(|code| AttributeType::from_code(code).unwrap())
}

/// Text made of what the rules look for, so that a fair share of it is right.
fn likely() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[0-9a-f]{1,8}".boxed(),
        "[0-9A-F]{32}|[0-9a-f]{40}".boxed(),
        "evil|\\.com|example\\.org|É|ß|AS|CVE-2020-1234|a@b\\.c|true|1\\.2\\.3\\.4|2001:DB8::1|2020-01-03"
            .boxed(),
        "[\\[\\]().:|/+@# –\\-]".boxed(),
        "hxxp|\\[\\.\\]|\\(dot\\)|\\[at\\]|\\[:\\]|\\[hxxp://\\]|\\(0\\)|00|port|p|\n|\t".boxed(),
    ];
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn stays_the_same(kind: AttributeType, raw: &str) -> Result<(), TestCaseError> {
    if let Ok((value1, value2)) = check(kind, raw) {
        let joined = crate::attribute::joined(kind, &value1, &value2).into_owned();
        prop_assert_eq!(halves(kind, &joined), (value1.as_str(), value2.as_str()));
        prop_assert_eq!(check(kind, &joined), Ok((value1, value2)), "{} {:?}", kind, raw);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_checked_value_checks_as_itself(kind in any_kind(), raw in likely()) {
        stays_the_same(kind, &raw)?;
    }

    #[test]
    fn no_text_breaks_the_check(kind in any_kind(), raw in any::<String>()) {
        stays_the_same(kind, &raw)?;
    }
}

/// Not a test of right or wrong: run it by hand in release to see the rate.
#[test]
#[ignore = "a measurement"]
fn rate_of_common_types() {
    let rows = [
        ("ip-dst", "192.0.2.77"),
        ("domain", "evil.example"),
        ("hostname", "www.evil.example"),
        ("url", "http://evil.example/gate.php?id=1"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("sha1", SHA1),
        ("filename", "invoice.pdf.exe"),
        ("ip-dst|port", "192.0.2.77|443"),
    ];
    for (name, raw) in rows {
        let started = std::time::Instant::now();
        for _ in 0..1_000_000 {
            let kind = AttributeType::parse(std::hint::black_box(name)).unwrap();
            std::hint::black_box(check(kind, std::hint::black_box(raw)).unwrap());
        }
        println!("{name}: {:.0} ns", started.elapsed().as_secs_f64() * 1e3);
    }
}
