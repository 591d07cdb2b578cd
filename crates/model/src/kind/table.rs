//! The whole vocabulary: 194 types (MISP semantics 2.2).

use super::form::EmailCare::{AsSent, Lowered as LoweredCase, Refanged};
use super::form::Form::{self, *};
use super::form::HashForm::*;
use crate::Category;

/// What is known of one type.
pub(super) struct Row {
    pub name: &'static str,
    pub form: Form,
    pub default_category: Category,
    pub to_ids: bool,
    /// Set of [`Category::bit`]s.
    pub allowed: u16,
}

const fn row(name: &'static str, form: Form, default: u16, to_ids: bool, allowed: u16) -> Row {
    let default_category = Category::at(default.trailing_zeros() as u8);
    Row { name, form, default_category, to_ids, allowed }
}

const fn bit(position: u8) -> u16 {
    Category::at(position).bit()
}

// Categories by their initials, as in the semantics.
const IR: u16 = bit(0);
const TD: u16 = bit(1);
const AV: u16 = bit(2);
const PD: u16 = bit(3);
const AD: u16 = bit(4);
const PI: u16 = bit(5);
const PM: u16 = bit(6);
const NA: u16 = bit(7);
const PT: u16 = bit(8);
const AT: u16 = bit(9);
const EA: u16 = bit(10);
const FF: u16 = bit(11);
const ST: u16 = bit(12);
const SN: u16 = bit(13);
const PE: u16 = bit(14);
const OT: u16 = bit(15);
const ALL: u16 = u16::MAX;
const IDS: bool = true;
const NO_IDS: bool = false;

/// In the order of MISP's describeTypes document of 2026. The position is the stored code: append new types
/// at the end, wherever MISP puts them.
pub(super) static ROWS: [Row; 194] = [
    row("md5", Hash(Hex(32)), PD, IDS, PD | AD | PI | EA),
    row("sha1", Hash(Hex(40)), PD, IDS, PD | AD | PI | EA),
    row("sha256", Hash(Hex(64)), PD, IDS, PD | AD | PI | EA),
    row("filename", Line, PD, IDS, PD | AD | PI | PM | EA),
    row("pdb", Line, AD, NO_IDS, AD),
    row("filename|md5", NamedHash(Hex(32)), PD, IDS, PD | AD | PI | EA),
    row("filename|sha1", NamedHash(Hex(40)), PD, IDS, PD | AD | PI | EA),
    row("filename|sha256", NamedHash(Hex(64)), PD, IDS, PD | AD | PI | EA),
    row("ip-src", Ip, NA, IDS, PD | NA | EA),
    row("ip-dst", Ip, NA, IDS, PD | NA | EA),
    row("hostname", Hostname, NA, IDS, PD | NA | EA),
    row("domain", Domain, NA, IDS, PD | NA | EA),
    row("domain|ip", DomainIp, NA, IDS, NA | EA),
    row("email", Email(Refanged), SN, IDS, PD | NA | AT | SN | PE),
    row("email-src", Email(Refanged), PD, IDS, PD | NA | SN),
    row("eppn", Email(AsSent), NA, IDS, NA | SN),
    row("email-dst", Email(Refanged), NA, IDS, PD | NA | SN),
    row("email-subject", Line, PD, NO_IDS, PD | NA),
    row("email-attachment", Free, PD, IDS, PD),
    row("email-body", Free, PD, NO_IDS, PD),
    row("float", Numeric, OT, NO_IDS, OT),
    row("git-commit-id", Hash(Commit), IR, NO_IDS, IR),
    row("url", Url, NA, IDS, PD | NA | EA),
    row("http-method", HttpMethod, NA, NO_IDS, NA),
    row("user-agent", Line, NA, NO_IDS, PD | NA | EA),
    row("ja3-fingerprint-md5", Hash(Hex(32)), NA, IDS, PD | NA | EA),
    row("jarm-fingerprint", Hash(Hex(62)), NA, IDS, PD | NA | EA),
    row("favicon-mmh3", Line, NA, IDS, NA),
    row("hassh-md5", Hash(Hex(32)), NA, IDS, PD | NA | EA),
    row("hasshserver-md5", Hash(Hex(32)), NA, IDS, PD | NA | EA),
    row("regkey", Line, PM, IDS, AD | PM | EA),
    row("regkey|value", RegkeyValue, PM, IDS, AD | PM | EA),
    row("AS", As, NA, NO_IDS, PD | NA | EA),
    row("snort", Free, NA, IDS, NA | EA),
    row("suricata", Free, NA, IDS, NA | EA),
    row("bro", Free, NA, IDS, NA | EA),
    row("zeek", Free, NA, IDS, NA | EA),
    row("community-id", Free, NA, IDS, NA | EA),
    row("dom-hash", Hash(Hex(32)), NA, IDS, NA | EA),
    row("pattern-in-file", Free, PI, IDS, PD | AD | PI | NA | EA),
    row("pattern-in-traffic", Free, NA, IDS, PD | PI | NA | EA),
    row("pattern-in-memory", Free, PI, IDS, AD | PI | EA),
    row("filename-pattern", Free, PI, IDS, PD | AD | PI | NA | EA),
    row("pgp-public-key", Free, PE, NO_IDS, AD | SN | PE | OT),
    row("pgp-private-key", Free, PE, NO_IDS, AD | SN | PE | OT),
    row("ssh-fingerprint", SshFingerprint, NA, NO_IDS, NA),
    row("yara", Free, PI, IDS, PD | AD | PI),
    row("stix2-pattern", Free, PI, IDS, PD | AD | PI | NA),
    row("sigma", Free, PI, IDS, PD | AD | PI),
    row("gene", Free, AD, NO_IDS, AD),
    row("kusto-query", Free, AD, NO_IDS, AD),
    row("mime-type", Free, AD, NO_IDS, PD | AD | PI),
    row("identity-card-number", Free, PE, NO_IDS, PE),
    row("cookie", Free, NA, NO_IDS, AD | NA),
    row("vulnerability", Vulnerability, EA, NO_IDS, PD | PI | EA),
    row("cpe", Free, EA, NO_IDS, PD | PI | EA | OT),
    row("weakness", Weakness, EA, NO_IDS, PD | PI | EA),
    row("attachment", Free, EA, NO_IDS, AV | PD | AD | PI | NA | EA | ST),
    row("malware-sample", Sample, PD, IDS, PD | AD | PI | EA),
    row("link", Link, EA, NO_IDS, IR | AV | PD | EA | ST),
    row("comment", Free, OT, NO_IDS, ALL),
    row("text", Free, OT, NO_IDS, ALL & !TD),
    row("hex", HexText, OT, NO_IDS, ALL & !(TD | PT | AT | EA | SN | PE)),
    row("other", Free, OT, NO_IDS, ALL & !TD),
    row("named pipe", Line, AD, NO_IDS, AD),
    row("mutex", Free, AD, IDS, AD),
    row("process-state", Free, AD, NO_IDS, AD),
    row("target-user", Line, TD, NO_IDS, TD),
    row("target-email", Email(LoweredCase), TD, NO_IDS, TD),
    row("target-machine", Line, TD, NO_IDS, TD),
    row("target-org", Line, TD, NO_IDS, TD),
    row("target-location", Line, TD, NO_IDS, TD),
    row("target-external", Line, TD, NO_IDS, TD),
    row("btc", Alphanumeric, FF, IDS, FF),
    row("dash", Alphanumeric, FF, IDS, FF),
    row("xmr", Alphanumeric, FF, IDS, FF),
    row("iban", BankCode, FF, IDS, FF),
    row("bic", BankCode, FF, IDS, FF),
    row("bank-account-nr", Numeric, FF, IDS, FF),
    row("aba-rtn", Numeric, FF, IDS, FF),
    row("bin", Digits, FF, IDS, FF),
    row("cc-number", Digits, FF, IDS, FF),
    row("prtn", Phone, FF, IDS, FF),
    row("phone-number", Phone, PE, NO_IDS, FF | PE | OT),
    row("threat-actor", Line, AT, NO_IDS, AT),
    row("campaign-name", Line, AT, NO_IDS, AT),
    row("campaign-id", Line, AT, NO_IDS, AT),
    row("malware-type", Line, PD, NO_IDS, PD | PI),
    row("uri", Line, NA, IDS, NA),
    row("authentihash", Hash(Hex(64)), PD, IDS, PD | AD | PI),
    row("vhash", Hash(Vhash), PD, IDS, PD | AD | PI),
    row("ssdeep", Hash(Ssdeep), PD, IDS, PD | AD | PI),
    row("imphash", Hash(Hex(32)), PD, IDS, PD | AD | PI),
    row("telfhash", Hash(Telfhash), PD, IDS, PD | AD | PI),
    row("pehash", Hash(Pehash), PD, IDS, PD | PI),
    row("impfuzzy", Hash(Impfuzzy), PD, IDS, PD | AD | PI),
    row("sha224", Hash(Hex(56)), PD, IDS, PD | AD | PI),
    row("sha384", Hash(Hex(96)), PD, IDS, PD | AD | PI),
    row("sha512", Hash(Hex(128)), PD, IDS, PD | AD | PI),
    row("sha512/224", Hash(Hex(56)), PD, IDS, PD | AD | PI),
    row("sha512/256", Hash(Hex(64)), PD, IDS, PD | AD | PI),
    row("sha3-224", Hash(Hex(56)), PD, IDS, PD | AD | PI | EA),
    row("sha3-256", Hash(Hex(64)), PD, IDS, PD | AD | PI | EA),
    row("sha3-384", Hash(Hex(96)), PD, IDS, PD | AD | PI | EA),
    row("sha3-512", Hash(Hex(128)), PD, IDS, PD | AD | PI | EA),
    row("tlsh", Hash(Tlsh), PD, IDS, PD | PI),
    row("cdhash", Hash(Cdhash), PD, IDS, PD | AD | PI),
    row("filename|authentihash", NamedHash(Hex(64)), PD, IDS, PD | AD | PI),
    row("filename|vhash", NamedHash(Vhash), PD, IDS, PD | AD | PI),
    row("filename|ssdeep", NamedHash(Ssdeep), PD, IDS, PD | AD | PI),
    row("filename|imphash", NamedHash(Hex(32)), PD, IDS, PD | AD | PI),
    row("filename|impfuzzy", NamedHash(Impfuzzy), PD, IDS, PD | AD | PI),
    row("filename|pehash", NamedHash(Pehash), PD, IDS, PD | AD | PI),
    row("filename|sha224", NamedHash(Hex(56)), PD, IDS, PD | AD | PI),
    row("filename|sha384", NamedHash(Hex(96)), PD, IDS, PD | AD | PI),
    row("filename|sha512", NamedHash(Hex(128)), PD, IDS, PD | AD | PI),
    row("filename|sha512/224", NamedHash(Hex(56)), PD, IDS, PD | AD | PI),
    row("filename|sha512/256", NamedHash(Hex(64)), PD, IDS, PD | AD | PI),
    row("filename|sha3-224", NamedHash(Hex(56)), PD, IDS, PD | AD | PI | EA),
    row("filename|sha3-256", NamedHash(Hex(64)), PD, IDS, PD | AD | PI | EA),
    row("filename|sha3-384", NamedHash(Hex(96)), PD, IDS, PD | AD | PI | EA),
    row("filename|sha3-512", NamedHash(Hex(128)), PD, IDS, PD | AD | PI | EA),
    row("filename|tlsh", NamedHash(Tlsh), PD, IDS, PD | AD | PI),
    row("windows-scheduled-task", Line, AD, NO_IDS, AD),
    row("windows-service-name", ServiceName, AD, NO_IDS, AD),
    row("windows-service-displayname", ServiceName, AD, NO_IDS, AD),
    row("whois-registrant-email", Email(LoweredCase), AT, NO_IDS, PD | AT | SN),
    row("whois-registrant-phone", Phone, AT, NO_IDS, AT),
    row("whois-registrant-name", Line, AT, NO_IDS, AT),
    row("whois-registrant-org", Line, AT, NO_IDS, AT),
    row("whois-registrar", Line, AT, NO_IDS, AT),
    row("whois-creation-date", Line, AT, NO_IDS, AT),
    row("x509-fingerprint-sha1", Hash(Fingerprint(40)), NA, IDS, PD | AD | PI | NA | AT | EA),
    row("x509-fingerprint-md5", Hash(Fingerprint(32)), NA, IDS, PD | AD | PI | NA | AT | EA),
    row("x509-fingerprint-sha256", Hash(Fingerprint(64)), NA, IDS, PD | AD | PI | NA | AT | EA),
    row("dns-soa-email", Email(AsSent), AT, NO_IDS, AT),
    row("size-in-bytes", Whole, OT, NO_IDS, OT),
    row("counter", Whole, OT, NO_IDS, OT),
    row("integer", Integer, OT, NO_IDS, OT),
    row("datetime", DateTime, OT, NO_IDS, OT),
    row("port", Port, NA, NO_IDS, NA | OT),
    row("ip-dst|port", IpPort, NA, IDS, PD | NA | EA),
    row("ip-src|port", IpPort, NA, IDS, PD | NA | EA),
    row("hostname|port", HostnamePort, NA, IDS, PD | NA),
    row("mac-address", Mac(12), NA, NO_IDS, PD | NA | EA),
    row("mac-eui-64", Mac(16), NA, NO_IDS, PD | NA | EA),
    row("email-dst-display-name", Line, PD, NO_IDS, PD),
    row("email-src-display-name", Line, PD, NO_IDS, PD),
    row("email-header", Free, PD, NO_IDS, PD),
    row("email-reply-to", Line, PD, NO_IDS, PD),
    row("email-x-mailer", Line, PD, NO_IDS, PD),
    row("email-mime-boundary", Line, PD, NO_IDS, PD),
    row("email-thread-index", Line, PD, NO_IDS, PD),
    row("email-message-id", Line, PD, NO_IDS, PD),
    row("github-username", Line, SN, NO_IDS, SN),
    row("github-repository", Line, SN, NO_IDS, EA | SN),
    row("github-organisation", Line, SN, NO_IDS, SN),
    row("jabber-id", Email(AsSent), SN, NO_IDS, SN),
    row("twitter-id", Line, SN, NO_IDS, SN),
    row("dkim", Line, NA, NO_IDS, NA),
    row("dkim-signature", Line, NA, NO_IDS, NA),
    row("first-name", Free, PE, NO_IDS, PE),
    row("middle-name", Free, PE, NO_IDS, PE),
    row("last-name", Free, PE, NO_IDS, PE),
    row("full-name", Free, PE, NO_IDS, PE),
    row("date-of-birth", Line, PE, NO_IDS, PE),
    row("place-of-birth", Line, PE, NO_IDS, PE),
    row("gender", Line, PE, NO_IDS, PE),
    row("passport-number", Line, PE, NO_IDS, PE),
    row("passport-country", Line, PE, NO_IDS, PE),
    row("passport-expiration", Line, PE, NO_IDS, PE),
    row("redress-number", Line, PE, NO_IDS, PE),
    row("nationality", Line, PE, NO_IDS, PE),
    row("visa-number", Line, PE, NO_IDS, PE),
    row("issue-date-of-the-visa", Line, PE, NO_IDS, PE),
    row("primary-residence", Line, PE, NO_IDS, PE),
    row("country-of-residence", Line, PE, NO_IDS, PE),
    row("special-service-request", Line, PE, NO_IDS, PE),
    row("frequent-flyer-number", Line, PE, NO_IDS, PE),
    row("travel-details", Line, PE, NO_IDS, PE),
    row("payment-details", Line, PE, NO_IDS, PE),
    row("place-port-of-original-embarkation", Line, PE, NO_IDS, PE),
    row("place-port-of-clearance", Line, PE, NO_IDS, PE),
    row("place-port-of-onward-foreign-destination", Line, PE, NO_IDS, PE),
    row("passenger-name-record-locator-number", Line, PE, NO_IDS, PE),
    row("mobile-application-id", Line, PD, IDS, PD | PI),
    row("azure-application-id", Line, PD, IDS, PD | PI),
    row("chrome-extension-id", Line, PD, IDS, PD | PI),
    row("edge-extension-id", Line, PD, IDS, PD | PI),
    row("cortex", Json, EA, NO_IDS, EA),
    row("boolean", Boolean, OT, NO_IDS, OT),
    row("uuid", Uuid, OT, NO_IDS, OT),
    row("anonymised", Lowered, OT, NO_IDS, ALL),
    row("onion-address", Onion, NA, IDS, PD | NA | EA),
];

/// Marks a free slot of [`INDEX`].
const FREE: u8 = u8::MAX;
const SLOTS: usize = 1024;

/// Row numbers by the hash of the name, open-addressed; five slots a name keep the probes short.
pub(super) static INDEX: [u8; SLOTS] = {
    let mut slots = [FREE; SLOTS];
    let mut at = 0;
    while at < ROWS.len() {
        let mut slot = slot_of(ROWS[at].name.as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = at as u8;
        at += 1;
    }
    slots
};

/// FNV-1a, folded to a slot number.
const fn slot_of(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ (hash >> 16)) as usize % SLOTS
}

/// The row of a name.
pub(super) const fn find(name: &str) -> Option<u8> {
    let name = name.as_bytes();
    let mut slot = slot_of(name);
    while INDEX[slot] != FREE {
        if equal(ROWS[INDEX[slot] as usize].name.as_bytes(), name) {
            return Some(INDEX[slot]);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
