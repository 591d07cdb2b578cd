//! Writes compact JSON into a buffer: slashes and unicode as they are, integers as MISP's numeric strings.

use pisax_model::Uuid;

/// Appends JSON to a buffer and sets the commas. Well-formedness (every key followed by a value, every
/// opening closed) is the caller's.
#[derive(Debug)]
pub struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The next key or item needs a comma before it.
    comma: bool,
}

/// `"key":` as one literal.
macro_rules! k {
    ($key:literal) => {
        concat!("\"", $key, "\":")
    };
}
pub(crate) use k;

impl<'a> JsonWriter<'a> {
    /// Begins a document.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// Goes on inside a list or object whose last member is written.
    pub fn after_member(out: &'a mut Vec<u8>) -> Self {
        Self { out, comma: true }
    }

    /// What is written so far, to flush it between rows.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    #[inline]
    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }

    pub fn begin_object(&mut self) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
    }

    pub fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    pub fn begin_array(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    pub fn end_array(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// A member name; its value must follow.
    pub fn key(&mut self, key: &str) {
        self.separate();
        quote(self.out, key);
        self.out.push(b':');
        self.comma = false;
    }

    /// A member name that is quoted already ([`k!`]).
    #[inline]
    pub(crate) fn name(&mut self, quoted: &'static str) {
        self.separate();
        self.out.extend_from_slice(quoted.as_bytes());
        self.comma = false;
    }

    #[inline]
    pub fn str(&mut self, text: &str) {
        self.separate();
        quote(self.out, text);
        self.comma = true;
    }

    /// An integer as a string, MISP's form of every number column.
    #[inline]
    pub fn str_num(&mut self, number: i64) {
        self.separate();
        let mut digits = [b'"'; 22];
        let start = format_digits(number, &mut digits);
        self.out.extend_from_slice(&digits[start - 1..]);
        self.comma = true;
    }

    /// An integer as a number.
    pub fn int(&mut self, number: i64) {
        self.separate();
        let mut digits = [b'"'; 22];
        let start = format_digits(number, &mut digits);
        self.out.extend_from_slice(&digits[start..21]);
        self.comma = true;
    }

    /// A number; what JSON cannot say becomes 0.
    pub fn float(&mut self, number: f64) {
        let text = if number.is_finite() { number.to_string() } else { "0".to_owned() };
        self.raw(text.as_bytes());
    }

    #[inline]
    pub fn bool(&mut self, flag: bool) {
        self.raw(if flag { b"true" } else { b"false" });
    }

    #[inline]
    pub fn null(&mut self) {
        self.raw(b"null");
    }

    #[inline]
    pub fn uuid(&mut self, uuid: Uuid) {
        self.separate();
        let mut text = [b'"'; 38];
        uuid.as_hyphenated().encode_lower(&mut text[1..37]);
        self.out.extend_from_slice(&text);
        self.comma = true;
    }

    /// A value, or inside an object members, already written as JSON.
    #[inline]
    pub fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    /// Bytes in base64.
    pub fn base64(&mut self, bytes: &[u8]) {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        self.separate();
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        let written = STANDARD.encode_slice(bytes, &mut self.out[start..]);
        self.out
            .truncate(start + written.expect("base64 takes four bytes for three, which were made room for"));
        self.out.push(b'"');
        self.comma = true;
    }

    // ---- Members ----------------------------------------------------------------------------------

    #[inline]
    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        self.str(text);
    }

    pub(crate) fn text_or_null(&mut self, name: &'static str, text: Option<&str>) {
        self.name(name);
        match text {
            Some(text) => self.str(text),
            None => self.null(),
        }
    }

    #[inline]
    pub(crate) fn num(&mut self, name: &'static str, number: i64) {
        self.name(name);
        self.str_num(number);
    }

    pub(crate) fn num_or_null(&mut self, name: &'static str, number: Option<i64>) {
        self.name(name);
        match number {
            Some(number) => self.str_num(number),
            None => self.null(),
        }
    }

    #[inline]
    pub(crate) fn flag(&mut self, name: &'static str, flag: bool) {
        self.name(name);
        self.bool(flag);
    }

    #[inline]
    pub(crate) fn id(&mut self, name: &'static str, uuid: Uuid) {
        self.name(name);
        self.uuid(uuid);
    }

    /// `first_seen`, `last_seen`: `"2020-01-04T04:30:34.323242+00:00"` or null.
    pub(crate) fn micros(&mut self, name: &'static str, micros: Option<i64>) {
        self.name(name);
        let Some(micros) = micros else { return self.null() };
        self.out.push(b'"');
        pisax_model::time::write_micros(self.out, micros);
        self.out.push(b'"');
        self.comma = true;
    }

    /// `"2020-01-04 04:30:34"`.
    pub(crate) fn datetime(&mut self, name: &'static str, seconds: i64) {
        self.name(name);
        self.str(&pisax_model::time::format_datetime(seconds));
    }

    /// A list written elsewhere; none is an empty list.
    pub(crate) fn list(&mut self, name: &'static str, json: &[u8]) {
        self.name(name);
        self.raw(if json.is_empty() { b"[]" } else { json });
    }

    /// Members written elsewhere (`"a":1,"b":2`); none is nothing.
    pub(crate) fn members(&mut self, json: &[u8]) {
        if !json.is_empty() {
            self.raw(json);
        }
    }
}

/// Writes digits before the last byte of the buffer and returns where they begin: with the longest number
/// that is 1, so that a quote always fits before and after.
fn format_digits(number: i64, digits: &mut [u8; 22]) -> usize {
    let mut rest = number.unsigned_abs();
    let mut at = 21;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    at
}

/// Appends a JSON string.
#[inline]
fn quote(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    match first_special(bytes) {
        None => out.extend_from_slice(bytes),
        Some(at) => quote_rest(out, bytes, at),
    }
    out.push(b'"');
}

#[cold]
fn quote_rest(out: &mut Vec<u8>, mut bytes: &[u8], mut at: usize) {
    loop {
        let (plain, rest) = bytes.split_at(at);
        out.extend_from_slice(plain);
        let Some((special, rest)) = rest.split_first() else { return };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        bytes = rest;
        at = first_special(bytes).unwrap_or(bytes.len());
    }
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Where the first byte stands that a JSON string cannot hold as it is. Eight bytes at a time: the high bit
/// of a byte of `hits` is set when it is below 0x20, a quote or a backslash (Mycroft's zero-byte test).
#[inline]
fn first_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut chunks = bytes.chunks_exact(8);
    let mut base = 0;
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let hits = (below | quote.wrapping_sub(ONES) & !quote | slash.wrapping_sub(ONES) & !slash) & HIGH;
        if hits != 0 {
            // Borrows can raise a false hit above a true one, never below it.
            return Some(base + hits.trailing_zeros() as usize / 8);
        }
        base += 8;
    }
    chunks.remainder().iter().position(|byte| is_special(*byte)).map(|at| base + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut JsonWriter<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut JsonWriter::new(&mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn commas_are_set_between_members_and_items_only() {
        let json = written(|w| {
            w.begin_object();
            w.key("a");
            w.begin_array();
            w.str_num(-12);
            w.int(0);
            w.null();
            w.begin_object();
            w.end_object();
            w.end_array();
            w.key("b/é");
            w.bool(true);
            w.key("c");
            w.float(1.5);
            w.key("d");
            w.base64(b"hello");
            w.raw(br#""e":1"#);
            w.end_object();
        });
        assert_eq!(json, r#"{"a":["-12",0,null,{}],"b/é":true,"c":1.5,"d":"aGVsbG8=","e":1}"#);
    }

    #[test]
    fn uuids_are_written_in_lower_case() {
        let uuid = Uuid::try_parse("5F9A2B1C-0000-4000-8000-00000000000A").unwrap();
        assert_eq!(written(|w| w.uuid(uuid)), "\"5f9a2b1c-0000-4000-8000-00000000000a\"");
    }

    #[test]
    fn control_characters_are_escaped_as_php_does() {
        assert_eq!(
            written(|w| w.str("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}/é")),
            "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}/é\""
        );
    }

    proptest! {
        #[test]
        fn every_text_is_read_back(text in "(\\PC|[\\x00-\\x7f]){0,60}") {
            let json = written(|w| w.str(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn every_number_is_read_back(number: i64) {
            prop_assert_eq!(written(|w| w.str_num(number)), format!("\"{number}\""));
            prop_assert_eq!(written(|w| w.int(number)), number.to_string());
        }
    }

    #[test]
    fn the_outermost_numbers_are_written_whole() {
        assert_eq!(written(|w| w.str_num(i64::MIN)), "\"-9223372036854775808\"");
        assert_eq!(written(|w| w.str_num(i64::MAX)), "\"9223372036854775807\"");
    }
}
