//! Makes input out of input: the same from the same seed, on every machine.

/// The longest input that is made, in bytes.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Longest piece that is repeated, taken out or moved, in bytes.
const PIECE_BYTES_MAX: usize = 48;

/// What readers stumble over.
const ODD: [&str; 34] = [
    "\0",
    "\u{1}",
    "\u{1b}",
    "\r",
    "\n",
    "\t",
    " ",
    "\u{a0}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{202e}",
    "\u{130}",
    "ß",
    "ſ",
    "é",
    "e\u{301}",
    "😀",
    "\"",
    "\\",
    "'",
    "\\u0000",
    "\\ud800",
    "&#0;",
    "&lt;",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    "*",
    "null",
    "-0",
    "1e400",
    "18446744073709551616",
    "9999-12-31T23:59:60Z",
];

/// Every bracket that something may be nested by.
const OPENING: [&str; 6] = ["(", "[", "{", "not (", "{\"a\":", "<a>"];

/// A seeded source of mutations.
pub struct Mutator {
    state: u64,
    words: &'static [&'static str],
}

impl Mutator {
    /// A mutator that knows the words of a target.
    pub fn new(seed: u64, words: &'static [&'static str]) -> Mutator {
        Mutator { state: seed, words }
    }

    /// One of the items, changed in one place or several, now and then with pieces of others.
    pub fn next(&mut self, corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut input = self.pick(corpus).1.clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
        }
        input.truncate(INPUT_BYTES_MAX);
        // Most readers refuse what is not UTF-8 before anything else.
        if self.below(10) > 0 && std::str::from_utf8(&input).is_err() {
            input = String::from_utf8_lossy(&input).into_owned().into_bytes();
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[(String, Vec<u8>)]) {
        let (from, to) = self.piece(input.len());
        match self.below(12) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << (self.state >> 61);
                }
            }
            1 => {
                let byte = (self.bits() & 0xff) as u8;
                input.insert(from, byte);
            }
            2 => drop(input.drain(from..to)),
            3 | 4 => {
                let word = *self.pick(self.words);
                input.splice(from..from, word.bytes());
            }
            5 => {
                let word = *self.pick(self.words);
                input.splice(from..to, word.bytes());
            }
            6 => {
                let word = *self.pick(&ODD);
                input.splice(from..from, word.bytes());
            }
            7 => {
                let times = 1 + self.below(70);
                let again = input[from..to].repeat(times);
                input.splice(from..from, again);
            }
            8 => {
                let times = 1 + self.below(70);
                let again = self.pick(&OPENING).repeat(times);
                input.splice(from..from, again.into_bytes());
            }
            9 => {
                let other = &self.pick(corpus).1;
                let (first, last) = self.piece(other.len());
                input.splice(from..to, other[first..last].iter().copied());
            }
            10 => {
                let piece: Vec<u8> = input.drain(from..to).collect();
                let (at, _) = self.piece(input.len());
                input.splice(at..at, piece);
            }
            _ => input[from..to].iter_mut().for_each(|byte| {
                *byte = match byte.is_ascii_lowercase() {
                    true => byte.to_ascii_uppercase(),
                    false => byte.to_ascii_lowercase(),
                }
            }),
        }
    }

    /// Where a piece begins and ends.
    fn piece(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let to = from + self.below((length - from).min(PIECE_BYTES_MAX) + 1);
        (from, to)
    }

    fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }

    /// SplitMix64.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
