//! What a value looks like, apart from what it means: types of one form are checked alike.

/// How a value is normalised and checked (semantics 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Anything, over several lines if it likes.
    Free,
    /// Anything on one line.
    Line,
    /// Anything, in lower case.
    Lowered,
    Ip,
    IpPort,
    Port,
    Domain,
    Hostname,
    DomainIp,
    HostnamePort,
    Url,
    Link,
    Email(EmailCare),
    Onion,
    /// An autonomous system number.
    As,
    /// A hardware address of so many hexadecimal digits.
    Mac(u8),
    Hash(HashForm),
    /// `filename|hash`.
    NamedHash(HashForm),
    /// `filename|md5`, unchecked: the bytes decide.
    Sample,
    RegkeyValue,
    Vulnerability,
    Weakness,
    HexText,
    HttpMethod,
    /// Card numbers: digits, whatever stands between them.
    Digits,
    /// IBAN and BIC: capitals and digits, whatever stands between them.
    BankCode,
    Alphanumeric,
    Numeric,
    Phone,
    DateTime,
    Boolean,
    Whole,
    Integer,
    SshFingerprint,
    ServiceName,
    Json,
    Uuid,
}

/// What is done to an address before it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmailCare {
    /// Refanged and lower-cased.
    Refanged,
    Lowered,
    AsSent,
}

/// What a checksum looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashForm {
    /// So many hexadecimal digits.
    Hex(u8),
    /// As `Hex`, often written with colons.
    Fingerprint(u8),
    /// Forty digits whose case is kept.
    Commit,
    Pehash,
    Cdhash,
    Telfhash,
    Tlsh,
    Ssdeep,
    Impfuzzy,
    Vhash,
}
