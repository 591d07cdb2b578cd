-- Where to read what a mail tells of: all that some may get unencrypted.
alter table mails add column link text not null default '';
-- What is newer than this (Unix seconds) is news in a mail about a publication; 0: told for the first time.
alter table alerts add column since {int} not null default 0;
-- When the publication of an event was told last, for as long as it may not be told again.
create table alert_bans (event_id {int} primary key, moment {int} not null);
-- Up to when a user had his summaries. period: 1 daily, 2 weekly, 3 monthly.
create table digests (
  user_id {int} not null, period {small} not null, until {int} not null, primary key (user_id, period));
