//! MISP's words and odd statuses, in one place, each with why a client minds.

pub use pisax_wire::MISP_VERSION;
/// The PyMISP of that version.
pub const PYMISP_VERSION: &str = "2.5.34";

/// What a missing or invisible record is called.
pub fn invalid(noun: &str) -> &'static str {
    match noun {
        "event" => "Invalid event",
        "target event" => "Invalid target event.",
        "source event" => "Invalid source event.",
        "attribute" => "Invalid attribute",
        "object" => "Invalid object",
        "reference" => "Invalid object reference",
        "target" => "Invalid target",
        "tag" => "Invalid tag",
        "organisation" => "Invalid organisation",
        "user" => "Invalid user",
        "role" => "Invalid role",
        "sharing group" => "Invalid sharing group or no editing rights.",
        "sighting" => "Invalid sighting",
        "proposal" => "Invalid proposal.",
        "delegation" => "Invalid delegation",
        "auth key" => "Invalid auth key",
        "server" => "Invalid server",
        "taxonomy" => "Invalid taxonomy",
        "report" => "Invalid report",
        "event graph" => "Invalid EventGraph",
        "warninglist" => "Invalid Warninglist.",
        "noticelist" => "Noticelist not found.",
        "decaying model" => "No Decaying Model with the provided ID exists",
        "correlation exclusion" => "Invalid CorrelationExclusion.",
        "feed" => "Invalid feed",
        "cryptographic key" => "Invalid cryptographic key",
        "job" => "Invalid job",
        "blocklist entry" => "Invalid blocklist entry",
        "user setting" => "Invalid user setting.",
        "inbox message" => "Invalid inbox message",
        "bookmark" => "Invalid Bookmark",
        "news item" => "Invalid news item.",
        "rest call" => "Invalid entry.",
        "collection" => "Invalid collection.",
        "collection element" => "Invalid collection element.",
        "dashboard" => "Invalid dashboard template.",
        "webhook" => "Invalid Webhook.",
        "blueprint" => "Invalid Sharing Group Blueprint",
        _ => "Not Found",
    }
}
