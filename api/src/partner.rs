//! Partners at the door: a principal of their own, with tokens that no route of the house takes, and no others here.
//!
//! A token says which grant and which secret stand behind it, and nothing of what they open: both are looked at for each
//! request, so that whatever changes there acts at once. Nothing leaves before it is in the log of accesses.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage, HttpRequest, ResponseError, web};
use commands::accesses::{Access, AccessLog};
use commands::partner_secrets::{self, Found};
use commands::{Bus, Keys, ids};
use domain::ids::{ComponentId, PartnerGrantId, StatusPageId};
use domain::partner_grant::{PartnerGrant, Shut};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vault::signing::{Expected, Refused, Signing, VerifyError};

use crate::clock::now;
use crate::door::bearer;
use crate::envelope::RequestId;
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::read::data;
use crate::{Answer, origin, respond};

/// Whom partners' tokens are for, and what they are.
const AUDIENCE: &str = "pagefree:partner";
const TYPE: &str = "partner+jwt";
/// Seconds that a token lives.
pub(crate) const LIFETIME: i64 = 600;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    /// The grant.
    sub: String,
    /// The secret.
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    /// Of the grant when the token was made: for the log.
    grant_version: u64,
}

/// Who asks, by what.
#[derive(Debug, Clone)]
struct Credential {
    found: Found,
    token_id: Option<String>,
    grant: Arc<PartnerGrant>,
}

pub(crate) async fn admit_by_secret(request: &ServiceRequest) -> Result<(), Problem> {
    let secret = bearer(request)?;
    let bus = data::<Bus>(request.request())?;
    let found = partner_secrets::look_up(bus.store(), &secret, now()).await?;
    let found = found.ok_or_else(|| Problem::unauthenticated(true))?;
    admit(request, &bus, found, None).await
}

pub(crate) async fn admit_by_token(request: &ServiceRequest) -> Result<(), Problem> {
    let token = bearer(request)?;
    let (bus, signing) = (data::<Bus>(request.request())?, data::<Signing>(request.request())?);
    let url = data::<PublicUrl>(request.request())?;
    let expected = Expected { issuer: url.base(), audience: AUDIENCE, typ: TYPE };
    let at = now();
    let claims: Claims = match signing.verify(&token, &expected, at).await {
        Ok(claims) => claims,
        Err(VerifyError::Refused(refused)) => return Err(unbelieved(refused)),
        Err(VerifyError::Vault(error)) => return Err(error.into()),
    };
    let found = Found { grant: PartnerGrantId::new(claims.sub), id: claims.sid };
    // A secret that is gone takes its tokens with it.
    if !partner_secrets::is_good(bus.store(), &found, at).await? {
        return Err(Problem::unauthenticated(true));
    }
    admit(request, &bus, found, Some(claims.jti)).await
}

fn unbelieved(refused: Refused) -> Problem {
    tracing::debug!(%refused, "a partner's token is refused");
    Problem::unauthenticated(true)
}

/// From here on it is known who asks, so that whatever he is told is recorded.
async fn admit(request: &ServiceRequest, bus: &Bus, found: Found, token_id: Option<String>) -> Result<(), Problem> {
    let grant = bus.look::<PartnerGrant>(found.grant.as_str()).await?.map(|(grant, ..)| grant).unwrap_or_default();
    tracing::Span::current().record("actor", found.grant.as_str());
    let open = grant.open(now());
    let credential = Credential { found, token_id, grant };
    if let Err(shut) = open {
        let partner = Partner::of(request.request(), credential)?;
        return Err(partner.denied(None, Problem::shut(in_words(shut)), shut.as_str()).await);
    }
    request.extensions_mut().insert(credential);
    Ok(())
}

fn in_words(shut: Shut) -> &'static str {
    match shut {
        Shut::Ungranted | Shut::Revoked => "it was taken back",
        Shut::Early => "its time has not come",
        Shut::Suspended => "it is suspended",
        Shut::Over => "its time is over",
    }
}

/// A request of a partner whose grant is open.
#[derive(Debug)]
pub(crate) struct Partner {
    credential: Credential,
    pub(crate) request: HttpRequest,
    accesses: web::Data<AccessLog>,
    keys: web::Data<Keys>,
    at: Timestamp,
}

impl FromRequest for Partner {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let credential = request.extensions().get::<Credential>().cloned();
        let made = credential
            .ok_or_else(|| Problem::internal(&"a route for partners is open to others"))
            .and_then(|credential| Self::of(request, credential));
        Box::pin(std::future::ready(made))
    }
}

/// What a partner was shown of a page.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) page: Option<StatusPageId>,
    pub(crate) components: Vec<ComponentId>,
}

impl Partner {
    fn of(request: &HttpRequest, credential: Credential) -> Result<Self, Problem> {
        Ok(Self { credential, accesses: data(request)?, keys: data(request)?, at: now(), request: request.clone() })
    }

    pub(crate) fn grant(&self) -> &PartnerGrant {
        &self.credential.grant
    }

    /// A token for the one who asks.
    pub(crate) async fn token(&self) -> Result<String, Problem> {
        let (signing, url) = (data::<Signing>(&self.request)?, data::<PublicUrl>(&self.request)?);
        let iat = self.at.as_second();
        let claims = Claims {
            iss: url.base().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.credential.found.grant.to_string(),
            sid: self.credential.found.id.clone(),
            jti: ids::fresh().to_string(),
            iat,
            nbf: iat,
            exp: iat + LIFETIME,
            grant_version: self.grant().version,
        };
        Ok(signing.sign(TYPE, &claims).await?)
    }

    /// Serves `body` once it is recorded that it is served.
    pub(crate) async fn serve(&self, seen: Seen, body: &impl Serialize) -> Answer {
        let text = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
        let access = Access {
            page_id: seen.page,
            components: seen.components,
            bytes: text.len() as u64,
            ..self.access(StatusCode::OK)
        };
        self.record(access).await?;
        Ok(respond::stored(StatusCode::OK, text))
    }

    /// What to tell him instead, once it is recorded.
    pub(crate) async fn denied(&self, page: Option<StatusPageId>, problem: Problem, reason: &str) -> Problem {
        let access = Access {
            page_id: page,
            allowed: false,
            reason: Some(reason.to_owned()),
            ..self.access(problem.status_code())
        };
        self.record(access).await.err().unwrap_or(problem)
    }

    async fn record(&self, access: Access) -> Result<(), Problem> {
        self.accesses.record(access).await.map_err(|error| Problem::unrecorded(&error))
    }

    fn access(&self, status: StatusCode) -> Access {
        let (request, who) = (&self.request, &self.credential);
        let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let client = request.headers().get(USER_AGENT).and_then(|name| name.to_str().ok());
        let address = origin::address(request).map(|address| address.to_string());
        Access {
            at: self.at,
            request_id,
            grant_id: who.found.grant.clone(),
            grant_version: who.grant.version,
            secret_id: who.found.id.clone(),
            token_id: who.token_id.clone(),
            method: request.method().to_string(),
            route: request.match_pattern().unwrap_or_default(),
            page_id: None,
            components: Vec::new(),
            allowed: true,
            reason: None,
            status: status.as_u16(),
            bytes: 0,
            // Who comes from elsewhere, or with something else, is seen; from where and with what is not.
            address: address.map(|address| self.keys.vault.blind("partner address", &address)),
            client: client.map(|client| self.keys.vault.blind("partner client", client)),
        }
    }
}
