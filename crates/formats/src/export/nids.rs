//! `snort` and `suricata`: rules for what can be seen on the wire. The two differ where Suricata has words
//! for a protocol and Snort counts bytes.

mod given;

use super::{AttributeFormat, EventSummary, ExportOptions, ExportRow, Scope, is_host_name};
use pisax_model::correlation::Net;
use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Snort,
    Suricata,
}

pub(super) struct Nids {
    engine: Engine,
    first_sid: i64,
    /// Where an event is read about.
    events: String,
    scope: Scope,
    /// The object whose attributes are coming, when it is a rule of its own.
    object: Option<Connection>,
}

/// What an object of traffic says.
struct Connection {
    id: i64,
    /// Number of its first attribute, which the rule is numbered after.
    attribute: i64,
    ddos: bool,
    about: About,
    protocol: Option<&'static str>,
    ends: [Option<String>; 2],
    ports: [Option<u16>; 2],
}

/// What a rule says of its event.
#[derive(Clone)]
struct About {
    event: i64,
    tags: String,
    priority: i64,
}

/// Rules that one attribute may have; the number of an attribute times this keeps them apart.
const RULES_PER_ATTRIBUTE: i64 = 10;

type Words = Cow<'static, str>;

/// A rule but for its number.
struct Rule {
    protocol: &'static str,
    from: (Words, Words),
    to: (Words, Words),
    message: String,
    /// Options in front of those every rule has, each with its semicolon and a blank before it.
    options: String,
}

const HOME: Words = Cow::Borrowed("$HOME_NET");
const OUTSIDE: Words = Cow::Borrowed("$EXTERNAL_NET");
const ANY: Words = Cow::Borrowed("any");
/// Keeps what follows in a session.
const SESSION: &str = " tag:session,600,seconds;";
const TO_SERVER: &str = " flow:to_server,established;";

impl Nids {
    pub(super) fn new(engine: Engine, options: &ExportOptions) -> Self {
        // The scheme is the engine's own.
        let base = options.base_url.split_once("://").map_or(options.base_url.as_str(), |(_, rest)| rest);
        Self {
            engine,
            first_sid: options.nids_sid,
            events: format!("{}/events/view", said(base)),
            scope: options.scope,
            object: None,
        }
    }

    fn write(&self, rule: &Rule, about: &About, sid: i64, out: &mut Vec<u8>) {
        let ((from, from_port), (to, to_port)) = (&rule.from, &rule.to);
        let line = format!(
            "alert {} {from} {from_port} -> {to} {to_port} (msg:\"{}\";{} {})\n",
            rule.protocol,
            message(about, &rule.message),
            rule.options,
            self.tail(about, sid)
        );
        out.extend_from_slice(line.as_bytes());
    }

    /// The options every rule ends with.
    fn tail(&self, about: &About, sid: i64) -> String {
        format!(
            "classtype:trojan-activity; sid:{sid}; rev:1; priority:{}; reference:url,{}/{};",
            about.priority, self.events, about.event
        )
    }

    fn rules(&self, kind: &str, one: &str, two: &str) -> Vec<Rule> {
        match kind {
            "ip-dst" | "ip-dst|port" => address(one, two, true).into_iter().collect(),
            "ip-src" | "ip-src|port" => address(one, two, false).into_iter().collect(),
            "domain" => self.name(one, true),
            "hostname" => self.name(one, false),
            "domain|ip" => {
                let mut rules = self.name(one, true);
                rules.extend(address(two, "", true));
                rules.extend(address(two, "", false));
                rules
            }
            "url" => self.url(one).into_iter().collect(),
            "user-agent" => {
                let options = match self.engine {
                    Engine::Suricata => format!(" http.user_agent; content:\"{}\";", content(one)),
                    Engine::Snort => format!(" content:\"User-Agent|3a| {}\"; http_header;", content(one)),
                };
                vec![self.web(format!("Outgoing User-Agent: {one}"), options)]
            }
            "ja3-fingerprint-md5" if self.engine == Engine::Suricata => vec![Rule {
                protocol: "tls",
                from: (HOME, ANY),
                to: (OUTSIDE, ANY),
                message: format!("JA3 Hash: {one}"),
                options: format!(" ja3.hash; content:\"{}\";", content(&one.to_ascii_lowercase())),
            }],
            "email" => vec![mail("MAIL FROM|3a|", one, "Source"), mail("RCPT TO|3a|", one, "Destination")],
            "email-src" => vec![mail("MAIL FROM|3a|", one, "Source")],
            "email-dst" => vec![mail("RCPT TO|3a|", one, "Destination")],
            "email-subject" => vec![mail("Subject|3a|", one, "Bad Email Subject")],
            "email-attachment" => {
                vec![mail("Content-Disposition|3a| attachment|3b| filename", one, "Bad Email Attachment")]
            }
            _ => Vec::new(),
        }
    }

    fn web(&self, message: String, options: String) -> Rule {
        let (protocol, port) = match self.engine {
            Engine::Suricata => ("http", ANY),
            Engine::Snort => ("tcp", "$HTTP_PORTS".into()),
        };
        let options = format!("{TO_SERVER}{options}{SESSION}");
        Rule { protocol, from: (HOME, ANY), to: (OUTSIDE, port), message, options }
    }

    /// Questions for a name, and requests that name it; with names below it for a domain.
    fn name(&self, name: &str, below_too: bool) -> Vec<Rule> {
        if !is_host_name(name) || !name.is_ascii() {
            return Vec::new();
        }
        let what = if below_too { "Domain" } else { "Hostname" };
        let name = name.to_ascii_lowercase();
        match self.engine {
            Engine::Suricata => {
                // dotprefix puts a dot before the buffer: the name itself and names below it end with it.
                let whole = |buffer: &str, nocase: &str| match below_too {
                    true => format!(" {buffer}; dotprefix; content:\".{name}\";{nocase} endswith;"),
                    false => format!(" {buffer}; content:\"{name}\";{nocase} startswith; endswith;"),
                };
                let question = Rule {
                    protocol: "dns",
                    from: (ANY, ANY),
                    to: (ANY, ANY),
                    message: format!("{what}: {name}"),
                    options: whole("dns.query", " nocase;"),
                };
                let secure = Rule {
                    protocol: "tls",
                    from: (HOME, ANY),
                    to: (OUTSIDE, ANY),
                    message: format!("Outgoing TLS {what}: {name}"),
                    options: format!("{TO_SERVER}{}", whole("tls.sni", " nocase;")),
                };
                // http.host is in lower case already, and wants no nocase.
                let plain = self.web(format!("Outgoing HTTP {what}: {name}"), whole("http.host", ""));
                vec![question, plain, secure]
            }
            Engine::Snort => {
                let mut raw: String =
                    name.split('.').map(|label| format!("|{:02x}|{label}", label.len())).collect();
                raw.push_str("|00|");
                let first = if below_too { "" } else { "|00 00 00 00 00 00|" };
                // One question in a standard query; a host name begins right after the header.
                let udp = format!(
                    " content:\"|01|\"; offset:2; depth:1; content:\"{first}{raw}\"; fast_pattern; nocase;"
                );
                let question = |protocol, options| Rule {
                    protocol,
                    from: (ANY, ANY),
                    to: (ANY, "53".into()),
                    message: format!("{what}: {name}"),
                    options,
                };
                let tcp = format!("{TO_SERVER} content:\"{first}{raw}\"; fast_pattern; nocase;");
                let before = if below_too { "[^A-Za-z0-9-]" } else { "[^A-Za-z0-9-\\.]" };
                let expression = name.replace('.', "\\.").replace('-', "\\-");
                let host = format!(
                    " content:\"Host|3a|\"; nocase; http_header; content:\"{name}\"; fast_pattern; nocase; http_header; \
                     pcre:\"/{before}{expression}[^A-Za-z0-9-\\.]/Hi\";"
                );
                vec![
                    question("udp", udp),
                    question("tcp", tcp),
                    self.web(format!("Outgoing HTTP {what}: {name}"), host),
                ]
            }
        }
    }

    fn url(&self, url: &str) -> Option<Rule> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => host,
        };
        let host = host.to_ascii_lowercase();
        let message = format!("Outgoing HTTP URL: {url}");
        if scheme.eq_ignore_ascii_case("https") {
            // The path is out of sight; the name is not. An address alone would hit too much.
            if self.engine == Engine::Snort || !is_host_name(&host) || Net::parse(&host).is_some() {
                return None;
            }
            return Some(Rule {
                protocol: "tls",
                from: (HOME, ANY),
                to: (OUTSIDE, ANY),
                message: format!("Outgoing HTTPS URL: {url}"),
                options: format!(
                    "{TO_SERVER} tls.sni; content:\"{host}\"; nocase; startswith; endswith;{SESSION}"
                ),
            });
        }
        let path = path.split('#').next().unwrap_or_default();
        let options = match (self.engine, path) {
            (_, _) if host.is_empty() => return None,
            (Engine::Suricata, "" | "/") => {
                format!(" http.host; content:\"{}\"; startswith; endswith;", content(&host))
            }
            (Engine::Suricata, path) => format!(
                " http.host; content:\"{}\"; startswith; endswith; http.uri; content:\"{}\"; startswith;",
                content(&host),
                content(path)
            ),
            (Engine::Snort, "" | "/") => {
                format!(" content:\"Host|3a| {}|0d 0a|\"; nocase; http_header;", content(&host))
            }
            (Engine::Snort, path) => format!(
                " content:\"Host|3a| {}\"; nocase; http_header; content:\"{}\"; http_uri;",
                content(&host),
                content(path)
            ),
        };
        Some(self.web(message, options))
    }

    /// Takes an attribute of an object of traffic; the rule comes with the object's end.
    fn connect(&mut self, row: &ExportRow<'_>, about: &About, out: &mut Vec<u8>) -> bool {
        let attribute = &row.attribute;
        let object = row.object.filter(|_| self.scope == Scope::Events);
        let Some(object) = object.filter(|o| matches!(o.name, "network-connection" | "ddos")) else {
            self.finish_object(out);
            return false;
        };
        if self.object.as_ref().is_none_or(|c| c.id != object.id) {
            self.finish_object(out);
            self.object = Some(Connection {
                id: object.id,
                attribute: attribute.id,
                ddos: object.name == "ddos",
                about: about.clone(),
                protocol: None,
                ends: [None, None],
                ports: [None, None],
            });
        }
        let Some(connection) = &mut self.object else { return true };
        let value = attribute.value1;
        match attribute.object_relation.unwrap_or_default() {
            "layer4-protocol" | "protocol" => {
                connection.protocol = match value.to_ascii_lowercase().as_str() {
                    "tcp" => Some("tcp"),
                    "udp" => Some("udp"),
                    "icmp" => Some("icmp"),
                    _ => None,
                };
            }
            "ip-src" => connection.ends[0] = Net::parse(value).map(|_| value.to_owned()),
            "ip-dst" => connection.ends[1] = Net::parse(value).map(|_| value.to_owned()),
            "src-port" => connection.ports[0] = value.parse().ok(),
            "dst-port" => connection.ports[1] = value.parse().ok(),
            _ => {}
        }
        true
    }

    fn finish_object(&mut self, out: &mut Vec<u8>) {
        let Some(connection) = self.object.take() else { return };
        let [source, target] = connection.ends;
        if source.is_none() && target.is_none() {
            return;
        }
        let port = |port: Option<u16>| port.map_or(ANY, |port| port.to_string().into());
        let end = |ip: Option<String>| ip.map_or(HOME, Cow::Owned);
        let (source, target) = (end(source), end(target));
        let what = if connection.ddos { "DDOS attack detected" } else { "Network connection" };
        let with_port = connection.ports.iter().any(Option::is_some);
        let rule = Rule {
            // Only these know ports.
            protocol: connection.protocol.unwrap_or(if with_port { "tcp" } else { "ip" }),
            message: format!("{what} between {source} and {target}"),
            from: (source, port(connection.ports[0])),
            to: (target, port(connection.ports[1])),
            options: String::new(),
        };
        let sid = self.first_sid + connection.attribute * RULES_PER_ATTRIBUTE + 1;
        self.write(&rule, &connection.about, sid, out);
    }
}

/// Traffic to or from an address, or its port.
fn address(ip: &str, port: &str, outgoing: bool) -> Option<Rule> {
    Net::parse(ip)?;
    let port = if port.is_empty() { None } else { Some(port.parse::<u16>().ok()?) };
    let end = (Words::Owned(ip.to_owned()), port.map_or(ANY, |port| port.to_string().into()));
    let tail = port.map(|port| format!("|{port}")).unwrap_or_default();
    let protocol = if port.is_some() { "tcp" } else { "ip" };
    let options = String::new();
    Some(match outgoing {
        true => Rule {
            protocol,
            from: (HOME, ANY),
            to: end,
            message: format!("Outgoing To IP: {ip}{tail}"),
            options,
        },
        false => Rule {
            protocol,
            from: end,
            to: (HOME, ANY),
            message: format!("Incoming From IP: {ip}{tail}"),
            options,
        },
    })
}

fn mail(head: &str, value: &str, what: &str) -> Rule {
    let what = match what {
        "Source" | "Destination" => format!("{what} Email Address: {value}"),
        other => format!("{other}: {value}"),
    };
    Rule {
        protocol: "tcp",
        from: (OUTSIDE, ANY),
        to: ("$SMTP_SERVERS".into(), "[25,587]".into()),
        message: what,
        options: format!(
            "{TO_SERVER} content:\"{head}\"; nocase; content:\"{}\"; fast_pattern; nocase;{SESSION}",
            content(value)
        ),
    }
}

fn message(about: &About, text: &str) -> String {
    format!("MISP e{} [{}] {}", about.event, about.tags, said(text))
}

/// Text in quotes that neither engine reads anything into.
fn said(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '"' => '\'',
            ';' => ',',
            '\\' => '/',
            c => c,
        })
        .collect()
}

/// Bytes to look for: what has a meaning in a rule, or is no plain letter, in hexadecimal.
fn content(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut hex = false;
    for byte in text.bytes() {
        let plain = matches!(byte, b' '..=b'~') && !b"|\";:\\".contains(&byte);
        if plain == hex {
            out.push('|');
            hex = !hex;
        } else if hex {
            out.push(' ');
        }
        match plain {
            true => out.push(byte as char),
            false => out.push_str(&format!("{byte:02x}")),
        }
    }
    if hex {
        out.push('|');
    }
    out
}

fn about(event: &EventSummary<'_>, tags: &[&str], event_tags: &[&str]) -> About {
    let tags: Vec<&str> = tags.iter().chain(event_tags).copied().collect();
    About { event: event.id, tags: said(&tags.join(",")), priority: event.threat_level_id.clamp(1, 4) }
}

impl AttributeFormat for Nids {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let engine = match self.engine {
            Engine::Snort => "snort",
            Engine::Suricata => "suricata",
        };
        let head = format!(
            "# MISP export of IDS rules - optimized for {engine}\n#\n\
             # These rules use variables that have to be set in the engine's configuration:\n#\n\
             # $HOME_NET     - the networks that are yours\n\
             # $EXTERNAL_NET - the networks that are not\n\
             # $SMTP_SERVERS - your mail servers\n\
             # $HTTP_PORTS   - ports of unencrypted HTTP (Snort only)\n#\n"
        );
        out.extend_from_slice(head.as_bytes());
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        let about = about(&row.event, row.tags, row.event_tags);
        if self.connect(row, &about, out) {
            return;
        }
        let first = self.first_sid + attribute.id * RULES_PER_ATTRIBUTE + 1;
        if attribute.kind.name() == "snort" {
            let tail = self.tail(&about, first);
            if let Some(rule) = given::adopt(attribute.value1, |old| message(&about, old), &tail) {
                out.extend_from_slice(rule.as_bytes());
                out.push(b'\n');
            }
            return;
        }
        for (sid, rule) in
            (first..).zip(self.rules(attribute.kind.name(), attribute.value1, attribute.value2))
        {
            self.write(&rule, &about, sid, out);
        }
    }

    fn end_event(&mut self, out: &mut Vec<u8>) {
        self.finish_object(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.finish_object(out);
    }

    fn extension(&self) -> &'static str {
        "rules"
    }

    fn restrictive(&self) -> bool {
        true
    }

    fn wants_event_tags(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_rule_is_written_in_hexadecimal() {
        assert_eq!(content("a|b\";c"), "a|7c|b|22 3b|c");
        assert_eq!(content("é"), "|c3 a9|");
        assert_eq!(content("plain /text?x=1"), "plain /text?x=1");
        assert_eq!(said("a\"b;c\\d\n"), "a'b,c/d");
    }

    fn options(engine: Engine, kind: &str, value: &str) -> Vec<String> {
        let options = ExportOptions { base_url: "https://misp.example".into(), ..ExportOptions::default() };
        let nids = Nids::new(engine, &options);
        nids.rules(kind, value, "").iter().map(|r| format!("{}{}", r.protocol, r.options)).collect()
    }

    #[test]
    fn a_domain_is_looked_for_where_each_engine_sees_it() {
        let rules = options(Engine::Suricata, "domain", "Evil.example");
        assert_eq!(rules[0], "dns dns.query; dotprefix; content:\".evil.example\"; nocase; endswith;");
        assert!(rules[1].starts_with("http flow:to_server,established; http.host; dotprefix;"));
        assert!(rules[2].contains("tls.sni"));
        let rules = options(Engine::Snort, "domain", "evil.example");
        assert!(rules[0].contains("content:\"|04|evil|07|example|00|\""), "{}", rules[0]);
        assert!(rules[1].starts_with("tcp") && rules[2].contains("http_header"));
    }

    #[test]
    fn values_that_no_rule_can_hold_make_none() {
        for (kind, value) in
            [("domain", "not a name"), ("ip-dst", "nonsense"), ("domain", "a\"b.example"), ("text", "x")]
        {
            assert!(options(Engine::Suricata, kind, value).is_empty(), "{kind} {value}");
        }
        assert!(options(Engine::Snort, "url", "https://only.example/x").is_empty());
        assert_eq!(options(Engine::Suricata, "url", "https://only.example/x").len(), 1);
    }
}
