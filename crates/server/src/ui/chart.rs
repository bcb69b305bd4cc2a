//! Charts, drawn here as SVG.

use std::fmt::Write;

use askama::filters::{Html, escape};

/// Units of the drawing, whatever its size on the page.
const WIDTH: usize = 240;
const HEIGHT: usize = 48;
const GAP: usize = 2;

/// One bar of a chart.
pub(super) struct Bar {
    pub(super) value: i64,
    /// What it means, in words.
    pub(super) told: String,
}

/// Bars beside each other; the highest fills the height. Each tells what it means when it is pointed at.
pub(super) fn bars(bars: impl Iterator<Item = Bar>) -> String {
    let bars: Vec<Bar> = bars.collect();
    let most = bars
        .iter()
        .map(|bar| bar.value)
        .max()
        .unwrap_or_default()
        .max(1);
    let step = WIDTH / bars.len().max(1);
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    );
    for (place, bar) in bars.iter().enumerate() {
        let height = height(bar.value, most);
        let Ok(told) = escape(&bar.told, Html);
        // Writing into a text cannot fail.
        let _written = write!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{told}</title></rect>",
            place * step,
            HEIGHT - height,
            step.saturating_sub(GAP).max(1),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// What is there is seen, however little it is; what is not is a line.
fn height(value: i64, most: i64) -> usize {
    let full = i128::try_from(HEIGHT).unwrap_or_default();
    let share = i128::from(value.max(0)) * full / i128::from(most.max(1));
    let least = if value > 0 { 3 } else { 1 };
    usize::try_from(share.clamp(least, full)).unwrap_or(HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share() {
        assert_eq!(height(0, 10), 1);
        assert_eq!(height(10, 10), HEIGHT);
        assert_eq!(height(5, 10), HEIGHT / 2);
        assert_eq!(height(1, 1_000_000), 3);
        assert_eq!(height(i64::MAX, i64::MAX), HEIGHT);
        let drawn = bars(
            [Bar {
                value: 1,
                told: "<b>".to_owned(),
            }]
            .into_iter(),
        );
        assert!(drawn.contains("<title>&#60;b&#62;</title>"), "{drawn}");
        assert!(bars(std::iter::empty()).ends_with("</svg>"));
    }
}
