//! Undoing "defanging": `hxxp://evil[.]example` is `http://evil.example` again.

use crate::kind::{EmailCare, Form};
use std::borrow::Cow;

/// Which marks a type is ever defanged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    const NONE: Self = Self(0);
    const SCHEME: u8 = 1;
    const DOT: u8 = 2;
    const AT: u8 = 4;
    const COLON: u8 = 8;
    /// All of them, and brackets around any single character: pasted text has no type yet.
    pub(crate) const EVERY: Self = Self(31);
    const ANY_CHARACTER: u8 = 16;

    pub(crate) fn of(form: Form) -> Self {
        match form {
            Form::Url | Form::Link => Self(Self::SCHEME | Self::DOT | Self::COLON),
            Form::Ip | Form::Domain | Form::DomainIp | Form::Hostname => Self(Self::DOT),
            Form::Email(EmailCare::Refanged) => Self(Self::DOT | Self::AT),
            _ => Self::NONE,
        }
    }

    fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }
}

const BRACKETED: [(&str, &str, u8); 8] = [
    ("[.]", ".", Marks::DOT),
    ("[dot]", ".", Marks::DOT),
    ("(dot)", ".", Marks::DOT),
    ("[@]", "@", Marks::AT),
    ("[at]", "@", Marks::AT),
    ("[:]", ":", Marks::COLON),
    ("[hxxp://]", "http://", Marks::SCHEME),
    ("[hxxps://]", "https://", Marks::SCHEME),
];

const SCHEMES: [&str; 5] = ["hxxp", "hxtp", "htxp", "meow", "h[tt]p"];

/// The text without those marks. Nested ones (`[[.]]`) go too, so that a second round finds nothing.
pub(crate) fn mend(marks: Marks, text: &str) -> Cow<'_, str> {
    if marks == Marks::NONE {
        return Cow::Borrowed(text);
    }
    let mut mended = Cow::Borrowed(text);
    if text.bytes().any(|b| b == b']' || b == b')') {
        mended = Cow::Owned(without_brackets(marks, text));
    }
    if marks.has(Marks::SCHEME)
        && let Some(rest) = SCHEMES.iter().find_map(|scheme| strip_prefix(&mended, scheme))
    {
        mended = Cow::Owned(format!("http{rest}"));
    }
    mended
}

fn without_brackets(marks: Marks, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(c);
        if c == ']' || c == ')' {
            collapse(marks, &mut out);
        }
    }
    out
}

/// Rewrites the mark that ends here, if one does.
fn collapse(marks: Marks, out: &mut String) {
    for (mark, plain, which) in BRACKETED {
        if marks.has(which) && ends_with(out, mark) {
            out.truncate(out.len() - mark.len());
            out.push_str(plain);
            return;
        }
    }
    if marks.has(Marks::ANY_CHARACTER) && out.ends_with(']') {
        let mut back = out.char_indices().rev().skip(1);
        if let (Some((at, c)), Some((open, '['))) = (back.next(), back.next())
            && at > open
        {
            out.truncate(open);
            out.push(c);
        }
    }
}

fn ends_with(text: &str, ascii: &str) -> bool {
    let (text, ascii) = (text.as_bytes(), ascii.as_bytes());
    text.len() >= ascii.len() && text[text.len() - ascii.len()..].eq_ignore_ascii_case(ascii)
}

fn strip_prefix<'a>(text: &'a str, ascii: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(ascii.len())?;
    start.eq_ignore_ascii_case(ascii).then_some(rest)
}
