//! The port `Http`: a GET request and how long its answer took.
//!
//! Any answer is an answer, a redirect and a 500 too; what the phases make of it is theirs.

use std::time::Duration;

use drill_model::experiment::HttpProbe;
use drill_phases::ports::{Answer, Class, Http, HttpReading, PortError};
use http::{Request, Uri};
use hyper::body::Bytes;

use crate::Web;
use crate::client::Unanswered;

const CALL: &str = "http:Get";

impl Http for Web {
    /// One request. A name that cannot be looked up, a refused connection and a certificate that nobody vouches for are
    /// `NoAnswer`, as a silence is: the service does not serve. What may not be asked, and an answer without end, are
    /// `Refused`: they say nothing about the service.
    async fn http(&self, probe: &HttpProbe) -> Answer<HttpReading> {
        let refused = |what: String| PortError::new(Class::Refused, CALL, format!("{}: {what}", shown(&probe.url)));
        let uri: Uri = probe.url.parse().map_err(|error| refused(format!("the URL cannot be asked: {error}")))?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        match self.client.send(request, Duration::from(probe.timeout)).await {
            Ok(answered) => {
                Ok(HttpReading::Answered { status: answered.status, millis: answered.took.as_secs_f64() * 1000.0 })
            }
            Err(Unanswered::Silence(_)) => Ok(HttpReading::NoAnswer),
            Err(unasked @ (Unanswered::Unaskable(_) | Unanswered::Endless)) => Err(refused(unasked.to_string())),
        }
    }
}

/// A URL as far as it may be shown: a query can carry a key.
fn shown(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
#[path = "probe/tests.rs"]
mod tests;
