.PHONY: check tools rie

# What a change must pass; .ci/run does more.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	cargo test --workspace --locked

# SAM CLI, cfn-lint and cargo-lambda, in .venv
tools:
	scripts/tools

# The release binary under the runtime interface emulator
rie: tools
	cargo build --release --locked
	scripts/invoke-under-rie
