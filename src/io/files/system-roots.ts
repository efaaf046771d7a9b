/** Where operating systems keep their root certificates in one PEM file; SSL_CERT_FILE as OpenSSL reads it comes first. */
export const systemBundles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
