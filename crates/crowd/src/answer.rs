//! The client side: reading what a Crowd server answers.
