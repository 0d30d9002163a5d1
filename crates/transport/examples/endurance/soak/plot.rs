//! A course over time, drawn in one line of text for each figure.

use std::fmt::Write as _;

use super::sample::Sample;

/// Columns of a line.
const WIDTH: usize = 60;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Each figure from its least to its most.
pub(crate) fn draw(samples: &[Sample]) -> String {
    let mut text = String::new();
    let mebibytes = |sample: &Sample| sample.resident_bytes as f64 / f64::from(1 << 20);
    line(&mut text, "memory, MiB", samples, mebibytes);
    line(&mut text, "files", samples, |sample| sample.files as f64);
    line(&mut text, "threads", samples, |sample| sample.threads as f64);
    line(&mut text, "connections", samples, |sample| sample.connections as f64);
    line(&mut text, "streams", samples, |sample| sample.streams as f64);
    text
}

fn line(text: &mut String, name: &str, samples: &[Sample], of: impl Fn(&Sample) -> f64) {
    let columns: Vec<f64> = samples
        .chunks(samples.len().div_ceil(WIDTH).max(1))
        .map(|part| part.iter().map(&of).sum::<f64>() / part.len() as f64)
        .collect();
    let least = columns.iter().copied().fold(f64::INFINITY, f64::min);
    let most = columns.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = |value: f64| {
        let share = if most > least { (value - least) / (most - least) } else { 0.0 };
        LEVELS[((share * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1)]
    };
    let drawn: String = columns.iter().map(|value| level(*value)).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name:<12} {least:>7.1} {drawn} {most:.1}");
}
