//! Every page with sample data. Addresses, domains and AS numbers are those reserved for documentation
//! (RFC 5737, 3849, 2606, 5398). All text goes through `t`, with which the tests make it hostile.

mod event;
mod event_list;
mod forms;
mod servers;

use pisax_ui::{
    Area, Chrome, EventLink, EventList, Fault, JobList, Listing, ServerList, SignIn, SignedIn, Tag, Template,
};

/// 2026-08-14 09:12:33 UTC.
const NOW: i64 = 1_786_698_753;

type Text<'a> = &'a dyn Fn(&str) -> String;

/// All pages, each with the name of its file.
pub fn all(t: Text<'_>) -> Vec<(&'static str, String)> {
    let draw = |page: &dyn DrawPage| page.draw();
    vec![
        (
            "sign-in",
            draw(&SignIn { chrome: Chrome { csrf: t("c5rf"), ..Chrome::default() }, ..SignIn::default() }),
        ),
        ("sign-in-failed", draw(&sign_in_failed(t))),
        ("events", draw(&event_list::events(t))),
        ("events-found", draw(&event_list::found(t))),
        ("events-none", draw(&EventList { chrome: chrome(t, Area::Events), ..EventList::default() })),
        (
            "events-no-match",
            draw(&EventList { chrome: searched(t, "203.0.113.99"), listing: Listing::Nothing }),
        ),
        (
            "events-failed",
            draw(&EventList {
                chrome: searched(t, "tag:("),
                listing: Listing::Failed(t(
                    "The search has an open bracket: close it, or put the text in quotes.",
                )),
            }),
        ),
        ("event", draw(&event::event(t))),
        ("event-empty", draw(&event::empty_event(t))),
        ("event-big", draw(&event::big_event(t))),
        ("event-add", draw(&forms::add_event(t))),
        ("event-edit", draw(&forms::edit_event(t))),
        ("attribute-add", draw(&forms::add_attribute(t))),
        ("attribute-edit", draw(&forms::edit_attribute(t))),
        ("freetext", draw(&forms::paste(t))),
        ("freetext-review", draw(&forms::review(t))),
        ("servers", draw(&servers::list(t))),
        ("servers-none", draw(&ServerList { chrome: chrome(t, Area::Servers), servers: Vec::new() })),
        ("server", draw(&servers::page(t))),
        ("server-add", draw(&servers::connect(t))),
        ("server-edit", draw(&servers::change(t))),
        ("guard", draw(&servers::guard(t))),
        ("dry-push", draw(&servers::dry_push(t))),
        ("dry-pull", draw(&servers::dry_pull(t))),
        ("dry-failed", draw(&servers::dry_failed(t))),
        ("jobs", draw(&servers::jobs(t))),
        ("jobs-none", draw(&JobList { chrome: chrome(t, Area::Jobs), ..JobList::default() })),
        ("fault-403", draw(&Fault::forbidden(chrome(t, Area::Elsewhere)))),
        ("fault-form", draw(&Fault::stale_form(chrome(t, Area::Elsewhere)))),
        ("fault-404", draw(&Fault::not_found(Chrome::default()))),
        ("fault-500", draw(&Fault::internal(chrome(t, Area::Elsewhere), t("01J5-7QZK-3M")))),
    ]
}

/// `Template` is not object safe; this is.
trait DrawPage {
    fn draw(&self) -> String;
}

impl<T: Template> DrawPage for T {
    fn draw(&self) -> String {
        self.render().expect("writing into a text does not fail")
    }
}

fn chrome(t: Text<'_>, area: Area) -> Chrome {
    Chrome {
        user: Some(SignedIn {
            email: t("duty@noc.ixp-north.example"),
            org: t("IXP North"),
            may_add: true,
            runs_it: true,
        }),
        csrf: t("c5rf"),
        area,
        ..Chrome::default()
    }
}

fn searched(t: Text<'_>, query: &str) -> Chrome {
    Chrome { query: t(query), ..chrome(t, Area::Events) }
}

fn sign_in_failed(t: Text<'_>) -> SignIn {
    SignIn {
        chrome: Chrome { csrf: t("c5rf"), ..Chrome::default() },
        email: t("duty@noc.ixp-north.example"),
        error: Some(t("The e-mail address or the password is wrong.")),
        next: t("/events/view/1203"),
    }
}

fn tag(t: Text<'_>, name: &str, colour: &str) -> Tag {
    // A TLP mark must stay one; what is behind a value may be anything.
    if name.starts_with("tlp:") { Tag::new(name, colour, false) } else { Tag::new(t(name), colour, false) }
}

fn link(t: Text<'_>, id: i64, info: &str) -> EventLink {
    EventLink { id, info: t(info) }
}
