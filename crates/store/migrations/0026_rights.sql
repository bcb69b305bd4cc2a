-- What tokens of the admin API may do, and beyond which connectors nobody who is confined to some reaches.

-- owner, operator or auditor; null for the tokens of connectors.
ALTER TABLE token ADD COLUMN role {text};
UPDATE token SET role = CASE access WHEN 'read-only' THEN 'auditor' ELSE 'owner' END WHERE kind = 'api';

-- JSON arrays of the numbers of connectors; null for no such bound.
ALTER TABLE token ADD COLUMN connectors {text};
ALTER TABLE administrator ADD COLUMN connectors {text};
ALTER TABLE invitation ADD COLUMN connectors {text};
