//! How one server is reached: whom to trust, as whom to appear, by which way.

use crate::Error;
use std::sync::Arc;
use ureq::tls::{Certificate, ClientCert, PemItem, RootCerts, TlsConfig, parse_pem};

/// The way to one server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Any certificate will do: what the operator says of a server with one of its own making.
    pub any_certificate: bool,
    /// Trusted instead of what the machine trusts: certificates (PEM) of an authority, or the server's own.
    pub authority: Option<Vec<u8>>,
    /// Certificate and private key (PEM) to appear with: a secret.
    pub identity: Option<Vec<u8>>,
    /// `http://[name:password@]host:port`.
    pub proxy: Option<String>,
}

impl Link {
    pub(crate) fn tls(&self) -> Result<TlsConfig, Error> {
        let roots = match &self.authority {
            None => RootCerts::PlatformVerifier,
            Some(pem) => {
                let certificates = certificates(pem);
                if certificates.is_empty() {
                    return Err(Error::Link("the file of the certificate authority holds no certificate"));
                }
                RootCerts::new_with_certs(&certificates)
            }
        };
        let identity = self.identity.as_deref().map(identity).transpose()?;
        Ok(tls(roots, identity, self.any_certificate))
    }

    pub(crate) fn proxy(&self) -> Result<Option<ureq::Proxy>, Error> {
        let read = |text| ureq::Proxy::new(text).map_err(|_| Error::Link("the proxy is no address"));
        self.proxy.as_deref().map(read).transpose()
    }
}

/// TLS by ring; trust and appearance as given.
pub(crate) fn tls(roots: RootCerts, identity: Option<ClientCert>, any_certificate: bool) -> TlsConfig {
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(roots)
        .client_cert(identity)
        .disable_verification(any_certificate)
        .build()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    parse_pem(pem).filter_map(certificate).collect()
}

fn identity(pem: &[u8]) -> Result<ClientCert, Error> {
    let key = parse_pem(pem).find_map(|item| match item {
        Ok(PemItem::PrivateKey(key)) => Some(key),
        _ => None,
    });
    let chain = certificates(pem);
    match key {
        Some(key) if !chain.is_empty() => Ok(ClientCert::new_with_certs(&chain, key)),
        _ => Err(Error::Link("the file of the client certificate lacks the certificate or its key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_said() {
        let link = |f: fn(&mut Link)| {
            let mut link = Link::default();
            f(&mut link);
            link
        };
        assert!(Link::default().tls().is_ok());
        assert!(link(|l| l.authority = Some(b"nothing".to_vec())).tls().is_err());
        assert!(link(|l| l.identity = Some(b"nothing".to_vec())).tls().is_err());
        assert!(link(|l| l.proxy = Some("http://proxy.example:3128".into())).proxy().is_ok());
        assert!(link(|l| l.proxy = Some("::no::".into())).proxy().is_err());
    }
}
