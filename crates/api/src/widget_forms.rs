//! POST /dashboards/getForm: what can be said of a widget, for the form in which it is chosen or set up.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member};
use crate::request::{Request, text};
use pisax_wire::JsonWriter;
use serde_json::Value;

/// A widget as it is chosen from a list.
struct Widget {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// How it is drawn.
    render: &'static str,
    width: i64,
    height: i64,
    /// What it can be told, each with what it does.
    parameters: &'static [(&'static str, &'static str)],
}

/// What `renderWidget` knows.
const WIDGETS: &[Widget] = &[
    Widget {
        name: "EventStreamWidget",
        title: "Event Stream",
        description: "The newest events.",
        render: "Index",
        width: 4,
        height: 2,
        parameters: &[("limit", "How many events are shown. Default: 5")],
    },
    Widget {
        name: "MispStatusWidget",
        title: "MISP Status",
        description: "What happened since you signed in last.",
        render: "SimpleList",
        width: 2,
        height: 2,
        parameters: &[],
    },
    Widget {
        name: "OrgContributionToplistWidget",
        title: "Organisation Contributions",
        description: "The organisations that made most events.",
        render: "BarChart",
        width: 3,
        height: 4,
        parameters: &[
            ("days", "Events of how many days are counted. Default: all"),
            ("limit", "How many organisations are shown. Default: 10"),
        ],
    },
    Widget {
        name: "TrendingTagsWidget",
        title: "Trending Tags",
        description: "The tags that most events of late carry.",
        render: "BarChart",
        width: 3,
        height: 4,
        parameters: &[
            ("time_window", "How far back it looks: seconds, or days as 7d; -1: always. Default: 7d"),
            ("include", "Parts of names; other tags are left out."),
            ("exclude", "Parts of names of tags that are left out."),
            ("threshold", "How many tags are shown. Default: 10"),
        ],
    },
    Widget {
        name: "WhoamiWidget",
        title: "Whoami",
        description: "Who you are here.",
        render: "SimpleList",
        width: 2,
        height: 2,
        parameters: &[],
    },
];

/// POST /dashboards/getForm/{add|edit} `{id, widget, config}`
pub(crate) fn get(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("data")?;
    let id = text(&sent, "id").unwrap_or_default();
    if !id.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(Failure::BadRequest("Invalid widget id provided.".into()));
    }
    let widget = match request.path.arg(0).unwrap_or("edit") {
        "add" => None,
        "edit" => {
            let name =
                text(&sent, "widget").ok_or_else(|| Failure::BadRequest("No widget name passed.".into()))?;
            let known = WIDGETS.iter().find(|widget| widget.name == name);
            Some(known.ok_or(Failure::NotFound("Invalid widget."))?)
        }
        _ => {
            let words = "Invalid action provided, just add or edit is supported.";
            return Err(Failure::BadRequest(words.into()));
        }
    };
    Ok(document(|w| {
        w.begin_object();
        member(w, "id", &id);
        w.key("config");
        match sent.get("config") {
            None | Some(Value::Null) => w.str(""),
            Some(config) => w.raw(config.to_string().as_bytes()),
        }
        match widget {
            Some(widget) => {
                member(w, "widget", widget.name);
                member(w, "description", widget.description);
                w.key("params");
                parameters(w, widget);
            }
            None => {
                w.key("widget_options");
                w.begin_object();
                for widget in WIDGETS {
                    w.key(widget.name);
                    option(w, widget);
                }
                w.end_object();
            }
        }
        w.end_object();
    }))
}

fn parameters(w: &mut JsonWriter<'_>, widget: &Widget) {
    w.begin_object();
    member(w, "alias", "What stands above the widget in place of its name.");
    for (name, does) in widget.parameters {
        member(w, name, does);
    }
    member(w, "widget_config", "How the widget is drawn.");
    w.end_object();
}

fn option(w: &mut JsonWriter<'_>, widget: &Widget) {
    w.begin_object();
    member(w, "widget", widget.name);
    member(w, "title", widget.title);
    member(w, "description", widget.description);
    member(w, "render", widget.render);
    w.key("width");
    w.int(widget.width);
    w.key("height");
    w.int(widget.height);
    w.key("params");
    parameters(w, widget);
    w.end_object();
}
