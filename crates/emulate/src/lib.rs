//! Workshop: emulated identity providers and products over real HTTP, for demo, simulate, tests and benches.
