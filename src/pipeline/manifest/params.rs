//! `[params]`: the values that a run may set, with their types and bounds.

use indexmap::IndexMap;

use super::{
    super::{
        Param, keys, names,
        reader::{Reader, Section, entries},
        sources,
    },
    values::texts,
};
use crate::{dataset::ColumnType, diagnostics::Code};

pub(super) fn params(reader: &mut Reader<'_>, top: Section<'_>) -> IndexMap<String, Param> {
    let mut params = IndexMap::new();
    let Some(table) = reader.table(top, "params") else {
        return params;
    };
    for (name, value) in entries(table) {
        names::identifier(reader, &name, "parameter");
        let title = format!("[params.{}]", name.value);
        let Some(table) = value.get_ref().as_table() else {
            reader.wrong_type::<()>(top, name.value, value, "a table");
            continue;
        };
        let section = Section {
            name: &title,
            table,
        };
        params.extend(param(reader, section).map(|param| (name.value.to_owned(), param)));
    }
    params
}

fn param(reader: &mut Reader<'_>, section: Section<'_>) -> Option<Param> {
    reader.only(section, &keys::PARAM.names());
    for (key, example) in [
        ("type", "type = \"bigint\""),
        ("default", "default = \"1\""),
    ] {
        if !section.table.contains_key(key) {
            reader.missing(section, key, example);
        }
    }
    let data_type = param_type(reader, section)?;
    let default = reader.scalar(section, "default")?;
    let param = Param {
        data_type,
        default: default.value.to_owned(),
        min: reader
            .scalar(section, "min")
            .map(|text| text.value.to_owned()),
        max: reader
            .scalar(section, "max")
            .map(|text| text.value.to_owned()),
        one_of: texts(reader, section, "one_of"),
        doc: reader
            .text(section, "doc")
            .map(|text| text.value.to_owned())
            .unwrap_or_default(),
    };
    bounds(reader, section, &param);
    if let Err(reason) = param.check(&param.default) {
        let what = format!("the default of {}: {reason}", section.name);
        reader.error(Code::BadParameter, what, default.span, "not allowed");
    }
    Some(param)
}

fn param_type(reader: &mut Reader<'_>, section: Section<'_>) -> Option<ColumnType> {
    let text = reader.text(section, "type")?;
    match text.value.parse::<ColumnType>() {
        Ok(data_type) if Param::is_type(&data_type) => Some(data_type),
        Ok(data_type) => {
            let what = format!("a parameter cannot be a {data_type}");
            reader.error(Code::BadType, what, text.span, "not one value");
            None
        }
        Err(error) => {
            sources::bad_type(reader, error.to_string(), text.value, text.span);
            None
        }
    }
}

/// Finds bounds that are not values of the parameter's type.
fn bounds(reader: &mut Reader<'_>, section: Section<'_>, param: &Param) {
    let free = Param {
        min: None,
        max: None,
        one_of: Vec::new(),
        ..param.clone()
    };
    for key in ["min", "max"] {
        let Some(text) = reader.scalar(section, key) else {
            continue;
        };
        if let Err(reason) = free.check(text.value) {
            let what = format!("`{key}` of {}: {reason}", section.name);
            reader.error(Code::BadParameter, what, text.span, "not of that type");
        }
    }
}
