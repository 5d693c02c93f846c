//! Makes every build in this workspace compile its dependencies with the same features.
//!
//! Cargo compiles a dependency once for each set of features. `cargo run -p associate-emails` needs fewer features than
//! `cargo test --workspace`, so a few small differences below the AWS SDK would compile the SDK twice, four minutes each
//! time. Members that are never deployed depend on this crate, so that both commands need the same features. The two
//! functions do not depend on it, so `sam build` compiles only what they use.
