//! Why an exchange with another server did not go on.

/// One variant for each remedy. What another server says is told as one line and in short.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It does not answer, or not in time: it is tried again later.
    #[error("{}", line(.0))]
    Away(String),
    /// It answered with a status that is none of success; the text is what it said.
    #[error("it answered {status}: {}", line(message))]
    Status { status: u16, message: String },
    /// What it sent is not what a MISP sends.
    #[error("it is no MISP, or speaks otherwise: {}", line(.0))]
    Strange(String),
    /// What was fetched is not what it should be.
    #[error("{0}")]
    Unusable(String),
    /// It sent more than is taken.
    #[error("{}", line(.0))]
    TooMuch(String),
    /// The connection is not set up as it has to be.
    #[error("{0}")]
    Setup(String),
    /// One part of an exchange failed; the others went well and brought this.
    #[error("The {what} did not come: {fault}. {brought}")]
    Part { what: &'static str, fault: Box<Self>, brought: String },
    /// Cancelled, or the server stops.
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Here(#[from] pisax_service::Error),
}

/// Longest text of another server that is repeated, in characters.
const LONGEST: usize = 300;

/// A text that another server had a hand in, fit for a log, a ledger and a page.
pub(crate) fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

impl From<pisax_store::Error> for Fault {
    fn from(error: pisax_store::Error) -> Self {
        Self::Here(error.into())
    }
}

impl From<pisax_outbound::Error> for Fault {
    fn from(error: pisax_outbound::Error) -> Self {
        match error {
            pisax_outbound::Error::TooLarge(_) => Self::TooMuch(error.to_string()),
            pisax_outbound::Error::Link(why) => Self::Setup(why.to_owned()),
            pisax_outbound::Error::BadAddress | pisax_outbound::Error::NotPublic(_) => {
                Self::Setup(error.to_string())
            }
            other => Self::Away(other.to_string()),
        }
    }
}

impl Fault {
    /// Whether the same may go well later without anybody's doing.
    pub fn passes(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Part { fault, .. } => fault.passes(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_server_says_stays_a_line() {
        let long = format!("a\u{0}b\r\n\u{1b}[31mc{}", "é".repeat(10_000));
        for fault in [
            Fault::Away(long.clone()),
            Fault::Strange(long.clone()),
            Fault::TooMuch(long.clone()),
            Fault::Status { status: 500, message: long },
        ] {
            let said = fault.to_string();
            assert!(said.contains("ab[31mcé") && !said.chars().any(char::is_control), "{said}");
            assert!(said.chars().count() < LONGEST + 50);
        }
    }
}
