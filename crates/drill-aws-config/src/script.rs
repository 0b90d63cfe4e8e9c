//! A service that answers what a test has written down, in order, and keeps what it was asked.
//!
//! Adapters are tested on requests and answers as they are on the wire, made by the SDK that they ship with.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;

/// Answers to come, and requests so far. Clones are the same script.
#[derive(Debug, Clone, Default)]
pub struct Script(Arc<Mutex<Scene>>);

#[derive(Debug, Default)]
struct Scene {
    answers: VecDeque<Answer>,
    requests: Vec<Request>,
}

/// What a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A status and a body.
    Http(u16, String),
    /// Nothing, within the time.
    Silence,
}

/// What a service was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The operation, where the protocol names it in a header (`PutItem`); else the method and the path.
    pub operation: String,
    /// The whole address.
    pub uri: String,
    /// The headers, by their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Script {
    /// A service that gives these answers: a status and a body each.
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = (u16, T)>) -> Self {
        let script = Self::default();
        for (status, body) in answers {
            script.then(Answer::Http(status, body.into()));
        }
        script
    }

    /// One more answer.
    pub fn then(&self, answer: Answer) -> &Self {
        self.scene().answers.push_back(answer);
        self
    }

    /// Everything that was asked, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.scene().requests.clone()
    }

    /// The operations that were asked for, in order.
    pub fn operations(&self) -> Vec<String> {
        self.scene().requests.iter().map(|request| request.operation.clone()).collect()
    }

    /// How many answers nobody has asked for.
    pub fn left(&self) -> usize {
        self.scene().answers.len()
    }

    /// A configuration whose every request comes here, once.
    pub fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "secret", None, None, "script",
            )))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let path = request.uri().split_once("://").and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
        let asked = Request {
            operation: target.map_or_else(|| format!("{} {}", request.method(), path.unwrap_or("/")), str::to_owned),
            uri: request.uri().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        let answer = {
            let mut scene = self.scene();
            scene.requests.push(asked);
            scene.answers.pop_front()
        };
        HttpConnectorFuture::ready(match answer {
            Some(Answer::Http(status, body)) => match status.try_into() {
                Ok(status) => Ok(HttpResponse::new(status, SdkBody::from(body))),
                Err(_) => Err(ConnectorError::user("the script has a status that is none".into())),
            },
            Some(Answer::Silence) => Err(ConnectorError::timeout("the script is silent here".into())),
            None => Err(ConnectorError::user("the script has no more answers".into())),
        })
    }
}
