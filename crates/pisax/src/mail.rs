//! Mails leave: what stands in the outbox is handed to the mail server.

use crate::config::{Smtp, Tls};
use anyhow::{Context, Result};
use lettre::message::header::{ContentTransferEncoding, ContentType, Subject};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message, SmtpTransport, Transport};
use pisax_service::Service;
use pisax_service::mail::outbox::{self, Way};
use pisax_service::mail::tell_alerts;
use pisax_store::mails::Mail;
use std::time::Duration;

/// The subject of a mail whose subject is hidden.
const HIDDEN: &str = "...";
/// How long the mail server may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server and who writes.
pub struct Postman {
    transport: SmtpTransport,
    from: Mailbox,
}

impl Postman {
    pub fn new(smtp: &Smtp) -> Result<Self> {
        let from = smtp.from.parse().with_context(|| format!("smtp_from: {}", smtp.from))?;
        let host = smtp.host.as_str();
        let builder = match smtp.tls {
            Tls::Immediate => SmtpTransport::relay(host),
            Tls::Upgraded => SmtpTransport::starttls_relay(host),
            Tls::Off => Ok(SmtpTransport::builder_dangerous(host)),
        };
        let mut builder = builder.context("smtp_host")?.port(smtp.port).timeout(Some(PATIENCE));
        if let Some(user) = &smtp.user {
            let password = match &smtp.password_file {
                Some(file) => std::fs::read_to_string(file)
                    .with_context(|| format!("smtp_password_file: {}", file.display()))?,
                None => String::new(),
            };
            builder = builder.credentials(Credentials::new(
                user.clone(),
                password.trim_end_matches(['\r', '\n']).to_owned(),
            ));
        }
        Ok(Self { transport: builder.build(), from })
    }

    /// Empties the outbox as far as the mail server takes it: writes what is to be told, then sends what is due.
    pub fn round(&self, service: &Service) -> pisax_service::Result<()> {
        if !service.sends_mail() || !outbox::waits(service)? {
            return Ok(());
        }
        tell_alerts(service)?;
        loop {
            let mails = outbox::take(service)?;
            if mails.is_empty() {
                return Ok(());
            }
            for mail in &mails {
                self.deliver(service, mail)?;
            }
        }
    }

    /// Sends a mail in the way it may leave, and says what came of it.
    fn deliver(&self, service: &Service, mail: &Mail) -> pisax_service::Result<()> {
        let way = outbox::way(service, mail)?;
        let encrypted = matches!(way, Way::Encrypted(_));
        let subject =
            if encrypted && outbox::hides_subject(service) { HIDDEN } else { mail.subject.as_str() };
        let content = match way {
            Way::Open => Content::Text(mail.body.clone()),
            Way::Notice(text) => Content::Text(text),
            Way::Encrypted(recipient) => match outbox::encrypt(service, &recipient, inside(mail))? {
                Ok(armoured) => Content::Parts(encrypted_parts(armoured)),
                Err(why) => return held(service, mail, &why),
            },
            Way::Held(why) => return held(service, mail, &why),
            Way::Refused(why) => return outbox::failed(service, mail, &why, true),
        };
        match self.send(mail, subject, content) {
            Ok(()) => outbox::sent(service, mail, encrypted),
            Err(Refusal { why, lasting }) => {
                tracing::warn!(mail = mail.id, why, "a mail could not be sent");
                outbox::failed(service, mail, &why, lasting)
            }
        }
    }

    fn send(&self, mail: &Mail, subject: &str, content: Content) -> Result<(), Refusal> {
        let lasting = |e: &dyn std::fmt::Display| Refusal { why: e.to_string(), lasting: true };
        let to: Mailbox = mail.recipient.parse().map_err(|e| lasting(&e))?;
        let mut message = Message::builder().from(self.from.clone()).to(to).subject(subject);
        if let Ok(reply_to) = mail.reply_to.parse() {
            message = message.reply_to(reply_to);
        }
        let message = match content {
            Content::Text(text) => message.body(text),
            Content::Parts(parts) => message.multipart(parts),
        };
        let message = message.map_err(|e| lasting(&e))?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal { why: error.to_string(), lasting: error.is_permanent() }),
        }
    }
}

/// What a mail holds.
enum Content {
    Text(String),
    Parts(MultiPart),
}

fn held(service: &Service, mail: &Mail, why: &str) -> pisax_service::Result<()> {
    tracing::warn!(mail = mail.id, why, "a mail is held");
    outbox::held(service, mail, why)
}

/// What is encrypted: a part of its own, with the subject among its headers for readers that show it.
fn inside(mail: &Mail) -> Vec<u8> {
    let part = SinglePart::builder().header(Subject::from(mail.subject.clone()));
    part.content_type(kind("text/plain; charset=utf-8; protected-headers=\"v1\""))
        .body(mail.body.clone())
        .formatted()
}

/// One of the types named here, all of which can be read.
fn kind(name: &str) -> ContentType {
    ContentType::parse(name).unwrap_or(ContentType::TEXT_PLAIN)
}

/// The two parts of RFC 3156, 4: that it is OpenPGP, and the message.
fn encrypted_parts(armoured: String) -> MultiPart {
    let part = |name: &str, body: String| {
        let part = SinglePart::builder().content_type(kind(name)).header(ContentTransferEncoding::SevenBit);
        part.body(body)
    };
    MultiPart::encrypted("application/pgp-encrypted".into())
        .singlepart(part("application/pgp-encrypted", "Version: 1\r\n".into()))
        .singlepart(part("application/octet-stream; name=\"encrypted.asc\"", armoured))
}

/// Why a mail was not taken, and whether it ever would be.
struct Refusal {
    why: String,
    lasting: bool,
}
