-- By whom and by which request a user was deleted whose account waits for that to take effect, as its connector is paused.

ALTER TABLE directory_user ADD COLUMN due_actor {text};
ALTER TABLE directory_user ADD COLUMN due_request {text};
