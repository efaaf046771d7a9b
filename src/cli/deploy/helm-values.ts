/** Values for the chart that `helm create` makes: the same pod as in `kubernetes.ts`, for who has charts. */
import type { DeployedFile, DeployOptions } from './deployed-file.js';

export function helmValues({ image }: DeployOptions): DeployedFile[] {
  const [repository = '', tag = ''] = image.split(/:(?=[^:/]*$)/);
  return [
    {
      path: 'values.yaml',
      text: `# helm create dbguard && helm install dbguard ./dbguard --values values.yaml
# The chart has neither a PodDisruptionBudget nor a NetworkPolicy: take those of "dbguard deploy kubernetes", as well as the
# secrets and the ConfigMap that are named below.
replicaCount: 3
image: { repository: "${repository}", tag: "${tag}", pullPolicy: IfNotPresent }
serviceAccount: { create: true, automount: false, name: dbguard }
podSecurityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
service: { type: ClusterIP, port: 6432 }
ingress: { enabled: false }     # PostgreSQL's protocol is not HTTP
autoscaling: { enabled: false } # sessions are long: a replica that goes drains for a minute
# /readyz also says whether evidence can be written: without that it must get no client
livenessProbe: { httpGet: { path: /livez, port: 9464 }, periodSeconds: 10, failureThreshold: 6 }
readinessProbe: { httpGet: { path: /readyz, port: 9464 }, periodSeconds: 5 }
resources:
  requests: { cpu: 250m, memory: 256Mi }
  limits: { memory: 1Gi }
volumes:
  - { name: config, configMap: { name: dbguard } }
  - { name: tls, secret: { secretName: dbguard-tls } }
  - { name: database, secret: { secretName: dbguard-database } }
  - name: token
    projected:
      sources:
        - serviceAccountToken: { audience: dbguard, expirationSeconds: 3600, path: token }
  - { name: state, emptyDir: { sizeLimit: 2Gi } }
  - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
volumeMounts:
  - { name: config, mountPath: /etc/dbguard/dbguard.yaml, subPath: dbguard.yaml, readOnly: true }
  - { name: tls, mountPath: /etc/dbguard/tls, readOnly: true }
  # the chart knows no variables: say in connections.shop  password_command: [cat, /var/run/secrets/database/password]
  - { name: database, mountPath: /var/run/secrets/database, readOnly: true }
  # and give the image ENV DBGUARD_ID_TOKEN_FILE=/var/run/secrets/dbguard/token
  - { name: token, mountPath: /var/run/secrets/dbguard, readOnly: true }
  - { name: state, mountPath: /var/lib/dbguard }
  - { name: tmp, mountPath: /tmp }
`,
    },
  ];
}
