-- Since when somebody who gives to an account of another connector has been out of the scope of the own one: the time of grace
-- ends by that.

ALTER TABLE contribution ADD COLUMN out_of_scope_since BIGINT;
