//! Reports in a bucket.
//!
//! A file is `s3://<bucket>/<run>/<name>`; writing it again replaces it. How it is encrypted is the bucket's business.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use drill_aws_config::{Adapter, SdkConfig, Unready, classify, variable};
use drill_model::ids::RunId;
use drill_phases::ports::{Answer, Class, PortError, Reports};

const PUT: &str = "s3:PutObject";

/// The bucket that keeps reports.
#[derive(Debug, Clone)]
pub struct ReportBucket {
    client: Client,
    bucket: String,
}

impl ReportBucket {
    /// The bucket of this name.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        // Only AWS has a DNS name for each bucket; another endpoint has the bucket in the path.
        let own_endpoint = config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(config).force_path_style(own_endpoint).build();
        Self { client: Client::from_conf(config), bucket: bucket.into() }
    }
}

impl Adapter for ReportBucket {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_REPORT_BUCKET")?))
    }
}

impl Reports for ReportBucket {
    /// On the objects of the bucket.
    const ACTIONS: &'static [&'static str] = &["s3:PutObject"];

    /// One round trip.
    async fn store(&self, run: &RunId, name: &str, content: &str) -> Answer<String> {
        let refused = |what: &str| PortError::new(Class::Refused, PUT, what);
        let media =
            media(name).ok_or_else(|| refused("the name of a report is not a plain file name that is known"))?;
        let key = format!("{run}/{name}");
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .content_type(media)
            .body(ByteStream::from(content.as_bytes().to_vec()));
        put.send().await.map_err(|error| classify(PUT, &error))?;
        Ok(format!("s3://{}/{key}", self.bucket))
    }
}

/// What a browser makes of a file, so that a report opens as one; `None` for what is not a plain file name.
fn media(name: &str) -> Option<&'static str> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let (stem, extension) = name.rsplit_once('.')?;
    let media = match extension {
        "html" => "text/html; charset=utf-8",
        "json" => "application/json",
        "md" => "text/markdown; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        _ => return None,
    };
    (plain && !stem.is_empty() && !name.starts_with('.')).then_some(media)
}

#[cfg(test)]
mod tests {
    use drill_aws_config::script::{Answer, Request, Script};

    use super::*;

    fn bucket<const N: usize>(answers: [(u16, &str); N]) -> (Script, ReportBucket) {
        let script = Script::new(answers);
        let bucket = ReportBucket::new(&script.config(), "reports");
        (script, bucket)
    }

    fn run() -> RunId {
        "run-1".parse().unwrap()
    }

    fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
        request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    #[tokio::test]
    async fn a_file_is_stored_under_its_run_with_its_media_type() {
        let cases = [
            ("report.json", "application/json"),
            ("report.md", "text/markdown; charset=utf-8"),
            ("report.html", "text/html; charset=utf-8"),
            ("junit.xml", "application/xml"),
        ];
        for (name, media) in cases {
            let (script, bucket) = bucket([(200, "")]);

            let place = bucket.store(&run(), name, "what is é").await.unwrap();

            assert_eq!(place, format!("s3://reports/run-1/{name}"));
            let [request] = script.requests().try_into().unwrap();
            assert_eq!(request.operation, format!("PUT /run-1/{name}?x-id=PutObject"));
            assert!(request.uri.starts_with("https://reports.s3.eu-central-1.amazonaws.com/"), "{}", request.uri);
            assert_eq!(request.body, "what is é");
            assert_eq!(header(&request, "content-type"), Some(media));
            assert_eq!(header(&request, "x-amz-server-side-encryption"), None);
        }
    }

    #[tokio::test]
    async fn another_endpoint_has_the_bucket_in_the_path() {
        let script = Script::new([(200, "")]);
        let config = script.config().into_builder().endpoint_url("http://localhost:5000").build();

        ReportBucket::new(&config, "reports").store(&run(), "report.md", "x").await.unwrap();

        assert_eq!(script.requests()[0].uri, "http://localhost:5000/reports/run-1/report.md?x-id=PutObject");
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_is_refused_before_anything_is_sent() {
        let (script, bucket) = bucket([]);

        for name in ["", ".", "..", "../other.md", "a/b.md", "/a.md", "a\\b.md", ".md", "report", "report.exe"] {
            assert_eq!(bucket.store(&run(), name, "x").await.unwrap_err().class, Class::Refused, "{name}");
        }
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn every_error_has_its_class() {
        let cases = [
            (503, "SlowDown", Class::Transient),
            (403, "AccessDenied", Class::Refused),
            (404, "NoSuchBucket", Class::Missing),
            (409, "OperationAborted", Class::Conflict),
            (500, "InternalError", Class::Ambiguous),
        ];
        for (status, code, expected) in cases {
            let body = format!("<Error><Code>{code}</Code><Message>so it is</Message></Error>");
            let (_, bucket) = bucket([(status, &body)]);

            let error = bucket.store(&run(), "report.md", "x").await.unwrap_err();

            assert_eq!(error, PortError::new(expected, PUT, format!("{code}: so it is")));
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_lost_may_have_been_a_file() {
        let (script, bucket) = bucket([]);
        script.then(Answer::Silence);

        assert_eq!(bucket.store(&run(), "report.md", "x").await.unwrap_err().class, Class::Ambiguous);
    }
}
