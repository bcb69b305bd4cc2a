//! What SCIM says: schemas, resources, paths, filters, PATCH, lists, errors, vendor dialects. Pure.
