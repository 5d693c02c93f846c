.PHONY: check tools build rie local-aws

# Runs the checks that every change must pass. .ci/run does more.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	cargo test --workspace --locked

# SAM CLI, cfn-lint and cargo-lambda, in .venv
tools:
	scripts/install-tools

# The binaries that are deployed
build: tools
	PATH="$(CURDIR)/.venv/bin:$$PATH" sam build

# The function under the runtime interface emulator
rie: build
	scripts/local/emulator

# The whole stack on a local AWS
local-aws: build
	scripts/local/end-to-end
