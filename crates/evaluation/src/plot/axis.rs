//! Axes: from values to places, with round ticks.

use super::canvas::{Anchor, Canvas, WIDTH};

/// Room for the numbers of an upright axis.
pub(crate) const LEFT: f64 = 46.0;

/// Where the plot ends on the right.
pub(crate) const RIGHT: f64 = WIDTH - 12.0;

/// From values to places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    from: f64,
    to: f64,
    begin: f64,
    end: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Linear,
    Logarithmic,
}

impl Scale {
    /// From 0 to the next round number at or above `highest`.
    pub(crate) fn linear(highest: f64, begin: f64, end: f64) -> Self {
        let step = step(highest);
        let to = (highest / step - 1e-9).ceil().max(1.0) * step;
        Self { from: 0.0, to, begin, end, kind: Kind::Linear }
    }

    /// Whole powers of ten around values above zero.
    pub(crate) fn logarithmic(lowest: f64, highest: f64, begin: f64, end: f64) -> Self {
        let from = lowest.log10().floor();
        let to = highest.log10().ceil().max(from + 1.0);
        Self { from, to, begin, end, kind: Kind::Logarithmic }
    }

    pub(crate) fn place(&self, value: f64) -> f64 {
        let value = if self.kind == Kind::Linear { value } else { value.log10() };
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.begin + share * (self.end - self.begin)
    }

    /// Round values with their texts.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        if self.kind == Kind::Logarithmic {
            let powers = self.from as i32..=self.to as i32;
            return powers.map(|power| (10_f64.powi(power), power_text(power))).collect();
        }
        let step = step(self.to);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let count = (self.to / step).round() as usize;
        let tick = |tick: usize| (tick as f64 * step, format!("{:.decimals$}", tick as f64 * step));
        (0..=count).map(tick).collect()
    }
}

/// The round number of which some three to six make `highest`.
fn step(highest: f64) -> f64 {
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let power = 10_f64.powf((highest / 4.0).log10().floor());
    let factor = highest / 4.0 / power;
    let round = if factor < 1.5 {
        1.0
    } else if factor < 3.5 {
        2.0
    } else if factor < 7.5 {
        5.0
    } else {
        10.0
    };
    round * power
}

fn power_text(power: i32) -> String {
    if power < 0 {
        let decimals = power.unsigned_abs() as usize;
        format!("{:.decimals$}", 10_f64.powi(power))
    } else {
        format!("{:.0}", 10_f64.powi(power))
    }
}

/// Draws lines and numbers of an upright axis.
pub(crate) fn upright(canvas: &mut Canvas, scale: &Scale) {
    for (value, text) in scale.ticks() {
        let y = scale.place(value);
        canvas.line("grid", (LEFT, y), (RIGHT, y));
        canvas.text((LEFT - 6.0, y + 4.0), Anchor::End, &text);
    }
}

/// Draws lines and numbers of a level axis below a plot from `top` to `bottom`.
pub(crate) fn level(canvas: &mut Canvas, scale: &Scale, top: f64, bottom: f64) {
    for (value, text) in scale.ticks() {
        let x = scale.place(value);
        canvas.line("grid", (x, top), (x, bottom));
        canvas.text((x, bottom + 16.0), Anchor::Middle, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_numbers_that_hold_the_highest_value() {
        let linear = |highest| Scale::linear(highest, 0.0, 100.0);
        assert_eq!(texts(linear(1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(linear(0.213)), ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25"]);
        assert_eq!(texts(linear(730.0)), ["0", "200", "400", "600", "800"]);
        for highest in [1e-6, 0.013, 0.99, 1.0, 3.0, 7.3, 1234.5] {
            let scale = linear(highest);
            assert!(scale.to >= highest * 0.999_999 && scale.to <= highest * 2.0, "{scale:?}");
            assert!((3..=8).contains(&scale.ticks().len()), "{scale:?}");
        }
        assert!(linear(0.0).place(0.0) == 0.0);
    }

    #[test]
    fn a_logarithmic_axis_has_whole_powers_of_ten() {
        let scale = Scale::logarithmic(0.02, 70.0, 0.0, 100.0);
        assert_eq!(texts(scale), ["0.01", "0.1", "1", "10", "100"]);
        assert!((scale.place(1.0) - 50.0).abs() < 1e-9);
    }
}
