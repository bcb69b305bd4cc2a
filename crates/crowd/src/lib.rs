//! What Crowd says: the resources of a Crowd server in XML and JSON, restrictions, CQL and errors. Pure.
