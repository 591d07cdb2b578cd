//! A value as it is shown: in mono, selectable, never a link, and defanged where somebody else's program
//! would make it one.

use askama::Template;
use askama::filters::HtmlSafe;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<code class="value{% if long() %} long{% endif %}"{% if long() %} tabindex="0"{% endif %}>{{ shown }}</code><button class="copy" type="button" data-copy="{{ exact }}" aria-label="Copy {{ shown }}">Copy</button>"#
)]
pub struct Indicator {
    /// What is copied and searched for.
    pub exact: String,
    /// What is read.
    pub shown: String,
}

impl HtmlSafe for Indicator {}

impl Indicator {
    /// `kind` is MISP's type name.
    pub fn new(kind: &str, value: impl Into<String>) -> Self {
        let exact = value.into();
        let shown = if matches!(kind, "url" | "link") { defanged(&exact) } else { exact.clone() };
        Self { exact, shown }
    }

    /// A rule or a text rather than an indicator: gets a box that scrolls.
    fn long(&self) -> bool {
        self.shown.len() > 400 || self.shown.lines().count() > 4
    }
}

/// `http://a.example/b.c` as `hxxp://a[.]example/b.c`: pasted into a chat or mail, it is no link.
fn defanged(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let scheme = scheme.replace("http", "hxxp").replace("HTTP", "hXXp");
    format!("{scheme}://{}{path}", host.replace('.', "[.]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_defanged_and_copied_exactly() {
        let url = Indicator::new("url", "https://login.ixp.example/a.php?b=http://c.d");
        assert_eq!(url.shown, "hxxps://login[.]ixp[.]example/a.php?b=http://c.d");
        assert!(
            url.render().unwrap().contains(r#"data-copy="https://login.ixp.example/a.php?b=http://c.d""#)
        );
        assert_eq!(Indicator::new("url", "login.example").shown, "login.example");
        assert_eq!(Indicator::new("domain", "login.example").shown, "login.example");
    }

    #[test]
    fn a_value_is_text_and_nothing_else() {
        let html = Indicator::new("text", "<script>\"x\"</script>").render().unwrap();
        assert!(!html.contains("<script") && !html.contains("\"x\""), "{html}");
        assert!(!html.contains("<a "), "{html}");
    }
}
