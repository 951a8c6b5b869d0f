//! The listener's certificate. TLS 1.3 unless the file says that 1.2 may stay.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("tls: cannot read {path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// The parser's answer.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit, or are of an unknown kind.
    #[error("tls: {0}")]
    Unusable(#[from] rustls::Error),
}

/// An acceptor that speaks HTTP/2 and HTTP/1.1.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&tls.certificate)?;
    let key = key(&tls.key)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(tls.allow_tls_1_2))?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The one crypto provider of the process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The versions of TLS that are spoken.
pub(crate) fn versions(allow_tls_1_2: bool) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
    if allow_tls_1_2 { &BOTH } else { &BOTH[..1] }
}

/// The certificates of a PEM file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}

/// The private key of a PEM file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| TlsError::Pem { path: path.to_owned(), source })
}
