//! Public feeds that many MISP instances read. Names are those other instances know them by.

use pisax_model::feed::{Feed, SourceFormat};

/// Name, provider, address, format and how it is read.
type Known = (&'static str, &'static str, &'static str, SourceFormat, &'static str);

const PLAIN: &str = r#"{"csv":{"value":"","delimiter":","},"common":{"excluderegex":""}}"#;
const FIRST: &str = r#"{"csv":{"value":"1"}}"#;
const SECOND: &str = r#"{"csv":{"value":"2","delimiter":","},"common":{"excluderegex":""}}"#;
const THIRD: &str = r#"{"csv":{"value":"3","delimiter":","},"common":{"excluderegex":""}}"#;
const PIPES: &str = r#"{"csv":{"value":"3","delimiter":"|"},"common":{"excluderegex":""}}"#;

#[rustfmt::skip] // A line each, so that the table can be read.
const KNOWN: &[Known] = {
    use SourceFormat::{Csv, Freetext, Misp};
    &[
        ("CIRCL OSINT Feed", "CIRCL", "https://www.circl.lu/doc/misp/feed-osint", Misp, PLAIN),
        ("The Botvrij.eu Data", "Botvrij.eu", "https://www.botvrij.eu/data/feed-osint", Misp, PLAIN),
        ("URLhaus", "abuse.ch", "https://urlhaus.abuse.ch/downloads/misp/", Misp, PLAIN),
        ("MalwareBazaar", "abuse.ch", "https://bazaar.abuse.ch/downloads/misp/", Misp, PLAIN),
        ("Threatfox", "abuse.ch", "https://threatfox.abuse.ch/downloads/misp/", Misp, PLAIN),
        ("blockrules of rules.emergingthreats.net", "rules.emergingthreats.net", "https://rules.emergingthreats.net/blockrules/compromised-ips.txt", Csv, FIRST),
        ("Feodo IP Blocklist", "abuse.ch", "https://feodotracker.abuse.ch/downloads/ipblocklist.csv", Csv, SECOND),
        ("URLHaus Malware URLs", "abuse.ch", "https://urlhaus.abuse.ch/downloads/csv_recent/", Csv, THIRD),
        ("VNC RFB", "dataplane.org", "https://dataplane.org/vncrfb.txt", Csv, PIPES),
        ("DNS recursion desired IN ANY", "dataplane.org", "https://dataplane.org/dnsrdany.txt", Csv, PIPES),
        ("TELNET login", "dataplane.org", "https://dataplane.org/telnetlogin.txt", Csv, PIPES),
        ("OpenPhish url list", "openphish.com", "https://openphish.com/feed.txt", Freetext, PLAIN),
        ("firehol_level1", "iplists.firehol.org", "https://raw.githubusercontent.com/ktsaou/blocklist-ipsets/master/firehol_level1.netset", Freetext, PLAIN),
        ("ci-badguys.txt", "cinsscore.com", "https://cinsscore.com/list/ci-badguys.txt", Freetext, PLAIN),
        ("blocklist.de/lists/all.txt", "blocklist.de", "https://lists.blocklist.de/lists/all.txt", Freetext, PLAIN),
        ("List of malicious domains in Poland", "CERT-PL", "https://hole.cert.pl/domains/domains.txt", Freetext, PLAIN),
    ]
};

/// The feeds, switched off and seen by those who run the instance alone.
pub(super) fn feeds() -> impl Iterator<Item = Feed> {
    KNOWN.iter().map(|(name, provider, url, format, settings)| Feed {
        name: (*name).into(),
        provider: (*provider).into(),
        url: (*url).into(),
        source_format: *format,
        settings: (*settings).into(),
        // A MISP feed brings events of its own.
        fixed_event: *format != SourceFormat::Misp,
        distribution: 3,
        default: true,
        ..Feed::blank()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::feed::FeedDraft;

    #[test]
    fn every_known_feed_is_one_that_could_be_added_and_none_is_there_twice() {
        for mut feed in feeds() {
            assert!(feed.apply(FeedDraft::default()).is_ok(), "{}", feed.name);
            assert!(!feed.enabled && !feed.caching_enabled && feed.default);
            assert_eq!(feeds().filter(|f| f.url == feed.url || f.name == feed.name).count(), 1);
        }
    }
}
