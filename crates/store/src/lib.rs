//! What is remembered: the only SQL. Two engines behind one transaction type.
