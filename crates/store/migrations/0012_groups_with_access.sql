-- An application may be shown only those groups whose members may log in.
ALTER TABLE application ADD COLUMN only_groups_with_access BIGINT NOT NULL DEFAULT 0;
