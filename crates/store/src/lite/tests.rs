use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("pisax_lite_{}_{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn open(&self) -> Lite {
        let lite =
            Lite::open(&self.0.join("pisax.db"), Options { connections: 2, ..Options::default() }).unwrap();
        put(&lite, "create table notes (note text)").unwrap();
        lite
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn put(lite: &Lite, sql: &str) -> Result<()> {
    lite.write(|mut conn| conn.execute(sql, &[]).map(|_| ()))
}

fn notes(lite: &Lite) -> Vec<String> {
    lite.read(|mut conn| conn.all("select note from notes order by note", &[], |r| r.string(0))).unwrap()
}

/// What SQLite does by itself when the disk is full.
fn undo_everything(conn: &Conn<'_>) {
    let Conn::Lite(conn) = conn else { return };
    conn.execute_batch("rollback").unwrap();
}

#[test]
fn a_group_that_sqlite_undid_fails_for_every_member() {
    let folder = Folder::new("undone");
    let lite = folder.open();
    std::thread::scope(|scope| {
        let mut second = None;
        let first = lite.write(|mut conn| {
            conn.execute("insert into notes values ('first')", &[])?;
            second = Some(scope.spawn(|| {
                lite.write(|mut conn| {
                    conn.execute("insert into notes values ('second')", &[])?;
                    undo_everything(&conn);
                    Ok::<_, Error>(())
                })
            }));
            // It joins this group once it waits for the lock.
            while lite.waiting.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            Ok::<_, Error>(())
        });
        assert!(matches!(first, Err(Error::Commit(_))), "{first:?}");
        let second = second.unwrap().join().unwrap();
        assert!(matches!(second, Err(Error::Commit(_))), "{second:?}");
    });
    assert!(notes(&lite).is_empty());
    put(&lite, "insert into notes values ('after')").unwrap();
    assert_eq!(notes(&lite), ["after"]);
}

#[test]
fn a_write_that_fails_with_the_transaction_says_why() {
    let folder = Folder::new("why");
    let lite = folder.open();
    let outcome = lite.write(|conn| {
        undo_everything(&conn);
        Err::<(), _>(Error::Damaged("the disk"))
    });
    assert!(matches!(outcome, Err(Error::Damaged("the disk"))), "{outcome:?}");
    put(&lite, "insert into notes values ('after')").unwrap();
    assert_eq!(notes(&lite), ["after"]);
}

#[test]
fn the_newest_failures_are_remembered() {
    let folder = Folder::new("failures");
    let lite = folder.open();
    let mut state = lite.writer.lock();
    for group in 1..=FAILURES as u64 + 5 {
        state.group = group;
        lite.end(&mut state, Some("no".into()));
    }
    assert_eq!(state.failed.len(), FAILURES);
    assert_eq!(state.failed.back().unwrap().0, FAILURES as u64 + 5);
}

#[test]
fn a_closed_database_is_one_file() {
    let folder = Folder::new("closed");
    let lite = folder.open();
    for n in 0..50 {
        put(&lite, &format!("insert into notes values ('{n}')")).unwrap();
    }
    assert_eq!(notes(&lite).len(), 50);
    drop(lite);
    let log = std::fs::metadata(folder.0.join("pisax.db-wal")).map_or(0, |m| m.len());
    assert_eq!(log, 0);
    std::fs::copy(folder.0.join("pisax.db"), folder.0.join("copy.db")).unwrap();
    let copy = Connection::open(folder.0.join("copy.db")).unwrap();
    assert_eq!(copy.query_row("select count(*) from notes", [], |r| r.get::<_, i64>(0)).unwrap(), 50);
}
