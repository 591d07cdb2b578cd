//! Reading moments.

use super::{DAY, FIRST_SECOND, LAST_SECOND, MICROS, days_from_civil};

/// What a text says.
pub(super) enum Written {
    /// Microseconds.
    Moment(i64),
    Word(Word),
}

/// A moment that depends on the present.
pub(super) enum Word {
    Now,
    /// Midnight, so many days from today.
    Midnight(i64),
    /// So many seconds from now.
    FromNow(i64),
}

impl Word {
    /// Unix seconds, seen from `now`.
    pub(super) fn seconds(&self, now: i64) -> Option<i64> {
        match self {
            Self::Now => Some(now),
            Self::Midnight(days) => Some((now.div_euclid(DAY) + days) * DAY),
            Self::FromNow(seconds) => now.checked_add(*seconds),
        }
    }
}

/// Reads whatever names a moment.
pub(super) fn written(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Some(micros) = iso(text).or_else(|| compact(text)).or_else(|| epoch(text)) {
        return Some(Written::Moment(micros));
    }
    if let Some(micros) = month_name(text).or_else(|| mail(text)).or_else(|| unix_date(text)) {
        return Some(Written::Moment(micros));
    }
    word(text).map(Written::Word)
}

/// Seconds since the epoch with an optional sign and fraction, in microseconds.
pub(super) fn epoch(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let seconds = number(whole, 1, 12)?;
    let micros = fraction.map_or(Some(0), fraction_micros)?;
    let micros = seconds * MICROS + micros;
    within_reach(if negative { -micros } else { micros })
}

/// `5d`, `12h`, `30m`, `10s` in seconds; MISP knows no other unit and takes fractions.
pub(super) fn age(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'd' => DAY,
        b'h' => 3600,
        b'm' => 60,
        b's' => 1,
        _ => return None,
    };
    let micros = epoch(&text[..text.len() - 1])?;
    Some((i128::from(micros) * i128::from(unit) / i128::from(MICROS)) as i64)
}

/// ISO 8601: a date, perhaps with time and offset.
fn iso(text: &str) -> Option<i64> {
    let mut cursor = Cursor(text.as_bytes());
    let year = cursor.digits(4)?;
    let dash = cursor.one_of(b"-/")?;
    let month = cursor.digits(2)?;
    cursor.one_of(&[dash])?;
    let day = cursor.digits(2)?;
    let midnight = date(year, month, day)?;
    if cursor.0.is_empty() {
        return Some(midnight * MICROS);
    }
    cursor.one_of(b"Tt ")?;
    cursor.spaces();
    let micros = cursor.time()?;
    let offset = cursor.offset()?;
    if !cursor.0.is_empty() {
        return None;
    }
    within_reach(midnight * MICROS + micros - offset * MICROS)
}

/// `20180818`. Eight digits could be an epoch of 1970; nobody saw an indicator then.
fn compact(text: &str) -> Option<i64> {
    if text.len() != 8 {
        return None;
    }
    let mut cursor = Cursor(text.as_bytes());
    let (year, month, day) = (cursor.digits(4)?, cursor.digits(2)?, cursor.digits(2)?);
    if (1900..2100).contains(&year) { Some(date(year, month, day)? * MICROS) } else { None }
}

/// `Aug 18 2018`, `August 18, 2018`, `18 Aug 2018`, `18-Aug-2018`.
fn month_name(text: &str) -> Option<i64> {
    let mut parts = text.split([' ', ',', '-']).filter(|part| !part.is_empty());
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (month, day) = match month_of(first) {
        Some(month) => (month, second),
        None => (month_of(second)?, first),
    };
    Some(date(number(year, 4, 4)?, month, number(day, 1, 2)?)? * MICROS)
}

fn month_of(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let at =
        MONTHS.iter().position(|month| name == *month || (name.len() == 3 && month.starts_with(&name)))?;
    Some(at as i64 + 1)
}

/// The date of a mail, `Sat, 18 Aug 2018 10:00:00 +0200`.
fn mail(text: &str) -> Option<i64> {
    let micros = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_microsecond();
    within_reach(micros)
}

/// As `date` of Unix writes it, `Sat Aug 18 10:00:00 UTC 2018`.
fn unix_date(text: &str) -> Option<i64> {
    let mut parts = text.split_ascii_whitespace();
    let [weekday, month, day, time, zone, year]: [&str; 6] =
        std::array::from_fn(|_| parts.next().unwrap_or_default());
    let named = weekday.len() == 3 && weekday.bytes().all(|b| b.is_ascii_alphabetic());
    if !named || !matches!(zone, "UTC" | "GMT") || parts.next().is_some() {
        return None;
    }
    let midnight = date(number(year, 4, 4)?, month_of(month)?, number(day, 1, 2)?)?;
    let mut clock = Cursor(time.as_bytes());
    let micros = clock.time()?;
    if clock.0.is_empty() { within_reach(midnight * MICROS + micros) } else { None }
}

fn word(text: &str) -> Option<Word> {
    match text.to_ascii_lowercase().as_str() {
        "now" => Some(Word::Now),
        "today" | "midnight" => Some(Word::Midnight(0)),
        "yesterday" => Some(Word::Midnight(-1)),
        "tomorrow" => Some(Word::Midnight(1)),
        lower => relative(lower),
    }
}

/// `-1 day`, `+2 hours`, `3 weeks ago`.
fn relative(text: &str) -> Option<Word> {
    let (text, ago) = text.strip_suffix(" ago").map_or((text, false), |text| (text, true));
    let signed = text.starts_with(['-', '+']);
    if signed == ago {
        return None;
    }
    let back = ago || text.starts_with('-');
    let (count, unit) = text.trim_start_matches(['-', '+']).trim_start().split_once(' ')?;
    let unit = match unit.trim().trim_end_matches('s') {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => DAY,
        "week" => 7 * DAY,
        _ => return None,
    };
    let seconds = number(count, 1, 6)? * unit;
    Some(Word::FromNow(if back { -seconds } else { seconds }))
}

/// Midnight of a date that exists, in seconds.
fn date(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || day < 1 || day > days {
        return None;
    }
    Some(days_from_civil(year, month, day) * DAY)
}

fn within_reach(micros: i64) -> Option<i64> {
    (FIRST_SECOND * MICROS..=LAST_SECOND * MICROS + MICROS - 1).contains(&micros).then_some(micros)
}

/// Digits alone, `least` to `most` of them.
fn number(text: &str, least: usize, most: usize) -> Option<i64> {
    let right = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// Microseconds of the digits behind a decimal point; what is finer is dropped.
fn fraction_micros(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(
        digits
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(6)
            .fold(0, |sum, b| sum * 10 + i64::from(b - b'0')),
    )
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |sum, b| sum * 10 + i64::from(b - b'0')))
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    fn spaces(&mut self) {
        while self.one_of(b" ").is_some() {}
    }

    /// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fraction` in microseconds.
    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        let second = if self.one_of(b":").is_some() { self.digits(2)? } else { 0 };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let fraction = if self.one_of(b".,").is_some() { self.fraction()? } else { 0 };
        Some(((hour * 60 + minute) * 60 + second) * MICROS + fraction)
    }

    fn fraction(&mut self) -> Option<i64> {
        let len = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        fraction_micros(std::str::from_utf8(digits).ok()?)
    }

    /// `Z`, `UTC`, `GMT`, `+HH`, `+HHMM`, `+HH:MM` or nothing, in seconds.
    fn offset(&mut self) -> Option<i64> {
        self.spaces();
        if [&b""[..], b"Z", b"UTC", b"GMT"].iter().any(|name| self.0.eq_ignore_ascii_case(name)) {
            self.0 = b"";
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hour = self.digits(2)?;
        self.one_of(b":");
        let minute = if self.0.is_empty() { 0 } else { self.digits(2)? };
        if hour > 18 || minute > 59 { None } else { Some(sign * (hour * 60 + minute) * 60) }
    }
}
