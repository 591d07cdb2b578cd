//! What travels through a workflow: a tree in MISP's core format, and the paths that pick from it.

/// A value of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Data {
    #[default]
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Data>),
    /// Members in the order they came in.
    Map(Vec<(String, Data)>),
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Data {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Numbers are texts in MISP's core format.
impl From<i64> for Data {
    fn from(number: i64) -> Self {
        Self::Text(number.to_string())
    }
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Token<'p> {
    /// `{n}`: every item of a list.
    Items,
    /// `{s}` and `{*}`: every member.
    Members,
    Key(&'p str),
}

/// `[key]`, `[key=value]`, `[key!=value]` behind a step: what is kept of what it picked.
struct Kept<'p> {
    key: &'p str,
    value: Option<(bool, &'p str)>,
}

impl Data {
    /// A map of these members.
    pub fn map<const N: usize>(members: [(&str, Data); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub fn member(&self, key: &str) -> Option<&Data> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::List(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        }
    }

    /// Writes a member of a map, there or not.
    pub fn put(&mut self, key: &str, value: Data) {
        let Self::Map(members) = self else { return };
        match members.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => members.push((key.to_owned(), value)),
        }
    }

    /// The text of a scalar; a yes is `1`, a no and nothing are empty, as in the language of MISP.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Flag(flag) => Some(if *flag { "1".into() } else { String::new() }),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The texts of a list, or of the one value that stands for it; an empty text is none.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::List(items) => items.iter().filter_map(Data::text).collect(),
            Self::Map(members) => members.iter().filter_map(|(_, value)| value.text()).collect(),
            one => one.text().filter(|text| !text.is_empty()).into_iter().collect(),
        }
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Map(_))
    }

    /// Neither nothing nor an empty text, list or map, nor a no.
    pub fn is_filled(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Flag(flag) => *flag,
            Self::Number(number) => *number != 0,
            Self::Text(text) => !matches!(text.as_str(), "" | "0"),
            Self::List(items) => !items.is_empty(),
            Self::Map(members) => !members.is_empty(),
        }
    }

    /// Whether two scalars mean the same: `true`, `1` and `"1"` do.
    pub fn is_like(&self, other: &Data) -> bool {
        match (self, other) {
            (Self::Flag(one), other) | (other, Self::Flag(one)) => match other {
                Self::Text(text) if text.eq_ignore_ascii_case("false") => !*one,
                other => other.is_filled() == *one,
            },
            (one, other) => one.is_scalar() && other.is_scalar() && one.text() == other.text(),
        }
    }

    /// What stands at a path without choices (`Event.Orgc.name`, `Event.Tag.0`).
    pub fn at(&self, path: &str) -> Option<&Data> {
        path.split('.').filter(|key| !key.is_empty()).try_fold(self, |data, key| data.member(key))
    }

    /// Writes what stands at a path of keys; nothing happens where there is no way to it.
    pub fn put_at(&mut self, path: &str, value: Data) {
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut place = self;
        for step in above.split('.').filter(|key| !key.is_empty()) {
            let Self::Map(members) = place else { return };
            let Some((_, next)) = members.iter_mut().find(|(name, _)| name == step) else { return };
            place = next;
        }
        place.put(key, value);
    }

    /// Everything a path picks (`Event.Tag.{n}.name`, `Event.Attribute.{n}[type=domain].value`). A path without
    /// choices picks the items of the list it leads to.
    pub fn pick(&self, path: &str) -> Vec<&Data> {
        if !path.contains(['{', '[']) {
            return match self.at(path) {
                None | Some(Self::Null) => Vec::new(),
                Some(Self::List(items)) => items.iter().collect(),
                Some(Self::Map(members)) => members.iter().map(|(_, value)| value).collect(),
                Some(one) => vec![one],
            };
        }
        let mut picked = vec![self];
        for step in steps(path) {
            let (token, kept) = token(step);
            let mut next = Vec::new();
            for data in picked {
                match (&token, data) {
                    (Token::Items, Self::List(items)) => next.extend(items),
                    (Token::Members, Self::Map(members)) => next.extend(members.iter().map(|(_, v)| v)),
                    (Token::Members, Self::List(items)) => next.extend(items),
                    (Token::Key(key), data) => next.extend(data.member(key)),
                    _ => {}
                }
            }
            if let Some(kept) = kept {
                next = next.into_iter().flat_map(|data| kept.among(data)).collect();
            }
            picked = next;
        }
        picked
    }
}

impl Kept<'_> {
    fn holds(&self, data: &Data) -> bool {
        let found = data.member(self.key);
        match self.value {
            None => found.is_some(),
            Some((equal, value)) => found.and_then(Data::text).is_some_and(|t| (t == value) == equal),
        }
    }

    /// A condition behind a key that leads to a list is one on its items.
    fn among<'d>(&self, data: &'d Data) -> Vec<&'d Data> {
        match data {
            Data::List(items) => items.iter().filter(|item| self.holds(item)).collect(),
            one if self.holds(one) => vec![one],
            _ => Vec::new(),
        }
    }
}

/// The steps of a path: between points that stand in no brackets.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    path.split(move |c| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '.' && depth == 0
    })
    .filter(|step| !step.is_empty())
}

fn token(step: &str) -> (Token<'_>, Option<Kept<'_>>) {
    let (name, condition) = match step.split_once('[') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(']'))),
        None => (step, None),
    };
    let token = match name {
        "{n}" => Token::Items,
        "{s}" | "{*}" => Token::Members,
        key => Token::Key(key),
    };
    let kept = condition.map(|condition| {
        let parts = condition.split_once("!=").map(|(key, value)| (key, (false, value)));
        let parts = parts.or_else(|| condition.split_once('=').map(|(key, value)| (key, (true, value))));
        match parts {
            Some((key, (equal, value))) => Kept { key: key.trim(), value: Some((equal, value.trim())) },
            None => Kept { key: condition.trim(), value: None },
        }
    });
    (token, kept)
}

/// A text in which `{{ Event.info }}` stands for what is at that path.
pub fn fill(template: &str, data: &Data) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((path, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        let texts: Vec<String> = data.pick(path.trim()).into_iter().filter_map(Data::text).collect();
        filled.push_str(&texts.join(", "));
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Data {
        let attribute = |kind: &str, value: &str| Data::map([("type", kind.into()), ("value", value.into())]);
        let tag = |name: &str| Data::map([("name", name.into())]);
        Data::map([(
            "Event",
            Data::map([
                ("info", "An event".into()),
                ("published", true.into()),
                ("threat_level_id", 1.into()),
                ("Tag", Data::List(vec![tag("tlp:red"), tag("pap:green")])),
                (
                    "Attribute",
                    Data::List(vec![attribute("domain", "a.example"), attribute("ip-src", "192.0.2.1")]),
                ),
            ]),
        )])
    }

    fn texts(path: &str) -> Vec<String> {
        event().pick(path).into_iter().filter_map(Data::text).collect()
    }

    #[test]
    fn a_path_picks_what_it_names() {
        assert_eq!(texts("Event.Tag.{n}.name"), ["tlp:red", "pap:green"]);
        assert_eq!(texts("Event.Attribute.{n}[type=domain].value"), ["a.example"]);
        assert_eq!(texts("Event.Attribute.{n}[type!=domain].value"), ["192.0.2.1"]);
        assert_eq!(texts("Event.Attribute[value=192.0.2.1].type"), ["ip-src"]);
        assert_eq!(texts("Event.{s}[name].name"), ["tlp:red", "pap:green"]);
        assert_eq!(texts("Event.info"), ["An event"]);
        assert_eq!(event().pick("Event.Attribute").len(), 2);
        for nothing in
            ["", ".", "Event.Nothing.{n}", "Event.info.{n}", "{n}", "Event.Tag.{n}[", "[[[", "{x}.y"]
        {
            assert!(texts(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn scalars_are_alike_in_every_spelling() {
        let alike = |one: Data, other: Data| one.is_like(&other);
        assert!(alike(true.into(), "1".into()) && alike("true".into(), true.into()));
        assert!(alike(false.into(), "0".into()) && alike(false.into(), "".into()));
        assert!(alike(Data::Number(4), "4".into()));
        assert!(!alike("4".into(), "04".into()) && !alike(Data::List(Vec::new()), "".into()));
    }

    #[test]
    fn what_stands_at_a_path_is_replaced() {
        let mut data = event();
        data.put_at("Event.Tag", Data::List(Vec::new()));
        assert!(data.pick("Event.Tag.{n}").is_empty());
        data.put_at("No.where", Data::Null);
        assert_eq!(data.at("No"), None);
    }

    #[test]
    fn a_template_is_filled_from_the_data() {
        assert_eq!(
            fill("{{ Event.info }} has {{Event.Tag.{n}.name}}", &event()),
            "An event has tlp:red, pap:green"
        );
        assert_eq!(fill("{{Event.nothing}}|{{ open", &event()), "|{{ open");
    }
}
