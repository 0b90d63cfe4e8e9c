//! The port `Prometheus`: an instant query whose answer is one number, or an error that says why it is not.
//!
//! The query travels in the body of a POST, so its length and its letters do not matter. A query changes nothing, so an
//! answer that was lost is `Transient`, not `Ambiguous`.

use std::time::{Duration, SystemTime};

use drill_aws_config::SdkConfig;
use drill_aws_config::SystemClock;
use drill_phases::ports::{Answer, Class, Clock as _, PortError, Prometheus};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Uri};
use hyper::body::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use crate::Web;
use crate::client::{Answered, Unanswered};
use crate::sign::Signer;

const CALL: &str = "prometheus:Query";
/// The longest message that is passed on, in characters.
const LONGEST: usize = 300;

/// A URL under which there can be no Prometheus server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is not the URL of a Prometheus server: {why}")]
pub struct InvalidServer {
    url: String,
    why: String,
}

/// The server that is asked.
#[derive(Debug)]
pub(crate) struct Server {
    query: Uri,
    signer: Option<Signer>,
    limit: Duration,
}

impl Server {
    pub(crate) fn new(base: &str, config: &SdkConfig, limit: Duration) -> Result<Self, InvalidServer> {
        let invalid = |why: String| InvalidServer { url: base.chars().take(200).collect(), why };
        let uri: Uri = base.parse().map_err(|error: http::uri::InvalidUri| invalid(error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid("it must start with http:// or https://".to_owned())),
        };
        let host = uri.host().ok_or_else(|| invalid("it names no host".to_owned()))?;
        if uri.query().is_some() {
            return Err(invalid("it must end before the `?`".to_owned()));
        }
        let signer = Signer::of(host, secure, config).map_err(|unsigned| invalid(unsigned.to_string()))?;
        let query = format!("{}/api/v1/query", base.trim_end_matches('/'));
        let query = query.parse().map_err(|error: http::uri::InvalidUri| invalid(error.to_string()))?;
        Ok(Self { query, signer, limit })
    }

    async fn request(&self, query: &str, at: Timestamp) -> Result<Request<Bytes>, PortError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .append_pair("time", &at.to_string())
            .finish();
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.query.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(signer) = &self.signer {
            let unsigned = |what| PortError::new(Class::Transient, CALL, format!("the query cannot be signed: {what}"));
            signer.sign(&mut request, SystemTime::from(SystemClock.now())).await.map_err(unsigned)?;
        }
        Ok(request)
    }
}

impl Prometheus for Web {
    /// Queries to the managed service; a server of one's own asks for none.
    const ACTIONS: &'static [&'static str] = &["aps:QueryMetrics"];

    async fn prometheus(&self, query: &str, at: Timestamp) -> Answer<f64> {
        let none =
            || PortError::new(Class::Missing, CALL, "this deployment has no Prometheus: set its URL in the template");
        let server = self.prometheus.as_ref().ok_or_else(none)?;
        let request = server.request(query, at).await?;
        match self.client.send(request, server.limit).await {
            Ok(answered) => read(&answered).map_err(|(class, what)| PortError::new(class, CALL, what)),
            Err(silence @ Unanswered::Silence(_)) => Err(PortError::new(Class::Transient, CALL, silence.to_string())),
            Err(unasked @ (Unanswered::Unaskable(_) | Unanswered::Endless)) => {
                Err(PortError::new(Class::Refused, CALL, unasked.to_string()))
            }
        }
    }
}

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope {
    status: Status,
    data: Option<Data>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Scalar(Value),
    Vector(Vec<Series>),
    Matrix(serde::de::IgnoredAny),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    /// A native histogram has none.
    value: Option<Value>,
}

/// An instant and a number as text: JSON has no NaN and no infinities.
#[derive(Deserialize)]
struct Value(serde::de::IgnoredAny, String);

/// The one number of an answer. NaN and the infinities are passed on.
fn read(answered: &Answered) -> Result<f64, (Class, String)> {
    let refused = |what: String| (Class::Refused, what);
    let envelope: Option<Envelope> = serde_json::from_slice(&answered.body).ok();
    if answered.status != 200 {
        let said = envelope.and_then(|envelope| envelope.error).unwrap_or_default();
        return Err((class_of(answered.status), line(&format!("HTTP {} {said}", answered.status))));
    }
    let envelope = envelope.ok_or_else(|| refused("the answer is not Prometheus's".to_owned()))?;
    if envelope.status == Status::Error {
        let said = [envelope.error_type, envelope.error].into_iter().flatten().collect::<Vec<_>>().join(": ");
        return Err(refused(line(&said)));
    }
    // A warning says that the answer may lack something: part of a federation did not answer, say.
    if let Some(warning) = envelope.warnings.first() {
        return Err(refused(line(&format!("the number cannot be trusted: {warning}"))));
    }
    let value = match envelope.data {
        Some(Data::Scalar(value)) => value,
        Some(Data::Vector(mut series)) => match (series.pop(), series.len()) {
            (Some(Series { value: Some(value) }), 0) => value,
            (Some(Series { value: None }), 0) => {
                return Err(refused("the answer is a histogram, not a number".to_owned()));
            }
            (Some(_), others) => {
                let what = format!("the answer is {} series, not one number: aggregate them in the query", others + 1);
                return Err(refused(what));
            }
            (None, _) => return Err((Class::Missing, "no series matches the query now".to_owned())),
        },
        Some(Data::Matrix(_)) => return Err(refused("the answer is a range of values, not one number".to_owned())),
        Some(Data::String(_)) => return Err(refused("the answer is text, not a number".to_owned())),
        None => return Err(refused("the answer has no data".to_owned())),
    };
    value.1.parse().map_err(|_| refused(line(&format!("`{}` is not a number", value.1))))
}

fn class_of(status: u16) -> Class {
    match status {
        404 => Class::Missing,
        408 | 429 | 500..=599 => Class::Transient,
        _ => Class::Refused,
    }
}

fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
#[path = "prometheus/tests.rs"]
mod tests;
