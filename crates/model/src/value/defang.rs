//! "Defanging": a value in a mail is nothing that a mail program makes a link of.

use crate::AttributeType;
use crate::kind::Form;
use std::borrow::Cow;

/// The value as it stands in a mail.
pub fn defanged<'a>(kind: AttributeType, value: &'a str) -> Cow<'a, str> {
    match kind.form() {
        Form::Url | Form::Link => {
            let start = value.get(..4).filter(|start| start.eq_ignore_ascii_case("http"));
            let value = if start.is_some() { format!("hxxp{}", &value[4..]) } else { value.to_owned() };
            value.replace('.', "[.]").into()
        }
        Form::Ip
        | Form::IpPort
        | Form::Domain
        | Form::DomainIp
        | Form::Hostname
        | Form::HostnamePort
        | Form::Onion => value.replace('.', "[.]").into(),
        Form::Email(_) => value.replace('@', "[at]").replace('.', "[.]").into(),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_mail_is_a_link() {
        for (kind, value, expected) in [
            ("url", "https://evil.example/a.php", "hxxps://evil[.]example/a[.]php"),
            ("url", "HTTP://evil.example", "hxxp://evil[.]example"),
            ("domain", "evil.example", "evil[.]example"),
            ("ip-dst", "198.51.100.7", "198[.]51[.]100[.]7"),
            ("email-src", "a@evil.example", "a[at]evil[.]example"),
            ("url", "é", "é"),
            ("sha256", "ab.cd", "ab.cd"),
        ] {
            let kind = AttributeType::parse(kind).unwrap();
            assert_eq!(defanged(kind, value), expected);
        }
    }
}
