//! What became of feeds each time they were fetched or cached. Site admins alone see it: feeds may be secret.

use crate::conn::{Kind, Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::feed_run::{Account, FeedRun, FeedState, NotTaken, RunKind, RunOutcome};

const HEAD: &str = "id, feed_id, kind, started, ended, outcome, error, event_id";
/// Runs of a feed that are kept.
const KEPT: i64 = 100;

fn columns() -> String {
    let account = Account::default().columns();
    let account: Vec<_> = account.iter().map(|(name, _)| *name).collect();
    format!("{HEAD}, {}", account.join(", "))
}

fn read(row: &Row<'_>) -> Result<FeedRun> {
    let mut account = [0; 13];
    for (place, value) in account.iter_mut().enumerate() {
        *value = row.int(8 + place)?;
    }
    Ok(FeedRun {
        id: row.int(0)?,
        feed_id: row.int(1)?,
        kind: RunKind::from_code(row.int(2)?).ok_or(Error::Damaged("the kind of a feed's run"))?,
        started: row.int(3)?,
        ended: row.int(4)?,
        outcome: RunOutcome::from_code(row.int(5)?).ok_or(Error::Damaged("the outcome of a feed's run"))?,
        error: row.string(6)?,
        event_id: row.int(7)?,
        account: Account::from_columns(account),
    })
}

fn values(run: &FeedRun) -> Vec<Val<'_>> {
    let mut values: Vec<Val<'_>> = vec![
        run.id.into(),
        run.feed_id.into(),
        Val::Int(run.kind as i64),
        run.started.into(),
        run.ended.into(),
        Val::Int(run.outcome as i64),
        (&run.error).into(),
        run.event_id.into(),
    ];
    values.extend(run.account.columns().map(|(_, value)| Val::Int(value)));
    values
}

impl Reader<'_> {
    fn sees_runs(&self) -> &'static str {
        if self.actor.sees_all() { "1 = 1" } else { "1 = 0" }
    }

    /// The newest first.
    pub fn feed_runs(&mut self, feed_id: i64, limit: i64, offset: i64) -> Result<Vec<FeedRun>> {
        let sql = format!(
            "select {} from feed_runs where feed_id = $1 and {} order by id desc limit {limit} offset {offset}",
            columns(),
            self.sees_runs()
        );
        self.conn.all(&sql, &[feed_id.into()], read)
    }

    pub fn feed_run(&mut self, id: i64) -> Result<Option<FeedRun>> {
        let sql = format!("select {} from feed_runs where id = $1 and {}", columns(), self.sees_runs());
        self.conn.first(&sql, &[id.into()], read)
    }

    /// What was not taken in a run, in its order.
    pub fn feed_refusals(&mut self, run_id: i64, limit: i64, offset: i64) -> Result<Vec<NotTaken>> {
        let sql = format!(
            "select line, value, reason from feed_refusals where run_id = $1 and {} \
             order by place limit {limit} offset {offset}",
            self.sees_runs()
        );
        self.conn.all(&sql, &[run_id.into()], |row| {
            Ok(NotTaken { line: row.int(0)?, value: row.string(1)?, reason: row.string(2)? })
        })
    }

    pub fn feed_state(&mut self, feed_id: i64) -> Result<FeedState> {
        let sql = format!(
            "select etag, last_modified, definition, asked from feed_state where feed_id = $1 and {}",
            self.sees_runs()
        );
        let found = self.conn.first(&sql, &[feed_id.into()], |row| {
            Ok(FeedState {
                etag: row.string(0)?,
                last_modified: row.string(1)?,
                definition: row.string(2)?,
                asked: row.int(3)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }
}

impl Writer<'_> {
    pub fn set_feed_state(&mut self, feed_id: i64, state: &FeedState) -> Result<()> {
        let sql = "insert into feed_state (feed_id, etag, last_modified, definition, asked) \
                   values ($1, $2, $3, $4, $5) on conflict (feed_id) do update set etag = excluded.etag, \
                   last_modified = excluded.last_modified, definition = excluded.definition, asked = excluded.asked";
        let args = [
            feed_id.into(),
            (&state.etag).into(),
            (&state.last_modified).into(),
            (&state.definition).into(),
            state.asked.into(),
        ];
        self.conn.execute(sql, &args)?;
        Ok(())
    }

    /// Begins a run of a feed; old ones are forgotten. Returns its number.
    pub fn begin_feed_run(&mut self, feed_id: i64, kind: RunKind) -> Result<i64> {
        let old = format!(
            "select id from feed_runs where feed_id = $1 order by id desc limit 1000 offset {}",
            KEPT - 1
        );
        for id in self.conn.all(&old, &[feed_id.into()], |row| row.int(0))? {
            self.conn.execute("delete from feed_refusals where run_id = $1", &[id.into()])?;
            self.conn.execute("delete from feed_runs where id = $1", &[id.into()])?;
        }
        let run = FeedRun {
            id: dialect::allocate(&mut self.conn, "feed_runs", 1)?[0],
            feed_id,
            kind,
            started: self.now(),
            ended: 0,
            outcome: RunOutcome::Running,
            error: String::new(),
            event_id: 0,
            account: Account::default(),
        };
        let args = values(&run);
        let sql = format!("insert into feed_runs ({}) values {}", columns(), list::places(1, args.len()));
        self.conn.execute(&sql, &args)?;
        Ok(run.id)
    }

    /// Writes down how a run ended, and what was not taken in it.
    pub fn end_feed_run(&mut self, run: &FeedRun, not_taken: &[NotTaken]) -> Result<()> {
        let columns = columns();
        let sets: Vec<String> = columns
            .split(", ")
            .enumerate()
            .skip(1)
            .map(|(place, column)| format!("{column} = ${}", place + 1))
            .collect();
        let sql = format!("update feed_runs set {} where id = $1", sets.join(", "));
        self.conn.execute(&sql, &values(run))?;
        let columns = [
            ("run_id", Kind::Int),
            ("place", Kind::Int),
            ("line", Kind::Int),
            ("value", Kind::Text),
            ("reason", Kind::Text),
        ];
        let rows = not_taken.iter().enumerate().map(|(place, one)| {
            [
                run.id.into(),
                Val::Int(place as i64),
                one.line.into(),
                (&one.value).into(),
                (&one.reason).into(),
            ]
        });
        self.conn.bulk("feed_refusals", columns, rows)
    }

    /// Forgets everything about a feed's runs, with what is cached of it.
    pub(crate) fn forget_feed(&mut self, feed_id: i64) -> Result<()> {
        let id = [feed_id.into()];
        let refusals =
            "delete from feed_refusals where run_id in (select id from feed_runs where feed_id = $1)";
        self.conn.execute(refusals, &id)?;
        self.conn.execute("delete from feed_runs where feed_id = $1", &id)?;
        self.conn.execute("delete from feed_state where feed_id = $1", &id)?;
        self.forget_cache((pisax_model::feed_run::SourceKind::Feed, feed_id))
    }
}
