#!/usr/bin/env bash
# The agent: it keeps a connection to its proxy, and calls home by name. Each round is a word in /run/calls.
exec 3<>/dev/tcp/10.77.0.4/3128
while :; do
  word=good
  address=$(timeout 2 getent ahostsv4 ssm.eu-west-1.amazonaws.com) || word=no-name
  address=${address%% *}
  echo "$address" >/run/dialled
  timeout 2 bash -c "read -r line </dev/tcp/${address:-192.0.2.1}/443 && [ \$line = home ]" || word=$word-no-home
  echo ping >&3 && read -r -t 2 line <&3 && [ "$line" = ping ] || word=$word-no-proxy
  echo $word >>/run/calls
  sleep 0.2
done
