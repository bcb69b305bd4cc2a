-- How many users of a directory no connector brings is counted without reading the others.

CREATE INDEX directory_user_without_connector ON directory_user (directory_pk)
    WHERE connector_pk IS NULL AND status <> 'removed';
