//! The outbox for whoever sends: mails are taken, sent, and what came of it is said.

use crate::{Result, Service};
use pisax_access::Actor;
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

/// It was handed to the mail server.
pub fn sent(service: &Service, mail: &Mail) -> Result<()> {
    service.write(&actor(), |w| Ok(w.mail_sent(mail)?))
}

/// It could not be; a lasting refusal is not tried again.
pub fn failed(service: &Service, mail: &Mail, failure: &str, lasting: bool) -> Result<()> {
    let wait = usize::try_from(mail.attempts).ok().and_then(|n| WAITS.get(n)).filter(|_| !lasting);
    let again = wait.map(|wait| service.now() + wait);
    service.write(&actor(), |w| Ok(w.mail_failed(mail, failure, again)?))
}
