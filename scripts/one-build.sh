# shellcheck shell=bash
# Linting and testing share one build, which clippy compiles. A separate `cargo clippy` would check the whole SDK a
# second time.
if command -v clippy-driver >/dev/null; then
  export RUSTC_WORKSPACE_WRAPPER=clippy-driver
fi
