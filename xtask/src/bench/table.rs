//! The table of results: what was measured, its limit, and whether it holds.

use std::fmt::Write;

/// One line of the table.
pub struct Line {
    work: &'static str,
    measured: String,
    limit: String,
    passes: bool,
}

/// All results of a run.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
}

impl Table {
    /// A figure that should not be lower than its limit.
    pub fn at_least(
        &mut self,
        work: &'static str,
        figure: f64,
        limit: f64,
        unit: &str,
        detail: &str,
    ) {
        self.add(
            work,
            figure,
            format!("at least {}", rounded(limit)),
            figure >= limit,
            unit,
            detail,
        );
    }

    /// A figure that should not be higher than its limit.
    pub fn at_most(
        &mut self,
        work: &'static str,
        figure: f64,
        limit: f64,
        unit: &str,
        detail: &str,
    ) {
        self.add(
            work,
            figure,
            format!("at most {}", rounded(limit)),
            figure <= limit,
            unit,
            detail,
        );
    }

    fn add(
        &mut self,
        work: &'static str,
        figure: f64,
        limit: String,
        passes: bool,
        unit: &str,
        detail: &str,
    ) {
        let measured = format!("{} {unit}", rounded(figure));
        let verdict = if passes { "pass" } else { "SHORT" };
        println!("{verdict:<6} {work}: {measured} ({limit})  {detail}");
        self.lines.push(Line {
            work,
            measured,
            limit,
            passes,
        });
    }

    /// How many figures are short of their limit.
    pub fn short(&self) -> usize {
        self.lines.iter().filter(|line| !line.passes).count()
    }

    /// The whole table as text.
    pub fn text(&self) -> String {
        let width =
            |field: fn(&Line) -> usize| self.lines.iter().map(field).max().unwrap_or_default();
        let work = width(|line| line.work.len());
        let measured = width(|line| line.measured.chars().count());
        let limit = width(|line| line.limit.len());
        let mut text = String::new();
        for line in &self.lines {
            let verdict = if line.passes { "pass" } else { "SHORT" };
            let _infallible = writeln!(
                text,
                "{:<work$}  {:>measured$}  {:<limit$}  {verdict}",
                line.work, line.measured, line.limit
            );
        }
        text
    }
}

/// Three digits that count.
fn rounded(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{figure:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_said() {
        let mut table = Table::default();
        table.at_least("GET", 0.61, 0.5, "of bare", "");
        table.at_most("memory", 151.4, 150.0, "MB", "");
        assert_eq!(table.short(), 1);
        let text = table.text();
        assert!(
            text.contains("GET     0.610 of bare  at least 0.500  pass"),
            "{text}"
        );
        assert!(
            text.contains("memory         151 MB  at most 150     SHORT"),
            "{text}"
        );
    }
}
