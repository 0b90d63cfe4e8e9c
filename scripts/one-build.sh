# shellcheck shell=bash
# For what lints and what tests: clippy compiles what it lints, so both share one build. A check of its own would read
# the whole SDK a second time.
if command -v clippy-driver >/dev/null; then
  export RUSTC_WORKSPACE_WRAPPER=clippy-driver
fi
