//! What a query or a form says.

use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::extract::{Form, FromRequest, Query, Request};
use http::{StatusCode, Uri};

use super::failure::Failure;

/// The fields of a query or a form, in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The query of an address; one that cannot be read says nothing.
    pub(crate) fn of_query(uri: &Uri) -> Self {
        Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(pairs)| Self::new(pairs))
            .unwrap_or_default()
    }

    /// The form of a request.
    pub(crate) async fn of_form(request: Request) -> Result<Self, Failure> {
        match Form::<Vec<(String, String)>>::from_request(request, &()).await {
            Ok(Form(pairs)) => Ok(Self::new(pairs)),
            Err(FormRejection::BytesRejection(BytesRejection::FailedToBufferBody(e)))
                if e.status() == StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Err(Failure::TooLarge)
            }
            Err(_) => Err(Failure::Unreadable),
        }
    }

    /// Without the NULs, which are no text to PostgreSQL.
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        let clean = |text: String| if text.contains('\0') { text.replace('\0', "") } else { text };
        Self(pairs.into_iter().map(|(name, value)| (name, clean(value))).collect())
    }

    /// A field; empty when it is missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A field of several lines, with the line ends it was typed with: forms send CRLF.
    pub(crate) fn lines(&self, name: &str) -> String {
        self.get(name).replace("\r\n", "\n")
    }

    /// The lines of a field, without empty ones.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let lines = self.get(name).lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    /// All fields of a name: the ticked ones of several boxes.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether a box is ticked.
    pub(crate) fn ticked(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// The page of a list that is asked for, from 1.
    pub(crate) fn page(&self) -> u64 {
        self.get("page").parse().unwrap_or(1).max(1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_the_search_form_sends_it() {
        let fields =
            Fields::of_query(&Uri::from_static("/events/index?q=bgp+hijack%20%26x&page=3&q=second&n=a%00b"));
        assert_eq!(fields.get("q"), "bgp hijack &x");
        assert_eq!(fields.page(), 3);
        assert_eq!(fields.get("n"), "ab");
        assert_eq!(fields.get("missing"), "");
    }

    #[test]
    fn a_page_that_is_none_is_the_first() {
        for query in ["/", "/?page=", "/?page=0", "/?page=-3", "/?page=x", "/?page=1e9"] {
            assert_eq!(Fields::of_query(&query.parse().unwrap()).page(), 1, "{query}");
        }
    }
}
