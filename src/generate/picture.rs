//! A picture in points: SVG drawn as PNG, with the fonts inside the binary.
//!
//! The same text gives the same bytes on every machine: no font of the system is used,
//! and what an image names elsewhere, a file or an address, is not looked at.

use std::{sync::Arc, thread};

use resvg::{
    render,
    tiny_skia::{Pixmap, Transform},
    usvg::{ImageHrefResolver, Options, Size, Tree, fontdb},
};
use tokio::sync::oneshot;

/// Elements in each other are drawn by calls in each other.
const STACK: usize = 256 << 20;

/// Points a unit of the SVG: sharp in print and on fine screens.
const POINTS_PER_UNIT: f32 = 2.0;

/// A picture of more points, four bytes each, is drawn smaller.
const MAX_POINTS: f32 = 64e6;

const FONT: &str = "DejaVu Sans";

/// Draws on a thread of its own, as it may take long: who waits may stop waiting.
pub(crate) async fn drawn(svg: String) -> Result<Vec<u8>, String> {
    let (done, drawn) = oneshot::channel();
    let draw = move || drop(done.send(png(&svg)));
    let thread = thread::Builder::new().name("picture".to_owned());
    let started = thread.stack_size(STACK).spawn(draw);
    started.map_err(|error| error.to_string())?;
    drawn.await.map_err(|error| error.to_string())?
}

/// Returns the SVG as PNG, twice as large as it says, or why it cannot be drawn.
fn png(svg: &str) -> Result<Vec<u8>, String> {
    let tree = Tree::from_str(svg, &options()).map_err(|error| error.to_string())?;
    let scale = scale(tree.size());
    let points = |units: f32| (units * scale).ceil();
    let (width, height) = (points(tree.size().width()), points(tree.size().height()));
    let fits = width * height <= 1.01 * MAX_POINTS;
    let picture = fits.then(|| Pixmap::new(width as u32, height as u32));
    let mut picture = picture.flatten().ok_or_else(|| too_large(tree.size()))?;
    let to_points = Transform::from_scale(scale, scale);
    render(&tree, to_points, &mut picture.as_mut());
    picture.encode_png().map_err(|error| error.to_string())
}

fn too_large(size: Size) -> String {
    let (width, height) = (size.width(), size.height());
    format!("a picture cannot be {width} by {height} units")
}

fn scale(size: Size) -> f32 {
    let fits = (MAX_POINTS / size.width() / size.height()).sqrt();
    fits.min(POINTS_PER_UNIT)
}

fn options() -> Options<'static> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.set_sans_serif_family(FONT);
    // What a family that is not there falls back to.
    fonts.set_serif_family(FONT);
    Options {
        font_family: FONT.to_owned(),
        fontdb: Arc::new(fonts),
        image_href_resolver: ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..ImageHrefResolver::default()
        },
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the colours at the places, given in the SVG's units.
    fn colours(svg: &str, places: &[(u32, u32)]) -> Vec<[u8; 4]> {
        let picture = Pixmap::decode_png(&png(svg).unwrap()).unwrap();
        let colour = |(x, y): &(u32, u32)| {
            let point = picture.pixel(2 * x, 2 * y).unwrap().demultiply();
            [point.red(), point.green(), point.blue(), point.alpha()]
        };
        places.iter().map(colour).collect()
    }

    #[test]
    fn shapes_and_styles_are_drawn_twice_as_large() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">
            <style>.dot { stroke: #ff0000; stroke-width: 10; stroke-linecap: round }</style>
            <rect width="40" height="30" fill="#0000ff"/><path class="dot" d="M20 15h.01"/></svg>"##;
        let (red, blue) = ([255, 0, 0, 255], [0, 0, 255, 255]);
        assert_eq!(
            colours(svg, &[(20, 15), (23, 15), (2, 2)]),
            [red, red, blue]
        );
        let picture = Pixmap::decode_png(&png(svg).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (80, 60));
    }

    #[test]
    fn text_is_drawn_whatever_fonts_the_machine_has() {
        let inked = |words: &str| {
            let svg = format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="30"><text y="20" font-family="Noto Sans">{words}</text></svg>"#
            );
            let picture = Pixmap::decode_png(&png(&svg).unwrap()).unwrap();
            let points = picture.pixels().iter();
            points.filter(|point| point.alpha() > 0).count()
        };
        // A glyph that the font lacks is a box, the same for every letter.
        let boxes = inked("\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}");
        for words in ["Čako", "Θεσσ", "Льві", "חיפה"] {
            assert!(inked(words) > 200, "{words}");
            assert_ne!(inked(words), boxes, "{words}");
        }
    }

    #[test]
    fn what_lies_elsewhere_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("red.svg");
        let red = r##"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#ff0000"/></svg>"##;
        std::fs::write(&path, red).unwrap();
        let path = path.display();
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{path}" width="9" height="9"/></svg>"#
        );
        assert_eq!(colours(&svg, &[(4, 4)]), [[0; 4]]);
    }

    #[tokio::test]
    async fn masks_in_masks_are_drawn() {
        let mask = |n: u32| {
            let next = n + 1;
            format!(r#"<mask id="m{n}"><rect mask="url(#m{next})" width="9" height="9"/></mask>"#)
        };
        let masks: String = (0..2_000).map(mask).collect();
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{masks}<rect mask="url(#m0)" width="9" height="9"/></svg>"#
        );
        assert!(drawn(svg).await.is_ok());
    }

    #[test]
    fn what_is_no_picture_is_told_and_what_is_too_large_is_drawn_smaller() {
        assert!(png("no picture").is_err());
        let thin = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1"/>"#;
        assert!(png(thin).unwrap_err().contains("1000000000 by 1 units"));
        let size = Size::from_wh(1e6, 1e6).unwrap();
        assert!(scale(size) * 1e6 * scale(size) * 1e6 <= MAX_POINTS * 1.001);
        assert_eq!(
            scale(Size::from_wh(1480.0, 900.0).unwrap()),
            POINTS_PER_UNIT
        );
    }
}
