-- When a product last came to fetch: JSON array of a few moments in microseconds, the newest first. Its rhythm is told from them.
ALTER TABLE application ADD COLUMN polls {text};
