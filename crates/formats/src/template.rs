//! Templates in what an action of a workflow is told: Jinja, as MISP has its module server render them.
//!
//! Nothing is escaped, what is not there is empty, and Python's methods of texts and maps are known
//! (`Event.info.upper()`). A template loads no other and calls nothing outside; its length, the steps it takes and
//! the text it makes are bounded.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use pisax_model::workflow::Data;
use std::fmt::Write as _;
use std::io;

/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 64 * 1024;
/// Steps of one template, of which 64 bytes that it makes count as one: one that writes a line for each of 5000
/// attributes takes some 100,000.
const MAX_STEPS: u64 = 2_000_000;

/// Whether a text is more than itself.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|begins| text.contains(begins))
}

/// What a template says about the data, of at most so many bytes; an error says what is wrong with the template.
pub fn render(template: &str, data: &Data, most: usize) -> Result<String, String> {
    if !is_template(template) {
        return match template.len() <= most {
            true => Ok(template.to_owned()),
            false => Err(too_long(most)),
        };
    }
    if template.len() > MAX_TEMPLATE {
        return Err(format!("the template is longer than {MAX_TEMPLATE} bytes"));
    }
    let mut environment = Environment::new();
    environment.set_fuel(Some(MAX_STEPS));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter(|out, _, value| match value.kind() {
        ValueKind::Undefined => Ok(()),
        // As Python writes them.
        ValueKind::None => out.write_str("None").map_err(Error::from),
        ValueKind::Bool => out.write_str(if value.is_true() { "True" } else { "False" }).map_err(Error::from),
        _ => write!(out, "{value}").map_err(Error::from),
    });
    let mut out = Bounded { bytes: Vec::new(), most };
    let rendered = environment
        .template_from_named_str("template", template)
        .and_then(|template| template.render_captured_to(value(data), &mut out).map(drop));
    match rendered {
        Ok(()) => String::from_utf8(out.bytes).map_err(|_| "the template broke a letter in two".to_owned()),
        Err(_) if out.bytes.len() >= most => Err(too_long(most)),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            Err("the template takes too many steps, or too much memory".into())
        }
        Err(error) => Err(told(&error)),
    }
}

fn too_long(most: usize) -> String {
    format!("the text is longer than {most} bytes")
}

fn told(error: &Error) -> String {
    let mut said = format!("the template cannot be read: {}", error.kind());
    if let Some(detail) = error.detail() {
        let _ = write!(said, ": {detail}");
    }
    if let Some(line) = error.line() {
        let _ = write!(said, " (line {line})");
    }
    said
}

/// The data as templates see it.
fn value(data: &Data) -> Value {
    match data {
        Data::Null => Value::from(()),
        Data::Flag(flag) => Value::from(*flag),
        Data::Number(number) => Value::from(*number),
        Data::Text(text) => Value::from(text.as_str()),
        Data::List(items) => items.iter().map(value).collect(),
        Data::Map(members) => {
            Value::from_pairs(members.iter().map(|(key, member)| (key.as_str(), value(member))))
        }
    }
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.most - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Data {
        let tag = |name: &str| Data::map([("name", name.into())]);
        Data::map([(
            "Event",
            Data::map([
                ("info", "<An> \"event\"".into()),
                ("published", true.into()),
                ("Tag", Data::List(vec![tag("tlp:red"), tag("pap:green")])),
                ("extends", Data::Null),
            ]),
        )])
    }

    fn rendered(template: &str) -> String {
        render(template, &event(), 1000).unwrap()
    }

    #[test]
    fn a_template_is_jinja() {
        for (template, text) in [
            ("no template", "no template"),
            ("{{ Event.info }}", "<An> \"event\""),
            ("{{ Event['info'] | upper }}", "<AN> \"EVENT\""),
            (
                "{% for tag in Event.Tag %}{{ loop.index }}={{ tag.name }} {% endfor %}",
                "1=tlp:red 2=pap:green ",
            ),
            ("{% if Event.published %}out{% else %}in{% endif %}{# said #}", "out"),
            ("{{ Event.Tag | map(attribute='name') | join(', ') }}", "tlp:red, pap:green"),
            ("{{ Event.info.upper() }}", "<AN> \"EVENT\""),
            ("{{ Event.Tag | length }}", "2"),
            ("{{ Event.nothing.at.all }}|{{ Event.published }}|{{ Event.extends }}", "|True|None"),
            (
                "{% set ns = namespace(n=0) %}{% for t in Event.Tag %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "2",
            ),
        ] {
            assert_eq!(rendered(template), text, "{template}");
        }
    }

    #[test]
    fn what_the_data_says_is_no_template() {
        let data = Data::map([("info", "{{ 7 * 7 }}{% include 'x' %}".into())]);
        assert_eq!(render("{{ info }}", &data, 100).unwrap(), "{{ 7 * 7 }}{% include 'x' %}");
    }

    #[test]
    fn what_is_wrong_or_too_much_is_said() {
        let long = format!("{{{{ '{}' }}}}", "x".repeat(MAX_TEMPLATE));
        let doubled =
            format!("{{% set a = 'x' * 1000 %}}{}{{{{ a | length }}}}", "{% set a = a ~ a %}".repeat(40));
        for (template, part) in [
            ("{{ Event.info", "line 1"),
            ("{{ Event.info | no_such }}", "no_such"),
            ("{% include 'secrets' %}", "cannot be read"),
            (
                "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}",
                "too many steps",
            ),
            ("{% for a in range(900) %}many words {% endfor %}", "longer than 1000"),
            (long.as_str(), "longer than 65536"),
            (doubled.as_str(), "too much memory"),
            ("{{ 'x' * 99999999999 }}", "too much memory"),
        ] {
            let error = render(template, &event(), 1000).unwrap_err();
            assert!(error.contains(part), "{}: {error}", &template[..template.len().min(40)]);
        }
        assert!(render(&"x".repeat(1001), &event(), 1000).is_err());
    }
}
