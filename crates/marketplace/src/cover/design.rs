//! Designs of covers: where the letters stand, and what is around them.

use super::palette::Palette;
use super::{HEIGHT, WIDTH};

/// One of a few ways to lay out a cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Design {
    /// A frame of two lines, as on old bindings.
    Frame,
    /// A disc behind the title.
    Disc,
    /// Hills at the foot.
    Hills,
    /// Stripes at the head.
    Stripes,
    /// An arch, as of a door.
    Arch,
    /// A corner of a grid of dots.
    Dots,
}

/// All of them.
pub(super) const ALL: [Design; 6] =
    [Design::Frame, Design::Disc, Design::Hills, Design::Stripes, Design::Arch, Design::Dots];

impl Design {
    pub(super) fn of(chance: u64) -> Self {
        // The low bits choose the colours.
        ALL[((chance >> 16) % ALL.len() as u64) as usize]
    }

    /// The room for letters.
    pub(super) fn title_width(self) -> f64 {
        match self {
            Self::Frame | Self::Arch => 168.0,
            Self::Disc => 186.0,
            _ => 194.0,
        }
    }

    pub(super) fn title_height(self) -> f64 {
        match self {
            Self::Arch | Self::Stripes => 178.0,
            Self::Hills | Self::Dots => 160.0,
            _ => 200.0,
        }
    }

    fn is_centred(self) -> bool {
        matches!(self, Self::Frame | Self::Disc | Self::Arch)
    }

    pub(super) fn text_x(self) -> u32 {
        if self.is_centred() { WIDTH / 2 + 4 } else { 28 }
    }

    pub(super) fn anchor(self) -> &'static str {
        if self.is_centred() { "middle" } else { "start" }
    }

    /// Where the middle of the title is, from above.
    pub(super) fn title_middle(self) -> f64 {
        match self {
            Self::Frame => 166.0,
            Self::Disc => 148.0,
            Self::Hills => 106.0,
            Self::Stripes => 200.0,
            Self::Arch => 188.0,
            Self::Dots => 114.0,
        }
    }

    pub(super) fn author_baseline(self) -> f64 {
        match self {
            Self::Frame => 312.0,
            Self::Arch => 318.0,
            _ => 332.0,
        }
    }

    /// Draws everything but the letters.
    pub(super) fn draw(self, palette: &Palette, chance: u64, svg: &mut String) {
        let Palette { ground, shape, mark, .. } = palette;
        svg.push_str(&format!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{ground}\"/>"));
        // A few bits of chance for what may vary.
        let vary = |shift: u32, below: u64| ((chance >> shift) % below) as u32;
        match self {
            Self::Frame => svg.push_str(&format!(
                "<g fill=\"none\" stroke=\"{mark}\"><rect x=\"22\" y=\"18\" width=\"204\" \
                 height=\"324\" stroke-width=\"3\"/><rect x=\"28\" y=\"24\" width=\"192\" \
                 height=\"312\"/></g><path d=\"M94 46h60\" stroke=\"{mark}\" \
                 stroke-width=\"2\"/><path d=\"M124 38l7 8-7 8-7-8z\" fill=\"{mark}\"/>"
            )),
            Self::Disc => {
                let radius = 104 + vary(24, 24);
                svg.push_str(&format!(
                    "<circle cx=\"124\" cy=\"148\" r=\"{radius}\" fill=\"{shape}\"/>\
                     <circle cx=\"124\" cy=\"148\" r=\"{}\" fill=\"none\" stroke=\"{mark}\" \
                     stroke-width=\"2\"/>",
                    radius + 8
                ));
            }
            Self::Hills => {
                let (one, two) = (210 + vary(24, 40), 220 + vary(32, 40));
                svg.push_str(&format!(
                    "<circle cx=\"{}\" cy=\"214\" r=\"26\" fill=\"{mark}\"/><path d=\"M0 {one}Q60 \
                     {} 130 250T240 {two}V360H0z\" fill=\"{shape}\"/>",
                    150 + vary(40, 50),
                    one - 40,
                ));
            }
            Self::Stripes => {
                for stripe in 0..5 {
                    svg.push_str(&format!(
                        "<rect y=\"{}\" width=\"240\" height=\"{}\" fill=\"{}\"/>",
                        18 + stripe * 18,
                        4 + (vary(24 + stripe * 3, 7)),
                        if stripe % 2 == 0 { mark } else { shape }
                    ));
                }
            }
            Self::Arch => svg.push_str(&format!(
                "<path d=\"M28 344V130a96 96 0 0 1 192 0V344z\" fill=\"{shape}\"/><path d=\"M36 \
                 336V130a88 88 0 0 1 176 0V336z\" fill=\"none\" stroke=\"{mark}\" \
                 stroke-width=\"2\"/><circle cx=\"124\" cy=\"72\" r=\"{}\" fill=\"{mark}\"/>",
                8 + vary(24, 8)
            )),
            Self::Dots => {
                for row in 0..4_u32 {
                    for column in 0..=row + 2 {
                        svg.push_str(&format!(
                            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
                            222 - column * 22,
                            208 + row * 22,
                            4 + vary(20 + row * 5 + column, 4),
                            if vary(24 + row + column * 4, 5) == 0 { mark } else { shape }
                        ));
                    }
                }
            }
        }
    }
}
