//! Makes every build in this workspace compile its dependencies with the same features.
//!
//! Cargo compiles a dependency again for each set of features that is asked of it. `cargo run -p associate-emails` asks
//! for fewer features than `cargo test --workspace`, and a few small differences below the AWS SDK would compile the
//! SDK twice, four minutes each time. Members that are never deployed depend on this crate, so that both commands ask
//! for the same. The two functions do not depend on it: `sam build` gives them only what they use.
