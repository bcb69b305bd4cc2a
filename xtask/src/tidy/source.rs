//! Takes a Rust file apart into code, comments and string literals, and marks what is test code.
//!
//! This is a lexer for the few tokens that can hide a word (comments, strings, characters), not a
//! parser: a rule that needs more than words belongs into clippy.

/// A Rust file, line by line. All lists have one entry per line.
pub struct Source {
    /// The line without comments, and with the content of strings and characters left out.
    pub code: Vec<String>,
    /// The text of the comments on the line.
    pub comments: Vec<String>,
    /// Whether the line is inside an item marked `#[cfg(test)]` or `#[test]`.
    pub is_test: Vec<bool>,
    /// The string literals with the line on which each begins (from 0) and its raw content.
    pub strings: Vec<(usize, String)>,
}

impl Source {
    /// Takes the text apart. Text that does not compile gives some answer, never a panic.
    pub fn parse(text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.run();
        let is_test = test_lines(&lexer.code);
        Self {
            code: lexer.code,
            comments: lexer.comments,
            is_test,
            strings: lexer.strings,
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    code: Vec<String>,
    comments: Vec<String>,
    strings: Vec<(usize, String)>,
}

impl Lexer {
    fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
            code: vec![String::new()],
            comments: vec![String::new()],
            strings: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(c) = self.peek(0) {
            let next = self.peek(1);
            match c {
                '/' if next == Some('/') => self.line_comment(),
                '/' if next == Some('*') => self.block_comment(),
                '"' => self.string(),
                'r' | 'b' | 'c' if !self.is_in_word() && self.starts_literal() => self.prefixed(),
                '\'' if self.is_character() => self.character(),
                _ => self.keep(c),
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn is_in_word(&self) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|before| self.chars.get(before))
            .is_some_and(|c| c.is_alphanumeric() || *c == '_')
    }

    /// Goes on by one character, and to a new line where it ends one.
    fn skip(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.code.push(String::new());
            self.comments.push(String::new());
        }
        Some(c)
    }

    fn keep(&mut self, c: char) {
        self.skip();
        if c != '\n' {
            Self::add(&mut self.code, c);
        }
    }

    fn add(lines: &mut [String], c: char) {
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }

    fn comment(&mut self) {
        if let Some(c) = self.skip()
            && c != '\n'
        {
            Self::add(&mut self.comments, c);
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.comment();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.comment();
                    continue;
                }
            }
            self.comment();
            self.comment();
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether here begins `r"`, `r#"`, `b"`, `br"`, `c"`, `b'` and so on.
    fn starts_literal(&self) -> bool {
        let mut ahead = 0;
        while matches!(self.peek(ahead), Some('r' | 'b' | 'c')) && ahead < 2 {
            ahead += 1;
        }
        let is_raw = self.peek(ahead - 1) == Some('r');
        let hashes = self.hashes(ahead);
        match self.peek(ahead + hashes) {
            Some('"') => hashes == 0 || is_raw,
            Some('\'') => hashes == 0 && ahead == 1 && self.peek(0) == Some('b'),
            _ => false,
        }
    }

    fn hashes(&self, from: usize) -> usize {
        let mut count = 0;
        while self.peek(from + count) == Some('#') {
            count += 1;
        }
        count
    }

    fn prefixed(&mut self) {
        let mut is_raw = false;
        while let Some(c @ ('r' | 'b' | 'c')) = self.peek(0) {
            is_raw = c == 'r';
            self.keep(c);
        }
        if self.peek(0) == Some('\'') {
            self.character();
        } else if is_raw {
            self.raw_string();
        } else {
            self.string();
        }
    }

    fn string(&mut self) {
        self.keep('"');
        let line = self.code.len() - 1;
        let mut content = String::new();
        while let Some(c) = self.skip() {
            match c {
                '"' => break,
                '\\' => {
                    content.push(c);
                    content.extend(self.skip());
                }
                _ => content.push(c),
            }
        }
        Self::add(&mut self.code, '"');
        self.strings.push((line, content));
    }

    fn raw_string(&mut self) {
        let hashes = self.hashes(0);
        for _ in 0..=hashes {
            self.skip();
        }
        let line = self.code.len() - 1;
        let mut content = String::new();
        while let Some(c) = self.skip() {
            if c == '"' && self.hashes(0) >= hashes {
                break;
            }
            content.push(c);
        }
        for _ in 0..hashes {
            self.skip();
        }
        Self::add(&mut self.code, '"');
        Self::add(&mut self.code, '"');
        self.strings.push((line, content));
    }

    /// Tells a character (`'a'`, `'\n'`) from a lifetime (`'a`).
    fn is_character(&self) -> bool {
        self.peek(1) == Some('\\') || (self.peek(2) == Some('\'') && self.peek(1) != Some('\''))
    }

    fn character(&mut self) {
        self.keep('\'');
        while let Some(c) = self.skip() {
            match c {
                '\'' => break,
                '\\' => {
                    self.skip();
                }
                _ => {}
            }
        }
        Self::add(&mut self.code, '\'');
    }
}

/// Marks the lines of items under `#[cfg(test)]` and `#[test]`, by matching braces.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut marks = vec![false; code.len()];
    let mut line = 0;
    while line < code.len() {
        if !is_test_attribute(&code[line]) {
            line += 1;
            continue;
        }
        let end = item_end(code, line);
        marks[line..=end].fill(true);
        line = end + 1;
    }
    marks
}

fn is_test_attribute(line: &str) -> bool {
    let line: String = line.split_whitespace().collect();
    line.contains("#[cfg(test)]")
        || line.contains("#[cfg(all(test,")
        || line.contains("#[test]")
        || line.contains("#[tokio::test")
}

/// The last line of the item whose attributes begin on the given line.
fn item_end(code: &[String], start: usize) -> usize {
    let mut depth = 0_i64;
    for (line, text) in code.iter().enumerate().skip(start) {
        for c in text.chars() {
            match c {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => {
                    depth -= 1;
                    if depth <= 0 && c == '}' {
                        return line;
                    }
                }
                ';' if depth == 0 => return line,
                _ => {}
            }
        }
    }
    code.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source =
            Source::parse("let a = \"axum // no\"; // tower\n/* one\n/* two */ three */ b\n");
        assert_eq!(source.code, ["let a = \"\"; ", "", " b", ""]);
        assert_eq!(source.strings, [(0, "axum // no".to_owned())]);
        assert!(source.comments[0].contains("tower"));
        assert!(source.comments[2].contains("three"));
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let source = Source::parse("let a = r#\"say \"hi\" // x\"#; println!();");
        assert_eq!(source.code, ["let a = r\"\"; println!();"]);
        assert_eq!(source.strings, [(0, "say \"hi\" // x".to_owned())]);
    }

    #[test]
    fn escapes_do_not_end_a_string() {
        let source = Source::parse(r#"f("a\"b", b"c\\", 'x', '\'', '"', b'"'); g(&'a str)"#);
        assert_eq!(source.code, [r#"f("", b"", '', '', '', b''); g(&'a str)"#]);
    }

    #[test]
    fn a_string_over_several_lines_keeps_the_lines_apart() {
        let source = Source::parse("a(\"one\ntwo\");\nb();");
        assert_eq!(source.code, ["a(\"", "\");", "b();"]);
        assert_eq!(source.strings, [(0, "one\ntwo".to_owned())]);
    }

    #[test]
    fn names_that_end_in_a_prefix_letter_are_names() {
        let source = Source::parse("number\"x\"; bar(); r#type; abc'");
        assert!(source.code[0].starts_with("number\"\"; bar(); r#type"));
    }

    #[test]
    fn test_items_are_marked_to_their_closing_brace() {
        let source = Source::parse(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { {} }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n",
        );
        assert_eq!(
            source.is_test,
            [
                false, true, true, true, true, false, true, true, false, false
            ]
        );
    }

    #[test]
    fn broken_text_gives_an_answer() {
        for text in [
            "\"",
            "r#\"",
            "/*",
            "'",
            "b'",
            "'\\",
            "#[cfg(test)]",
            "}}}",
            "",
        ] {
            assert_eq!(Source::parse(text).code.len(), text.lines().count().max(1));
        }
    }
}
