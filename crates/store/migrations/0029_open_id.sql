-- Administrators who sign in at an OpenID provider instead of with a password.

-- Who the provider says it is: its issuer, and its own name for the person, which never changes. Their password_hash is empty.
ALTER TABLE administrator ADD COLUMN issuer {text};
ALTER TABLE administrator ADD COLUMN subject {text};
CREATE UNIQUE INDEX administrator_subject ON administrator (issuer, subject);
