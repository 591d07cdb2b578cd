//! Exports from before restSearch (semantics 8.8, 8.9): each is a search today, with its parameters in the
//! order they had in the path. Clients are told by `X-Deprecation-Warning`.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::request::Request;
use crate::restsearch::{attributes_of, events_of};
use pisax_model::filter::{Scope, Tri};
use pisax_wire::SearchRequest;

/// One of the exports.
struct Export {
    scope: Scope,
    format: &'static str,
    /// Names of what comes in the path, from the first argument on; empty for what is not heeded.
    path: &'static [&'static str],
}

/// The search that an export is.
fn search(request: &Request, export: &Export, more: &[(&str, &str)]) -> Result<SearchRequest, Failure> {
    let mut params = Vec::new();
    for (name, value) in export.path.iter().zip(&request.path.args) {
        if !name.is_empty() && !matches!(value.as_str(), "null" | "0" | "false" | "") {
            params.push(((*name).to_owned(), value.replace(';', ":")));
        }
    }
    params.extend(request.path.named.iter().map(|(name, value)| match name.as_str() {
        "eventId" | "id" => ("eventid".to_owned(), value.clone()),
        _ => (name.clone(), value.clone()),
    }));
    params.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    params.push(("returnFormat".into(), export.format.into()));
    let mut search = pisax_wire::read_search(export.scope, &request.body, &params, request.now())?;
    if search.filter.kind.or.iter().any(|kind| kind == "all") {
        search.filter.kind = Default::default();
    }
    Ok(search)
}

fn answer(request: &Request, search: SearchRequest) -> Result<Answer, Failure> {
    let (scope, answer) = match search.scope {
        Scope::Events => ("events", events_of(request, search)?),
        _ => ("attributes", attributes_of(request, search)?),
    };
    Ok(answer.header("x-deprecation-warning", format!("Deprecated: use /{scope}/restSearch instead.")))
}

fn run(request: &Request, export: &Export, more: &[(&str, &str)]) -> Result<Answer, Failure> {
    answer(request, search(request, export, more)?)
}

/// GET|POST /events/csv/download/…
pub(crate) fn csv(request: &Request) -> Result<Answer, Failure> {
    let path = &[
        "",
        "eventid",
        "ignore",
        "tags",
        "category",
        "type",
        "includeContext",
        "from",
        "to",
        "last",
        "headerless",
        "enforceWarninglist",
        "value",
        "timestamp",
    ];
    let mut search = search(request, &Export { scope: Scope::Events, format: "csv", path }, &[])?;
    search.restrict();
    answer(request, search)
}

/// GET|POST /events/xml/download/…
pub(crate) fn xml(request: &Request) -> Result<Answer, Failure> {
    let path = &["", "eventid", "withAttachments", "tags", "from", "to", "last"];
    run(request, &Export { scope: Scope::Events, format: "xml", path }, &[])
}

/// GET|POST /events/nids/{suricata|snort}/download/…
pub(crate) fn nids(request: &Request) -> Result<Answer, Failure> {
    let format = match request.path.arg(0) {
        Some("snort") => "snort",
        None | Some("suricata" | "null" | "download") => "suricata",
        Some(_) => return Err(Failure::NotFound(pisax_wire::answer::INVALID_FORMAT)),
    };
    let path = &[
        "",
        "",
        "eventid",
        "",
        "tags",
        "from",
        "to",
        "last",
        "type",
        "enforceWarninglist",
        "includeAllTags",
    ];
    run(request, &Export { scope: Scope::Events, format, path }, &[])
}

/// GET|POST /events/hids/{md5|sha1|sha256}/download/…
pub(crate) fn hids(request: &Request) -> Result<Answer, Failure> {
    let types: &[&str] = match request.path.arg(0) {
        Some("md5") => &["md5", "filename|md5", "malware-sample"],
        Some("sha1") => &["sha1", "filename|sha1"],
        Some("sha256") => &["sha256", "filename|sha256"],
        _ => return Err(Failure::NotFound(pisax_wire::answer::INVALID_FORMAT)),
    };
    let path = &["", "", "tags", "from", "to", "last"];
    let mut search = search(request, &Export { scope: Scope::Attributes, format: "hashes", path }, &[])?;
    search.filter.kind.or = types.iter().map(|t| (*t).to_owned()).collect();
    answer(request, search)
}

const STIX: &[&str] = &["", "eventid", "withAttachments", "tags", "from", "to", "last"];

/// GET|POST /events/stix/download/…
pub(crate) fn stix(request: &Request) -> Result<Answer, Failure> {
    let format = if crate::restsearch::wants_json(request) { "stix-json" } else { "stix-xml" };
    run(request, &Export { scope: Scope::Events, format, path: STIX }, &[])
}

/// GET|POST /events/stix2/download/…
pub(crate) fn stix2(request: &Request) -> Result<Answer, Failure> {
    run(request, &Export { scope: Scope::Events, format: "stix2", path: STIX }, &[])
}

/// GET /events/downloadOpenIOCEvent/download/{id}: published or not.
pub(crate) fn openioc(request: &Request) -> Result<Answer, Failure> {
    let path = &["", "eventid", "enforceWarninglist"];
    let reference = request.reference(1, pisax_wire::answer::INVALID_EVENT)?;
    crate::events::find(request, reference)?;
    let mut search = search(request, &Export { scope: Scope::Events, format: "openioc", path }, &[])?;
    (search.filter.published, search.published_given) = (Tri::Any, true);
    answer(request, search)
}

/// GET|POST /attributes/text/download/{type|all}/…
pub(crate) fn text(request: &Request) -> Result<Answer, Failure> {
    let path = &["", "type", "tags", "eventid", "", "from", "to", "last", "enforceWarninglist", ""];
    let mut search = search(request, &Export { scope: Scope::Attributes, format: "text", path }, &[])?;
    let on = |name: &str, place: usize| {
        let plain = request.path.arg(place).is_some_and(|v| !matches!(v, "" | "0" | "false" | "null"));
        plain || request.path.flag(name)
    };
    if on("allowNonIDS", 4) {
        (search.filter.to_ids, search.to_ids_given) = (Tri::Any, true);
    }
    if on("allowNotPublished", 9) {
        (search.filter.published, search.published_given) = (Tri::Any, true);
    }
    answer(request, search)
}

/// GET|POST /attributes/rpz/download/…
pub(crate) fn rpz(request: &Request) -> Result<Answer, Failure> {
    let path = &[
        "",
        "tags",
        "eventid",
        "from",
        "to",
        "policy",
        "walled_garden",
        "ns",
        "email",
        "serial",
        "refresh",
        "retry",
        "expiry",
        "minimum_ttl",
        "ttl",
        "enforceWarninglist",
        "ns_alt",
    ];
    run(request, &Export { scope: Scope::Attributes, format: "rpz", path }, &[])
}

/// GET|POST /attributes/bro/download/{type}/…
pub(crate) fn bro(request: &Request) -> Result<Answer, Failure> {
    let path = &["", "zeek_type", "tags", "eventid", "from", "to", "last", "enforceWarninglist"];
    // Here `type` is a group of indicators, not a type of MISP's.
    let posted = request.value()?;
    let posted =
        posted.get("request").unwrap_or(&posted).get("type").and_then(|v| v.as_str()).map(str::to_owned);
    let group = posted.or(request.path.named("type").map(str::to_owned));
    let more: Vec<(&str, &str)> = group.iter().map(|group| ("zeek_type", group.as_str())).collect();
    let mut search = search(request, &Export { scope: Scope::Attributes, format: "bro", path }, &more)?;
    search.filter.kind = Default::default();
    attributes_of(request, search)
}

/// GET /events/downloadExport/{type}[/{attribute type}]
pub(crate) fn download(request: &Request) -> Result<Answer, Failure> {
    let (scope, format, restricted) = match request.path.arg(0).unwrap_or_default() {
        "json" => (Scope::Events, "json", false),
        "xml" => (Scope::Events, "xml", false),
        "csv_all" | "csv" => (Scope::Events, "csv", false),
        "csv_sig" => (Scope::Events, "csv", true),
        "suricata" => (Scope::Events, "suricata", true),
        "snort" => (Scope::Events, "snort", true),
        "bro" => (Scope::Attributes, "bro", true),
        "stix" | "stix-xml" => (Scope::Events, "stix-xml", false),
        "stix-json" => (Scope::Events, "stix-json", false),
        "stix2" => (Scope::Events, "stix2", false),
        "rpz" => (Scope::Attributes, "rpz", true),
        "text" => (Scope::Attributes, "text", true),
        "yara" => (Scope::Events, "yara", false),
        "yara-json" => (Scope::Events, "yara-json", false),
        "md5" | "sha1" | "sha256" => return hids(request),
        _ => return Err(Failure::NotFound(pisax_wire::answer::INVALID_FORMAT)),
    };
    let path = if format == "text" { &["", "type"][..] } else { &[] };
    let mut search = search(request, &Export { scope, format, path }, &[])?;
    if restricted {
        search.restrict();
    }
    answer(request, search)
}
