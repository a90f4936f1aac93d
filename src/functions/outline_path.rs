//! `outline_path(points, is_area, west, north, x_scale, y_scale, width, height)`: an
//! outline on the globe as the `d` of an SVG path.
//!
//! `points` is an encoded polyline ("Encoded Polyline Algorithm Format", Google), of
//! hundredths of a degree. A point is drawn at (longitude − `west`) × `x_scale`,
//! (`north` − latitude) × `y_scale`: with `x_scale` the cosine of a latitude times
//! `y_scale`, equirectangular about that latitude. What is farther off the picture of
//! `width` by `height` than the picture is large is cut away; of an outline that is
//! altogether there, the path is empty. Null of null.
//!
//! Linear in the points. Memory: 48 bytes a point of one outline.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Float64Array, StringBuilder},
        datatypes::{DataType, Float64Type},
    },
    common::{Result, exec_datafusion_err},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::algorithms::outline::{View, read};

const NAME: &str = "outline_path";

/// Returns `outline_path`.
pub(super) fn outline_path() -> ScalarUDF {
    let mut arguments = vec![DataType::Utf8, DataType::Boolean];
    arguments.extend([const { DataType::Float64 }; 6]);
    let signature = Signature::exact(arguments, Volatility::Immutable);
    OutlinePath { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OutlinePath {
    signature: Signature,
}

impl ScalarUDFImpl for OutlinePath {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&given.args)?;
        let (points, areas) = (columns[0].as_string::<i32>(), columns[1].as_boolean());
        let numbers: Vec<&Float64Array> = columns[2..]
            .iter()
            .map(|column| column.as_primitive::<Float64Type>())
            .collect();
        let mut paths = StringBuilder::new();
        for row in 0..points.len() {
            let known = columns.iter().all(|column| column.is_valid(row));
            paths.append_option(match known {
                true => Some(path_of(
                    points.value(row),
                    areas.value(row),
                    &view(&numbers, row),
                )?),
                false => None,
            });
        }
        let paths: ArrayRef = Arc::new(paths.finish());
        Ok(ColumnarValue::Array(paths))
    }
}

fn path_of(points: &str, is_area: bool, view: &View) -> Result<String> {
    let outline = read(points);
    let outline = outline.map_err(|reason| exec_datafusion_err!("{NAME}: points: {reason}"))?;
    Ok(view.path(&outline, is_area))
}

fn view(numbers: &[&Float64Array], row: usize) -> View {
    let at = |n: usize| numbers[n].value(row);
    View {
        west: at(0),
        north: at(1),
        x_scale: at(2),
        y_scale: at(3),
        width: at(4),
        height: at(5),
    }
}
