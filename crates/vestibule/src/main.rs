//! The Vestibule program.
fn main() {}
