//! Texts of a manifest, empty where they cannot be read.

use super::super::reader::{Reader, Section};

pub(super) fn required(
    reader: &mut Reader<'_>,
    top: Section<'_>,
    key: &str,
    example: &str,
) -> String {
    if !top.table.contains_key(key) {
        reader.missing(top, key, example);
    }
    reader
        .text(top, key)
        .map(|text| text.value.to_owned())
        .unwrap_or_default()
}

pub(super) fn texts(reader: &mut Reader<'_>, section: Section<'_>, key: &str) -> Vec<String> {
    let texts = reader.texts(section, key).unwrap_or_default();
    texts
        .into_iter()
        .map(|text| text.value.to_owned())
        .collect()
}
