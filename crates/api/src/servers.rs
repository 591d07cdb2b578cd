//! `/servers/…` as far as it is about other servers: how they are connected. Nothing here synchronises.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::feeds::json_text;
use crate::reply::{document, list, member, number, saved};
use crate::request::{Request, flag, text};
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::server::ServerDraft;
use pisax_service::{Error, server as service};
use pisax_wire::server_out::{write_listed_server, write_saved_server, write_sync_description};
use serde_json::Value;

const INVALID: &str = "Invalid server";

fn draft(sent: &Value) -> Result<ServerDraft, Error> {
    let remote_org = text(sent, "remote_org_id").filter(|t| !matches!(t.trim(), "" | "0"));
    Ok(ServerDraft {
        name: text(sent, "name"),
        url: text(sent, "url"),
        authkey: text(sent, "authkey"),
        // What is no reference names no organisation.
        remote_org: remote_org.map(|t| Ref::parse(&t).unwrap_or(Ref::Id(0))),
        push: flag(sent, "push"),
        pull: flag(sent, "pull"),
        push_sightings: flag(sent, "push_sightings"),
        push_galaxy_clusters: flag(sent, "push_galaxy_clusters"),
        push_analyst_data: flag(sent, "push_analyst_data"),
        pull_analyst_data: flag(sent, "pull_analyst_data"),
        pull_galaxy_clusters: flag(sent, "pull_galaxy_clusters"),
        publish_without_email: flag(sent, "publish_without_email"),
        unpublish_event: flag(sent, "unpublish_event"),
        self_signed: flag(sent, "self_signed"),
        pull_rules: json_text(sent, "pull_rules")?,
        push_rules: json_text(sent, "push_rules")?,
        internal: flag(sent, "internal"),
        skip_proxy: flag(sent, "skip_proxy"),
        remove_missing_tags: flag(sent, "remove_missing_tags"),
        caching_enabled: flag(sent, "caching_enabled"),
    })
}

/// GET /servers/index[/search:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Server")?;
    let search = request.path.named("search").map(str::to_owned).or_else(|| text(&sent, "search"));
    let search = search.filter(|text| !text.trim().is_empty());
    let (servers, orgs) = request.service.read(&request.actor, |r| {
        let servers = r.servers(search.as_deref())?;
        let orgs = r.orgs_of_servers(&servers)?;
        Ok((servers, orgs))
    })?;
    Ok(list(&servers, |w, server| {
        write_listed_server(w, server, orgs.get(&server.org_id), orgs.get(&server.remote_org_id));
    }))
}

/// POST /servers/add
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Server")?;
    let added = draft(&sent).and_then(|draft| service::add(&request.service, &request.actor, draft));
    let server = added.saving("add", "Server")?;
    Ok(document(|w| write_saved_server(w, &server)))
}

/// POST /servers/edit/{id}
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let sent = request.unwrapped("Server")?;
    let edited = draft(&sent).and_then(|draft| service::edit(&request.service, &request.actor, id, draft));
    let server = edited.saving("edit", "Server")?;
    Ok(document(|w| write_saved_server(w, &server)))
}

/// POST /servers/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Server deleted"))
}

/// POST /servers/changePriority/{id}/{up|down}
pub(crate) fn change_priority(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let up = match request.path.arg(1).unwrap_or("down") {
        "up" => true,
        "down" => false,
        _ => return Err(Failure::BadRequest("Invalid direction. Valid options: up, down".into())),
    };
    if service::reprioritise(&request.service, &request.actor, id, up)? {
        return Ok(saved(request, "Priority changed."));
    }
    let reason = "Priority could not be changed.".to_owned();
    Err(Failure::NotSaved { action: "changePriority", model: "Servers", reason, id: Some(id) })
}

/// GET|POST /servers/createSync: what another server needs to connect to this one, with a new key.
pub(crate) fn create_sync(request: &Request) -> Result<Answer, Failure> {
    let made = service::sync_description(&request.service, &request.actor).map_err(|e| match e {
        Error::Refused(reason) => Failure::NotAllowed(reason),
        other => other.into(),
    })?;
    let policy = &request.service.policy;
    Ok(document(|w| write_sync_description(w, &policy.base_url, policy.instance_uuid, &made.key, &made.org)))
}

/// POST /servers/import: the answer of another server's createSync.
pub(crate) fn import(request: &Request) -> Result<Answer, Failure> {
    let mut sent = request.unwrapped("Server")?;
    if let Some(json) = text(&sent, "json") {
        let mut document: Value = serde_json::from_str(&json).map_err(|_| Failure::BadJson)?;
        sent = document.get_mut("Server").map_or(Value::Null, Value::take);
    }
    let org = sent.get("Organisation").cloned().unwrap_or_default();
    let org = OrgRef {
        id: None,
        uuid: text(&org, "uuid").and_then(|t| Uuid::try_parse(&t).ok()),
        name: text(&org, "name"),
    };
    let described = ServerDraft {
        name: text(&sent, "name"),
        url: text(&sent, "url"),
        authkey: text(&sent, "authkey"),
        ..ServerDraft::default()
    };
    let imported = service::import(&request.service, &request.actor, described, &org);
    let server = imported.saving("addFromJson", "Servers")?;
    Ok(document(|w| write_saved_server(w, &server)))
}

/// GET /servers/getInstanceUUID
pub(crate) fn instance_uuid(request: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| {
        w.begin_object();
        w.key("uuid");
        w.uuid(request.service.policy.instance_uuid);
        w.end_object();
    }))
}

/// POST /servers/postTest: what arrived, for a server that tests its connection.
pub(crate) fn post_test(request: &Request) -> Result<Answer, Failure> {
    let body = request.value()?.to_string();
    let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok());
    Ok(document(|w| {
        w.begin_object();
        w.key("body");
        w.raw(body.as_bytes());
        w.key("headers");
        w.begin_object();
        for (name, value) in [("Content-type", header("content-type")), ("Accept", header("accept"))] {
            w.key(name);
            match value {
                Some(value) => w.str(value),
                None => w.int(0),
            }
        }
        // The key itself is never repeated.
        member(w, "Authorization", "OK");
        w.end_object();
        w.end_object();
    }))
}
