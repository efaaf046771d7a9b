# PowerShell completion for dbguard, generated from its command table.
# dbguard completions powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName dbguard -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $tree = @{
    '' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'); ,@('--version', 'show the version'); ,@('-V', 'show the version'))
      Values  = @{  }
      Operand = @(,@('status', 'how things stand: who, where, by what policy, what is open; the same as dbguard alone'); ,@('init', 'write a commented dbguard.yaml; at a terminal the guided way, each answer tried at once'); ,@('doctor', 'look at this machine and these settings, each with what mends it; exit code 1 when something fails'); ,@('trust', 'say that this repository''s dbguard.yaml may lead your credentials where it says'); ,@('login', 'log in at your identity provider and bind this machine''s signing key to you'); ,@('logout', 'forget the login here and revoke it at the issuer'); ,@('mark', 'choose the words by which you know a true approval prompt'); ,@('whoami', 'who is logged in, until when, how well proven, and where it is kept'); ,@('run', 'run an agent or any client; it sees only the guarded database'); ,@('proxy', 'the same proxy without a command, for a GUI, a script or a test suite; runs until SIGTERM'); ,@('serve', 'a gateway for a team: everybody comes in by a token of their own, over TLS; runs until SIGTERM'); ,@('token', 'print a fresh token for a gateway: what a driver takes as its password'); ,@('deploy', 'print or write the files that put a gateway, or a CI job''s guarded way, where they belong'); ,@('mcp', 'the same as an MCP server on stdin and stdout, for an agent that is not started by dbguard'); ,@('hook', 'for hooks of an agent inside of a run: hands on what it says it was asked for'); ,@('approvals', 'answer in a second terminal what waits for approval'); ,@('approve', 'let a waiting statement run'); ,@('deny', 'stop a waiting statement'); ,@('explain', 'show what a statement does, what the policy decides, and why'); ,@('policy', 'test and check policies'); ,@('mask', 'what is masked in the database, and what should be'); ,@('access', 'what the database login may do by itself'); ,@('review', 'look through recorded sessions on a terminal: search, filter, verify, replay, redact'); ,@('transcripts', 'list, read and verify signed transcripts'); ,@('upload', 'bring to the bucket what earlier sessions left on this machine'); ,@('instructions', 'text for an agent''s instruction file (AGENTS.md, CLAUDE.md)'); ,@('completions', 'print a completion script for a shell'); ,@('version', 'which dbguard this is; with --verify whether its files are the released ones'))
    }
    'status' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--config' = $null }
      Operand = $null
    }
    'init' = @{
      Options = @(,@('--url', 'database, as psql takes it; a password in it is left out'); ,@('--service', 'database by its name in pg_service.conf'); ,@('--name', 'what to call the connection (default: main)'); ,@('--environment', 'what the database is for (default: production)'); ,@('--issuer', 'OpenID Connect issuer'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--bucket', 'where transcripts go: s3://bucket/prefix or file:./folder'); ,@('--profile', 'built-in policy profile (default: guarded)'); ,@('--schema', 'also write dbguard.schema.json beside it, by which editors complete it'); ,@('--user', 'write your own file, which holds in every folder'); ,@('--force', 'replace a file that is there'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--url' = $null; '--service' = $null; '--name' = $null; '--environment' = @(,@('production', 'production'); ,@('staging', 'staging'); ,@('development', 'development')); '--issuer' = $null; '--client-id' = $null; '--bucket' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')) }
      Operand = $null
    }
    'doctor' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--fix', 'mend what can be mended without losing anything'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--config' = $null }
      Operand = $null
    }
    'trust' = @{
      Options = @(,@('--yes', 'without a question, where nobody sits at a terminal'); ,@('--forget', 'take back what you said of this repository'); ,@('--forget-server', 'host:port of a server that was set up anew: demand no earlier proof of it'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--forget-server' = $null }
      Operand = $null
    }
    'login' = @{
      Options = @(,@('--browser', 'log in through a browser on this machine: stronger evidence than a device code'); ,@('--no-open', 'never offer to open the browser'); ,@('--qr', 'also show the page as a QR code, to confirm on a phone'); ,@('--redirect-uri', 'loopback address that the browser comes back to; implies --browser'); ,@('--token-file', 'log in with a token that a CI system or platform wrote to a file'); ,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--profile', 'keep several logins apart by a name'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--redirect-uri' = $null; '--token-file' = $null; '--issuer' = $null; '--client-id' = $null; '--profile' = 'logins'; '--config' = $null }
      Operand = $null
    }
    'logout' = @{
      Options = @(,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--profile', 'keep several logins apart by a name'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--issuer' = $null; '--client-id' = $null; '--profile' = 'logins'; '--config' = $null }
      Operand = $null
    }
    'mark' = @{
      Options = @(,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--profile', 'keep several logins apart by a name'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--issuer' = $null; '--client-id' = $null; '--profile' = 'logins'; '--config' = $null }
      Operand = $null
    }
    'whoami' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--profile', 'keep several logins apart by a name'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--issuer' = $null; '--client-id' = $null; '--profile' = 'logins'; '--config' = $null }
      Operand = $null
    }
    'run' = @{
      Options = @(,@('--sandbox', 'in a fence, or not at all (default: in a fence where the machine can; sandbox in dbguard.yaml)'); ,@('--no-sandbox', 'without a fence, unless a file requires it'); ,@('--network', 'of the fence: shared with this machine, or guarded: the database, hosts on a list, others when you allow them'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--from', 'where no dbguard.yaml names one: take the connection found there, as .env or DATABASE_URL'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--policy', 'judge by this file alone'); ,@('--profile', 'built-in profile: observe, guarded, read-only, migrations'); ,@('--reason', 'why roles are needed that the login is not: shown to whoever approves'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--network' = @(,@('shared', 'shared'); ,@('guarded', 'guarded')); '--connection' = 'connections'; '--from' = $null; '--config' = $null; '--policy' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')); '--reason' = $null }
      Operand = $null
    }
    'proxy' = @{
      Options = @(,@('--listen', 'loopback address and port (default: 127.0.0.1:0, a free port)'); ,@('--password-file', 'take the loopback password from this file'); ,@('--json', 'print one line of JSON when ready'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--from', 'where no dbguard.yaml names one: take the connection found there, as .env or DATABASE_URL'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--policy', 'judge by this file alone'); ,@('--profile', 'built-in profile: observe, guarded, read-only, migrations'); ,@('--reason', 'why roles are needed that the login is not: shown to whoever approves'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--listen' = $null; '--password-file' = $null; '--connection' = 'connections'; '--from' = $null; '--config' = $null; '--policy' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')); '--reason' = $null }
      Operand = $null
    }
    'serve' = @{
      Options = @(,@('--json', 'print one line of JSON when it listens'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--config' = $null }
      Operand = $null
    }
    'token' = @{
      Options = @(,@('--audience', 'what it is for (default: identity.gateway.audience)'); ,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--profile', 'keep several logins apart by a name'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--audience' = $null; '--issuer' = $null; '--client-id' = $null; '--profile' = 'logins'; '--config' = $null }
      Operand = $null
    }
    'deploy' = @{
      Options = @(,@('--to', 'write them there instead of printing them'); ,@('--force', 'replace files that are there'); ,@('--image', 'the gateway''s image (default: dbguard:VERSION)'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--to' = $null; '--image' = $null }
      Operand = @(,@('compose', 'compose'); ,@('kubernetes', 'kubernetes'); ,@('helm-values', 'helm-values'); ,@('systemd', 'systemd'); ,@('github', 'github'); ,@('gitlab', 'gitlab'); ,@('shell', 'shell'))
    }
    'mcp' = @{
      Options = @(,@('--hold', 'how long a call waits for a person before it gets a ticket (default: 20, the most)'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--from', 'where no dbguard.yaml names one: take the connection found there, as .env or DATABASE_URL'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--policy', 'judge by this file alone'); ,@('--profile', 'built-in profile: observe, guarded, read-only, migrations'); ,@('--reason', 'why roles are needed that the login is not: shown to whoever approves'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--hold' = $null; '--connection' = 'connections'; '--from' = $null; '--config' = $null; '--policy' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')); '--reason' = $null }
      Operand = $null
    }
    'hook' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = $null
    }
    'approvals' = @{
      Options = @(,@('--list', 'print what waits and leave'); ,@('--json', 'print what waits as JSON and leave'); ,@('--team', 'what others ask a second person for, in the bucket'); ,@('--follow', 'with --team: stay, and ask about one after the other'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = $null
    }
    'approve' = @{
      Options = @(,@('--session', 'and exactly this statement for the rest of the session'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = 'questions'
    }
    'deny' = @{
      Options = @(,@('--reason', 'why; the agent reads it'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--reason' = $null }
      Operand = 'questions'
    }
    'explain' = @{
      Options = @(,@('--stdin', 'read the SQL from stdin; with --json lines of {"id", "sql"}'); ,@('--json', 'print JSON; one line for each line of --stdin'); ,@('--policy', 'judge by this file alone'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--profile', 'judge by another built-in profile'); ,@('--connection', 'on this connection of dbguard.yaml, by its live catalog'); ,@('--offline', 'with --connection: without asking its database'); ,@('--user', 'as if a client came as this user of the connection'); ,@('--subject', 'as if this person were logged in'); ,@('--agent', 'as if this agent sent it'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--policy' = $null; '--config' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')); '--connection' = 'connections'; '--user' = $null; '--subject' = $null; '--agent' = $null }
      Operand = $null
    }
    'policy' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = @(,@('test', 'list the statements of SQL files that would need a person; exit code 1 when any would or cannot be read'); ,@('lint', 'find unknown keys, rules that never decide and contradictions'); ,@('schema', 'print the JSON schema of dbguard.yaml, for editors that complete it'))
    }
    'policy test' = @{
      Options = @(,@('--json', 'print every statement as a line of JSON'); ,@('--policy', 'judge by this file alone'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--profile', 'judge by another built-in profile'); ,@('--connection', 'on this connection of dbguard.yaml, by its live catalog'); ,@('--offline', 'with --connection: without asking its database'); ,@('--user', 'as if a client came as this user of the connection'); ,@('--subject', 'as if this person were logged in'); ,@('--agent', 'as if this agent sent it'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--policy' = $null; '--config' = $null; '--profile' = @(,@('observe', 'observe'); ,@('guarded', 'guarded'); ,@('read-only', 'read-only'); ,@('migrations', 'migrations')); '--connection' = 'connections'; '--user' = $null; '--subject' = $null; '--agent' = $null }
      Operand = $null
    }
    'policy lint' = @{
      Options = @(,@('--json', 'print every finding as a line of JSON'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--config' = $null }
      Operand = $null
    }
    'policy schema' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = $null
    }
    'mask' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = @(,@('check', 'hold the masks against the database: what an agent would see; exit code 1 when a name matches no column'); ,@('suggest', 'find columns that look like personal data or secrets, and write the rules that mask them'))
    }
    'mask check' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--subject', 'only masks that hold for this person'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--connection' = 'connections'; '--subject' = $null; '--config' = $null }
      Operand = $null
    }
    'mask suggest' = @{
      Options = @(,@('--write', 'add them to dbguard.yaml'); ,@('--no-sample', 'by names, types, comments and statistics alone: read no values'); ,@('--json', 'print JSON'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--connection' = 'connections'; '--config' = $null }
      Operand = $null
    }
    'access' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = @(,@('setup', 'print the SQL that makes a login which has little by itself, and the roles of access'); ,@('check', 'what the database login can do on its own, and the SQL that takes it away'); ,@('grant', 'let statements of an active run be a role for a time, without a question for each'); ,@('list', 'what the active runs have for a time, and what they could be given'); ,@('end', 'end what was given, before its time is over'))
    }
    'access setup' = @{
      Options = @(,@('--login', 'what to call the login'); ,@('--apply', 'run it, once it has been approved'); ,@('--json', 'print JSON'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--login' = $null; '--connection' = 'connections'; '--config' = $null }
      Operand = $null
    }
    'access check' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--connection', 'connection of dbguard.yaml (default: default_connection)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--connection' = 'connections'; '--config' = $null }
      Operand = $null
    }
    'access grant' = @{
      Options = @(,@('--for', 'how long, such as 15m (default: what the entry allows)'); ,@('--reason', 'why: recorded in the transcript'); ,@('--session', 'first characters of the session, where several are active'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--for' = $null; '--reason' = $null; '--session' = 'sessions' }
      Operand = $null
    }
    'access list' = @{
      Options = @(,@('--json', 'print JSON'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = $null
    }
    'access end' = @{
      Options = @(,@('--session', 'first characters of the session, where several are active'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--session' = 'sessions' }
      Operand = $null
    }
    'review' = @{
      Options = @(,@('--identity', 'your private key for encrypted recordings: of age-keygen, or ssh-ed25519'); ,@('--day', 'only this day, as 2026-11-23'); ,@('--since', 'only from this day on'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--identity' = $null; '--day' = $null; '--since' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = @(,@('list', 'list recorded sessions: who, when, where, what was denied'); ,@('show', 'show a session as it happened, and what of it is proven'); ,@('replay', 'play a session: what was asked, decided and shown, and the recorded screen'); ,@('verify', 'verify a session; exit code 0 proven, 1 changed, missing or forged, 2 not all proven'); ,@('page', 'write sessions into one HTML file that shows and verifies them in a browser, offline'); ,@('check-bucket', 'try out whether the bucket is write-once; exit code 0 it is, 1 it is not, 2 not all found out'); ,@('search', 'find statements that contain a text'); ,@('query', 'ask questions in SQL over all verified sessions; needs DuckDB, and says how to install it'); ,@('export', 'write what is proven for other programs: events for a log collector, or Parquet files'); ,@('follow', 'print new entries as they come and are verified, for a log collector, until Ctrl-C'); ,@('report', 'what happened on a day: people, agents, denials, mass changes, what is missing; needs DuckDB'); ,@('ddl', 'print external tables over the bucket''s objects for an engine of yours; they are not verified'); ,@('redact', 'take a text out of somebody else''s session, signed, with a reason'); ,@('reconcile', 'find connections in the server''s log that went around dbguard; exit code 1 when any did, or may have'); ,@('archive-keys', 'keep the issuers'' public keys of today, to verify with after they have rotated'); ,@('revoke-key', 'declare a login key lost: sessions that it signs from now on do not count'))
    }
    'transcripts list' = @{
      Options = @(,@('--person', 'only this person: part of the e-mail address, or the subject'); ,@('--day', 'only this day, as 2026-11-23'); ,@('--since', 'only from this day on'); ,@('--connection', 'only this connection of dbguard.yaml'); ,@('--asked', 'only sessions in which somebody was asked'); ,@('--denied', 'only sessions in which something was denied'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--person' = $null; '--day' = $null; '--since' = $null; '--connection' = 'connections'; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts show' = @{
      Options = @(,@('--all', 'also heartbeats and seals'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts replay' = @{
      Options = @(,@('--to', 'write it as an asciicast, for asciinema''s players'); ,@('--identity', 'your private key for encrypted recordings: of age-keygen, or ssh-ed25519'); ,@('--idle', 'nothing takes longer than this (default: 2)'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--to' = $null; '--identity' = $null; '--idle' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts verify' = @{
      Options = @(,@('--all', 'verify every session, and look for missing ones'); ,@('--expect', 'with --all: a person and days that have to be there, or a YAML file with expect, retention_days'); ,@('--retention', 'how long the bucket keeps sessions: older ones may be gone'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--expect' = $null; '--retention' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts page' = @{
      Options = @(,@('--to', 'the file, or - for stdout (default: dbguard-ID.html)'); ,@('--recordings', 'with what was recorded, as encrypted as it is: the reader''s key opens it'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--to' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts check-bucket' = @{
      Options = @(,@('--read-only', 'only ask for its settings, store nothing'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts search' = @{
      Options = @(,@('--session', 'only this session; the beginning of its id is enough'); ,@('--day', 'only this day, as 2026-11-23'); ,@('--since', 'only from this day on'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--session' = 'sessions'; '--day' = $null; '--since' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts query' = @{
      Options = @(,@('--ask', 'a ready question: who-touched, denied, top-writers, masked-reads, unused-grants, agents'); ,@('--views', 'list the views, their columns, and the SQL of the ready questions'); ,@('--format', 'table, json, csv or parquet (default: table)'); ,@('--to', 'with --format parquet: the file to write'); ,@('--unproven', 'also rows that nothing proves to be whose they say'); ,@('--day', 'only this day, as 2026-11-23'); ,@('--since', 'only from this day on'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--ask' = @(,@('who-touched', 'who-touched'); ,@('denied', 'denied'); ,@('top-writers', 'top-writers'); ,@('masked-reads', 'masked-reads'); ,@('unused-grants', 'unused-grants'); ,@('agents', 'agents')); '--format' = @(,@('table', 'table'); ,@('json', 'json'); ,@('csv', 'csv'); ,@('parquet', 'parquet')); '--to' = $null; '--day' = $null; '--since' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts export' = @{
      Options = @(,@('--format', 'events on stdout: json, ocsf or syslog (RFC 5424)'); ,@('--cursor', 'only what was not written before, as this file says; it is moved on'); ,@('--parquet', 'all views as Parquet files by day, in a new folder; needs DuckDB'); ,@('--unproven', 'with --parquet: also rows that nothing proves to be whose they say'); ,@('--day', 'only this day, as 2026-11-23'); ,@('--since', 'only from this day on'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--format' = @(,@('json', 'json'); ,@('ocsf', 'ocsf'); ,@('syslog', 'syslog')); '--cursor' = $null; '--parquet' = $null; '--day' = $null; '--since' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts follow' = @{
      Options = @(,@('--format', 'json, ocsf or syslog (default: json)'); ,@('--cursor', 'where it is kept how far it has come'); ,@('--every', 'how often the bucket is looked at (default: 10s)'); ,@('--since', 'only from this day on'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--format' = @(,@('json', 'json'); ,@('ocsf', 'ocsf'); ,@('syslog', 'syslog')); '--cursor' = $null; '--every' = $null; '--since' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts report' = @{
      Options = @(,@('--day', 'which day, as 2026-11-23 (default: yesterday)'); ,@('--format', 'markdown or html (default: markdown)'); ,@('--log', 'a server''s log: what of it went around dbguard'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--day' = $null; '--format' = @(,@('markdown', 'markdown'); ,@('html', 'html')); '--log' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts ddl' = @{
      Options = @(,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--bucket' = $null; '--config' = $null }
      Operand = @(,@('athena', 'athena'); ,@('trino', 'trino'); ,@('clickhouse', 'clickhouse'); ,@('bigquery', 'bigquery'); ,@('snowflake', 'snowflake'))
    }
    'transcripts redact' = @{
      Options = @(,@('--entry', 'number of the entry, as show prints it'); ,@('--field', 'only this text of it: sql, bind, reason (default: all)'); ,@('--reason', 'why; it is recorded'); ,@('--to', 'also write a copy of the session without the text, to another bucket'); ,@('--keys', 'the leads'' archive (archive-keys, revoke-key), or a file with a key set'); ,@('--offline', 'do not ask the issuer for its keys'); ,@('--issuer', 'the only issuer to accept (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'the only client id to accept'); ,@('--workload-issuer', 'an issuer of CI jobs or services to accept as well'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--entry' = $null; '--field' = $null; '--reason' = $null; '--to' = $null; '--keys' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'transcripts reconcile' = @{
      Options = @(,@('--user', 'only connections of this role'); ,@('--database', 'only connections to this database'); ,@('--connection', 'only transcripts of this connection of dbguard.yaml'); ,@('--log-line-prefix', 'the server''s setting, with what a log collector puts in front (default: what transcripts recorded)'); ,@('--utc-offset', 'of times whose zone is an abbreviation: +01:00, or Europe/Berlin (default: what transcripts recorded)'); ,@('--json', 'print JSON, one line for each item'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--user' = $null; '--database' = $null; '--connection' = 'connections'; '--log-line-prefix' = $null; '--utc-offset' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts archive-keys' = @{
      Options = @(,@('--to', 'where, if not into the transcripts'' bucket'); ,@('--issuer', 'OpenID Connect issuer (default: identity.issuer in dbguard.yaml)'); ,@('--client-id', 'client id of dbguard at that issuer'); ,@('--workload-issuer', 'an issuer of CI jobs or services, beside those of dbguard.yaml'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--to' = $null; '--issuer' = $null; '--client-id' = $null; '--workload-issuer' = $null; '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'transcripts revoke-key' = @{
      Options = @(,@('--reason', 'what has happened'); ,@('--to', 'the leads'' archive, which "verify --keys" then names'); ,@('--since', 'from when on, as 2026-11-23T08:00Z (default: now)'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--reason' = $null; '--to' = $null; '--since' = $null; '--bucket' = $null; '--config' = $null }
      Operand = 'sessions'
    }
    'upload' = @{
      Options = @(,@('--any-bucket', 'also sessions that began in another bucket'); ,@('--bucket', 's3://bucket/prefix or file:./folder (default: bucket in dbguard.yaml)'); ,@('--config', 'use this file instead of the nearest dbguard.yaml'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--bucket' = $null; '--config' = $null }
      Operand = $null
    }
    'instructions' = @{
      Options = @(,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{  }
      Operand = $null
    }
    'completions' = @{
      Options = @(,@('--all', 'write the scripts of every shell into a folder'); ,@('--values', 'what the scripts ask for: connections, sessions, logins, questions of now'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--all' = $null; '--values' = @(,@('connections', 'connections'); ,@('sessions', 'sessions'); ,@('logins', 'logins'); ,@('questions', 'questions')) }
      Operand = @(,@('bash', 'bash'); ,@('zsh', 'zsh'); ,@('fish', 'fish'); ,@('powershell', 'powershell'))
    }
    'version' = @{
      Options = @(,@('--verify', 'hold what is installed to the signed list; exit code 1 changed, 2 not proven'); ,@('--key', 'with --verify: the project''s public key (PEM) in place of the one built in'); ,@('--folder', 'with --verify: another installation than this one'); ,@('--json', 'print JSON'); ,@('--help', 'show help'); ,@('-h', 'show help'))
      Values  = @{ '--key' = $null; '--folder' = $null }
      Operand = $null
    }
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
      Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
  $path = ''
  foreach ($word in $words) {
    # behind it another program's words begin
    if ($word -ceq '--') { return }
    $next = "$path $word".TrimStart()
    if ($tree.ContainsKey($next)) { $path = $next }
  }
  $node = $tree[$path]
  $values = $node.Operand
  if ($words.Count -gt 0 -and $node.Values.ContainsKey($words[-1])) { $values = $node.Values[$words[-1]] }
  elseif ($wordToComplete.StartsWith('-')) { $values = $node.Options }
  # no list: file names, which PowerShell offers by itself
  if ($null -eq $values) { return }
  if ($values -is [string]) {
    $values = @(& dbguard completions --values $values 2>$null | ForEach-Object { , @($_, $_) })
  }
  $values | Where-Object { $_[0].StartsWith($wordToComplete, [StringComparison]::OrdinalIgnoreCase) } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
