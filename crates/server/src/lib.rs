//! Who may ask, and how: the only HTTP server, with thin faces for SCIM, Crowd and the admin API.
