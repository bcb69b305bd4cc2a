-- A request is looked up by its id, which its answer told.
CREATE INDEX scim_request_request ON scim_request (request, pk);
