//! What an indicator is still worth: a base score from its tags that falls with time.
//!
//! The formula is that of "Decaying indicators of compromise" (arXiv 1803.11052): with a base score `b`, an age
//! `t`, a lifetime `τ` and a decay speed `δ`, the score is `b · (1 − (t/τ)^(1/δ))`, and 0 from `τ` on.

use crate::Uuid;
use std::collections::BTreeMap;

/// Seconds of a day: lifetimes are told in days.
const DAY: f64 = 86_400.0;

/// How a score falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formula {
    /// With time.
    #[default]
    Polynomial,
    /// With time, and to 0 when a `retention:` tag says that its days are over.
    PolynomialExtended,
    /// With the share of sightings that were false positives; time does not count.
    Sightings,
}

impl Formula {
    pub const ALL: [Self; 3] = [Self::Polynomial, Self::PolynomialExtended, Self::Sightings];

    /// In any case and with or without underscores, as clients write it; none is [`Formula::Polynomial`].
    pub fn parse(name: &str) -> Option<Self> {
        let plain = name.replace(['_', ' '], "").to_ascii_lowercase();
        if plain.is_empty() {
            return Some(Self::Polynomial);
        }
        Self::ALL.into_iter().find(|formula| formula.name().to_ascii_lowercase() == plain)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Polynomial => "Polynomial",
            Self::PolynomialExtended => "PolynomialExtended",
            Self::Sightings => "Sightings",
        }
    }
}

/// The numbers of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Days until nothing is left.
    pub lifetime: f64,
    pub decay_speed: f64,
    /// Below this score an indicator counts as decayed.
    pub threshold: f64,
    /// The base score of what carries no tag of the taxonomies below.
    pub default_base_score: f64,
    /// Weight of each taxonomy (`namespace`) or predicate (`namespace:predicate`).
    pub base_score_config: Vec<(String, f64)>,
    /// [`Formula::Sightings`]: fewer sightings leave the base score as it is.
    pub minimum_sightings: i64,
    /// [`Formula::Sightings`]: sightings that count as made before the first.
    pub true_positive_offset: f64,
    pub false_positive_offset: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            lifetime: 0.0,
            decay_speed: 1.0,
            threshold: 0.0,
            default_base_score: 0.0,
            base_score_config: Vec::new(),
            minimum_sightings: 1,
            true_positive_offset: 0.0,
            false_positive_offset: 0.0,
        }
    }
}

/// A decaying model.
#[derive(Debug, Clone, PartialEq)]
pub struct DecayingModel {
    pub id: i64,
    /// Of those that come with the platform.
    pub uuid: Option<Uuid>,
    pub name: String,
    pub description: String,
    pub parameters: Parameters,
    pub formula: Formula,
    /// Attribute types it scores.
    pub types: Vec<String>,
    /// The organisation that made it; 0 for those that come with the platform.
    pub org_id: i64,
    pub enabled: bool,
    /// Every organisation may read and use it.
    pub all_orgs: bool,
    pub references: Vec<String>,
    pub version: i64,
    /// It comes with the platform: name and numbers stay.
    pub default: bool,
}

/// Parameters that a search replaces in every model it scores with.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Overrides {
    pub lifetime: Option<f64>,
    pub decay_speed: Option<f64>,
    pub threshold: Option<f64>,
}

impl Parameters {
    pub fn with(mut self, overrides: &Overrides) -> Self {
        self.lifetime = overrides.lifetime.unwrap_or(self.lifetime);
        self.decay_speed = overrides.decay_speed.unwrap_or(self.decay_speed);
        self.threshold = overrides.threshold.unwrap_or(self.threshold);
        self
    }
}

/// A tag as scoring sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoredTag<'a> {
    pub name: &'a str,
    pub numerical_value: Option<i64>,
}

/// What was seen of an indicator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sighted {
    /// When it was last seen doing harm, Unix seconds.
    pub last: Option<i64>,
    /// All sightings, and those of them that are no false positive and no expiration.
    pub total: i64,
    pub positive: i64,
}

/// What is scored: an attribute, or an event as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indicator<'a> {
    /// Unix seconds.
    pub timestamp: i64,
    /// From when its age is counted ([`counted_from`]).
    pub since: i64,
    pub sighted: Sighted,
    /// Its own tags, which take the place of its event's of the same taxonomy and predicate.
    pub own_tags: &'a [ScoredTag<'a>],
    pub event_tags: &'a [ScoredTag<'a>],
}

/// What a model says of an indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub score: f64,
    pub base_score: f64,
    pub decayed: bool,
}

/// From when the age of an attribute is counted: its last sighting; without one, or when the attribute changed
/// since, when it was last seen by its own account, else when it changed.
pub fn counted_from(timestamp: i64, last_seen_micros: Option<i64>, last_sighting: Option<i64>) -> i64 {
    match last_sighting {
        Some(sighting) if sighting >= timestamp => sighting,
        _ => last_seen_micros.map_or(timestamp, |micros| micros.div_euclid(1_000_000)),
    }
}

/// What a tag is weighed by: `namespace:predicate` of one with a value, `namespace` of one without.
pub fn basename(tag: &str) -> &str {
    let part = |text: &str| !text.is_empty() && !text.contains([':', '=', '"']);
    let Some((namespace, rest)) = tag.split_once(':') else { return tag };
    if !part(namespace) {
        return tag;
    }
    if part(rest) {
        return namespace;
    }
    let value = rest.split_once("=\"").and_then(|(p, v)| Some((p, v.strip_suffix('"')?)));
    match value {
        Some((predicate, value)) if part(predicate) && part(value) => {
            &tag[..namespace.len() + 1 + predicate.len()]
        }
        _ => tag,
    }
}

/// The tags that count: the event's, with the indicator's own in their place.
pub fn prioritised<'a>(indicator: &Indicator<'a>) -> Vec<ScoredTag<'a>> {
    let mut tags: Vec<Option<ScoredTag<'a>>> = indicator.event_tags.iter().copied().map(Some).collect();
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, tag) in indicator.event_tags.iter().enumerate() {
        places.entry(basename(tag.name)).or_default().push(place);
    }
    for tag in indicator.own_tags {
        match places.get(basename(tag.name)).map(Vec::as_slice) {
            Some([first, others @ ..]) => {
                tags[*first] = Some(*tag);
                others.iter().for_each(|place| tags[*place] = None);
            }
            _ => tags.push(Some(*tag)),
        }
    }
    tags.into_iter().flatten().collect()
}

/// The tags that a model weighs: name, weight and value of each.
fn weighed<'p>(parameters: &'p Parameters, indicator: &Indicator<'_>) -> Vec<(&'p str, f64, f64)> {
    let weight = |tag: &ScoredTag<'_>| {
        let name = basename(tag.name);
        let (taxonomy, weight) =
            parameters.base_score_config.iter().find(|(taxonomy, _)| taxonomy == name)?;
        Some((taxonomy.as_str(), *weight, tag.numerical_value? as f64))
    };
    prioritised(indicator).iter().filter_map(weight).collect()
}

/// The weights of the taxonomies that are there, as parts of their sum.
pub fn ratios<'p>(parameters: &'p Parameters, indicator: &Indicator<'_>) -> BTreeMap<&'p str, f64> {
    let weighed = weighed(parameters, indicator);
    let total: f64 = weighed.iter().map(|(_, weight, _)| weight).sum();
    let part = |weight: f64| if total > 0.0 { weight / total } else { 0.0 };
    weighed.iter().map(|(taxonomy, weight, _)| (*taxonomy, part(*weight))).collect()
}

/// Σ of weight × value over the tags whose taxonomy the model weighs, the weights of those that are there taken
/// as parts of their sum; the model's default where there is none.
pub fn base_score(parameters: &Parameters, indicator: &Indicator<'_>) -> f64 {
    let weighed = weighed(parameters, indicator);
    let total: f64 = weighed.iter().map(|(_, weight, _)| weight).sum();
    if total <= 0.0 {
        return parameters.default_base_score;
    }
    weighed.iter().map(|(_, weight, value)| weight / total * value).sum()
}

/// What is left of a base score after so many seconds.
pub fn polynomial(parameters: &Parameters, base_score: f64, age: i64) -> f64 {
    let lifetime = parameters.lifetime * DAY;
    if age < 0 || lifetime <= 0.0 || parameters.decay_speed <= 0.0 {
        return 0.0;
    }
    let left = base_score * (1.0 - (age as f64 / lifetime).powf(1.0 / parameters.decay_speed));
    if left.is_finite() { left.max(0.0) } else { 0.0 }
}

/// The score of an indicator at a moment (Unix seconds).
pub fn score(formula: Formula, parameters: &Parameters, indicator: &Indicator<'_>, now: i64) -> Score {
    let base_score = base_score(parameters, indicator);
    let score = match formula {
        Formula::Polynomial => polynomial(parameters, base_score, now.saturating_sub(indicator.since)),
        Formula::PolynomialExtended if retained(indicator, now) => {
            polynomial(parameters, base_score, now.saturating_sub(indicator.since))
        }
        Formula::PolynomialExtended => 0.0,
        Formula::Sightings => by_sightings(parameters, base_score, indicator.sighted),
    };
    Score { score, base_score, decayed: parameters.threshold > score }
}

/// Whether every `retention:` tag still allows it; their values are days.
fn retained(indicator: &Indicator<'_>, now: i64) -> bool {
    let age = now.saturating_sub(indicator.timestamp);
    prioritised(indicator)
        .iter()
        .filter(|tag| basename(tag.name) == "retention")
        .filter_map(|tag| tag.numerical_value)
        .all(|days| age <= days.saturating_mul(DAY as i64))
}

fn by_sightings(parameters: &Parameters, base_score: f64, sighted: Sighted) -> f64 {
    if sighted.total < parameters.minimum_sightings {
        return base_score;
    }
    let (positive, negative) = (parameters.true_positive_offset, parameters.false_positive_offset);
    let all = sighted.total as f64 + positive + negative;
    if all <= 0.0 { base_score } else { (sighted.positive as f64 + positive) / all * base_score }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600;
    const DAYS: i64 = 86_400;

    fn parameters() -> Parameters {
        Parameters {
            lifetime: 120.0,
            decay_speed: 2.0,
            threshold: 30.0,
            default_base_score: 80.0,
            base_score_config: vec![
                ("priority-level".into(), 0.1667),
                ("retention".into(), 0.1667),
                ("false-positive:risk".into(), 0.3334),
            ],
            ..Parameters::default()
        }
    }

    fn tag(name: &str, value: i64) -> ScoredTag<'_> {
        ScoredTag { name, numerical_value: Some(value) }
    }

    fn bare(since: i64) -> Indicator<'static> {
        Indicator { timestamp: since, since, sighted: Sighted::default(), own_tags: &[], event_tags: &[] }
    }

    /// By hand, with a lifetime of 120 days and a speed of 2: 80 · (1 − √(t/120)).
    #[test]
    fn a_score_falls_along_the_published_curve() {
        for (days, expected, decayed) in [
            (0, 80.0, false),
            (30, 40.0, false),             // √(1/4) = 1/2
            (40, 33.811_978_464_8, false), // √(1/3) = 0.57735…
            (53, 26.833_594_567, true),    // √0.441666… = 0.66458…
            (120, 0.0, true),
            (500, 0.0, true),
        ] {
            let found = score(Formula::Polynomial, &parameters(), &bare(NOW - days * DAYS), NOW);
            assert!((found.score - expected).abs() < 1e-6, "{days} days: {}", found.score);
            assert_eq!((found.base_score, found.decayed), (80.0, decayed), "{days} days");
        }
    }

    #[test]
    fn what_is_from_the_future_or_has_no_lifetime_is_worth_nothing() {
        assert_eq!(polynomial(&parameters(), 80.0, -1), 0.0);
        for broken in [
            Overrides { lifetime: Some(0.0), ..Default::default() },
            Overrides { decay_speed: Some(0.0), ..Default::default() },
        ] {
            assert_eq!(polynomial(&parameters().with(&broken), 80.0, 10), 0.0);
        }
    }

    #[test]
    fn weights_are_parts_of_those_whose_taxonomies_are_there() {
        let tags =
            [tag("priority-level:high", 75), tag("false-positive:risk=\"low\"", 90), tag("tlp:red", 5)];
        let unweighed = ScoredTag { name: "retention:1d", numerical_value: None };
        let own = [tags[0], tags[1], tags[2], unweighed];
        let indicator = Indicator { own_tags: &own, ..bare(NOW) };
        // 0.1667 and 0.3334 of 0.5001: a third of 75 and two thirds of 90.
        assert!((base_score(&parameters(), &indicator) - 85.0).abs() < 1e-9);
    }

    #[test]
    fn an_attributes_own_tags_take_the_place_of_its_events() {
        let event =
            [tag("priority-level:low", 25), tag("priority-level:severe", 90), tag("retention:1y", 100)];
        let own = [tag("priority-level:high", 75)];
        let indicator = Indicator { own_tags: &own, event_tags: &event, ..bare(NOW) };
        // Both of the event's priorities are gone: half of 75 and half of 100.
        assert!((base_score(&parameters(), &indicator) - 87.5).abs() < 1e-9);
        let alone = Indicator { event_tags: &event[2..], ..bare(NOW) };
        assert_eq!(base_score(&parameters(), &alone), 100.0);
    }

    #[test]
    fn tags_are_weighed_by_namespace_or_predicate() {
        for (name, base) in [
            ("priority-level:high", "priority-level"),
            ("false-positive:risk=\"low\"", "false-positive:risk"),
            ("just words", "just words"),
            ("a:b=\"c:d\"", "a:b=\"c:d\""),
            (":b", ":b"),
            ("a:", "a:"),
        ] {
            assert_eq!(basename(name), base, "{name}");
        }
    }

    #[test]
    fn retention_ends_a_score_on_its_day() {
        let own = [tag("retention:7d", 7)];
        for (days, left) in [(7, true), (8, false)] {
            let indicator = Indicator { own_tags: &own, ..bare(NOW - days * DAYS) };
            let found = score(Formula::PolynomialExtended, &parameters(), &indicator, NOW);
            assert_eq!(found.score > 0.0, left, "{days} days");
        }
    }

    #[test]
    fn sightings_weigh_true_against_false() {
        let model = Parameters { minimum_sightings: 2, true_positive_offset: 1.0, ..parameters() };
        for (total, positive, expected) in [(1, 0, 80.0), (3, 2, 60.0), (4, 0, 16.0)] {
            let indicator =
                Indicator { sighted: Sighted { last: None, total, positive }, ..bare(NOW - 900 * DAYS) };
            let found = score(Formula::Sightings, &model, &indicator, NOW);
            assert!((found.score - expected).abs() < 1e-9, "{total}/{positive}: {}", found.score);
        }
    }

    #[test]
    fn age_is_counted_from_the_last_sign_of_life() {
        let micros = Some(50 * 1_000_000);
        for (last_seen, sighting, since) in [
            (None, None, 100),
            (micros, None, 50),
            (None, Some(200), 200),
            (micros, Some(200), 200),
            (None, Some(90), 100),
            (micros, Some(90), 50),
        ] {
            assert_eq!(counted_from(100, last_seen, sighting), since, "{last_seen:?} {sighting:?}");
        }
    }

    #[test]
    fn formulas_are_known_in_every_spelling() {
        for name in ["Polynomial", "polynomial", ""] {
            assert_eq!(Formula::parse(name), Some(Formula::Polynomial), "{name}");
        }
        assert_eq!(Formula::parse("polynomial_extended"), Some(Formula::PolynomialExtended));
        assert_eq!(Formula::parse("Newton"), None);
    }
}
