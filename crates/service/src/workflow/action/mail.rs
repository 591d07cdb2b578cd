//! Mails, put into the outbox in one transaction.

use super::told;
use crate::mail;
use crate::workflow::run::Run;
use pisax_access::Permission;
use pisax_model::workflow::{Data, Node};
use pisax_store::mails::Mail;

/// Mails that one action sends.
const MAX_MAILS: usize = 1000;
/// What one says at most, in bytes.
const MAX_MAIL: usize = 256 * 1024;

impl Run<'_> {
    pub(super) fn mail(&self, node: &Node) -> Result<(), String> {
        if !self.service.sends_mail() {
            return Err("no mail goes out from here".into());
        }
        let subject = self.rendered(node, "mail_template_subject", MAX_MAIL)?;
        let subject: String = subject.chars().filter(|c| !c.is_control()).take(500).collect();
        let body = self.rendered(node, "mail_template_body", MAX_MAIL)?;
        if subject.trim().is_empty() {
            return Err("the mail has no subject".into());
        }
        let recipients = node.param("recipients").texts();
        // Of the organisation whose user did what was logged.
        let doer = self.data().at("Log.user_id").and_then(Data::text).and_then(|id| id.parse().ok());
        let doer = doer.filter(|_| node.module == "send-log-mail").unwrap_or(0);
        let is = |name: &str| recipients.iter().any(|r| r.eq_ignore_ascii_case(name));
        let sent = self.service.write(&self.actor, |w| {
            let roles = w.roles()?;
            let with = |permission: Permission| -> Vec<i64> {
                roles.iter().filter(|role| role.permissions.has(permission)).map(|role| role.id).collect()
            };
            let (admins, org_admins) = (with(Permission::SiteAdmin), with(Permission::Admin));
            let org = if doer > 0 { w.user(doer)?.map_or(0, |user| user.org_id) } else { 0 };
            let now = w.now();
            let mut users = w.users(None, None)?;
            users.retain(|user| {
                let admin = is("All admins") && admins.contains(&user.role_id);
                let org_admin = is("Org admins") && user.org_id == org && org_admins.contains(&user.role_id);
                mail::active(user, now) && (is("All accounts") || admin || org_admin || is(&user.email))
            });
            if users.len() > MAX_MAILS {
                return Ok(Err(format!("more than {MAX_MAILS} mails are not sent at once")));
            }
            let mails: Vec<Mail> = users.iter().map(|user| mail::to(user, &subject, &body)).collect();
            for mail in &mails {
                w.add_mail(mail)?;
            }
            Ok(Ok(mails.len()))
        });
        match sent.map_err(told)? {
            Ok(0) => Err("none of the recipients can be written to".into()),
            Ok(_) => Ok(()),
            Err(reason) => Err(reason),
        }
    }
}
