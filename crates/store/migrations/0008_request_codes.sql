-- The code of an error tells its keyword as well. Rows from before have a keyword here.
ALTER TABLE scim_request RENAME COLUMN scim_type TO code;
