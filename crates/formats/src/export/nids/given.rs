//! Rules that somebody wrote: kept as they are, under a number and a message of this instance.

/// A rule on one line with its message, number and reference replaced; `None` when it is no rule.
pub(super) fn adopt(text: &str, message: impl FnOnce(&str) -> String, tail: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    let (head, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let action = *words.first()?;
    // Action, protocol, address, port, direction, address, port; lists in brackets may have blanks in them.
    let ends = words.iter().filter(|word| matches!(**word, "->" | "<>")).count();
    let plain = |c: char| c.is_ascii_alphanumeric() || " $![].,:/<>-_".contains(c);
    if words.len() < 7 || ends != 1 || !head.chars().all(plain) {
        return None;
    }
    if !matches!(action, "alert" | "log" | "pass" | "drop" | "reject" | "sdrop" | "activate" | "dynamic") {
        return None;
    }
    let mut said = String::new();
    let mut kept = String::new();
    for option in options(inner)? {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        let name = name.trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
            return None;
        }
        match name {
            "sid" | "rev" | "classtype" | "reference" | "priority" | "gid" => {}
            "msg" => said = value.trim().trim_matches('"').to_owned(),
            _ => {
                kept.push(' ');
                kept.push_str(option.trim());
                kept.push(';');
            }
        }
    }
    let message = message(&format!("snort-rule | {said}"));
    Some(format!("{} (msg:\"{message}\";{kept} {tail})", head.trim()))
}

/// The options between the parentheses, split at semicolons that stand neither in quotes nor behind a
/// backslash.
fn options(inner: &str) -> Option<Vec<&str>> {
    let (mut out, mut from) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                out.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    let rest = &inner[from..];
    if quoted || escaped {
        return None;
    }
    out.push(rest);
    out.retain(|option| !option.trim().is_empty());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_rule_keeps_what_it_looks_for() {
        let rule = "alert tcp any any -> any 80 (msg:\"old; one\"; content:\"a\\\"; (x)\"; sid:5; rev:9; reference:url,x.example;)";
        let adopted = adopt(rule, |old| format!("new {old}"), "sid:7;").unwrap();
        assert_eq!(
            adopted,
            "alert tcp any any -> any 80 (msg:\"new snort-rule | old; one\"; content:\"a\\\"; (x)\"; sid:7;)"
        );
    }

    #[test]
    fn what_is_no_rule_is_left_out() {
        for text in [
            "",
            "hello",
            "alert tcp any any -> any any",
            "include /etc/passwd (x)",
            "alert x (msg:\"open)",
            "alert tcp any any -> any any (msg:\"open)",
            "alert tcp any any -> any any (sid:1;)\nalert ip any any -> any any (sid:2;)",
            "alert tcp any any -> any any -> any any (sid:1;)",
            "alert tcp any any -> any `id` (sid:1;)",
        ] {
            assert_eq!(adopt(text, str::to_owned, "sid:1;"), None, "{text}");
        }
    }
}
