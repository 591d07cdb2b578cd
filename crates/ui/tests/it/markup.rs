//! What every page keeps to, checked on the pages of the gallery.

#[path = "../../examples/gallery/pages/mod.rs"]
mod pages;

/// Pages as they are.
fn plain() -> Vec<(&'static str, String)> {
    pages::all(&str::to_owned)
}

/// The inside of each start tag `name`.
fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("<{name}");
    html.match_indices(&start)
        .map(|(at, _)| &html[at + start.len()..])
        .filter(|rest| rest.starts_with([' ', '>', '\n']))
        .map(|rest| &rest[..rest.find('>').unwrap_or(rest.len())])
        .collect()
}

fn value<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[test]
fn every_page_has_a_title_and_one_heading() {
    for (name, html) in plain() {
        let title = html.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        assert!(title.ends_with(" · PISAX") && title.len() > " · PISAX".len(), "{name}: {title}");
        assert_eq!(tags(&html, "h1").len(), 1, "{name}");
        assert_eq!(tags(&html, "main").len(), 1, "{name}");
        assert!(html.contains("href=\"#main\""), "{name}");
    }
}

#[test]
fn nothing_is_inline() {
    for (name, html) in plain() {
        assert!(!html.contains("style="), "{name}");
        assert!(!html.contains("<style"), "{name}");
        assert!(!html.contains("javascript:"), "{name}");
        for script in tags(&html, "script") {
            assert!(value(script, "src").is_some_and(|src| src.starts_with("/assets/")), "{name}: {script}");
        }
        for handler in [" onclick", " onload", " onsubmit", " onchange", " onerror"] {
            assert!(!html.contains(handler), "{name}: {handler}");
        }
    }
}

#[test]
fn a_hostile_text_stays_a_text_everywhere() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;";
    let plain: Vec<_> = plain();
    for ((name, html), (_, calm)) in pages::all(&|text| format!("{text}{HOSTILE}")).into_iter().zip(&plain) {
        assert_eq!(tags(&html, "script").len(), 1, "{name}");
        assert!(!html.contains("<img"), "{name}");
        assert!(!html.contains("\"'>"), "{name}: a quote got out");
        // No tag more and no attribute less than without it.
        assert_eq!(html.matches('<').count(), calm.matches('<').count(), "{name}");
        assert_eq!(html.matches('>').count(), calm.matches('>').count(), "{name}");
        assert_eq!(html.matches('"').count(), calm.matches('"').count(), "{name}");
        if name != "fault-404" {
            assert!(html.contains("&#60;script&#62;"), "{name}: the text is not shown at all");
        }
    }
}

#[test]
fn every_field_has_a_label() {
    for (name, html) in plain() {
        for kind in ["input", "select", "textarea"] {
            for field in tags(&html, kind) {
                if value(field, "type") == Some("hidden") || value(field, "aria-label").is_some() {
                    continue;
                }
                let id = value(field, "id").unwrap_or_else(|| panic!("{name}: <{kind}{field}> has no id"));
                assert!(
                    html.contains(&format!("<label for=\"{id}\""))
                        || html.contains(&format!(" for=\"{id}\">")),
                    "{name}: {id}"
                );
                assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{name}: {id} twice");
            }
        }
    }
}

#[test]
fn what_is_wrong_is_tied_to_its_field() {
    for (name, html) in plain() {
        for described in html.match_indices("aria-describedby=\"").map(|(at, m)| &html[at + m.len()..]) {
            let id = described.split_once('"').unwrap().0;
            assert!(html.contains(&format!("id=\"{id}\"")), "{name}: {id}");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for (name, html) in plain().into_iter().filter(|(name, _)| *name != "fault-404") {
        let mut forms = 0;
        for (at, _) in html.match_indices("<form") {
            let form = &html[at..at + html[at..].find("</form>").unwrap()];
            if form.contains("method=\"post\"") {
                forms += 1;
                assert!(
                    form.contains("<input type=\"hidden\" name=\"csrf\" value=\"c5rf\">"),
                    "{name}: {form}"
                );
            }
        }
        assert!(forms > 0, "{name}: at least signing in or out");
    }
}

#[test]
fn a_value_is_never_a_link() {
    let html = &plain().into_iter().find(|(name, _)| *name == "event").unwrap().1;
    assert!(html.contains("hxxps://booter[.]panel[.]example/api/v2/start.php"));
    assert!(!html.contains("href=\"http"), "a link leaves the site");
    assert!(
        html.contains("data-copy=\"https://booter.panel.example/api/v2/start.php?method=dns&#38;time=600\"")
    );
}

#[test]
fn counts_are_exact_and_say_what_is_shown() {
    let pages = plain();
    let page = |wanted| &pages.iter().find(|(name, _)| *name == wanted).unwrap().1;
    assert!(page("event").contains("showing 50 of 1,234"));
    assert!(page("event").contains("3,187 attributes, 2 objects"));
    assert!(page("event-big").contains("<b>1,001–1,500</b> of 12,800 attributes"));
    assert!(page("event-big").contains("/events/view/1203?filter=198.51.100&#38;page=4#attributes"));
    assert!(page("events").contains("<b>16–30</b> of 5,012 events"));
}

#[test]
fn every_type_of_the_model_can_be_chosen() {
    let html = &plain().into_iter().find(|(name, _)| *name == "attribute-add").unwrap().1;
    assert_eq!(html.matches("data-places=").count(), pisax_model::AttributeType::all().count());
    assert_eq!(html.matches("data-number=").count(), pisax_model::Category::all().count());
}
