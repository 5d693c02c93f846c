//! Checks the sample events against the schema and the parser.

use std::fs;
use std::path::{Path, PathBuf};

use queue_email_associator::payload::{Body, Envelope, Item, Json};
use queue_email_associator::requests::{Base, Context, Defaults, Request, with_request};
use serde_json::{Map, Value, json};

use super::{assert_valid, scope};

#[test]
fn every_sample_event_contains_valid_requests() {
    let mut requests = 0;
    for path in samples("json").into_iter().filter(|path| !path.ends_with("fixture.json")) {
        let payload = fs::read(&path).unwrap();
        let envelope = Envelope::read(&payload).unwrap();
        for source in &envelope.sources {
            let found = match &source.body {
                Body::Text(text) => {
                    with_request(text, |request| check(request, Defaults::default(), &path)).unwrap()
                }
                Body::Request(request) => check(request, Defaults::default(), &path),
                Body::Items { items, batch_input } => {
                    let scope = scope();
                    let defaults = batch_input.as_ref().map(|input| Defaults::read(input, &scope).unwrap());
                    let check = |item: &Item<'_>| match item {
                        Item::Request(request) => check(request, defaults.unwrap_or_default(), &path),
                        Item::Malformed(reason) => panic!("{}: {reason}", path.display()),
                    };
                    items.iter().map(check).sum()
                }
                Body::Unreadable { reason, .. } => panic!("{}: {reason}", path.display()),
            };
            requests += found;
        }
    }
    assert!(requests > 300, "only {requests} requests were found in events/");
}

#[test]
fn every_row_of_the_sample_csv_is_a_valid_request() {
    for path in samples("csv") {
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map(|line| line.split(','));
        let columns: Vec<&str> = lines.next().unwrap().collect();
        let rows = lines.map(|values| {
            let members = columns.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value)));
            Value::Object(Map::from_iter(members)).to_string()
        });
        let checked: usize =
            rows.map(|row| check(&Json::parse(&row).unwrap(), Defaults::default(), &path)).sum();
        assert!(checked > 0, "{} has no rows", path.display());
    }
}

/// Checks a request of a sample against the schema and the parser. Returns the number of checked requests, which is
/// one.
fn check(request: &Json<'_>, defaults: Defaults<'_>, path: &Path) -> usize {
    let value = serde_json::to_value(request).unwrap();
    assert_valid(&value, &path.display().to_string());
    let scope = scope();
    // The environment specifies no instance, because a sample must work without it.
    let context = Context { defaults, ..Context::new(&scope, None) };
    let read = Request::read(request, Base::Root, &context);
    assert!(read.invalid.is_empty(), "{}: {value}: {:?}", path.display(), read.invalid);
    assert!(!read.entries.is_empty(), "{}: {value}", path.display());
    1
}

fn samples(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}
