//! Mails leave: what stands in the outbox is handed to the mail server.

use crate::config::{Smtp, Tls};
use anyhow::{Context, Result};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message, SmtpTransport, Transport};
use pisax_service::Service;
use pisax_service::mail::{outbox, tell_alerts};
use pisax_store::mails::Mail;
use std::time::Duration;

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
                match self.send(mail) {
                    Ok(()) => outbox::sent(service, mail)?,
                    Err(Refusal { why, lasting }) => {
                        tracing::warn!(mail = mail.id, why, "a mail could not be sent");
                        outbox::failed(service, mail, &why, lasting)?;
                    }
                }
            }
        }
    }

    fn send(&self, mail: &Mail) -> Result<(), Refusal> {
        let lasting = |e: &dyn std::fmt::Display| Refusal { why: e.to_string(), lasting: true };
        let to: Mailbox = mail.recipient.parse().map_err(|e| lasting(&e))?;
        let mut message = Message::builder().from(self.from.clone()).to(to).subject(mail.subject.as_str());
        if let Ok(reply_to) = mail.reply_to.parse() {
            message = message.reply_to(reply_to);
        }
        let message = message.body(mail.body.clone()).map_err(|e| lasting(&e))?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) => Err(Refusal { why: error.to_string(), lasting: error.is_permanent() }),
        }
    }
}

/// Why a mail was not taken, and whether it ever would be.
struct Refusal {
    why: String,
    lasting: bool,
}
