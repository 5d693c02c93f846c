//! Reads and writes inputs. An input is a payload, its target, and the world that it runs in. Its file has a line of
//! JSON, followed by the payload's unchanged bytes.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The part of the function that receives a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Target {
    /// Reading an envelope.
    Envelope,
    /// Reading a message's body.
    Body,
    /// The whole function.
    Handler,
}

impl Target {
    pub(crate) const ALL: [Target; 3] = [Target::Envelope, Target::Body, Target::Handler];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Target::Envelope => "envelope",
            Target::Body => "body",
            Target::Handler => "handler",
        }
    }
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Case {
    pub(crate) target: Target,
    /// Number from which the handler's settings, faults and deadline are derived.
    pub(crate) world: u64,
    pub(crate) payload: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    target: Target,
    world: u64,
}

impl Case {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Case::parse(&bytes).ok_or_else(|| format!("{}: this is no kept input", file.display()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        Some(Case { target: head.target, world: head.world, payload: bytes[end + 1..].to_vec() })
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        let head = Head { target: self.target, world: self.world };
        let mut bytes = serde_json::to_vec(&head).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.payload);
        fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Keeps the case permanently, under a name derived from its content.
    pub(crate) fn keep(&self, folder: &Path) -> Result<PathBuf, String> {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        let file = folder.join(format!("{}-{:016x}.case", self.target.name(), hasher.finish()));
        self.write(&file)?;
        Ok(file)
    }
}

/// Returns the file of the input that is running.
pub(crate) fn current(folder: &Path) -> PathBuf {
    folder.join("current.case")
}

/// Returns the command that runs a kept input again.
pub(crate) fn rerun(file: &Path) -> String {
    format!("cargo run -p fuzz -- --replay {}", file.display())
}
