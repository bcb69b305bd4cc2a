-- How many accounts of a connector may log in is counted without reading the accounts.

DROP INDEX directory_user_external_id;
CREATE INDEX directory_user_external_id ON directory_user (connector_pk, external_id, status);
