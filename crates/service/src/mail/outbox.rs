//! The outbox for whoever sends: mails are taken, sent, and what came of it is said.

use crate::{Result, Service, cryptographic_key};
use pisax_access::Actor;
use pisax_auth::openpgp::Recipient;
use pisax_store::mails::Mail;

/// How long a sender has for what it took; after that others may try.
const HELD: i64 = 600;
/// Seconds until the next attempt, by the number of those that failed; then the mail is given up.
const WAITS: [i64; 8] = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600];

fn actor() -> Actor {
    Actor::system("send mail")
}

/// Whether there is anything to do.
pub fn waits(service: &Service) -> Result<bool> {
    let now = service.now();
    service.read(&actor(), |r| Ok(r.outbox_waits(now)?))
}

/// Mails that are due; no other process gets them for a while.
pub fn take(service: &Service) -> Result<Vec<Mail>> {
    let until = service.now() + HELD;
    service.write(&actor(), |w| Ok(w.take_mails(until)?))
}

/// How a mail may leave.
#[derive(Debug)]
pub enum Way {
    /// As it is: its receiver has no key.
    Open,
    /// Its receiver has no key: only that there is something, and where. This is the text for him.
    Notice(String),
    Encrypted(Box<Recipient>),
    /// Not before its receiver has another key: the one he has is of no use. Never unencrypted.
    Held(String),
    /// Not at all.
    Refused(String),
}

/// How this mail may leave, as its receiver's key and the settings are now.
pub fn way(service: &Service, mail: &Mail) -> Result<Way> {
    let Some(user) = service.read(&actor(), |r| Ok(r.user(mail.user_id)?))? else {
        return Ok(Way::Refused("its receiver has no account any more".into()));
    };
    if let Some(key) = user.gpgkey.filter(|key| !key.trim().is_empty()) {
        return Ok(match Recipient::parse(&key, service.now()) {
            Ok(recipient) => Way::Encrypted(Box::new(recipient)),
            Err(error) => Way::Held(error.to_string()),
        });
    }
    let encryption = service.settings().encryption;
    if encryption.only {
        return Ok(Way::Refused("its receiver has no PGP key, and GnuPG.onlyencrypted is on".into()));
    }
    if encryption.body_only && !mail.link.is_empty() {
        let text = format!(
            "There is something new for you to read:\n\n{}\n\nYour account has no PGP key, so this mail says no more.\n",
            mail.link
        );
        return Ok(Way::Notice(text));
    }
    Ok(Way::Open)
}

/// Whether the subject of an encrypted mail is for nobody on its way.
pub fn hides_subject(service: &Service) -> bool {
    service.settings().encryption.obscure_subject
}

/// An armoured message: encrypted to the recipient, signed by this instance inside where that is wanted.
pub fn encrypt(service: &Service, recipient: &Recipient, data: Vec<u8>) -> Result<Result<String, String>> {
    let signer = match service.settings().encryption.sign {
        true => Some(cryptographic_key::own(service)?),
        false => None,
    };
    Ok(recipient.encrypt(data, signer).map_err(|error| error.to_string()))
}

/// It was handed to the mail server.
pub fn sent(service: &Service, mail: &Mail, encrypted: bool) -> Result<()> {
    service.write(&actor(), |w| Ok(w.mail_sent(mail, encrypted)?))
}

/// It waits for its receiver's key to be put right; in the end it is given up like one that nobody takes.
pub fn held(service: &Service, mail: &Mail, why: &str) -> Result<()> {
    let wait = usize::try_from(mail.attempts).ok().and_then(|n| WAITS.get(n));
    let Some(wait) = wait else { return failed(service, mail, why, true) };
    let again = service.now() + wait;
    service.write(&actor(), |w| Ok(w.mail_held(mail, why, again)?))
}

/// It could not be; a lasting refusal is not tried again.
pub fn failed(service: &Service, mail: &Mail, failure: &str, lasting: bool) -> Result<()> {
    let wait = usize::try_from(mail.attempts).ok().and_then(|n| WAITS.get(n)).filter(|_| !lasting);
    let again = wait.map(|wait| service.now() + wait);
    service.write(&actor(), |w| Ok(w.mail_failed(mail, failure, again)?))
}
