//! `new pipeline` as a whole: a manifest, a model and a test, to be changed.
//!
//! In comes a name; out come files that pass `check` and `test` as they are: the rows of a
//! dataset, with its key as the grain. Nothing that is there is written over.

use std::path::{Path, PathBuf};

use super::{
    Result,
    new::{first_entry, write},
    starter::Starter,
};
use crate::{env::Env, kind::Kind, pipeline::Project};

/// Why there is no new pipeline. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewError {
    /// The folder is in no project.
    #[error("there is no project in {}", .0.display())]
    NoProject(PathBuf),
    /// The name cannot be one.
    #[error("`{name}` cannot be the name of a pipeline: {reason}")]
    Name {
        /// What was asked for.
        name: String,
        /// What is wrong.
        reason: String,
        /// The nearest name that can.
        instead: Option<String>,
    },
    /// There is such a file, or a folder that is not empty.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// There is nothing that a model could read.
    #[error("pipelines/sources.toml declares no dataset that a model could read")]
    NoDataset,
}

impl NewError {
    pub(crate) fn kind(&self) -> Kind {
        Kind::Usage
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            NewError::NoProject(_) => {
                "`pricemill new DIR` creates one; `pricemill new --empty DIR` one without pipelines"
                    .to_owned()
            }
            NewError::Name {
                instead: Some(name),
                ..
            } => format!("`pricemill new pipeline {name}`"),
            NewError::Name { .. } => "choose another name, such as cheap-milk".to_owned(),
            NewError::Exists(_) => "choose another name, or remove it".to_owned(),
            NewError::NoDataset => {
                "declare one; `pricemill docs formats` says what the file holds".to_owned()
            }
        })
    }
}

/// Writes a pipeline's first files, and returns their paths, relative to the project's
/// folder.
///
/// # Errors
///
/// The folder is in no project, the name cannot be used, or a file is there already.
pub fn new_pipeline(env: &Env, name: &str) -> Result<Vec<PathBuf>> {
    let project = env.project()?;
    let root = &env.config.root;
    if project.root.is_none() {
        return Err(NewError::NoProject(root.clone()).into());
    }
    free(project, name)?;
    let starter = Starter::of(project, name).ok_or(NewError::NoDataset)?;
    let relation = starter.relation();
    let folders = [format!("sql/{name}"), format!("tests/sql/{name}")];
    let files = [
        (format!("pipelines/{name}.toml"), starter.manifest()),
        (format!("{}/{relation}.sql", folders[0]), starter.model()),
        (format!("{}/{relation}.slt", folders[1]), starter.test()),
    ];
    let is_there = |file: &str| root.join(file).exists();
    let mut there = files.iter().map(|(file, _)| file).filter(|it| is_there(it));
    if let Some(file) = there.next() {
        return Err(NewError::Exists(file.into()).into());
    }
    for folder in &folders {
        if first_entry(&root.join(folder))?.is_some() {
            return Err(NewError::Exists(folder.into()).into());
        }
    }
    for (file, text) in &files {
        write(&root.join(file), text.as_bytes())?;
    }
    Ok(files.map(|(file, _)| Path::new(&file).to_owned()).into())
}

/// Says why a name cannot be a new pipeline's, if it cannot.
fn free(project: &Project, name: &str) -> Result<(), NewError> {
    let Some(reason) = project.refuses_name(name) else {
        return Ok(());
    };
    let instead = usable(name);
    let is_better = instead != name && project.refuses_name(&instead).is_none();
    Err(NewError::Name {
        name: name.to_owned(),
        reason,
        instead: is_better.then_some(instead),
    })
}

/// Returns a name in the letters that names have.
fn usable(name: &str) -> String {
    let letters = name.trim().chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() || letter == '_' => letter.to_ascii_lowercase(),
        _ => '-',
    });
    let letters: String = letters.collect();
    let parts: Vec<&str> = letters.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_turned_into_one_that_can_be_used() {
        assert_eq!(usable("Cheap Milk"), "cheap-milk");
        assert_eq!(usable("cheap/milk.toml"), "cheap-milk-toml");
        assert_eq!(usable("-a--b-"), "a-b");
    }
}
