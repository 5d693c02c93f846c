//! The function's configuration, read once from environment variables.
//!
//! A variable that is set but empty counts as not set. A value that cannot be used is an error with the variable, the value
//! and what is expected. No setting falls back to its default silently.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::associate::pace::Allowance;
use crate::associate::{CallLimits, GroupLimits};
use crate::backoff::WaitBounds;
use crate::requests::{ArnScope, Context, InstanceId, MAX_PARTS};

/// The configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AWS_REGION`, which Lambda sets: the Region of every call and of every accepted ARN.
    pub scope: ArnScope,
    /// `CONNECT_INSTANCE_ID`, an identifier or an ARN: the instance of requests that do not specify one.
    pub instance: Option<InstanceId>,
    /// `CONNECT_INSTANCE_IDS`, identifiers or ARNs: the only instances that may be called. Empty if any may be called.
    pub allowed_instances: Vec<InstanceId>,
    /// Maximum number of parts in one invocation (see `MAX_PARTS`). No variable sets it.
    pub max_parts: usize,
    /// `CONNECT_REQUESTS_PER_SECOND` (2) and `CONNECT_BURST` (5), the quota of each operation, and `CONNECT_WORKERS`
    /// (1), the number of processes that may call at once.
    pub allowance: Allowance,
    /// `MAX_CONCURRENT_CALLS` (8): calls in flight at once.
    pub max_concurrent_calls: usize,
    /// `BACKOFF_INITIAL_MS` (200), `BACKOFF_MAX_MS` (20000), `MAX_ATTEMPTS` (10), `CALL_TIMEOUT_MS` (5000).
    pub calls: CallLimits,
    /// `DEADLINE_MARGIN_MS` (1000): time kept free before the invocation's deadline.
    pub deadline_margin: Duration,
    /// `QUEUE_ADDITIONAL_LIMIT` (49): number of addresses that a queue accepts in addition to its default one.
    pub queue_additional_limit: usize,
    /// `FAILURES_QUEUE_URL`: the queue for dead letters.
    pub failures_queue: Option<String>,
    /// `CONTINUATION_QUEUE_URL`: the queue for continuations.
    pub continuation_queue: Option<String>,
    /// `REDELIVERY_INITIAL_SECONDS` (30), `REDELIVERY_MAX_SECONDS` (900): the delays before a failed message is
    /// redelivered. `None` if the messages belong to another consumer, so that their visibility is not changed.
    pub redelivery: Option<WaitBounds>,
    /// `METRICS_NAMESPACE` (`QueueEmailAssociations`): CloudWatch namespace.
    pub metrics_namespace: String,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets: the dimension of the metrics.
    pub function_name: String,
    /// `AWS_LAMBDA_LOG_LEVEL`, or `RUST_LOG` if that is not set (info).
    pub log_level: LevelFilter,
    /// `AWS_ENDPOINT_URL_CONNECT`, or `AWS_ENDPOINT_URL` if that is not set: another endpoint for Connect.
    pub connect_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SQS`, or `AWS_ENDPOINT_URL` if that is not set: another endpoint for SQS.
    pub sqs_endpoint: Option<String>,
}

/// A variable whose value cannot be used. Displays as one line with the variable, the value and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {variable} {value:?}: {problem}")]
pub struct SettingsError {
    /// The variable's name.
    pub variable: &'static str,
    value: String,
    problem: String,
}

impl SettingsError {
    fn new(variable: &'static str, value: String, problem: impl Into<String>) -> Self {
        SettingsError { variable, value, problem: problem.into() }
    }
}

impl Settings {
    /// Reads the settings through a look-up of variables by name.
    ///
    /// # Errors
    /// Returns an error for the first variable whose value cannot be used.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let variables = Variables { lookup };
        let scope = ArnScope::new(variables.text("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned()));
        let allowed_instances = variables.instances("CONNECT_INSTANCE_IDS", &scope)?;
        Ok(Settings {
            instance: variables.instance("CONNECT_INSTANCE_ID", &scope, &allowed_instances)?,
            allowed_instances,
            scope,
            max_parts: MAX_PARTS,
            allowance: Allowance {
                rate: variables.decimal("CONNECT_REQUESTS_PER_SECOND", 2.0)?,
                burst: variables.decimal("CONNECT_BURST", 5.0)?,
                workers: variables.whole("CONNECT_WORKERS", 1, 1..=10_000)?,
            },
            max_concurrent_calls: variables.whole("MAX_CONCURRENT_CALLS", 8, 1..=1_000)? as usize,
            calls: CallLimits {
                backoff: variables.waits(
                    [("BACKOFF_INITIAL_MS", 200), ("BACKOFF_MAX_MS", 20_000)],
                    900_000,
                    Duration::from_millis,
                )?,
                max_attempts: variables.whole("MAX_ATTEMPTS", 10, 1..=1_000)?,
                call_timeout: variables.millis("CALL_TIMEOUT_MS", 5_000, 1..=900_000)?,
            },
            deadline_margin: variables.millis("DEADLINE_MARGIN_MS", 1_000, 0..=900_000)?,
            queue_additional_limit: variables.whole("QUEUE_ADDITIONAL_LIMIT", 49, 0..=1_000_000)? as usize,
            failures_queue: variables.queue("FAILURES_QUEUE_URL")?,
            continuation_queue: variables.queue("CONTINUATION_QUEUE_URL")?,
            // A visibility timeout is at most 43,200 seconds (SQS API reference, ChangeMessageVisibility).
            redelivery: Some(variables.waits(
                [("REDELIVERY_INITIAL_SECONDS", 30), ("REDELIVERY_MAX_SECONDS", 900)],
                43_200,
                Duration::from_secs,
            )?),
            metrics_namespace: variables.namespace("METRICS_NAMESPACE", "QueueEmailAssociations")?,
            function_name: variables
                .text("AWS_LAMBDA_FUNCTION_NAME")
                .unwrap_or_else(|| "queue-email-associator".to_owned()),
            log_level: variables.log_level()?,
            connect_endpoint: variables.endpoint("AWS_ENDPOINT_URL_CONNECT")?,
            sqs_endpoint: variables.endpoint("AWS_ENDPOINT_URL_SQS")?,
        })
    }

    /// Reads the settings from the environment of the process.
    ///
    /// # Errors
    /// Returns the same errors as [`Settings::read`].
    pub fn from_env() -> Result<Self, SettingsError> {
        Settings::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the endpoint of a service from its own variable, or from `AWS_ENDPOINT_URL` if that is not set.
    ///
    /// # Errors
    /// Returns an error if the value is not a URL.
    pub fn endpoint(
        lookup: impl Fn(&str) -> Option<String>,
        variable: &'static str,
    ) -> Result<Option<String>, SettingsError> {
        Variables { lookup }.endpoint(variable)
    }

    /// The settings that requests are read with.
    pub fn context(&self) -> Context<'_> {
        Context {
            allowed_instances: &self.allowed_instances,
            max_parts: self.max_parts,
            ..Context::new(&self.scope, self.instance.as_ref())
        }
    }

    pub(crate) fn group_limits(&self) -> GroupLimits {
        GroupLimits {
            additional_addresses: self.queue_additional_limit,
            max_attempts: self.calls.max_attempts,
        }
    }
}

struct Variables<L> {
    lookup: L,
}

impl<L: Fn(&str) -> Option<String>> Variables<L> {
    fn text(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable).filter(|value| !value.is_empty())
    }

    /// Reads a value that has the given form.
    fn parsed<T: FromStr>(
        &self,
        variable: &'static str,
        default: T,
        accepts: impl Fn(&T) -> bool,
        expected: impl Display,
    ) -> Result<T, SettingsError> {
        let Some(value) = self.text(variable) else { return Ok(default) };
        match value.trim().parse::<T>() {
            Ok(parsed) if accepts(&parsed) => Ok(parsed),
            _ => Err(SettingsError::new(variable, value, format!("expected {expected}"))),
        }
    }

    fn whole(
        &self,
        variable: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, SettingsError> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.parsed(variable, default, |number| range.contains(number), expected)
    }

    fn millis(
        &self,
        variable: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<Duration, SettingsError> {
        self.whole(variable, default, range).map(|millis| Duration::from_millis(millis.into()))
    }

    fn decimal(&self, variable: &'static str, default: f64) -> Result<f64, SettingsError> {
        let accepts = |number: &f64| (0.001..=1_000_000.0).contains(number);
        self.parsed(variable, default, accepts, "a number from 0.001 to 1000000")
    }

    /// Reads two whole numbers from 1 to `most`, in some unit. The first must not exceed the second.
    fn waits(
        &self,
        [initial, max]: [(&'static str, u32); 2],
        most: u32,
        unit: fn(u64) -> Duration,
    ) -> Result<WaitBounds, SettingsError> {
        let read = |(variable, default)| self.whole(variable, default, 1..=most);
        let (first, longest) = (read(initial)?, read(max)?);
        if first > longest {
            let expected = format!("expected at most {} ({longest})", max.0);
            return Err(SettingsError::new(initial.0, first.to_string(), expected));
        }
        Ok(WaitBounds { initial: unit(first.into()), max: unit(longest.into()) })
    }

    fn instance(
        &self,
        variable: &'static str,
        scope: &ArnScope,
        allowed: &[InstanceId],
    ) -> Result<Option<InstanceId>, SettingsError> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        let problem = match InstanceId::parse(&value, scope) {
            Ok(instance) if allowed.is_empty() || allowed.contains(&instance) => return Ok(Some(instance)),
            Ok(_) => "expected one of CONNECT_INSTANCE_IDS".to_owned(),
            Err(reason) => format!("it {reason}"),
        };
        Err(SettingsError::new(variable, value, problem))
    }

    /// Reads a list that is separated by commas.
    fn instances(&self, variable: &'static str, scope: &ArnScope) -> Result<Vec<InstanceId>, SettingsError> {
        let value = self.text(variable).unwrap_or_default();
        let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
        let read = |item| {
            InstanceId::parse(item, scope)
                .map_err(|reason| SettingsError::new(variable, value.clone(), format!("{item:?} {reason}")))
        };
        items.map(read).collect()
    }

    fn url(&self, variable: &'static str) -> Result<Option<String>, SettingsError> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !value.contains(char::is_whitespace) => Ok(Some(value)),
            _ => {
                let expected = "expected a URL that starts with https:// or http://";
                Err(SettingsError::new(variable, value, expected))
            }
        }
    }

    fn endpoint(&self, variable: &'static str) -> Result<Option<String>, SettingsError> {
        match self.url(variable)? {
            None => self.url("AWS_ENDPOINT_URL"),
            own => Ok(own),
        }
    }

    fn queue(&self, variable: &'static str) -> Result<Option<String>, SettingsError> {
        match self.url(variable)? {
            Some(value) if value.ends_with(".fifo") => {
                let expected = "expected the URL of a standard SQS queue, not of a FIFO queue";
                Err(SettingsError::new(variable, value, expected))
            }
            other => Ok(other),
        }
    }

    /// A namespace has 1 to 255 characters and no leading colon (Amazon CloudWatch API reference, MetricDatum and
    /// PutMetricData).
    fn namespace(&self, variable: &'static str, default: &str) -> Result<String, SettingsError> {
        let accepts = |name: &String| {
            (1..=255).contains(&name.len())
                && !name.starts_with(':')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/#: ".contains(c))
        };
        let expected =
            "1 to 255 letters, digits, spaces and . - _ / # :, not blank and not starting with a colon";
        self.parsed(variable, default.to_owned(), accepts, expected)
    }

    fn log_level(&self) -> Result<LevelFilter, SettingsError> {
        let names = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"];
        let set = names.into_iter().find_map(|variable| Some((variable, self.text(variable)?)));
        let Some((variable, value)) = set else { return Ok(LevelFilter::INFO) };
        match value.trim().to_ascii_lowercase().as_str() {
            "trace" => Ok(LevelFilter::TRACE),
            "debug" => Ok(LevelFilter::DEBUG),
            "info" => Ok(LevelFilter::INFO),
            "warn" => Ok(LevelFilter::WARN),
            "error" | "fatal" => Ok(LevelFilter::ERROR),
            _ => {
                let expected = "expected trace, debug, info, warn, error or fatal";
                Err(SettingsError::new(variable, value, expected))
            }
        }
    }
}

#[cfg(test)]
mod tests;
