//! Points on their way to the `d` of an SVG path.

use std::str::Bytes;

use super::clip::{Bounds, Point};

/// Where the picture is, and how many of its units a degree is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    pub(crate) west: f64,
    pub(crate) north: f64,
    pub(crate) x_scale: f64,
    pub(crate) y_scale: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl View {
    /// Returns the path of an outline, as far as it is in the picture or no farther
    /// beside it than the picture is large. A ring is closed.
    pub(crate) fn path(&self, outline: &[(i64, i64)], is_area: bool) -> String {
        let points: Vec<Point> = outline.iter().map(|point| self.place(*point)).collect();
        let bounds = Bounds {
            least: (-self.width, -self.height),
            most: (2.0 * self.width, 2.0 * self.height),
        };
        let parts = match is_area {
            true => vec![bounds.area(&points)],
            false => bounds.line(&points),
        };
        let mut path = String::new();
        for part in parts {
            write(&mut path, &part, is_area);
        }
        path
    }

    /// Returns where a point in hundredths of a degree is.
    fn place(&self, (longitude, latitude): (i64, i64)) -> Point {
        let x = (longitude as f64 / 100.0 - self.west) * self.x_scale;
        let y = (self.north - latitude as f64 / 100.0) * self.y_scale;
        (x, y)
    }
}

/// Reads an encoded polyline: of each point the way from the one before, latitude, then
/// longitude, five bits a character, the lowest first, the sign in the lowest of all.
pub(crate) fn read(text: &str) -> Result<Vec<(i64, i64)>, &'static str> {
    let mut points = Vec::new();
    let mut letters = text.bytes();
    let (mut latitude, mut longitude) = (0, 0);
    while letters.len() > 0 {
        latitude = moved(latitude, number(&mut letters)?)?;
        longitude = moved(longitude, number(&mut letters)?)?;
        points.push((longitude, latitude));
    }
    Ok(points)
}

fn number(letters: &mut Bytes<'_>) -> Result<i64, &'static str> {
    let mut bits = 0;
    for shift in (0..=30).step_by(5) {
        let letter = letters.next().ok_or("they end in the middle of a number")?;
        let five = letter.checked_sub(63).filter(|five| *five < 64);
        let five = i64::from(five.ok_or("a character cannot occur in an encoded polyline")?);
        bits |= (five & 31) << shift;
        if five < 32 {
            return Ok(if bits & 1 == 1 {
                !(bits >> 1)
            } else {
                bits >> 1
            });
        }
    }
    Err("a number is too long")
}

fn moved(from: i64, by: i64) -> Result<i64, &'static str> {
    let to = from + by;
    match to.abs() <= 100_000 {
        true => Ok(to),
        false => Err("they leave the globe"),
    }
}

/// Writes a part in tenths of a unit, each point as the way from the one before; those
/// that fall together are one.
fn write(path: &mut String, part: &[Point], is_area: bool) {
    let tenths = |(x, y): &Point| ((x * 10.0).round() as i64, (y * 10.0).round() as i64);
    let mut points: Vec<(i64, i64)> = part.iter().map(tenths).collect();
    points.dedup();
    if points.len() < if is_area { 3 } else { 2 } {
        return;
    }
    let mut last = (0, 0);
    for (n, (x, y)) in points.into_iter().enumerate() {
        path.push_str(["M", "l", " "][n.min(2)]);
        tenth(path, x - last.0);
        path.push(' ');
        tenth(path, y - last.1);
        last = (x, y);
    }
    if is_area {
        path.push('z');
    }
}

/// Writes a number of tenths as a decimal: `-0.3`, `12`.
fn tenth(path: &mut String, tenths: i64) {
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    if tenths < 0 {
        path.push('-');
    }
    path.push_str(&whole.to_string());
    if rest > 0 {
        path.push('.');
        path.push_str(&rest.to_string());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VIEW: View = View {
        west: 10.0,
        north: 50.0,
        x_scale: 10.0,
        y_scale: 20.0,
        width: 100.0,
        height: 100.0,
    };

    /// The inverse of `read`.
    fn encoded(points: &[(i64, i64)]) -> String {
        let mut text = String::new();
        let mut last = (0, 0);
        for (x, y) in points {
            for by in [y - last.1, x - last.0] {
                let mut bits = if by < 0 { !(by << 1) } else { by << 1 };
                while bits >= 32 {
                    text.push(char::from((bits & 31 | 32) as u8 + 63));
                    bits >>= 5;
                }
                text.push(char::from(bits as u8 + 63));
            }
            last = (*x, *y);
        }
        text
    }

    #[test]
    fn a_path_begins_where_the_first_point_is_and_goes_on_from_each() {
        let ring = [(1000, 5000), (1100, 5000), (1100, 4900), (1099, 4900)];
        assert_eq!(VIEW.path(&ring, true), "M0 0l10 0 0 20 -0.1 0z");
        assert_eq!(VIEW.path(&ring, false), "M0 0l10 0 0 20 -0.1 0");
    }

    #[test]
    fn what_is_farther_off_than_the_picture_is_large_is_cut() {
        let line = [(1000, 5000), (10_000, 5000)];
        assert_eq!(VIEW.path(&line, false), "M0 0l200 0");
        let away = [(9000, 5000), (9100, 5000), (9100, 5100)];
        assert_eq!(VIEW.path(&away, true), "");
    }

    #[test]
    fn points_that_are_none_are_named() {
        for (text, said) in [
            ("?", "they end in the middle of a number"),
            ("_", "they end in the middle of a number"),
            ("? ", "a character cannot occur in an encoded polyline"),
            ("č?", "a character cannot occur in an encoded polyline"),
            ("~~~~~~~~~?", "a number is too long"),
            ("~~~~~??", "they leave the globe"),
        ] {
            assert_eq!(read(text).unwrap_err(), said, "{text}");
        }
        assert_eq!(read("").unwrap(), []);
    }

    proptest! {
        #[test]
        fn points_are_read_as_they_were_encoded(
            points in prop::collection::vec((-18_000i64..=18_000, -9_000i64..=9_000), 0..20),
        ) {
            prop_assert_eq!(read(&encoded(&points)).unwrap(), points);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[?-~ ]{0,40}") {
            if let Ok(points) = read(&text) {
                prop_assert_eq!(read(&encoded(&points)).unwrap(), points);
            }
        }
    }
}
