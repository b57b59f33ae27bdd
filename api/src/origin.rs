//! From where a request comes: the address of whoever is not one of our own proxies, and the program that he uses.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use actix_web::web;
use commands::Keys;

/// Characters of a program's name that are kept.
const CLIENT_CHARACTERS: usize = 200;
const FORWARDED: &str = "x-forwarded-for";

/// A range of addresses, `10.0.0.0/8`, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no address and no range of addresses like 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong))?;
        Ok(Self { address, bits })
    }
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = u32::from(32 - self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = u32::from(128 - self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Whose word counts for where a request came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(pub(crate) Vec<Network>);

impl Proxies {
    /// The last address on the way that is not one of our own proxies.
    fn sender(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let trusted = |address: IpAddr| self.0.iter().any(|network| network.contains(address));
        let mut sender = peer;
        let hops = forwarded.iter().flat_map(|value| value.split(',')).map(str::trim);
        for hop in hops.rev() {
            if !trusted(sender) {
                break;
            }
            match hop.parse() {
                Ok(address) => sender = address,
                // Whoever wrote this is not known; the one who passed it on is.
                Err(_) => break,
            }
        }
        sender.to_canonical()
    }
}

/// Where a request comes from, if that can be known.
pub(crate) fn address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let forwarded: Vec<&str> = request.headers().get_all(FORWARDED).filter_map(|value| value.to_str().ok()).collect();
    let proxies: Option<&web::Data<Proxies>> = request.app_data();
    Some(proxies.map_or(peer, |proxies| proxies.sender(peer, &forwarded)))
}

/// What program sent a request, as it calls itself.
pub(crate) fn client(request: &HttpRequest) -> Option<String> {
    let name = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(name.chars().take(CLIENT_CHARACTERS).collect())
}

/// Both, sealed under the key of `subject`, as the metadata of events hold them. That they are missing stops nobody.
pub(crate) async fn sealed(keys: &Keys, subject: &str, request: &HttpRequest) -> (Option<String>, Option<String>) {
    let ip = address(request).map(|address| address.to_string());
    let seal = async |field: &str, plain: Option<String>| match keys.vault.seal(subject, field, &plain?).await {
        Ok(sealed) => Some(serde_json::json!(sealed).to_string()),
        Err(error) => {
            tracing::warn!(%error, subject, "where a request came from is not kept");
            None
        }
    };
    (seal("ip", ip).await, seal("client", client(request)).await)
}

#[cfg(test)]
mod tests {
    use super::{Network, Proxies};

    fn sender(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = Proxies(trusted.iter().map(|text| text.parse().unwrap()).collect());
        proxies.sender(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        assert_eq!(sender(&[], "1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
        assert_eq!(sender(&["10.0.0.0/8"], "10.1.1.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(sender(&["10.0.0.0/8"], "10.1.1.1", &["6.6.6.6, 9.9.9.9", "10.2.2.2"]), "9.9.9.9");
        assert_eq!(sender(&["10.0.0.0/8"], "10.1.1.1", &["nonsense"]), "10.1.1.1");
        assert_eq!(sender(&["10.0.0.0/8"], "10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(sender(&["fd00::/8"], "fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(sender(&["10.0.0.1"], "::ffff:10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(sender(&["0.0.0.0/0"], "10.0.0.1", &["8.8.8.8"]), "8.8.8.8");
    }

    #[test]
    fn ranges_are_checked() {
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/x", "host"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
