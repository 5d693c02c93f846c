//! The options of every command that reads a file of pairs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use request_file::FileFormat;

/// The file, and how its pairs are called.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The file; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,

    /// The file's format; by default its extension decides, or else its content
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub(crate) format: Option<FileFormat>,

    /// The instance of pairs without one, as an identifier or an ARN [variable: CONNECT_INSTANCE_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,

    /// Call Amazon Connect, with credentials and Region as the AWS CLI finds them
    #[arg(long)]
    pub(crate) aws: bool,

    /// The Region of Amazon Connect and of every ARN in the file [variable: AWS_REGION]; a simulation uses the Region
    /// of the file's first ARN by default
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Calls per second [variable: CONNECT_REQUESTS_PER_SECOND; default: 2]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,

    /// Calls that may start at once [variable: CONNECT_BURST; default: 5]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) burst: Option<String>,

    /// Simulate without a quota and without a pace, to try a large file
    #[arg(long, conflicts_with_all = ["aws", "rate", "burst"])]
    pub(crate) fast: bool,

    /// Stop calling after this time; unfinished pairs then fail as DeadlineExceeded [default: 30 days]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    time_limit: Option<u32>,

    /// Print the response as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// The formats of a file, by their names on the command line.
const FORMATS: [(&str, FileFormat); 4] = [
    ("json", FileFormat::Json),
    ("json-lines", FileFormat::JsonLines),
    ("csv", FileFormat::Delimited),
    ("workbook", FileFormat::Workbook),
];

/// Returns the parser of the names in [`FORMATS`].
fn format_parser() -> impl TypedValueParser<Value = FileFormat> {
    let format = |name: &str| FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    PossibleValuesParser::new(FORMATS.map(|(name, _)| name))
        .map(move |name| format(&name).unwrap_or(FileFormat::Json))
}

impl FileArgs {
    /// Time limit of all calls of the command. By default it is 30 days, because a file of 250,000 queues takes a day and a
    /// half at the default quota.
    pub(crate) fn time_limit(&self) -> Duration {
        self.time_limit
            .map_or(Duration::from_secs(30 * 86_400), |seconds| Duration::from_secs(seconds.into()))
    }

    /// Returns the path of the file, or `None` for standard input.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|file| *file != "-")
    }
}
