//! Notices by SNS.
//!
//! Nothing on the way of cleaning up waits for one: a notice that cannot be published is an error and no more.

use aws_sdk_sns::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready, classify, variable};
use drill_phases::ports::{Answer, Class, Notices, PortError};

const PUBLISH: &str = "sns:Publish";
/// What experiments call the topic of the installation.
const DEFAULT: &str = "default";

/// The topics.
#[derive(Debug, Clone)]
pub struct Topics {
    client: Client,
    default: String,
}

impl Topics {
    /// Topics, of which this one is called `default`.
    pub fn new(config: &SdkConfig, default: impl Into<String>) -> Self {
        Self { client: Client::new(config), default: default.into() }
    }
}

impl Adapter for Topics {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_TOPIC_ARN")?))
    }
}

impl Notices for Topics {
    /// On every topic that experiments may name.
    const ACTIONS: &'static [&'static str] = &["sns:Publish"];

    /// One round trip. A topic is `default` or an ARN: a name alone does not say whose topic it is.
    async fn publish(&self, topic: &str, subject: &str, body: &str) -> Answer<()> {
        let topic = match topic {
            DEFAULT => &self.default,
            topic if is_topic(topic) => topic,
            topic => {
                let what = format!("`{topic}` is not a topic: expected `{DEFAULT}` or the ARN of a topic");
                return Err(PortError::new(Class::Refused, PUBLISH, what));
            }
        };
        let publish = self.client.publish().topic_arn(topic).subject(subject).message(body);
        publish.send().await.map_err(|error| classify(PUBLISH, &error))?;
        Ok(())
    }
}

/// Whether this is `arn:<partition>:sns:<region>:<account>:<name>`.
fn is_topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sns", region, account, name] if [region, account, name].iter().all(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use drill_aws_config::script::{Answer, Script};

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:notices";
    const OTHER: &str = "arn:aws:sns:eu-central-1:123456789012:game-day";
    const PUBLISHED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"#;

    fn topics<const N: usize>(answers: [(u16, &str); N]) -> (Script, Topics) {
        let script = Script::new(answers);
        let topics = Topics::new(&script.config(), TOPIC);
        (script, topics)
    }

    fn refusal(code: &str) -> String {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>so it is</Message></Error></ErrorResponse>"
        )
    }

    #[tokio::test]
    async fn a_notice_goes_to_the_topic_that_is_named() {
        let (script, topics) = topics([(200, PUBLISHED), (200, PUBLISHED)]);

        topics.publish("default", "a subject", "a body").await.unwrap();
        topics.publish(OTHER, "a subject", "a body").await.unwrap();

        let bodies: Vec<String> = script.requests().into_iter().map(|request| request.body).collect();
        let expected = |name: &str| {
            format!(
                "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3A{name}&Message=a%20body&Subject=a%20subject"
            )
        };
        assert_eq!(bodies, [expected("notices"), expected("game-day")]);
    }

    #[tokio::test]
    async fn a_name_that_is_no_arn_is_refused_before_anything_is_sent() {
        let (script, topics) = topics([]);

        for name in
            ["", "notices", "arn:aws:sqs:eu-central-1:1:q", "arn:aws:sns:eu-central-1::notices", "arn:aws:sns:a:1:b:c"]
        {
            assert_eq!(topics.publish(name, "s", "b").await.unwrap_err().class, Class::Refused, "{name}");
        }
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn every_error_has_its_class() {
        let cases = [
            (429, "Throttled", Class::Transient),
            (400, "InvalidParameter", Class::Refused),
            (403, "AuthorizationError", Class::Refused),
            (400, "KMSThrottling", Class::Transient),
            (404, "NotFound", Class::Missing),
            (500, "InternalError", Class::Ambiguous),
        ];
        for (status, code, expected) in cases {
            let (_, topics) = topics([(status, &refusal(code))]);

            let error = topics.publish("default", "s", "b").await.unwrap_err();

            assert_eq!((error.class, error.call), (expected, PUBLISH), "{code}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_lost_may_have_been_a_notice() {
        let (script, topics) = topics([]);
        script.then(Answer::Silence);

        assert_eq!(topics.publish("default", "s", "b").await.unwrap_err().class, Class::Ambiguous);
    }
}
