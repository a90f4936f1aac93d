//! The project's units of sizes, for what normalizes names outside a pipeline.
//!
//! In goes a project; out come the rows of its seeds `units` (unit, base, amount), the
//! same that its pipelines hand to `normalize_name`. Nothing else is a source of units
//! where a project has such a seed.

use datafusion::arrow::{
    array::{Array, AsArray},
    datatypes::Int64Type,
    record_batch::RecordBatch,
};

use super::{Broken, Project, SourceFile, read_seed};
use crate::{
    diagnostics::{Code, Finding, Findings},
    text::Units,
};

/// The seed's name.
const SEED: &str = "units";

/// Returns the pipelines whose units are not to be had, where no other has any.
pub(crate) fn broken_units(project: &Project) -> Vec<&Broken> {
    let mut pipelines = project.pipelines.values();
    if pipelines.any(|pipeline| pipeline.seeds.contains_key(SEED)) {
        return Vec::new();
    }
    let broken = project.broken.iter();
    broken.filter(|broken| broken.has(SEED)).collect()
}

/// Returns the units of the project's seeds; the usual ones where it has no such seed.
///
/// # Errors
///
/// A seed cannot be read, a unit makes no sense, or two that are not the same have one
/// name.
pub(crate) fn units(project: &Project) -> Result<Units, Findings> {
    let seeds = project.pipelines.values();
    let seeds = seeds.filter_map(|pipeline| pipeline.seeds.get(SEED));
    let mut rows = Vec::new();
    let mut last = None;
    for file in seeds {
        let batch = read_seed(file).map_err(|finding| Findings(vec![*finding]))?;
        if let Some(of_seed) = rows_of(&batch) {
            rows.extend(of_seed);
            last = Some(file);
        }
    }
    let Some(file) = last else {
        return Ok(Units::usual().clone());
    };
    let given = rows
        .iter()
        .map(|(unit, base, amount)| (unit.as_str(), base.as_str(), *amount));
    Units::of(given).map_err(|fault| Findings(vec![wrong(file, fault.to_string())]))
}

fn wrong(file: &SourceFile, message: String) -> Finding {
    let finding = Finding::new(Code::BadSeed, message);
    let help = "each unit has a name of letters, once, a base and an amount of it from 1 on";
    finding.at(file.place(0..0), "these units").help(help)
}

type Unit = (String, String, i64);

/// Returns a seed's units; `None` where its columns are others.
fn rows_of(batch: &RecordBatch) -> Option<Vec<Unit>> {
    let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let (units, bases) = (text("unit")?, text("base")?);
    let amounts = batch.column_by_name("amount")?;
    let amounts = amounts.as_primitive_opt::<Int64Type>()?;
    let whole = |row: &usize| {
        let columns: [&dyn Array; 3] = [units, bases, amounts];
        columns.iter().all(|column| column.is_valid(*row))
    };
    let unit = |row: usize| {
        let base = bases.value(row).to_owned();
        (units.value(row).to_owned(), base, amounts.value(row))
    };
    Some((0..batch.num_rows()).filter(whole).map(unit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalized_name;

    #[test]
    fn the_shipped_definitions_have_the_usual_units() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::load(folder.path()).unwrap();
        assert_eq!(&units(&project).unwrap(), Units::usual());
    }

    #[test]
    fn a_unit_of_the_projects_own_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut project = Project::load(folder.path()).unwrap();
        let pipelines = project.pipelines.values_mut();
        let mut seeds = pipelines.filter_map(|pipeline| pipeline.seeds.get_mut(SEED));
        seeds.next().unwrap().text = "unit,base,amount\nגרם,mg,1000\n".into();
        drop(seeds);
        let own = units(&project).unwrap();
        assert_eq!(normalized_name("במבה 80 גרם", &own), "במבה");
        assert_eq!(normalized_name("במבה 80 g", &own), "80 g במבה");
    }
}
