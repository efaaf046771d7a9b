/** A gateway in Kubernetes: replicas that share nothing but the bucket, and a database that nothing else reaches. */
import type { DeployedFile, DeployOptions } from './deployed-file.js';
import { gatewayConfig } from './gateway-config.js';
import { indented } from './indented.js';

export function kubernetesFiles({ image }: DeployOptions): DeployedFile[] {
  const config = gatewayConfig({
    issuer: 'https://login.example.com',
    platform: 'https://kubernetes.default.svc',
    subject: 'system:serviceaccount:dbguard:dbguard',
    database: 'postgresql://gateway@postgres.database/shop?sslmode=verify-full',
    bucket: 's3://example-transcripts/gateway',
    http: '0.0.0.0:9464',
    certificates: '/etc/dbguard/tls',
  });
  return [{ path: 'dbguard.yaml', text: `${head}${documents(image, config).join('---\n')}` }];
}

const head = `# kubectl apply -f dbguard.yaml, after these, which are secrets and so are not in it:
#   kubectl create namespace dbguard
#   kubectl -n dbguard create secret tls dbguard-tls --cert=tls.crt --key=tls.key
#   kubectl -n dbguard create secret generic dbguard-database --from-literal=password=...
# Change what says example; the namespace of the database is called "database" here, its pods "app: postgres".
`;

const documents = (image: string, config: string): string[] => [
  `# what it says of itself to the provider of workloads, and to nobody else
apiVersion: v1
kind: ServiceAccount
metadata: { name: dbguard, namespace: dbguard }
automountServiceAccountToken: false   # it asks nothing of the cluster
`,
  `apiVersion: v1
kind: ConfigMap
metadata: { name: dbguard, namespace: dbguard }
data:
  dbguard.yaml: |
${indented(config, 4)}`,
  `apiVersion: apps/v1
kind: Deployment
metadata: { name: dbguard, namespace: dbguard, labels: { app: dbguard } }
spec:
  replicas: 3
  strategy:
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }   # the old one drains when the new one is ready
  selector: { matchLabels: { app: dbguard } }
  template:
    metadata: { labels: { app: dbguard } }
    spec:
      serviceAccountName: dbguard
      automountServiceAccountToken: false
      enableServiceLinks: false       # no variables with the addresses of others
      terminationGracePeriodSeconds: 90   # statements have 20 s, then transcripts are sealed and uploaded
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: { type: RuntimeDefault }
      topologySpreadConstraints:      # one node that goes takes one replica along
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: { matchLabels: { app: dbguard } }
      containers:
        - name: dbguard
          image: ${image}
          args: [serve, --config, /etc/dbguard/dbguard.yaml]
          env:
            - { name: DBGUARD_ID_TOKEN_FILE, value: /var/run/secrets/dbguard/token }
            - name: PGPASSWORD        # of the login in connections.shop
              valueFrom: { secretKeyRef: { name: dbguard-database, key: password } }
          ports:
            - { name: postgres, containerPort: 6432 }
            - { name: oauth, containerPort: 6433 }
            - { name: http, containerPort: 9464 }
          # alive: it answers. Ready: it can also write evidence; without that it must get no client.
          livenessProbe: { httpGet: { path: /livez, port: http }, periodSeconds: 10, failureThreshold: 6 }
          readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 5 }
          startupProbe: { httpGet: { path: /livez, port: http }, periodSeconds: 2, failureThreshold: 60 }
          resources:
            requests: { cpu: 250m, memory: 256Mi }
            limits: { memory: 1Gi }   # no limit of CPU: a throttled gateway is a slow database
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: config, mountPath: /etc/dbguard/dbguard.yaml, subPath: dbguard.yaml, readOnly: true }
            - { name: tls, mountPath: /etc/dbguard/tls, readOnly: true }
            - { name: token, mountPath: /var/run/secrets/dbguard, readOnly: true }
            - { name: state, mountPath: /var/lib/dbguard }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - { name: config, configMap: { name: dbguard } }
        - { name: tls, secret: { secretName: dbguard-tls } }
        - name: token                 # made for dbguard alone, renewed by the kubelet
          projected:
            sources:
              - serviceAccountToken: { audience: dbguard, expirationSeconds: 3600, path: token }
        # Entries that are not in the bucket yet. It outlives a crash of the container, not its node: where that must not
        # lose the last seconds either, make this a StatefulSet with a volumeClaimTemplate of the name "state".
        - { name: state, emptyDir: { sizeLimit: 2Gi } }
        - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
`,
  `# whoever empties a node leaves two replicas
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: dbguard, namespace: dbguard }
spec:
  minAvailable: 2
  selector: { matchLabels: { app: dbguard } }
`,
  `apiVersion: v1
kind: Service
metadata: { name: dbguard, namespace: dbguard }
spec:
  selector: { app: dbguard }
  ports:
    - { name: postgres, port: 6432, targetPort: postgres }
    - { name: oauth, port: 6433, targetPort: oauth }
`,
  `# Into the gateway come clients, and whoever scrapes and probes; out of it go names, the database, provider and bucket.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: dbguard, namespace: dbguard }
spec:
  podSelector: { matchLabels: { app: dbguard } }
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{ port: 6432 }, { port: 6433 }]
    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }]
      ports: [{ port: 9464 }]
  egress:
    - ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
      to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } } }]
    - ports: [{ port: 5432 }]
      to:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: database } }
          podSelector: { matchLabels: { app: postgres } }
    - ports: [{ port: 443 }]          # the provider and the bucket; narrow it to their addresses where those are fixed
`,
  `# The other half: the database lets in the gateway and nobody else. A way around it would be a way around all of this.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: only-dbguard, namespace: database }
spec:
  podSelector: { matchLabels: { app: postgres } }
  policyTypes: [Ingress]
  ingress:
    - ports: [{ port: 5432 }]
      from:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: dbguard } }
          podSelector: { matchLabels: { app: dbguard } }
`,
];
