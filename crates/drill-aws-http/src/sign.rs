//! Signatures for the managed service for Prometheus: SigV4, with the function's own credentials.
//!
//! Only requests to a workspace are signed, and only over TLS: nobody else gets to see a signature.

use std::time::SystemTime;

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use drill_aws_config::SdkConfig;
use http::Request;
use hyper::body::Bytes;

/// The service's name in a signature and in the names of its hosts.
const SERVICE: &str = "aps";
const HOSTS: &[&str] = &["aps-workspaces", "aps-workspaces-fips"];

/// Signs requests.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    region: String,
    credentials: SharedCredentialsProvider,
}

/// Why a server that wants signatures cannot have them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsigned {
    #[error("requests to it are signed, and signatures travel over https:// only")]
    Plain,
    #[error("requests to it are signed, and there are no credentials")]
    NoCredentials,
}

impl Signer {
    /// A signer for a host of the managed service; `None` for every other host.
    pub(crate) fn of(host: &str, secure: bool, config: &SdkConfig) -> Result<Option<Self>, Unsigned> {
        let Some(region) = region(host) else { return Ok(None) };
        if !secure {
            return Err(Unsigned::Plain);
        }
        let credentials = config.credentials_provider().ok_or(Unsigned::NoCredentials)?;
        Ok(Some(Self { region: region.to_owned(), credentials }))
    }

    /// Signs a request. The answer says what is wrong, never with what it was signed.
    pub(crate) async fn sign(&self, request: &mut Request<Bytes>, at: SystemTime) -> Result<(), String> {
        let credentials = self.credentials.provide_credentials().await.map_err(|error| error.to_string())?;
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(at)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers: Vec<(&str, &str)> =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let uri = request.uri().to_string();
        let signable = SignableRequest::new(
            request.method().as_str(),
            uri,
            headers.into_iter(),
            SignableBody::Bytes(request.body()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// The region of a host of the managed service: `aps-workspaces.<region>.amazonaws.com`, or behind an endpoint in a VPC
/// `vpce-….aps-workspaces.<region>.vpce.amazonaws.com`.
fn region(host: &str) -> Option<&str> {
    let ours = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|suffix| host.ends_with(suffix));
    let mut labels = host.split('.');
    labels.find(|label| HOSTS.contains(label)).and(labels.next()).filter(|_| ours)
}

#[cfg(test)]
#[path = "sign/tests.rs"]
mod tests;
