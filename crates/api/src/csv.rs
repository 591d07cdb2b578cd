//! Lines of CSV as MISP writes them: numbers bare, everything else in double quotes.

/// Writes one line.
pub(crate) fn line<'f>(out: &mut Vec<u8>, fields: impl Iterator<Item = &'f str>) {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        if is_number(field) {
            out.extend_from_slice(field.as_bytes());
            continue;
        }
        out.push(b'"');
        out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
    out.push(b'\n');
}

fn is_number(field: &str) -> bool {
    let digits = field.strip_prefix('-').unwrap_or(field);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_stand_without_quotes() {
        let mut out = Vec::new();
        line(&mut out, ["12", "a \"b\", c", "", "-1", "1.2.3.4"].into_iter());
        assert_eq!(String::from_utf8(out).unwrap(), "12,\"a \"\"b\"\", c\",\"\",-1,\"1.2.3.4\"\n");
    }
}
