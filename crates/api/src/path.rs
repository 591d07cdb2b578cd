//! MISP's paths: `/[admin/]controller/action/arg/…/name:value/….json`, in camelCase or snake_case.

use http::Method;

/// A path split into what the route table knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path {
    pub admin: bool,
    /// Lower case without underscores: `sharing_groups` and `sharingGroups` are one.
    pub controller: String,
    /// The same for the action.
    pub action: String,
    pub args: Vec<String>,
    /// `name:value` segments in order; `name[]:value` keeps its brackets.
    pub named: Vec<(String, String)>,
    /// As the client wrote it, for MISP's `url` member.
    pub raw: String,
}

impl Path {
    /// Splits a path; a missing action is what MISP's resource routing makes of the method.
    pub fn parse(raw: &str, query: Option<&str>, method: &Method) -> Self {
        let bare = [".json", ".xml", ".csv"].iter().find_map(|e| raw.strip_suffix(e)).unwrap_or(raw);
        let mut segments = bare.split('/').filter(|s| !s.is_empty()).map(decode).peekable();
        let mut path = Self { raw: raw.to_owned(), ..Self::default() };
        if segments.peek().is_some_and(|s| s == "admin") {
            path.admin = true;
            segments.next();
        }
        path.controller = segments.next().map(|s| squash(&s)).unwrap_or_default();
        for segment in segments {
            match split_named(&segment) {
                Some(pair) => path.named.push(pair),
                None => path.args.push(segment),
            }
        }
        for pair in query.unwrap_or_default().split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            path.named.push((decode(&name.replace('+', " ")), decode(&value.replace('+', " "))));
        }
        path.action = path.take_action(method);
        path
    }

    /// The first segment, unless it is a number or uuid (`GET /events/5`) or there is none (`GET /events`).
    fn take_action(&mut self, method: &Method) -> String {
        let first_is_id = self.args.first().is_some_and(|a| pisax_model::ids::Ref::parse(a).is_some());
        if first_is_id {
            return match *method {
                Method::PUT | Method::POST => "edit",
                Method::DELETE => "delete",
                _ => "view",
            }
            .into();
        }
        if self.args.is_empty() {
            return if *method == Method::POST { "add" } else { "index" }.into();
        }
        squash(&self.args.remove(0))
    }

    /// The value of a named parameter.
    pub fn named(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether a named parameter is set to something that means yes.
    pub fn flag(&self, name: &str) -> bool {
        self.named(name).is_some_and(|v| !matches!(v, "" | "0" | "false" | "null"))
    }

    pub fn arg(&self, i: usize) -> Option<&str> {
        self.args.get(i).map(String::as_str)
    }
}

fn split_named(segment: &str) -> Option<(String, String)> {
    let (name, value) = segment.split_once(':')?;
    let word = name.strip_suffix("[]").unwrap_or(name);
    let named = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    named.then(|| (name.to_owned(), value.to_owned()))
}

fn squash(segment: &str) -> String {
    segment.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// Percent-decoding; a broken escape stays as it is.
pub fn decode(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| bytes.get(i + 1..i + 3)).flatten();
        let byte = hex.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Path {
        Path::parse(raw, None, &Method::GET)
    }

    #[test]
    fn both_spellings_are_one_controller() {
        assert_eq!(
            parse("/sharing_groups/view/1.json").controller,
            parse("/sharingGroups/view/1").controller
        );
        let path = parse("/admin/users/index/searchall:me");
        assert!(path.admin);
        assert_eq!((path.controller.as_str(), path.action.as_str()), ("users", "index"));
        assert_eq!(path.named("searchall"), Some("me"));
    }

    #[test]
    fn resource_paths_take_their_action_from_the_method() {
        assert_eq!(parse("/events").action, "index");
        assert_eq!(parse("/events/5").action, "view");
        assert_eq!(Path::parse("/events/5", None, &Method::DELETE).action, "delete");
        assert_eq!(Path::parse("/events", None, &Method::POST).action, "add");
        assert_eq!(parse("/events/5").args, ["5"]);
    }

    proptest::proptest! {
        #[test]
        fn no_path_breaks_it(raw in "/\\PC{0,80}", query in "\\PC{0,40}") {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let path = Path::parse(&raw, Some(&query), &method);
                let plain = |text: &str| text.chars().all(|c| c != '_');
                assert!(plain(&path.controller) && plain(&path.action));
                assert!(path.named.iter().all(|(name, _)| !name.is_empty() || query.contains('=')));
            }
        }
    }

    #[test]
    fn named_parameters_are_lifted_out() {
        let path = parse("/events/view/5/deleted[]:0/deleted[]:1/extended:1");
        assert_eq!(path.args, ["5"]);
        assert_eq!(path.named.len(), 3);
        assert!(path.flag("extended"));
    }
}
