#!/usr/bin/env bash
# Turns off each rule of ARCHITECTURE.md in turn, in a copy of the tree, and runs the test that must miss it.
# rules.tsv has a row for each: the rule, what is off, the file, how it is changed, and the test. A row without a test
# that fails is an error; so is a change that does not fit the file any more.
#
# Usage: tests/ablate/run.sh [R1 R8 ...]     (all of them without a name)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
. scripts/one-build.sh
top=$PWD
tree=$top/target/ablate/tree
log=$top/target/ablate/log
# A build of its own: a crate of the copy has the name of the one that it is a copy of.
export CARGO_TARGET_DIR=$top/target/ablate/build

rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree" || exit

wanted() { [ "$#" -eq 0 ] || [[ " $* " == *" $rule "* ]]; }

rows=0 bad=0
while IFS=$'\t' read -r rule off file change package target name; do
  wanted "$@" || continue
  # `--test ring` is two words.
  read -ra aimed <<<"$target"
  rows=$((rows + 1))
  cp "$top/$file" "$tree/$file" && perl -0pi -e "$change" "$tree/$file" || exit
  said="missed by $name"
  if cmp -s "$top/$file" "$tree/$file"; then
    said="NOT TRIED: the change does not fit $file"
  elif ! (cd "$tree" && cargo test -q -p "$package" "${aimed[@]}" --no-run) >"$log" 2>&1 </dev/null; then
    said="NOT TRIED: it does not compile, see $log"
  elif (cd "$tree" && cargo test -q -p "$package" "${aimed[@]}" -- "$name") >"$log" 2>&1 </dev/null; then
    said="NOT MISSED: $name passes all the same"
  elif ! grep -qE '^test result: FAILED\. [0-9]+ passed; [1-9]' "$log"; then
    said="NOT TRIED: no test failed, see $log"
  fi
  case $said in
    NOT*) bad=$((bad + 1)) && cp "$log" "$log.$rule" ;;
  esac
  printf '%-4s %s: %s\n' "$rule" "$off" "$said"
  cp "$top/$file" "$tree/$file"
done <"$top/tests/ablate/rules.tsv"

echo "$rows rules turned off, $((rows - bad)) missed by their test"
[ "$rows" -gt 0 ] && [ "$bad" -eq 0 ]
