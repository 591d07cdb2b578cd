//! What feeds and other servers hold, without being taken over: their values by MD5, looked up and compared.

use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::feed_run::{CacheHit, Cached, Source, SourceKind, ValueHash};

/// Rows of one statement.
const ROWS: usize = 200;
/// The generation that is read.
const LIVE: &str = "source_cache c join source_cache_state s on s.kind = c.kind and s.source_id = c.source_id \
     and s.generation = c.generation";

fn source(row: &Row<'_>, i: usize) -> Result<Source> {
    let kind = SourceKind::from_code(row.int(i)?).ok_or(Error::Damaged("the kind of a cached source"))?;
    Ok((kind, row.int(i + 1)?))
}

impl Reader<'_> {
    /// Whether the source in `alias` is visible: a feed as feeds are, a server to site admins.
    fn sees_source(&self, alias: &str) -> String {
        let (feed, server) = (SourceKind::Feed as i64, SourceKind::Server as i64);
        let servers = if self.actor.sees_all() {
            format!(
                "({alias}.kind = {server} and exists (select 1 from servers v where v.id = {alias}.source_id \
                 and v.caching_enabled = 1))"
            )
        } else {
            "1 = 0".into()
        };
        format!(
            "(({alias}.kind = {feed} and exists (select 1 from feeds f where f.id = {alias}.source_id \
             and f.caching_enabled = 1 and {})) or {servers})",
            self.sees_feed("f")
        )
    }

    /// Where these values are cached, among the sources that the actor sees.
    pub fn cached(&mut self, hashes: &[ValueHash]) -> Result<Vec<CacheHit>> {
        let values: Vec<Val<'_>> = hashes.iter().map(|hash| Val::Blob(hash)).collect();
        let mut hits = Vec::new();
        if values.is_empty() {
            return Ok(hits);
        }
        let sees = self.sees_source("c");
        for (places, args) in list::chunks(&values) {
            let sql = format!(
                "select c.kind, c.source_id, c.hash, c.event_uuid from {LIVE} where c.hash in {places} and {sees} \
                 order by c.kind, c.source_id, c.hash, c.event_uuid"
            );
            self.conn.each(&sql, &args, |row| {
                let hash = row.blob(2)?.try_into().map_err(|_| Error::Damaged("a cached value"))?;
                let uuid = row.uuid(3)?;
                hits.push(CacheHit {
                    source: source(row, 0)?,
                    hash,
                    event_uuid: (!uuid.is_nil()).then_some(uuid),
                });
                Ok(())
            })?;
        }
        Ok(hits)
    }

    /// What is cached of which visible source.
    pub fn cached_sources(&mut self) -> Result<Vec<Cached>> {
        let sql = format!(
            "select c.kind, c.source_id, c.elements, c.cached from source_cache_state c where {} \
             order by c.kind, c.source_id",
            self.sees_source("c")
        );
        self.conn.all(&sql, &[], |row| {
            Ok(Cached { source: source(row, 0)?, elements: row.int(2)?, at: row.int(3)? })
        })
    }

    /// How many values two visible sources have in common, each pair in both orders.
    pub fn cache_overlaps(&mut self) -> Result<Vec<(Source, Source, i64)>> {
        let sql = format!(
            "with live as (select distinct c.kind, c.source_id, c.hash from {LIVE} where {}) \
             select a.kind, a.source_id, b.kind, b.source_id, count(*) from live a join live b on b.hash = a.hash \
             where a.kind <> b.kind or a.source_id <> b.source_id \
             group by a.kind, a.source_id, b.kind, b.source_id",
            self.sees_source("c")
        );
        self.conn.all(&sql, &[], |row| Ok((source(row, 0)?, source(row, 2)?, row.int(4)?)))
    }

    /// How many of a source's values other visible sources (of these, where some are named) have as well.
    pub fn cache_coverage(&mut self, of: Source, by: Option<&[Source]>) -> Result<i64> {
        let among = match by {
            None => "1 = 1".to_owned(),
            Some([]) => "1 = 0".to_owned(),
            Some(sources) => {
                let one = |(kind, id): &Source| format!("(c.kind = {} and c.source_id = {id})", *kind as i64);
                sources.iter().map(one).collect::<Vec<_>>().join(" or ")
            }
        };
        let sql = format!(
            "select count(*) from (select distinct m.hash from source_cache m join source_cache_state t \
             on t.kind = m.kind and t.source_id = m.source_id and t.generation = m.generation \
             where m.kind = $1 and m.source_id = $2) own \
             where exists (select 1 from {LIVE} where c.hash = own.hash and not (c.kind = $1 and c.source_id = $2) \
             and ({among}) and {})",
            self.sees_source("c")
        );
        self.conn.number(&sql, &[Val::Int(of.0 as i64), of.1.into()])
    }

    /// Which of these values, folded, are in an attribute that the actor sees; whole values or halves.
    pub fn values_here(&mut self, values: &[&str]) -> Result<Vec<bool>> {
        let hashes: Vec<i64> =
            values.iter().map(|value| self.key.of(&pisax_model::fold::fold(value.trim()))).collect();
        let lite = self.conn.is_lite();
        let sql = format!(
            "select distinct p.hash from postings p join attributes a on a.id = p.attribute_id \
             join events e on e.id = a.event_id left join objects o on o.id = a.object_id and a.object_id > 0 \
             where {} and a.deleted = 0 and {}",
            dialect::in_set(lite, "p.hash", 1),
            self.sees_attribute("e", "o", "a")
        );
        let mut found = rustc_hash::FxHashSet::default();
        for chunk in hashes.chunks(1000) {
            let set = dialect::set_text(lite, chunk.iter().copied());
            self.conn.each(&sql, &[Val::Text(&set)], |row| {
                found.insert(row.int(0)?);
                Ok(())
            })?;
        }
        Ok(hashes.iter().map(|hash| found.contains(hash)).collect())
    }
}

impl Writer<'_> {
    /// Begins the next generation of what is cached of a source; what an interrupted one left is removed.
    pub fn begin_cache(&mut self, (kind, id): Source) -> Result<i64> {
        let key = [Val::Int(kind as i64), id.into()];
        let live = self
            .conn
            .number("select generation from source_cache_state where kind = $1 and source_id = $2", &key)?;
        let sql = "delete from source_cache where kind = $1 and source_id = $2 and generation <> $3";
        self.conn.execute(sql, &[key[0], key[1], live.into()])?;
        Ok(live + 1)
    }

    /// Adds values to the generation that is being written.
    pub fn cache(
        &mut self,
        (kind, id): Source,
        generation: i64,
        rows: &[(ValueHash, Option<Uuid>)],
    ) -> Result<()> {
        let nil = Uuid::nil();
        for chunk in rows.chunks(ROWS) {
            let args: Vec<Val<'_>> = chunk
                .iter()
                .flat_map(|(hash, uuid)| {
                    let uuid = uuid.as_ref().unwrap_or(&nil);
                    [
                        Val::Int(kind as i64),
                        id.into(),
                        generation.into(),
                        Val::Blob(hash),
                        Val::Blob(uuid.as_bytes()),
                    ]
                })
                .collect();
            let sql = format!(
                "insert into source_cache (kind, source_id, generation, hash, event_uuid) values {} \
                 on conflict do nothing",
                list::places(chunk.len(), 5)
            );
            self.conn.execute(&sql, &args)?;
        }
        Ok(())
    }

    /// From now on the new generation is read; the old one goes. Returns how many different values there are.
    pub fn finish_cache(&mut self, (kind, id): Source, generation: i64) -> Result<i64> {
        let key = [Val::Int(kind as i64), id.into(), generation.into()];
        let elements = self.conn.number(
            "select count(distinct hash) from source_cache where kind = $1 and source_id = $2 and generation = $3",
            &key,
        )?;
        let now = self.now();
        self.conn.execute(
            "insert into source_cache_state (kind, source_id, generation, elements, cached) \
             values ($1, $2, $3, $4, $5) on conflict (kind, source_id) do update set \
             generation = excluded.generation, elements = excluded.elements, cached = excluded.cached",
            &[key[0], key[1], key[2], elements.into(), now.into()],
        )?;
        let sql = "delete from source_cache where kind = $1 and source_id = $2 and generation <> $3";
        self.conn.execute(sql, &key)?;
        Ok(elements)
    }

    pub(crate) fn forget_cache(&mut self, (kind, id): Source) -> Result<()> {
        let key = [Val::Int(kind as i64), id.into()];
        self.conn.execute("delete from source_cache where kind = $1 and source_id = $2", &key)?;
        self.conn.execute("delete from source_cache_state where kind = $1 and source_id = $2", &key)?;
        Ok(())
    }
}
