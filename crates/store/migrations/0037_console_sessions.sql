-- Sessions of the console are seen and ended by administrators, and remember which of their forms were sent.

-- Those that there are already are known by the beginning of their hash.
ALTER TABLE administrator_session ADD COLUMN public_id {text} NOT NULL DEFAULT '';
UPDATE administrator_session SET public_id = substr(hash, 1, 32);
CREATE UNIQUE INDEX administrator_session_public_id ON administrator_session (public_id);
-- From where it began, and what the browser calls itself; null if that is not known.
ALTER TABLE administrator_session ADD COLUMN address {text};
ALTER TABLE administrator_session ADD COLUMN agent {text};
-- JSON array: the last forms that are carried out once, each with where what it made is looked at.
ALTER TABLE administrator_session ADD COLUMN sent_forms {text} NOT NULL DEFAULT '[]';
