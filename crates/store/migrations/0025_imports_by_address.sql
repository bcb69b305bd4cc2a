-- Imports that this server reads itself, from another one.

-- Why it ended before its end.
ALTER TABLE directory_import ADD COLUMN failure {text};
