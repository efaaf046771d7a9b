/**
 * The recipe for any CI, a POSIX shell script: log in by the job's own identity, open a guarded way for one command with the
 * profile `migrations`, and leave the verified transcript behind. GitHub's and GitLab's files call it.
 */
import type { DeployedFile } from './deployed-file.js';

export function ciRecipe(path = 'dbguard-migrate.sh'): DeployedFile {
  return { path, text: recipe, executable: true };
}

const recipe = `#!/bin/sh
# sh dbguard-migrate.sh COMMAND [ARGUMENT...]     for example: npx prisma migrate deploy
#
# DBGUARD_CONFIG       the dbguard.yaml to go by. It counts as the job's own word: take it from a protected branch or a variable of
#                      the CI, never from what a pull request brings.
# MIGRATE_CONNECTION   which of its connections (default: its default_connection)
# MIGRATE_EVIDENCE     where the evidence goes (default: dbguard-evidence): summary.json, verify.json, transcript.html
# The password of the database: PGPASSWORD, PGPASSFILE or password_command, for dbguard alone: the command gets another one.
# The job's identity: id-token: write on GitHub, id_tokens on GitLab, DBGUARD_ID_TOKEN_FILE elsewhere.
#
# It ends as the command does. Where that went well: 74 when the transcript did not reach the bucket, 1 when it was changed, 2 when not
# all of it is proven. What the policy sends to a second person waits for them (second_person.wait, and the job's own limit).
set -eu
umask 077
[ "$#" -gt 0 ] || { echo "usage: sh $0 COMMAND [ARGUMENT...]" >&2; exit 64; }
: "\${DBGUARD_CONFIG:?names no dbguard.yaml}"
export DBGUARD_CONFIG
out=\${MIGRATE_EVIDENCE:-dbguard-evidence}
mkdir -p "$out"
work=$(mktemp -d)
proxy=
leave() {
  [ -z "$proxy" ] || kill -TERM "$proxy" 2>/dev/null || :
  rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

summary() { # session command uploaded verdict code
  printf '{"session":%s,"command":%s,"uploaded":%s,"verdict":%s,"exit":%s}\\n' "$@" | tee "$out/summary.json"
}

# a password for this job alone
od -An -N 24 -tx1 /dev/urandom | tr -d ' \\n' > "$work/password"
dbguard proxy \${MIGRATE_CONNECTION:+--connection "$MIGRATE_CONNECTION"} --profile migrations --json --password-file "$work/password" \\
  > "$work/ready" 2> "$out/dbguard.log" &
proxy=$!
until grep -q '}' "$work/ready"; do
  if ! kill -0 "$proxy" 2>/dev/null; then
    code=0
    wait "$proxy" || code=$?
    proxy=
    cat "$out/dbguard.log" >&2
    summary null null false null "$code"
    exit "$code"
  fi
  sleep 1
done
of() { sed -n "s/.*\\"$1\\":\\"\\{0,1\\}\\([^\\",}]*\\).*/\\1/p" "$work/ready"; }
session=$(of session)

code=0
# nothing by which the command could go around, or be somebody else
env -u DBGUARD_CONFIG -u DBGUARD_ID_TOKEN -u DBGUARD_ID_TOKEN_FILE -u ACTIONS_ID_TOKEN_REQUEST_URL -u ACTIONS_ID_TOKEN_REQUEST_TOKEN \\
  -u PGPASSFILE -u PGSERVICE -u PGSERVICEFILE -u PGHOSTADDR -u PGSSLMODE \\
  PGHOST="$(of host)" PGPORT="$(of port)" PGUSER="$(of user)" PGDATABASE="$(of database)" PGPASSWORD="$(cat "$work/password")" PGSSLMODE=disable \\
  DATABASE_URL="postgresql://$(of user):$(cat "$work/password")@$(of host):$(of port)/$(of database)?sslmode=disable" \\
  "$@" || code=$?

kill -TERM "$proxy"
uploaded=true
wait "$proxy" || uploaded=false
proxy=
verdict=null
verified=74
if [ "$uploaded" = true ]; then
  verified=0
  dbguard transcripts verify "$session" --json > "$out/verify.json" || verified=$?
  verdict=$(sed -n 's/^ *"verdict": *\\("[a-z]*"\\).*/\\1/p' "$out/verify.json" | head -n 1)
  dbguard transcripts page "$session" --to "$out/transcript.html" > /dev/null || :
fi
[ "$code" -ne 0 ] || [ "$verified" -eq 0 ] || cat "$out/dbguard.log" >&2
[ "$code" -ne 0 ] || ended=$verified
summary "\\"$session\\"" "$code" "$uploaded" "\${verdict:-null}" "\${ended:-$code}"
exit "\${ended:-$code}"
`;
