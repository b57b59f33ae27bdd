//! The domain, seen from outside: given these facts, when this is asked, then that happens.

mod approval_commands;
mod approval_histories;
mod approvals;
mod behaviour;
mod catalogue;
mod conditions;
mod definitions;
mod differences;
mod golden;
mod histories;
mod incident_commands;
mod incident_table;
mod no_secrets;
mod parameters;
mod partner_grant_commands;
mod partner_histories;
mod runbook_commands;
mod samples;
mod status_page_commands;
mod status_samples;
mod templates;
mod upcasting;
mod user_commands;
