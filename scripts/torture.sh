#!/usr/bin/env bash
# The crash rounds at length; the result is kept in docs/torture.md. ROUNDS says how many, 200 where it does not.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-200}
report=docs/torture.md

cargo test --locked --test it --no-run
cat > "$report" <<HEAD
# Torture

Written by \`make torture\` and by nothing else, on $(date -u +%Y-%m-%d), $(nproc) cores, $(uname -sr), commit $(git rev-parse --short HEAD).
Sixteen clients declare incidents under keys of their own and merge some of them, over HTTP; another process writes down
what was acknowledged. In each round something is killed with SIGKILL while commands are on their way, started again, and
then the whole log is read: every acknowledged position must exist with what was acknowledged, no command may be there by
half, and what was never answered is sent again under its key and may be there once. The rounds are those of
\`tests/it/crash\`, where also the controls are that must fail.

| Killed | Rounds | Acknowledged | On their way at the kills | Sent again | Found |
|---|---|---|---|---|---|
HEAD
PAGEFREE_TORTURE_ROUNDS=$rounds PAGEFREE_TORTURE_REPORT=$PWD/$report \
  cargo test --locked --test it -- crash --nocapture
cat "$report"
