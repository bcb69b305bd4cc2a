//! The server over real HTTP, on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where its preparation fails"
)]

mod api_applications;
mod api_audit;
mod api_backup;
mod api_configuration;
mod api_configuration_more;
mod api_configuration_sealed;
mod api_connector_groups;
mod api_connectors;
mod api_console;
mod api_directories;
mod api_door;
mod api_holds;
mod api_imports;
mod api_jobs;
mod api_journal;
mod api_lifecycle;
mod api_notifications;
mod api_overview;
mod api_past;
mod api_presets;
mod api_release;
mod api_requests;
mod api_rights;
mod api_rules;
mod api_setup;
mod browser;
mod browser_pages;
mod browser_setup;
mod browser_work;
mod conversations;
mod crowd_admin;
mod crowd_errors;
mod crowd_event_model;
mod crowd_events;
mod crowd_listings;
mod crowd_local_users;
mod crowd_logins;
mod crowd_nested_groups;
mod crowd_nesting;
mod crowd_products;
mod crowd_reads;
mod crowd_sessions;
mod crowd_transcripts;
mod crowd_views;
mod crowd_webhooks;
mod crowd_writes;
mod doors;
mod http;
mod limits;
mod oauth;
mod query_model;
mod scim_bulk;
mod scim_conversations;
mod scim_credentials;
mod scim_cursor_model;
mod scim_cursors;
mod scim_discovery;
mod scim_errors;
mod scim_golden;
mod scim_idp;
mod scim_methods;
mod scim_protocol;
mod scim_providers;
mod scim_queries;
mod scim_races;
mod scim_reports;
mod scim_schemas;
mod scim_signed;
mod source;
mod statement_counts;
mod ui;
mod ui_browser;
mod ui_configuration;
mod ui_confined;
mod ui_directory;
mod ui_form;
mod ui_rules;
mod ui_second_factor;
mod ui_work;
mod world;
