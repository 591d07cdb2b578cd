//! Clock, and the ways in which MISP's clients write moments.
//!
//! A moment is a number: seconds, milliseconds or microseconds since 1970 in UTC, as each name says. Text
//! without an offset is UTC.

mod read;

use read::Written;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00 and 9999-12-31T23:59:59: what four digits of year can say.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

/// Where the present comes from; tests bring their own.
pub trait Clock: Send + Sync {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock all others stand in for")]
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as i64)
    }
}

/// Reads first_seen and last_seen: ISO 8601 with or without time, fraction and offset, or seconds since the
/// epoch, possibly with a fraction. Microseconds.
pub fn parse_micros(text: &str) -> Option<i64> {
    match read::written(text)? {
        Written::Moment(micros) => Some(micros),
        Written::Word(_) => None,
    }
}

/// Microseconds as MISP writes them: `2020-01-04T04:30:34.323242+00:00`.
pub fn format_micros(micros: i64) -> String {
    let mut out = Vec::with_capacity(32);
    write_micros(&mut out, micros);
    ascii(out)
}

/// Appends what [`format_micros`] returns.
pub fn write_micros(out: &mut Vec<u8>, micros: i64) {
    let micros = micros.clamp(FIRST_SECOND * MICROS, LAST_SECOND * MICROS + MICROS - 1);
    write_seconds(out, micros.div_euclid(MICROS), b'T');
    out.push(b'.');
    write_digits(out, micros.rem_euclid(MICROS), 6);
    out.extend_from_slice(b"+00:00");
}

/// Reads the date of an event as `YYYY-MM-DD`: a date, a datetime (its day in UTC), an epoch, `today`,
/// `yesterday`, `Aug 18 2018`, `18 Aug 2018`. The words ask the machine's clock.
pub fn parse_date(text: &str) -> Option<String> {
    match read::written(text)? {
        Written::Moment(micros) => Some(format_date(micros.div_euclid(MICROS))),
        Written::Word(word) => Some(format_date(word.seconds(SystemClock.now_ms() / 1000)?)),
    }
}

/// Reads a moment of a search in unix seconds: an epoch, `5d`, `5h`, `5m`, `5s` before now, or anything
/// strtotime is commonly given. MISP takes what it cannot read as one second from now; that is the caller's.
pub fn parse_moment(text: &str, now_secs: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = read::epoch(text) {
        return Some(seconds.div_euclid(MICROS));
    }
    if let Some(age) = read::age(text) {
        return now_secs.checked_sub(age);
    }
    match read::written(text)? {
        Written::Moment(micros) => Some(micros.div_euclid(MICROS)),
        Written::Word(word) => word.seconds(now_secs),
    }
}

/// Unix seconds as `YYYY-MM-DD HH:MM:SS`.
pub fn format_datetime(secs: i64) -> String {
    let mut out = Vec::with_capacity(19);
    write_seconds(&mut out, secs.clamp(FIRST_SECOND, LAST_SECOND), b' ');
    ascii(out)
}

/// The day of unix seconds, `YYYY-MM-DD`.
pub fn format_date(secs: i64) -> String {
    let mut out = Vec::with_capacity(10);
    write_day(&mut out, secs.clamp(FIRST_SECOND, LAST_SECOND).div_euclid(DAY));
    ascii(out)
}

fn ascii(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("digits and punctuation are UTF-8")
}

fn write_seconds(out: &mut Vec<u8>, secs: i64, between: u8) {
    write_day(out, secs.div_euclid(DAY));
    let second = secs.rem_euclid(DAY);
    out.push(between);
    write_digits(out, second / 3600, 2);
    out.push(b':');
    write_digits(out, second / 60 % 60, 2);
    out.push(b':');
    write_digits(out, second % 60, 2);
}

fn write_day(out: &mut Vec<u8>, day: i64) {
    let (year, month, day) = civil_from_days(day);
    write_digits(out, year, 4);
    out.push(b'-');
    write_digits(out, month, 2);
    out.push(b'-');
    write_digits(out, day, 2);
}

fn write_digits(out: &mut Vec<u8>, mut number: i64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Days since 1970 of a date. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Date of a day since 1970; the same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_seen_is_read_in_every_form_clients_send() {
        for (text, written) in [
            ("2020-01-03", "2020-01-03T00:00:00.000000+00:00"),
            ("20200103", "2020-01-03T00:00:00.000000+00:00"),
            ("2020-01-04T12:30:34.323242+0800", "2020-01-04T04:30:34.323242+00:00"),
            ("2020-01-04T12:30:34.323242+08:00", "2020-01-04T04:30:34.323242+00:00"),
            ("2020-01-04T12:30:34+08", "2020-01-04T04:30:34.000000+00:00"),
            ("2020-01-04 04:30:34", "2020-01-04T04:30:34.000000+00:00"),
            ("2020-01-04T04:30", "2020-01-04T04:30:00.000000+00:00"),
            ("2020-01-04T04:30:34.5Z", "2020-01-04T04:30:34.500000+00:00"),
            ("2020-01-04t04:30:34.123456789z", "2020-01-04T04:30:34.123456+00:00"),
            ("2020-01-04 04:30:34 UTC", "2020-01-04T04:30:34.000000+00:00"),
            ("2020-01-04 04:30:34.5 -01:30", "2020-01-04T06:00:34.500000+00:00"),
            ("1580147259.268763", "2020-01-27T17:47:39.268763+00:00"),
            ("1580147300", "2020-01-27T17:48:20.000000+00:00"),
            ("0", "1970-01-01T00:00:00.000000+00:00"),
            ("-1.5", "1969-12-31T23:59:58.500000+00:00"),
            ("2016-02-29", "2016-02-29T00:00:00.000000+00:00"),
            ("Sat, 18 Aug 2018 10:00:00 +0200", "2018-08-18T08:00:00.000000+00:00"),
            ("Sat Aug 18 10:00:00 UTC 2018", "2018-08-18T10:00:00.000000+00:00"),
            ("Wed Aug  8 10:00:00 UTC 2018", "2018-08-08T10:00:00.000000+00:00"),
        ] {
            assert_eq!(parse_micros(text).map(format_micros).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "",
            " ",
            "abc",
            "2020-13-01",
            "2020-02-30",
            "2019-02-29",
            "2020-01-04T25:00:00",
            "2020-01-04T10:60:00",
            "2020-01-04T",
            "2020-01-04T10:00:00+99:00",
            "2020-01-04x",
            "0000-01-01",
            "99999999999999999999",
            "2020-01-04T10:00:00.Z",
            "1.",
            ".5",
            "--5",
            "today",
            "Sat Aug 18 10:00:00 2018",
            "Sat Aug 18 10:00:00 UTC 2018 x",
            "Sat Aug 32 10:00:00 UTC 2018",
            "é020-01-04",
        ] {
            assert_eq!(parse_micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_event_date_may_be_written_as_people_write_it() {
        for (text, date) in [
            ("2018-08-18", "2018-08-18"),
            ("2018/08/18", "2018-08-18"),
            ("2018-08-18T23:30:00-05:00", "2018-08-19"),
            ("1534550400", "2018-08-18"),
            ("Aug 18 2018", "2018-08-18"),
            ("Aug 18, 2018", "2018-08-18"),
            ("August 18 2018", "2018-08-18"),
            ("18 Aug 2018", "2018-08-18"),
            ("18-Aug-2018", "2018-08-18"),
        ] {
            assert_eq!(parse_date(text).as_deref(), Some(date), "{text}");
        }
        assert!(parse_date("today") > parse_date("yesterday"));
        for bad in ["", "18 Foo 2018", "2018-02-30", "tomorrowish"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_search_moment_is_an_epoch_an_age_or_a_date() {
        let now = 1_600_000_000;
        for (text, moment) in [
            ("1514764800", Some(1_514_764_800)),
            ("20190101", Some(20_190_101)),
            ("5d", Some(now - 5 * DAY)),
            ("5D", Some(now - 5 * DAY)),
            ("1.5h", Some(now - 5400)),
            ("10m", Some(now - 600)),
            (" 30s ", Some(now - 30)),
            ("2018-01-01", Some(1_514_764_800)),
            ("2018-01-01 00:00:01", Some(1_514_764_801)),
            ("Jan 1 2018", Some(1_514_764_800)),
            ("now", Some(now)),
            ("today", Some(1_599_955_200)),
            ("yesterday", Some(1_599_955_200 - DAY)),
            ("-1 day", Some(now - DAY)),
            ("2 weeks ago", Some(now - 14 * DAY)),
            ("5x", None),
            ("ad", None),
            ("d", None),
            ("99999999999999999d", None),
            ("", None),
        ] {
            assert_eq!(parse_moment(text, now), moment, "{text}");
        }
    }

    #[test]
    fn seconds_are_written_for_people() {
        assert_eq!(format_datetime(1_534_586_400), "2018-08-18 10:00:00");
        assert_eq!(format_datetime(-1), "1969-12-31 23:59:59");
        assert_eq!(format_datetime(i64::MAX), "9999-12-31 23:59:59");
        assert_eq!(format_micros(i64::MIN), "0001-01-01T00:00:00.000000+00:00");
    }

    proptest! {
        #[test]
        fn a_written_moment_is_read_back(micros in FIRST_SECOND * MICROS..=LAST_SECOND * MICROS) {
            prop_assert_eq!(parse_micros(&format_micros(micros)), Some(micros));
        }

        #[test]
        fn moments_are_written_as_jiff_writes_them(secs in FIRST_SECOND + DAY..=LAST_SECOND - DAY) {
            let oracle = jiff::Timestamp::from_second(secs).unwrap();
            prop_assert_eq!(format_datetime(secs), oracle.strftime("%Y-%m-%d %H:%M:%S").to_string());
        }

        #[test]
        fn no_text_breaks_the_readers(text in "[-0-9TZdhms:. +a-z,é]{0,30}") {
            parse_micros(&text);
            parse_date(&text);
            parse_moment(&text, 1_600_000_000);
        }
    }
}
