//! Under which address others reach this server: for links in answers, and as the issuer of tokens.

use std::sync::{Arc, OnceLock};

/// Known once the server is bound, where nobody has said it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublicUrl(Arc<OnceLock<String>>);

impl PublicUrl {
    /// The first one that is set stays.
    pub(crate) fn set(&self, url: String) {
        let _set_before = self.0.set(url);
    }

    pub(crate) fn base(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }

    pub(crate) fn of_partner_page(&self, page: &str) -> String {
        format!("{}/api/partner/pages/{page}", self.base())
    }
}
