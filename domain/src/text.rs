//! The rules for every text that a person writes, whichever aggregate it belongs to.

use crate::{Fault, Refusal};

/// Characters that a reason may have.
pub(crate) const REASON_CHARACTERS: usize = 1_000;

/// Adds a fault unless `text` has `least` to `most` characters, is not blank where it is required, and has no NUL
/// (no text column of ours stores one).
pub(crate) fn check(text: &str, least: usize, most: usize, pointer: &str, faults: &mut Vec<Fault>) {
    if text.contains('\0') {
        faults.push(Fault::new(pointer, "must not contain the NUL character"));
    }
    let length = text.chars().count();
    if length < least || length > most || (least > 0 && text.trim().is_empty()) {
        faults.push(Fault::new(pointer, format!("must have {least} to {most} characters and not be blank")));
    }
}

/// `text` without blank edges, or nothing where nothing is left.
pub(crate) fn trimmed(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// All that was found wrong, or nothing.
pub(crate) fn refuse_if_any(faults: Vec<Fault>) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}
