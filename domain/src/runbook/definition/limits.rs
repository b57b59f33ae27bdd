//! How large each part of a definition may be.

pub const DEFINITION_BYTES: usize = 256 * 1024;
/// Levels of JSON, whatever they mean: nothing recurses deeper than this.
pub const JSON_DEPTH: usize = 48;
/// Faults that are listed; what is more is counted.
pub const FAULTS: usize = 200;

pub const NAME_CHARACTERS: usize = 100;
pub const DESCRIPTION_CHARACTERS: usize = 500;
pub const CHANGE_NOTE_CHARACTERS: usize = 500;
pub const TAGS: usize = 20;
pub const TAG_CHARACTERS: usize = 50;
pub const VARIABLES: usize = 50;

/// Steps in total: sub-steps and compensations count.
pub const STEPS: usize = 100;
/// Levels of steps within steps.
pub const STEP_DEPTH: usize = 4;
pub const STEP_ID_BYTES: usize = 64;
pub const BRANCHES: usize = 20;
pub const ITEMS: u64 = 1_000;
pub const OUTPUTS: usize = 50;

pub const TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 30..=900;
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 300;
pub const STEP_TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 1..=900;
/// A week.
pub const WAIT_SECONDS: std::ops::RangeInclusive<u64> = 1..=604_800;
/// A minute to thirty days.
pub const DECISION_SECONDS: std::ops::RangeInclusive<u64> = 60..=2_592_000;
pub const DEFAULT_DECISION_SECONDS: u32 = 86_400;
pub const ATTEMPTS: std::ops::RangeInclusive<u64> = 1..=10;
pub const RETRY_DELAY_SECONDS: std::ops::RangeInclusive<u64> = 1..=3_600;

pub const URL_BYTES: usize = 2_000;
pub const HEADERS: usize = 50;
pub const HEADER_BYTES: usize = 4_096;
/// Text that people read: a message, a note, a prompt.
pub const MESSAGE_CHARACTERS: usize = 10_000;
/// Source of a shell step, a script or an SQL statement.
pub const SOURCE_BYTES: usize = 64 * 1024;
pub const RECIPIENTS: usize = 50;

/// One string with expressions in it.
pub const TEMPLATE_BYTES: usize = 16 * 1024;
/// Expressions in one string.
pub const TEMPLATE_TAGS: usize = 200;
/// `{{#if}}` within `{{#if}}`.
pub const TEMPLATE_DEPTH: usize = 4;

pub const CONDITION_BYTES: usize = 2 * 1024;
/// Brackets within brackets.
pub const CONDITION_BRACKETS: usize = 8;
/// `!` or `-` in a row.
pub const CONDITION_PREFIXES: usize = 2;
/// Operators, opening brackets, dots and commas, as written.
pub const CONDITION_OPERATORS: usize = 150;
/// Nodes of the parsed expression, macros expanded.
pub const CONDITION_NODES: usize = 1_000;

pub const SCHEMA_BYTES: usize = 64 * 1024;
/// Levels of a parameter schema.
pub const SCHEMA_DEPTH: usize = 24;
/// Values in a parameter schema once every `$ref` is replaced by what it stands for.
pub const SCHEMA_NODES: usize = 20_000;
/// Regular expressions in a parameter schema.
pub const SCHEMA_PATTERNS: usize = 50;
pub const PATTERN_BYTES: usize = 256 * 1024;
pub const PARAMETERS_BYTES: usize = 64 * 1024;
