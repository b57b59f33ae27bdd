//! Whether a token is to be believed, and if not, why.

use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::VaultError;

/// Bytes that a token may have; ours have some hundred.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// How far clocks may be apart.
pub const LEEWAY_SECONDS: i64 = 30;

/// Whom a token must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    /// What the token is for, as it was signed.
    pub typ: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this is not a token of ours")]
    Malformed,
    #[error("the token is signed with another algorithm than EdDSA")]
    Algorithm,
    #[error("the token is for another purpose")]
    Type,
    #[error("the token is signed with a key that is not, or no longer, ours")]
    UnknownKey,
    #[error("the signature of the token does not fit")]
    Signature,
    #[error("the token was issued by somebody else")]
    Issuer,
    #[error("the token is for somebody else")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token lacks claims, or has them in another form")]
    Claims,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The id of the key that a token names, if the rest of its header is as ours are.
pub(crate) fn kid(token: &str, expected: &Expected<'_>) -> Result<String, Refused> {
    if token.len() > TOKEN_BYTES {
        return Err(Refused::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::Malformed)?;
    if header.alg != Algorithm::EdDSA {
        return Err(Refused::Algorithm);
    }
    // What must be understood (`crit`) is not understood here.
    if header.crit.is_some() {
        return Err(Refused::Malformed);
    }
    if header.typ.as_deref() != Some(expected.typ) {
        return Err(Refused::Type);
    }
    header.kid.ok_or(Refused::UnknownKey)
}

pub(crate) fn claims<C: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<C, Refused> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.audience]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    // It would look at the system's clock; the times are checked below, against the one that was passed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Value>(token, key, &validation).map_err(|error| refused(error.kind()))?.claims;
    in_time(&claims, now.as_second())?;
    serde_json::from_value(claims).map_err(|_| Refused::Claims)
}

fn in_time(claims: &Value, now: i64) -> Result<(), Refused> {
    let time = |name: &str| match &claims[name] {
        Value::Null => Ok(None),
        value => value.as_i64().map(Some).ok_or(Refused::Claims),
    };
    let exp = time("exp")?.ok_or(Refused::Claims)?;
    if now >= exp.saturating_add(LEEWAY_SECONDS) {
        return Err(Refused::Expired);
    }
    for from in [time("nbf")?, time("iat")?].into_iter().flatten() {
        if now.saturating_add(LEEWAY_SECONDS) < from {
            return Err(Refused::NotYet);
        }
    }
    Ok(())
}

fn refused(error: &ErrorKind) -> Refused {
    match error {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::InvalidAlgorithm => Refused::Algorithm,
        ErrorKind::InvalidIssuer => Refused::Issuer,
        ErrorKind::InvalidAudience => Refused::Audience,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => Refused::Claims,
        _ => Refused::Malformed,
    }
}
