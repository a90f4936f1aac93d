//! Places on the earth, and which of them are near each other.

/// The mean radius of the earth, as the IUGG has it.
pub(crate) const EARTH_RADIUS_KM: f64 = 6371.0088;

/// A point on the unit sphere; angles are in radians.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    cos_latitude: f64,
    /// The same point in space, for distances without a sine.
    vector: [f64; 3],
}

impl Point {
    /// Takes degrees; returns `None` if they are not a place.
    pub(crate) fn new(latitude: f64, longitude: f64) -> Option<Point> {
        let in_range = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        if !in_range || (latitude == 0.0 && longitude == 0.0) {
            return None;
        }
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        let (sin, cos) = latitude.sin_cos();
        Some(Point {
            latitude,
            longitude,
            cos_latitude: cos,
            vector: [cos * longitude.cos(), cos * longitude.sin(), sin],
        })
    }

    /// Returns the angle between two places, by the haversine formula.
    pub(crate) fn angle(&self, other: &Point) -> f64 {
        let half = |a: f64, b: f64| ((a - b) / 2.0).sin().powi(2);
        let haversine = half(self.latitude, other.latitude)
            + self.cos_latitude * other.cos_latitude * half(self.longitude, other.longitude);
        2.0 * haversine.min(1.0).sqrt().asin()
    }

    fn squared_chord(&self, other: &Point) -> f64 {
        let square = |axis: usize| (self.vector[axis] - other.vector[axis]).powi(2);
        square(0) + square(1) + square(2)
    }
}

/// How far near places are apart at most.
///
/// The angle decides; but where the chord, which is far cheaper, leaves no doubt, it
/// is not asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// The greatest angle.
    pub(crate) eps: f64,
    /// Squared chords up to this are near.
    surely_near: f64,
    /// Squared chords over this are not.
    surely_far: f64,
}

impl Reach {
    pub(crate) fn new(eps: f64) -> Reach {
        let longest = 4.0 * (eps.min(std::f64::consts::PI) / 2.0).sin().powi(2);
        // Far more than either way of measuring errs.
        let slack = 1e-9 + 1e-14 / eps;
        Reach {
            eps,
            surely_near: longest * (1.0 - slack),
            surely_far: longest * (1.0 + slack),
        }
    }

    /// Returns whether two places are near each other.
    #[inline]
    pub(crate) fn is_near(&self, a: &Point, b: &Point) -> bool {
        let chord = a.squared_chord(b);
        chord <= self.surely_near || (chord <= self.surely_far && a.angle(b) <= self.eps)
    }
}
