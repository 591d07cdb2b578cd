//! A moment: relative in the text, exact to the second in UTC on hover.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::Timestamp;

/// A moment as a page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<time datetime="{{ machine }}" title="{{ exact }}">{{ shown }}</time>"#)]
pub struct Time {
    /// What is read: `3 hours ago`, `2026-08-14`.
    pub shown: String,
    /// What hovering tells: `2026-08-14 09:12:33 UTC`.
    pub exact: String,
    /// RFC 3339.
    pub machine: String,
}

impl HtmlSafe for Time {}

impl Time {
    /// Relative to now, up to a month; the date beyond. Unix seconds.
    pub fn ago(secs: i64, now_secs: i64) -> Self {
        let past = now_secs - secs;
        let shown = match past {
            ..0 => date(secs),
            0..60 => "just now".to_owned(),
            60..3_600 => ago(past / 60, "minute"),
            3_600..86_400 => ago(past / 3_600, "hour"),
            86_400..2_592_000 => ago(past / 86_400, "day"),
            _ => date(secs),
        };
        Self { shown, ..Self::on(secs) }
    }

    /// Relative to now, of what is to come. Unix seconds.
    pub fn ahead(secs: i64, now_secs: i64) -> Self {
        let wait = secs - now_secs;
        let shown = match wait {
            ..=0 => "now".to_owned(),
            1..60 => "in a minute".to_owned(),
            60..3_600 => ahead(wait / 60, "minute"),
            3_600..86_400 => ahead(wait / 3_600, "hour"),
            _ => date(secs),
        };
        Self { shown, ..Self::on(secs) }
    }

    /// The date. Unix seconds.
    pub fn on(secs: i64) -> Self {
        let at = timestamp(secs);
        Self {
            shown: date(secs),
            exact: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            machine: at.to_string(),
        }
    }

    /// The date of a `first_seen` or `last_seen`. Unix microseconds.
    pub fn on_micros(micros: i64) -> Self {
        let at = Timestamp::from_microsecond(micros).unwrap_or_default();
        Self {
            shown: at.strftime("%Y-%m-%d").to_string(),
            exact: at.strftime("%Y-%m-%d %H:%M:%S%.f UTC").to_string(),
            machine: at.to_string(),
        }
    }
}

fn ago(number: i64, unit: &str) -> String {
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

fn ahead(number: i64, unit: &str) -> String {
    format!("in {number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn date(secs: i64) -> String {
    timestamp(secs).strftime("%Y-%m-%d").to_string()
}

/// Out of jiff's range (before year -9999, after 9999) there is nothing sensible to show: the epoch.
fn timestamp(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_786_698_753; // 2026-08-14 09:12:33

    #[test]
    fn recent_moments_are_relative_and_old_ones_dates() {
        let cases = [
            (0, "just now"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (29 * 86_400, "29 days ago"),
            (30 * 86_400, "2026-07-15"),
            (-86_400, "2026-08-15"),
        ];
        for (past, shown) in cases {
            assert_eq!(Time::ago(NOW - past, NOW).shown, shown);
        }
    }

    #[test]
    fn what_is_to_come_is_relative_too() {
        for (wait, shown) in [
            (-5, "now"),
            (30, "in a minute"),
            (60, "in 1 minute"),
            (7_200, "in 2 hours"),
            (172_800, "2026-08-16"),
        ] {
            assert_eq!(Time::ahead(NOW + wait, NOW).shown, shown);
        }
    }

    #[test]
    fn the_exact_moment_is_always_there() {
        let time = Time::ago(NOW, NOW);
        assert_eq!(time.exact, "2026-08-14 09:12:33 UTC");
        assert_eq!(time.machine, "2026-08-14T09:12:33Z");
        assert_eq!(Time::on_micros(NOW * 1_000_000 + 250_000).exact, "2026-08-14 09:12:33.25 UTC");
        assert_eq!(Time::on(i64::MAX).shown, "1970-01-01");
    }
}
