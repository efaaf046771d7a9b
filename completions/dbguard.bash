# bash completion for dbguard, generated from its command table.
# dbguard completions bash > /etc/bash_completion.d/dbguard
_dbguard() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local path='' options='' operands='' files='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$path" in
      'run')
        if [[ ${COMP_WORDS[index]} == -- ]]; then
          if ((index + 1 == COMP_CWORD)); then
            COMPREPLY=($(compgen -c -- "$word"))
          else
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -f -- "$word"))
          fi
          return
        fi
        ;;
    esac
    case "$path:${COMP_WORDS[index]}" in
      ':status') path='status' ;;
      ':init') path='init' ;;
      ':doctor') path='doctor' ;;
      ':trust') path='trust' ;;
      ':login') path='login' ;;
      ':logout') path='logout' ;;
      ':mark') path='mark' ;;
      ':whoami') path='whoami' ;;
      ':run') path='run' ;;
      ':proxy') path='proxy' ;;
      ':serve') path='serve' ;;
      ':token') path='token' ;;
      ':deploy') path='deploy' ;;
      ':mcp') path='mcp' ;;
      ':hook') path='hook' ;;
      ':approvals') path='approvals' ;;
      ':approve') path='approve' ;;
      ':deny') path='deny' ;;
      ':explain') path='explain' ;;
      ':policy') path='policy' ;;
      ':mask') path='mask' ;;
      ':access') path='access' ;;
      ':review') path='review' ;;
      ':transcripts') path='transcripts' ;;
      ':upload') path='upload' ;;
      ':instructions') path='instructions' ;;
      ':completions') path='completions' ;;
      ':version') path='version' ;;
      'policy:test') path='policy test' ;;
      'policy:lint') path='policy lint' ;;
      'policy:schema') path='policy schema' ;;
      'mask:check') path='mask check' ;;
      'mask:suggest') path='mask suggest' ;;
      'access:setup') path='access setup' ;;
      'access:check') path='access check' ;;
      'access:grant') path='access grant' ;;
      'access:list') path='access list' ;;
      'access:end') path='access end' ;;
      'transcripts:list') path='transcripts list' ;;
      'transcripts:show') path='transcripts show' ;;
      'transcripts:replay') path='transcripts replay' ;;
      'transcripts:verify') path='transcripts verify' ;;
      'transcripts:page') path='transcripts page' ;;
      'transcripts:check-bucket') path='transcripts check-bucket' ;;
      'transcripts:search') path='transcripts search' ;;
      'transcripts:query') path='transcripts query' ;;
      'transcripts:export') path='transcripts export' ;;
      'transcripts:follow') path='transcripts follow' ;;
      'transcripts:report') path='transcripts report' ;;
      'transcripts:ddl') path='transcripts ddl' ;;
      'transcripts:redact') path='transcripts redact' ;;
      'transcripts:reconcile') path='transcripts reconcile' ;;
      'transcripts:archive-keys') path='transcripts archive-keys' ;;
      'transcripts:revoke-key') path='transcripts revoke-key' ;;
    esac
  done
  case "$path $previous" in
    'status --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'init --url') return ;;
    'init --service') return ;;
    'init --name') return ;;
    'init --environment') COMPREPLY=($(compgen -W 'production staging development' -- "$word")); return ;;
    'init --issuer') return ;;
    'init --client-id') return ;;
    'init --bucket') return ;;
    'init --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'doctor --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'trust --forget-server') return ;;
    'login --redirect-uri') return ;;
    'login --token-file') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'login --issuer') return ;;
    'login --client-id') return ;;
    'login --profile') COMPREPLY=($(compgen -W "$(dbguard completions --values logins 2>/dev/null)" -- "$word")); return ;;
    'login --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'logout --issuer') return ;;
    'logout --client-id') return ;;
    'logout --profile') COMPREPLY=($(compgen -W "$(dbguard completions --values logins 2>/dev/null)" -- "$word")); return ;;
    'logout --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'mark --issuer') return ;;
    'mark --client-id') return ;;
    'mark --profile') COMPREPLY=($(compgen -W "$(dbguard completions --values logins 2>/dev/null)" -- "$word")); return ;;
    'mark --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'whoami --issuer') return ;;
    'whoami --client-id') return ;;
    'whoami --profile') COMPREPLY=($(compgen -W "$(dbguard completions --values logins 2>/dev/null)" -- "$word")); return ;;
    'whoami --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --network') COMPREPLY=($(compgen -W 'shared guarded' -- "$word")); return ;;
    'run --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'run --from') return ;;
    'run --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --policy') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'run --reason') return ;;
    'proxy --listen') return ;;
    'proxy --password-file') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'proxy --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'proxy --from') return ;;
    'proxy --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'proxy --policy') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'proxy --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'proxy --reason') return ;;
    'serve --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'token --audience') return ;;
    'token --issuer') return ;;
    'token --client-id') return ;;
    'token --profile') COMPREPLY=($(compgen -W "$(dbguard completions --values logins 2>/dev/null)" -- "$word")); return ;;
    'token --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'deploy --to') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'deploy --image') return ;;
    'mcp --hold') return ;;
    'mcp --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'mcp --from') return ;;
    'mcp --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'mcp --policy') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'mcp --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'mcp --reason') return ;;
    'deny --reason') return ;;
    'explain --policy') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'explain --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'explain --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'explain --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'explain --user') return ;;
    'explain --subject') return ;;
    'explain --agent') return ;;
    'policy test --policy') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'policy test --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'policy test --profile') COMPREPLY=($(compgen -W 'observe guarded read-only migrations' -- "$word")); return ;;
    'policy test --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'policy test --user') return ;;
    'policy test --subject') return ;;
    'policy test --agent') return ;;
    'policy lint --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'mask check --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'mask check --subject') return ;;
    'mask check --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'mask suggest --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'mask suggest --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'access setup --login') return ;;
    'access setup --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'access setup --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'access check --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'access check --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'access grant --for') return ;;
    'access grant --reason') return ;;
    'access grant --session') COMPREPLY=($(compgen -W "$(dbguard completions --values sessions 2>/dev/null)" -- "$word")); return ;;
    'access end --session') COMPREPLY=($(compgen -W "$(dbguard completions --values sessions 2>/dev/null)" -- "$word")); return ;;
    'review --identity') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'review --day') return ;;
    'review --since') return ;;
    'review --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'review --issuer') return ;;
    'review --client-id') return ;;
    'review --workload-issuer') return ;;
    'review --bucket') return ;;
    'review --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts list --person') return ;;
    'transcripts list --day') return ;;
    'transcripts list --since') return ;;
    'transcripts list --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'transcripts list --bucket') return ;;
    'transcripts list --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts show --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts show --issuer') return ;;
    'transcripts show --client-id') return ;;
    'transcripts show --workload-issuer') return ;;
    'transcripts show --bucket') return ;;
    'transcripts show --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts replay --to') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts replay --identity') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts replay --idle') return ;;
    'transcripts replay --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts replay --issuer') return ;;
    'transcripts replay --client-id') return ;;
    'transcripts replay --workload-issuer') return ;;
    'transcripts replay --bucket') return ;;
    'transcripts replay --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts verify --expect') return ;;
    'transcripts verify --retention') return ;;
    'transcripts verify --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts verify --issuer') return ;;
    'transcripts verify --client-id') return ;;
    'transcripts verify --workload-issuer') return ;;
    'transcripts verify --bucket') return ;;
    'transcripts verify --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts page --to') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts page --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts page --issuer') return ;;
    'transcripts page --client-id') return ;;
    'transcripts page --workload-issuer') return ;;
    'transcripts page --bucket') return ;;
    'transcripts page --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts check-bucket --bucket') return ;;
    'transcripts check-bucket --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts search --session') COMPREPLY=($(compgen -W "$(dbguard completions --values sessions 2>/dev/null)" -- "$word")); return ;;
    'transcripts search --day') return ;;
    'transcripts search --since') return ;;
    'transcripts search --bucket') return ;;
    'transcripts search --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts query --ask') COMPREPLY=($(compgen -W 'who-touched denied top-writers masked-reads unused-grants agents' -- "$word")); return ;;
    'transcripts query --format') COMPREPLY=($(compgen -W 'table json csv parquet' -- "$word")); return ;;
    'transcripts query --to') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts query --day') return ;;
    'transcripts query --since') return ;;
    'transcripts query --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts query --issuer') return ;;
    'transcripts query --client-id') return ;;
    'transcripts query --workload-issuer') return ;;
    'transcripts query --bucket') return ;;
    'transcripts query --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts export --format') COMPREPLY=($(compgen -W 'json ocsf syslog' -- "$word")); return ;;
    'transcripts export --cursor') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts export --parquet') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts export --day') return ;;
    'transcripts export --since') return ;;
    'transcripts export --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts export --issuer') return ;;
    'transcripts export --client-id') return ;;
    'transcripts export --workload-issuer') return ;;
    'transcripts export --bucket') return ;;
    'transcripts export --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts follow --format') COMPREPLY=($(compgen -W 'json ocsf syslog' -- "$word")); return ;;
    'transcripts follow --cursor') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts follow --every') return ;;
    'transcripts follow --since') return ;;
    'transcripts follow --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts follow --issuer') return ;;
    'transcripts follow --client-id') return ;;
    'transcripts follow --workload-issuer') return ;;
    'transcripts follow --bucket') return ;;
    'transcripts follow --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts report --day') return ;;
    'transcripts report --format') COMPREPLY=($(compgen -W 'markdown html' -- "$word")); return ;;
    'transcripts report --log') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts report --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts report --issuer') return ;;
    'transcripts report --client-id') return ;;
    'transcripts report --workload-issuer') return ;;
    'transcripts report --bucket') return ;;
    'transcripts report --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts ddl --bucket') return ;;
    'transcripts ddl --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts redact --entry') return ;;
    'transcripts redact --field') return ;;
    'transcripts redact --reason') return ;;
    'transcripts redact --to') return ;;
    'transcripts redact --keys') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts redact --issuer') return ;;
    'transcripts redact --client-id') return ;;
    'transcripts redact --workload-issuer') return ;;
    'transcripts redact --bucket') return ;;
    'transcripts redact --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts reconcile --user') return ;;
    'transcripts reconcile --database') return ;;
    'transcripts reconcile --connection') COMPREPLY=($(compgen -W "$(dbguard completions --values connections 2>/dev/null)" -- "$word")); return ;;
    'transcripts reconcile --log-line-prefix') return ;;
    'transcripts reconcile --utc-offset') return ;;
    'transcripts reconcile --bucket') return ;;
    'transcripts reconcile --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts archive-keys --to') return ;;
    'transcripts archive-keys --issuer') return ;;
    'transcripts archive-keys --client-id') return ;;
    'transcripts archive-keys --workload-issuer') return ;;
    'transcripts archive-keys --bucket') return ;;
    'transcripts archive-keys --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'transcripts revoke-key --reason') return ;;
    'transcripts revoke-key --to') return ;;
    'transcripts revoke-key --since') return ;;
    'transcripts revoke-key --bucket') return ;;
    'transcripts revoke-key --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'upload --bucket') return ;;
    'upload --config') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'completions --all') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'completions --values') COMPREPLY=($(compgen -W 'connections sessions logins questions' -- "$word")); return ;;
    'version --key') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
    'version --folder') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$path" in
    '') options='--help -h --version -V'; operands='status init doctor trust login logout mark whoami run proxy serve token deploy mcp hook approvals approve deny explain policy mask access review transcripts upload instructions completions version' ;;
    'status') options='--json --config --help -h' ;;
    'init') options='--url --service --name --environment --issuer --client-id --bucket --profile --schema --user --force --help -h' ;;
    'doctor') options='--json --fix --config --help -h' ;;
    'trust') options='--yes --forget --forget-server --help -h' ;;
    'login') options='--browser --no-open --qr --redirect-uri --token-file --issuer --client-id --profile --config --help -h' ;;
    'logout') options='--issuer --client-id --profile --config --help -h' ;;
    'mark') options='--issuer --client-id --profile --config --help -h' ;;
    'whoami') options='--json --issuer --client-id --profile --config --help -h' ;;
    'run') options='--sandbox --no-sandbox --network --connection --from --config --policy --profile --reason --help -h' ;;
    'proxy') options='--listen --password-file --json --connection --from --config --policy --profile --reason --help -h' ;;
    'serve') options='--json --config --help -h' ;;
    'token') options='--audience --issuer --client-id --profile --config --help -h' ;;
    'deploy') options='--to --force --image --help -h'; operands='compose kubernetes helm-values systemd github gitlab shell' ;;
    'mcp') options='--hold --connection --from --config --policy --profile --reason --help -h' ;;
    'hook') options='--help -h' ;;
    'approvals') options='--list --json --team --follow --help -h' ;;
    'approve') options='--session --help -h'; operands=$(dbguard completions --values questions 2>/dev/null) ;;
    'deny') options='--reason --help -h'; operands=$(dbguard completions --values questions 2>/dev/null) ;;
    'explain') options='--stdin --json --policy --config --profile --connection --offline --user --subject --agent --help -h' ;;
    'policy') options='--help -h'; operands='test lint schema' ;;
    'policy test') options='--json --policy --config --profile --connection --offline --user --subject --agent --help -h'; files=1 ;;
    'policy lint') options='--json --config --help -h'; files=1 ;;
    'policy schema') options='--help -h' ;;
    'mask') options='--help -h'; operands='check suggest' ;;
    'mask check') options='--json --connection --subject --config --help -h' ;;
    'mask suggest') options='--write --no-sample --json --connection --config --help -h' ;;
    'access') options='--help -h'; operands='setup check grant list end' ;;
    'access setup') options='--login --apply --json --connection --config --help -h' ;;
    'access check') options='--json --connection --config --help -h' ;;
    'access grant') options='--for --reason --session --help -h' ;;
    'access list') options='--json --help -h' ;;
    'access end') options='--session --help -h' ;;
    'review') options='--identity --day --since --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts') options='--help -h'; operands='list show replay verify page check-bucket search query export follow report ddl redact reconcile archive-keys revoke-key' ;;
    'transcripts list') options='--person --day --since --connection --asked --denied --json --bucket --config --help -h' ;;
    'transcripts show') options='--all --keys --offline --issuer --client-id --workload-issuer --json --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts replay') options='--to --identity --idle --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts verify') options='--all --expect --retention --keys --offline --issuer --client-id --workload-issuer --json --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts page') options='--to --recordings --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts check-bucket') options='--read-only --json --bucket --config --help -h' ;;
    'transcripts search') options='--session --day --since --json --bucket --config --help -h' ;;
    'transcripts query') options='--ask --views --format --to --unproven --day --since --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h' ;;
    'transcripts export') options='--format --cursor --parquet --unproven --day --since --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h' ;;
    'transcripts follow') options='--format --cursor --every --since --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h' ;;
    'transcripts report') options='--day --format --log --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h' ;;
    'transcripts ddl') options='--bucket --config --help -h'; operands='athena trino clickhouse bigquery snowflake' ;;
    'transcripts redact') options='--entry --field --reason --to --keys --offline --issuer --client-id --workload-issuer --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'transcripts reconcile') options='--user --database --connection --log-line-prefix --utc-offset --json --bucket --config --help -h' ;;
    'transcripts archive-keys') options='--to --issuer --client-id --workload-issuer --bucket --config --help -h' ;;
    'transcripts revoke-key') options='--reason --to --since --bucket --config --help -h'; operands=$(dbguard completions --values sessions 2>/dev/null) ;;
    'upload') options='--any-bucket --bucket --config --help -h' ;;
    'instructions') options='--help -h' ;;
    'completions') options='--all --values --help -h'; operands='bash zsh fish powershell' ;;
    'version') options='--verify --key --folder --json --help -h' ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$word"))
    if [[ $files ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$word"))
    fi
  fi
}
complete -F _dbguard dbguard
