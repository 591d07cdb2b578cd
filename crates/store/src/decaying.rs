//! Decaying models, and what scoring needs to know of sightings. A model is its organisation's, or everybody's
//! when it says so; parameters are the caller's text.

use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Error, Reader, Result, Writer, dialect, list};
use pisax_model::Uuid;
use pisax_model::decay::{DecayingModel, Formula, Parameters, Sighted};
use rustc_hash::FxHashMap;

/// How parameters are read from and written to the text they are kept as.
#[derive(Clone, Copy)]
pub struct Coding {
    pub read: fn(&str) -> Option<Parameters>,
    pub write: fn(&Parameters) -> String,
}

const COLUMNS: &str = "id, uuid, name, description, parameters, types, org_id, enabled, all_orgs, refs, formula, version, is_default";

fn read(row: &Row<'_>, coding: Coding) -> Result<DecayingModel> {
    Ok(DecayingModel {
        id: row.int(0)?,
        uuid: row.opt_uuid(1)?,
        name: row.string(2)?,
        description: row.string(3)?,
        parameters: (coding.read)(row.text(4)?).ok_or(Error::Damaged("a decaying model's parameters"))?,
        types: list::words(row.text(5)?),
        org_id: row.int(6)?,
        enabled: row.flag(7)?,
        all_orgs: row.flag(8)?,
        references: list::words(row.text(9)?),
        formula: Formula::parse(row.text(10)?).ok_or(Error::Damaged("a decaying model's formula"))?,
        version: row.int(11)?,
        default: row.flag(12)?,
    })
}

impl Reader<'_> {
    /// Whether the model in `alias` is for the actor.
    fn sees_model(&self, alias: &str) -> String {
        if self.actor.sees_all() {
            return "1 = 1".into();
        }
        format!("({alias}.all_orgs = 1 or {alias}.org_id = {})", self.actor.org_id)
    }

    /// The models the actor may use.
    pub fn decaying_models(&mut self, coding: Coding) -> Result<Vec<DecayingModel>> {
        let sees = self.sees_model("m");
        let columns: Vec<&str> = COLUMNS.split(", ").collect();
        let sql = format!(
            "select {} from decaying_models m where {sees} order by m.id",
            list::columns("m", &columns)
        );
        self.conn.all(&sql, &[], |r| read(r, coding))
    }

    pub fn decaying_model(&mut self, id: i64, coding: Coding) -> Result<Option<DecayingModel>> {
        let sees = self.sees_model("m");
        let columns: Vec<&str> = COLUMNS.split(", ").collect();
        let sql = format!(
            "select {} from decaying_models m where m.id = $1 and {sees}",
            list::columns("m", &columns)
        );
        self.conn.first(&sql, &[id.into()], |r| read(r, coding))
    }

    /// What the actor knows was seen of these attributes, by set; those never seen are left out.
    pub fn sighted(&mut self, attributes: &[i64]) -> Result<FxHashMap<i64, Sighted>> {
        let lite = self.conn.is_lite();
        // The attributes are visible already; of their sightings, those the actor may see.
        let sql = format!(
            "select s.attribute_id, max(case when s.kind = 0 then s.date_sighting end), count(*), \
             sum(case when s.kind = 0 then 1 else 0 end) from sightings s join events e on e.id = s.event_id \
             where {} and {} group by s.attribute_id",
            dialect::in_set(lite, "s.attribute_id", 1),
            self.sees_sighting("e", "s")
        );
        let set = dialect::set_text(lite, attributes.iter().copied());
        let mut found = FxHashMap::default();
        self.conn.each(&sql, &[Val::Text(&set)], |r| {
            let sighted = Sighted { last: r.opt_int(1)?, total: r.int(2)?, positive: r.int(3)? };
            found.insert(r.int(0)?, sighted);
            Ok(())
        })?;
        Ok(found)
    }
}

impl Writer<'_> {
    /// Adds a model (number 0) or writes a stored one; returns its number.
    pub fn put_decaying_model(
        &mut self,
        old: Option<&DecayingModel>,
        model: &DecayingModel,
        coding: Coding,
    ) -> Result<i64> {
        let id = match old {
            Some(old) => old.id,
            None => dialect::allocate(&mut self.conn, "decaying_models", 1)?[0],
        };
        let columns: Vec<&str> = COLUMNS.split(", ").collect();
        let sets: Vec<String> = columns[1..].iter().map(|c| format!("{c} = excluded.{c}")).collect();
        let sql = format!(
            "insert into decaying_models ({COLUMNS}) values {} on conflict (id) do update set {}",
            list::places(1, columns.len()),
            sets.join(", ")
        );
        let (parameters, types, refs) =
            ((coding.write)(&model.parameters), list::lines(&model.types), list::lines(&model.references));
        let args = [
            id.into(),
            model.uuid.as_ref().into(),
            (&model.name).into(),
            (&model.description).into(),
            (&parameters).into(),
            (&types).into(),
            model.org_id.into(),
            model.enabled.into(),
            model.all_orgs.into(),
            (&refs).into(),
            model.formula.name().into(),
            model.version.into(),
            model.default.into(),
        ];
        self.conn.execute(&sql, &args)?;
        let action = match old {
            None => Action::Add,
            Some(old) if !old.enabled && model.enabled => Action::Enable,
            Some(old) if old.enabled && !model.enabled => Action::Disable,
            Some(_) => Action::Edit,
        };
        let was = |f: &dyn Fn(&DecayingModel) -> String| old.map(f).unwrap_or_default();
        let uuid = model.uuid.unwrap_or(Uuid::nil());
        self.changed(Noun::DecayingModel, action, uuid, 0)
            .of(id, &model.name)
            .field("name", was(&|m| m.name.clone()), &model.name)
            .field("description", was(&|m| m.description.clone()), &model.description)
            .field("formula", was(&|m| m.formula.name().to_owned()), model.formula.name())
            .field("parameters", was(&|m| (coding.write)(&m.parameters)), &parameters)
            .field("attribute_types", was(&|m| m.types.join(", ")), model.types.join(", "))
            .field("enabled", was(&|m| m.enabled.to_string()), model.enabled)
            .field("all_orgs", was(&|m| m.all_orgs.to_string()), model.all_orgs);
        Ok(id)
    }

    /// Takes a model away.
    pub fn delete_decaying_model(&mut self, model: &DecayingModel) -> Result<()> {
        self.conn.execute("delete from decaying_models where id = $1", &[model.id.into()])?;
        let uuid = model.uuid.unwrap_or(Uuid::nil());
        self.changed(Noun::DecayingModel, Action::Delete, uuid, 0).of(model.id, &model.name);
        Ok(())
    }
}
