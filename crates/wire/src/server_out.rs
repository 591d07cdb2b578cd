//! Other servers in MISP's shape (194).

use crate::json::{JsonWriter, k};
use pisax_model::Uuid;
use pisax_model::org::Org;
use pisax_model::server::Server;

/// `{"Server":{…}}` of an addition or edit: with the key, which whoever may change it knows.
pub fn write_saved_server(w: &mut JsonWriter<'_>, server: &Server) {
    w.begin_object();
    w.name(k!("Server"));
    w.begin_object();
    w.num(k!("id"), server.id);
    w.text(k!("name"), &server.name);
    w.text(k!("url"), &server.url);
    w.text(k!("authkey"), &server.authkey);
    columns(w, server);
    w.end_object();
    w.end_object();
}

/// An item of `servers/index`: without the key, with the organisations.
pub fn write_listed_server(w: &mut JsonWriter<'_>, server: &Server, own: Option<&Org>, remote: Option<&Org>) {
    w.begin_object();
    w.name(k!("Server"));
    w.begin_object();
    w.num(k!("id"), server.id);
    w.text(k!("name"), &server.name);
    w.text(k!("url"), &server.url);
    columns(w, server);
    w.flag(k!("cache_timestamp"), false);
    w.end_object();
    w.name(k!("Organisation"));
    org(w, own);
    w.name(k!("RemoteOrg"));
    org(w, remote);
    w.list(k!("User"), b"");
    w.end_object();
}

fn columns(w: &mut JsonWriter<'_>, server: &Server) {
    w.num(k!("org_id"), server.org_id);
    w.flag(k!("push"), server.push);
    w.flag(k!("pull"), server.pull);
    w.flag(k!("push_sightings"), server.push_sightings);
    w.flag(k!("push_galaxy_clusters"), server.push_galaxy_clusters);
    w.flag(k!("push_analyst_data"), server.push_analyst_data);
    w.flag(k!("pull_analyst_data"), server.pull_analyst_data);
    w.flag(k!("pull_galaxy_clusters"), server.pull_galaxy_clusters);
    w.num_or_null(k!("lastpulledid"), server.lastpulledid);
    w.num_or_null(k!("lastpushedid"), server.lastpushedid);
    w.text_or_null(k!("organization"), server.organization.as_deref());
    w.num(k!("remote_org_id"), server.remote_org_id);
    w.flag(k!("publish_without_email"), server.publish_without_email);
    w.flag(k!("unpublish_event"), server.unpublish_event);
    w.flag(k!("self_signed"), server.self_signed);
    w.text(k!("pull_rules"), &server.pull_rules);
    w.text(k!("push_rules"), &server.push_rules);
    w.text_or_null(k!("cert_file"), server.cert_file.as_deref());
    w.text_or_null(k!("client_cert_file"), server.client_cert_file.as_deref());
    w.flag(k!("internal"), server.internal);
    w.flag(k!("skip_proxy"), server.skip_proxy);
    w.flag(k!("remove_missing_tags"), server.remove_missing_tags);
    w.flag(k!("caching_enabled"), server.caching_enabled);
    w.num(k!("priority"), server.priority);
}

fn org(w: &mut JsonWriter<'_>, org: Option<&Org>) {
    w.begin_object();
    if let Some(org) = org {
        w.num(k!("id"), org.id);
        w.text(k!("name"), &org.name);
        w.id(k!("uuid"), org.uuid);
        w.text(k!("nationality"), &org.nationality);
        w.text(k!("sector"), &org.sector);
        w.text(k!("type"), &org.kind);
    }
    w.end_object();
}

/// `{"Server":{…}}` of `servers/createSync`: what another server imports.
pub fn write_sync_description(w: &mut JsonWriter<'_>, url: &str, uuid: Uuid, key: &str, org: &Org) {
    w.begin_object();
    w.name(k!("Server"));
    w.begin_object();
    w.text(k!("url"), url);
    w.id(k!("uuid"), uuid);
    w.text(k!("authkey"), key);
    w.name(k!("Organisation"));
    w.begin_object();
    w.text(k!("name"), &org.name);
    w.id(k!("uuid"), org.uuid);
    w.end_object();
    w.end_object();
    w.end_object();
}
