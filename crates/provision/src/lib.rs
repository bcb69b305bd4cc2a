//! What happens: the use cases, each one transaction. The only writer of the store.
