//! CSV as RFC 4180 has it, and as spreadsheets can do no harm with.

use std::borrow::Cow;

/// A line of cells with its end.
pub(super) fn line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell in quotation marks, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", harmless(text).replace('"', "\"\""))
}

fn cell(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => quoted(text),
        false => harmless(text).into_owned(),
    }
}

/// What a spreadsheet would take for a formula begins with an apostrophe.
fn harmless(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let cells = ["ann", "a \"b\", c", "=1+1"];
        assert_eq!(line(cells), "ann,\"a \"\"b\"\", c\",'=1+1\r\n");
    }
}
