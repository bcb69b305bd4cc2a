-- What a change really changed: before and after, beside what was asked for.

-- JSON without secrets; null where nobody looked, as with a sign-in or what was refused.
ALTER TABLE audit_entry ADD COLUMN changes {text};
-- The path of the target with ids in the place of names, by which entries are found whatever the names are.
ALTER TABLE audit_entry ADD COLUMN object {text};
