//! Colours of covers: a ground, the ink upon it, and two more.
//!
//! Ink and ground are far enough apart to be read (WCAG 2.2 AA), which a test holds.

use crate::links::digest;

/// The colours of one cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    pub(super) ground: &'static str,
    pub(super) ink: &'static str,
    /// For shapes that nothing is written on.
    pub(super) shape: &'static str,
    /// For lines and small marks.
    pub(super) mark: &'static str,
}

const fn palette(
    ground: &'static str,
    ink: &'static str,
    shape: &'static str,
    mark: &'static str,
) -> Palette {
    Palette { ground, ink, shape, mark }
}

const NIGHT: [Palette; 3] = [
    palette("#1d2433", "#f3ead7", "#2f3a52", "#c8553d"),
    palette("#2b1b24", "#f6e7d8", "#472a39", "#d98e73"),
    palette("#e9dfcc", "#221f1c", "#d8c7a8", "#8c2f26"),
];
const SPACE: [Palette; 3] = [
    palette("#10243a", "#eaf2f6", "#1b3d5c", "#f0a24e"),
    palette("#24184a", "#f1ecfb", "#3a2a70", "#7fd1c7"),
    palette("#dfe9ea", "#102a33", "#bcd3d6", "#c8553d"),
];
const GARDEN: [Palette; 3] = [
    palette("#20372c", "#f4efdf", "#335643", "#e0b252"),
    palette("#eee9d9", "#22352a", "#d3d8b9", "#54764a"),
    palette("#3d4a24", "#f7f3e1", "#56672f", "#e6c467"),
];
const ROSE: [Palette; 3] = [
    palette("#f3dcd6", "#4a1a28", "#e8bfb8", "#a33c4f"),
    palette("#6b1f35", "#fbeae3", "#872e47", "#eab69b"),
    palette("#f7ead9", "#5a2331", "#efcfb6", "#c05a5f"),
];
const EARTH: [Palette; 3] = [
    palette("#6a3b22", "#fbf0e0", "#86502f", "#ecc27d"),
    palette("#efe2c8", "#3b2a1c", "#dfc79b", "#a3552c"),
    palette("#3a2f29", "#f3e9dc", "#53443a", "#cf9a5b"),
];
const SEA: [Palette; 3] = [
    palette("#0f4049", "#eef6f3", "#1a5a64", "#f2b66d"),
    palette("#dcebe7", "#123a40", "#b5d5cd", "#d2694a"),
    palette("#174a6b", "#eff6fb", "#22628c", "#f4cf8a"),
];
const SUN: [Palette; 3] = [
    palette("#f2c14e", "#2d2210", "#f7d684", "#a23e24"),
    palette("#ec9560", "#2b1509", "#f0a677", "#5b1f12"),
    palette("#fbf0d3", "#3a2a0c", "#f5dc9c", "#c0672a"),
];
const STONE: [Palette; 3] = [
    palette("#e6e2da", "#25282b", "#cfc9bd", "#5c6b73"),
    palette("#33393d", "#f2efe9", "#4a5257", "#b9c4b3"),
    palette("#f4f1ea", "#1f2a36", "#dcd7ca", "#8a5a44"),
];

const FAMILIES: [[Palette; 3]; 8] = [NIGHT, SPACE, GARDEN, ROSE, EARTH, SEA, SUN, STONE];

impl Palette {
    /// The colours of a category; which of them goes by chance. A category that is not known
    /// has the same ones every time.
    pub(super) fn of(category: &str, chance: u64) -> Self {
        let family = match category {
            "mystery" | "thriller" | "horror" => NIGHT,
            "science-fiction" | "science" | "dystopia" => SPACE,
            "fantasy" | "poetry" | "young-adult" => GARDEN,
            "romance" | "food" => ROSE,
            "history" | "historical-fiction" | "biography" => EARTH,
            "travel" | "adventure" | "non-fiction" => SEA,
            "children" | "humor" | "self-help" | "graphic-novel" => SUN,
            "classics" | "literary-fiction" | "philosophy" | "psychology" | "business"
            | "short-stories" => STONE,
            other => FAMILIES[(digest(other) % FAMILIES.len() as u64) as usize],
        };
        family[(chance % family.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, by WCAG 2.2.
    fn luminance(colour: &str) -> f64 {
        let part = |from: usize| {
            let value = u8::from_str_radix(&colour[from..from + 2], 16).unwrap();
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn the_ink_is_read_on_the_ground_and_on_shapes() {
        for palette in FAMILIES.iter().flatten() {
            let ground = contrast(palette.ink, palette.ground);
            let shape = contrast(palette.ink, palette.shape);
            assert!(ground >= 7.0, "{palette:?}: {ground:.1}");
            assert!(shape >= 4.5, "{palette:?}: {shape:.1}");
        }
    }

    #[test]
    fn an_unknown_category_always_has_the_same_colours() {
        assert_eq!(Palette::of("gardening", 4), Palette::of("gardening", 4));
        assert_eq!(Palette::of("mystery", 0), NIGHT[0]);
    }
}
