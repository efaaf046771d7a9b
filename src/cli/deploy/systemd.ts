/** A gateway as a service of systemd, with nothing of the machine that it does not need. */
import type { DeployedFile } from './deployed-file.js';

export function systemdFiles(): DeployedFile[] {
  return [
    {
      path: 'dbguard.service',
      text: `# /etc/systemd/system/dbguard.service; settings in /etc/dbguard/dbguard.yaml. systemd-analyze security dbguard.service
[Unit]
Description=dbguard, a guarded way to PostgreSQL
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=exec
ExecStart=/usr/bin/dbguard serve --config /etc/dbguard/dbguard.yaml
# entries that are not in the bucket yet: they outlive every kill, and the next start uploads them
StateDirectory=dbguard
StateDirectoryMode=0700
Environment=DBGUARD_HOME=/var/lib/dbguard DBGUARD_TOKEN_STORE=file
# PGPASSWORD, AWS_*, DBGUARD_ID_TOKEN_FILE; mode 0600, root's
EnvironmentFile=-/etc/dbguard/environment
# key and certificate stay root's; say in serve.tls  /run/credentials/dbguard.service/tls.key
LoadCredential=tls.crt:/etc/dbguard/tls.crt
LoadCredential=tls.key:/etc/dbguard/tls.key
Restart=always
RestartSec=2
# SIGTERM drains: statements have 20 s, then transcripts are sealed and uploaded
TimeoutStopSec=90
KillMode=mixed

DynamicUser=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
UMask=0077
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# no MemoryDenyWriteExecute: Node compiles at run time
# no core file with keys in it, and no debugger but root's
LimitCORE=0
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`,
    },
  ];
}
