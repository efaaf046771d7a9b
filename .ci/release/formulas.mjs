// Where other package managers take the archives from: a Homebrew formula and a Scoop manifest. Pure.

/** @param address of the folder that the archives are published in. @param digests file name -> SHA-256 in hex */
export function homebrew({ version, description, license, address, digests }) {
  const from = (target) => {
    const file = `dbguard-${version}-${target}.tar.gz`;
    return `      url "${address}/${file}"\n      sha256 "${digestOf(digests, file)}"`;
  };
  return `# What installs dbguard with Homebrew; made by a release.
class Dbguard < Formula
  desc "${description.replace(/^A /, '')}"
  homepage "${address}"
  version "${version}"
  license "${license}"

  on_macos do
    on_arm do
${from('darwin-arm64')}
    end
    on_intel do
${from('darwin-x64')}
    end
  end

  on_linux do
    on_arm do
${from('linux-arm64')}
    end
    on_intel do
${from('linux-x64')}
    end
  end

  def install
    libexec.install Dir["*"]
    bin.install_symlink libexec/"bin/dbguard"
    bash_completion.install libexec/"completions/dbguard.bash" => "dbguard"
    zsh_completion.install libexec/"completions/_dbguard"
    fish_completion.install libexec/"completions/dbguard.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/dbguard --version")
  end
end
`;
}

export function scoop({ version, description, license, address, digests }) {
  const from = (target) => {
    const name = `dbguard-${version}-${target}`;
    return { url: `${address}/${name}.zip`, hash: digestOf(digests, `${name}.zip`), extract_dir: name };
  };
  const manifest = {
    version,
    description,
    homepage: address,
    license,
    architecture: { '64bit': from('win32-x64'), arm64: from('win32-arm64') },
    bin: 'bin\\dbguard.cmd',
  };
  return `${JSON.stringify(manifest, undefined, 4)}\n`;
}

function digestOf(digests, file) {
  const digest = digests.get(file);
  if (digest === undefined) throw new Error(`there is no ${file}: a formula names every platform`);
  return digest;
}
