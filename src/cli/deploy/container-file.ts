/** The container file of a gateway. It builds from the packed tarball alone, which lies beside it. */
import type { DeployedFile, DeployOptions } from './deployed-file.js';

export function containerFile({ version }: DeployOptions): DeployedFile {
  return {
    path: 'Containerfile',
    text: `# dbguard serve. Build it beside the tarball of the release:
#   docker build --file Containerfile --tag dbguard:${version} .
FROM node:22-bookworm-slim

COPY dbguard-${version}.tgz /tmp/
# no script of any package runs, and nothing that was built stays writable for who runs it
RUN npm install --global --ignore-scripts --no-audit --no-fund /tmp/dbguard-${version}.tgz \\
  && rm -rf /tmp/dbguard-${version}.tgz /root/.npm \\
  && install -d -o 65532 -g 65532 -m 0700 /var/lib/dbguard

# nobody of this machine: a user without a name, a shell or a home
USER 65532:65532
# what must outlive a crash: entries that are not in the bucket yet. Everything else may be read-only.
ENV DBGUARD_HOME=/var/lib/dbguard DBGUARD_TOKEN_STORE=file NODE_ENV=production
VOLUME /var/lib/dbguard
EXPOSE 6432 6433 9464
# SIGTERM drains: statements end, transcripts are sealed and uploaded
STOPSIGNAL SIGTERM
ENTRYPOINT ["dbguard"]
CMD ["serve", "--config", "/etc/dbguard/dbguard.yaml"]
`,
  };
}
