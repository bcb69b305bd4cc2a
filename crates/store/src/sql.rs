//! SQL made of parts at run time. Values enter it only as arguments.

use std::fmt::Write;

use crate::Arg;

/// Marks the place of an argument until the whole statement is known.
const PLACE: char = '\u{1}';

/// The largest piece that [`chunks`] cuts.
pub(crate) const CHUNK_MAX: usize = 128;

/// The pattern of `LIKE ... ESCAPE '!'` for texts that contain this one.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The first text that comes after all that begin so; none if there is no such text.
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The range passes over the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// A statement, or a part of one, with its arguments. The text consists of literals of this crate only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sql {
    text: String,
    args: Vec<Arg<'static>>,
}

impl Sql {
    /// A part without arguments.
    pub fn new(text: &'static str) -> Self {
        Self::default().then(text)
    }

    /// Appends a literal.
    #[must_use]
    pub fn then(mut self, text: &'static str) -> Self {
        self.push(text);
        self
    }

    /// Appends the place of an argument, and the argument.
    #[must_use]
    pub fn bind<'a>(mut self, value: impl Into<Arg<'a>>) -> Self {
        self.push_bind(value);
        self
    }

    /// Appends another part with its arguments.
    #[must_use]
    pub fn and_then(mut self, part: Self) -> Self {
        self.append(part);
        self
    }

    /// Appends that a column is one of these numbers. If there are none, it is not.
    #[must_use]
    pub(crate) fn among(self, column: &'static str, numbers: impl Iterator<Item = i64>) -> Self {
        let places = numbers.map(|number| Self::default().bind(number));
        let places = Self::join(places, ", ");
        match places.args.is_empty() {
            true => self.then("1 = 0"),
            false => self.then(column).then(" IN (").and_then(places).then(")"),
        }
    }

    /// Appends a literal.
    pub fn push(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// Appends the place of an argument, and the argument.
    pub fn push_bind<'a>(&mut self, value: impl Into<Arg<'a>>) {
        self.text.push(PLACE);
        self.args.push(value.into().into_owned());
    }

    /// Appends another part with its arguments.
    pub fn append(&mut self, mut part: Self) {
        self.text.push_str(&part.text);
        self.args.append(&mut part.args);
    }

    /// Joins parts with a literal between them.
    pub fn join(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut whole = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                whole.push(between);
            }
            whole.append(part);
        }
        whole
    }

    /// The text, its arguments numbered from `$1` in the order of [`Sql::args`].
    pub fn text(&self) -> String {
        let mut numbered = String::with_capacity(self.text.len() + 3 * self.args.len());
        let mut parts = self.text.split(PLACE);
        numbered.push_str(parts.next().unwrap_or_default());
        for (index, part) in parts.enumerate() {
            numbered.push('$');
            push_number(&mut numbered, index + 1);
            numbered.push_str(part);
        }
        numbered
    }

    /// The arguments, in the order of their places.
    pub fn args(&self) -> &[Arg<'static>] {
        &self.args
    }
}

/// `$first, ..` for `count` arguments of a list.
pub fn placeholders(first: usize, count: usize) -> String {
    let mut list = String::with_capacity(5 * count);
    for index in 0..count {
        list.push_str(if index == 0 { "$" } else { ", $" });
        push_number(&mut list, first + index);
    }
    list
}

/// Cuts values into pieces for lists in statements. The lengths are powers of two, so that a handful
/// of prepared statements serves lists of every length.
pub fn chunks<T>(values: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    let mut waiting: std::collections::VecDeque<T> = std::collections::VecDeque::new();
    let mut values = values.fuse();
    std::iter::from_fn(move || {
        while waiting.len() < CHUNK_MAX {
            match values.next() {
                Some(value) => waiting.push_back(value),
                None => break,
            }
        }
        let length = 1_usize << waiting.len().checked_ilog2()?;
        Some(waiting.drain(..length).collect())
    })
}

/// Cuts numbers into pieces for lists that find each row once, however often its number comes: the last piece is filled
/// up with its last number, so that a hundred numbers are one statement and not three.
pub fn padded(values: &[i64]) -> impl Iterator<Item = Vec<i64>> {
    values.chunks(CHUNK_MAX).map(|piece| {
        let mut piece = piece.to_vec();
        if let Some(last) = piece.last().copied() {
            piece.resize(piece.len().next_power_of_two(), last);
        }
        piece
    })
}

fn push_number(text: &mut String, number: usize) {
    // Writing into a String cannot fail.
    let _infallible = write!(text, "{number}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_when_the_whole_is_known() {
        let name = Sql::new("name = ").bind("o'brien $1 \u{1}");
        let either = Sql::join(
            [name, Sql::new("age > ").bind(7_i64), Sql::new("1 = 0")],
            " OR ",
        );
        let whole = Sql::new("SELECT pk FROM t WHERE c = ")
            .bind(1_i64)
            .then(" AND (")
            .and_then(either)
            .then(")");
        assert_eq!(
            whole.text(),
            "SELECT pk FROM t WHERE c = $1 AND (name = $2 OR age > $3 OR 1 = 0)"
        );
        assert_eq!(whole.args().len(), 3);
    }

    #[test]
    fn lists() {
        assert_eq!(placeholders(2, 3), "$2, $3, $4");
        assert_eq!(placeholders(1, 0), "");
        for length in [0, 1, 2, 3, 127, 128, 129, 1000] {
            let pieces: Vec<Vec<usize>> = chunks(0..length).collect();
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.len().is_power_of_two() && piece.len() <= CHUNK_MAX)
            );
            assert_eq!(pieces.concat(), (0..length).collect::<Vec<_>>());
        }
        assert_eq!(padded(&[]).count(), 0);
        let pieces: Vec<Vec<i64>> = padded(&(0..229).collect::<Vec<_>>()).collect();
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [128, 128]);
        assert_eq!(pieces[1][100..], [228; 28]);
    }

    #[test]
    fn prefixes_end_where_the_next_begins() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(after_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10FFFF}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
